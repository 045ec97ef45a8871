/*
 * mksnapshot: writes the edge's sealed snapshot for tests that need a table
 * without Redis.
 *
 *   mksnapshot KEY-HEX FILE < list
 *
 * Lines of the list: `account ID NUMBER VERSION`, and
 * `item ACCOUNT KIND NUMBER VALUE-HEX` (kind as in tomo_table.h).
 */

#include "tomo_codec.h"
#include "tomo_mac.h"
#include "tomo_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROOM   (8u * 1024 * 1024)
#define TABLE  1000


typedef struct {
    tomo_table_account_t  accounts[TABLE];
    tomo_table_item_t     items[TABLE];
    size_t                n_accounts;
    size_t                n_items;
    tomo_arena_t          arena;
} list_t;

static list_t   given;
static uint8_t  list_room[ROOM];
static uint8_t  scratch_room[ROOM];
static uint8_t  block_room[ROOM];
static uint8_t  sealed_room[ROOM];


static void
fail(const char *what)
{
    fprintf(stderr, "mksnapshot: %s\n", what);
    exit(1);
}


static tomo_str_t
from_hex(list_t *list, const char *hex)
{
    tomo_buf_t  out;
    size_t      len;

    len = strlen(hex) / 2;
    tomo_buf_init(&out, tomo_arena_alloc(&list->arena, len + 1), len);

    if (tomo_hex_get(tomo_str_c(hex), &out) != TOMO_OK) {
        fail("a value that is not hex");
    }

    return tomo_buf_str(&out);
}


static void
read_line(list_t *list, char *line)
{
    char     *word[5];
    size_t    n;

    n = 0;

    for (char *p = strtok_r(line, " \n", &line); p != NULL && n < 5;
         p = strtok_r(NULL, " \n", &line))
    {
        word[n++] = p;
    }

    if (n == 0) {
        return;
    }

    if (n == 4 && strcmp(word[0], "account") == 0
        && list->n_accounts < TABLE)
    {
        list->accounts[list->n_accounts++] = (tomo_table_account_t) {
            .id = tomo_arena_dup(&list->arena, tomo_str_c(word[1])),
            .number = (uint32_t) strtoul(word[2], NULL, 10),
            .version = strtoull(word[3], NULL, 10)
        };

    } else if (n >= 4 && strcmp(word[0], "item") == 0
               && list->n_items < TABLE)
    {
        list->items[list->n_items++] = (tomo_table_item_t) {
            .account = tomo_arena_dup(&list->arena, tomo_str_c(word[1])),
            .kind = (tomo_item_kind_e) strtoul(word[2], NULL, 10),
            .number = (uint32_t) strtoul(word[3], NULL, 10),
            .value = n == 5 ? from_hex(list, word[4]) : tomo_str_null
        };

    } else {
        fail("a line that is neither account nor item");
    }
}


static void
write_sealed(const char *key_hex, const char *file, tomo_str_t block)
{
    FILE        *fp;
    uint8_t      master[32], key[32], nonce[12];
    tomo_buf_t   out;

    tomo_buf_init(&out, master, sizeof(master));

    if (tomo_hex_get(tomo_str_c(key_hex), &out) != TOMO_OK
        || out.len != 32
        || tomo_mac_derive(tomo_str_n(master, 32), "edge-snapshot", key)
           != TOMO_OK
        || getrandom(nonce, sizeof(nonce), 0) != (ssize_t) sizeof(nonce))
    {
        fail("the key is not 64 hex digits");
    }

    tomo_buf_init(&out, sealed_room, ROOM);

    if (tomo_seal(key, nonce, tomo_str("snapshot"), block, &out) != TOMO_OK)
    {
        fail("cannot seal");
    }

    fp = fopen(file, "wb");
    if (fp == NULL
        || fwrite(out.data, 1, out.len, fp) != out.len
        || fclose(fp) != 0)
    {
        fail("cannot write the file");
    }
}


int
main(int argc, char **argv)
{
    char          line[65536];
    tomo_buf_t    block;
    tomo_arena_t  scratch;

    if (argc != 3) {
        fail("usage: mksnapshot KEY-HEX FILE < list");
    }

    tomo_arena_init(&given.arena, list_room, ROOM);
    tomo_arena_init(&scratch, scratch_room, ROOM);
    tomo_buf_init(&block, block_room, ROOM);

    while (fgets(line, sizeof(line), stdin) != NULL) {
        read_line(&given, line);
    }

    if (tomo_table_build(1, given.accounts, given.n_accounts, given.items,
                         given.n_items, &scratch, &block)
        != TOMO_OK)
    {
        fail("no table can be built from that list");
    }

    write_sealed(argv[1], argv[2], tomo_buf_str(&block));

    return 0;
}
