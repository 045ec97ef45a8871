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
seal(tomo_str_t master, tomo_str_t account, tomo_str_t n, tomo_str_t secret)
{
    uint8_t     key[32], nonce[12], aads[128], sealeds[512], texts[1024];
    tomo_buf_t  aad, sealed, text;

    tomo_buf_init(&aad, aads, sizeof(aads));
    tomo_buf_c(&aad, "secret|");
    tomo_buf_put(&aad, account);
    tomo_buf_byte(&aad, '|');
    tomo_buf_put(&aad, n);
    tomo_buf_init(&sealed, sealeds, sizeof(sealeds));
    tomo_buf_init(&text, texts, sizeof(texts));

    if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t) sizeof(nonce)
        || tomo_mac_derive(master, "edge-seal", key) != TOMO_OK
        || tomo_seal(key, nonce, tomo_buf_str(&aad), secret,
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


/* cuts a line at its blanks; returns the number of words, at most max */

static size_t
split(tomo_str_t line, tomo_str_t *words, size_t max)
{
    size_t  n, at, end;

    for (n = 0, at = 0; n < max && at < line.len; at = end + 1) {
        end = tomo_str_find(line, at, ' ');
        words[n++] = tomo_str_n(line.data + at, end - at);
    }

    return n;
}


static uint32_t
number(tomo_str_t word)
{
    uint64_t  n;

    if (tomo_u64_get(word, UINT32_MAX, &n) != TOMO_OK) {
        fail("a word that is no number");
    }

    return (uint32_t) n;
}


static void
answer(tomo_token_keys_t *keys, tomo_str_t master, tomo_str_t line)
{
    size_t        n;
    tomo_str_t    w[8];
    tomo_token_t  t;

    n = split(line, w, 8);

    if (n == 4 && tomo_str_eq(w[0], tomo_str("seal"))) {
        seal(master, w[1], w[2], w[3]);
        return;
    }

    if (n != 8 || !tomo_str_eq(w[0], tomo_str("token"))) {
        fail("a line that is neither seal nor token");
    }

    t.account = number(w[1]);
    t.kind = (tomo_token_kind_e) number(w[2]);
    t.target = number(w[3]);
    t.friend = number(w[4]);
    t.delivery = number(w[5]);
    t.day = number(w[6]);
    t.check = number(w[7]);
    token(keys, &t);
}


int
main(int argc, char **argv)
{
    char               line[1024];
    uint8_t            bytes[32];
    uint64_t           id;
    tomo_buf_t         master;
    tomo_token_keys_t  keys;

    if (argc != 3) {
        fail("usage: mkfeed KEY-ID KEY-HEX < lines");
    }

    tomo_buf_init(&master, bytes, sizeof(bytes));
    memset(&keys, 0, sizeof(keys));
    keys.n = 1;

    if (tomo_hex_get(tomo_str_c(argv[2]), &master) != TOMO_OK
        || tomo_u64_get(tomo_str_c(argv[1]), 15, &id) != TOMO_OK
        || tomo_token_key_init(&keys.keys[0], (uint8_t) id,
                               tomo_buf_str(&master))
           != TOMO_OK)
    {
        fail("the key is no key");
    }

    while (fgets(line, sizeof(line), stdin)) {
        answer(&keys, tomo_buf_str(&master),
               tomo_str_n(line, strcspn(line, "\n")));
    }

    tomo_token_keys_free(&keys);

    return 0;
}
