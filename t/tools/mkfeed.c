/*
 * mkfeed: what only the worker's keys can make, for tests of the edge alone.
 *
 *   mkfeed KEY-ID KEY-HEX < lines
 *
 * `seal ACCOUNT N SECRET` answers with the sealed secret in hex;
 * `token ACCOUNT KIND TARGET FRIEND DELIVERY DAY CHECK` with a token, all
 * numbers decimal (core/tomo_token.h).  One answer per line.
 */

#include "tomo_codec.h"
#include "tomo_mac.h"
#include "tomo_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


static void
fail(const char *what)
{
    fprintf(stderr, "mkfeed: %s\n", what);
    exit(1);
}


static void
seal(tomo_str_t master, const char *account, unsigned n, const char *secret)
{
    uint8_t     key[32], nonce[12], aads[128], sealeds[512], texts[1024];
    tomo_buf_t  aad, sealed, text;

    tomo_buf_init(&aad, aads, sizeof(aads));
    tomo_buf_c(&aad, "secret|");
    tomo_buf_c(&aad, account);
    tomo_buf_byte(&aad, '|');
    tomo_buf_u64(&aad, n);
    tomo_buf_init(&sealed, sealeds, sizeof(sealeds));
    tomo_buf_init(&text, texts, sizeof(texts));

    if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t) sizeof(nonce)
        || tomo_mac_derive(master, "edge-seal", key) != TOMO_OK
        || tomo_seal(key, nonce, tomo_buf_str(&aad), tomo_str_c(secret),
                     &sealed)
           != TOMO_OK)
    {
        fail("cannot seal");
    }

    tomo_hex_put(&text, tomo_buf_str(&sealed));
    printf("%.*s\n", (int) text.len, (const char *) text.data);
}


static void
token(tomo_token_keys_t *keys, const tomo_token_t *t)
{
    uint8_t     texts[64];
    tomo_buf_t  text;

    tomo_buf_init(&text, texts, sizeof(texts));

    if (tomo_token_issue(keys, t, &text) != TOMO_OK) {
        fail("a token's field is out of range");
    }

    printf("%.*s\n", (int) text.len, (const char *) text.data);
}


int
main(int argc, char **argv)
{
    char               line[1024], account[64], secret[256];
    uint8_t            bytes[32];
    unsigned           n, kind;
    tomo_buf_t         master;
    tomo_token_t       t;
    tomo_token_keys_t  keys;

    if (argc != 3) {
        fail("usage: mkfeed KEY-ID KEY-HEX < lines");
    }

    tomo_buf_init(&master, bytes, sizeof(bytes));
    memset(&keys, 0, sizeof(keys));
    keys.n = 1;

    if (tomo_hex_get(tomo_str_c(argv[2]), &master) != TOMO_OK
        || tomo_token_key_init(&keys.keys[0],
                               (uint8_t) strtoul(argv[1], NULL, 10),
                               tomo_buf_str(&master))
           != TOMO_OK)
    {
        fail("the key is no key");
    }

    while (fgets(line, sizeof(line), stdin)) {
        memset(&t, 0, sizeof(t));

        if (sscanf(line, "seal %63s %u %255s", account, &n, secret) == 3) {
            seal(tomo_buf_str(&master), account, n, secret);

        } else if (sscanf(line, "token %u %u %u %u %u %u %u", &t.account,
                          &kind, &t.target, &t.friend, &t.delivery, &t.day,
                          &t.check)
                   == 7)
        {
            t.kind = (tomo_token_kind_e) kind;
            token(&keys, &t);

        } else {
            fail("a line that is neither seal nor token");
        }
    }

    return 0;
}
