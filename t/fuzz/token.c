/* Tokens: whatever is opened was issued, and nothing reads too far. */

#include "fuzz.h"
#include "tomo_token.h"


static void
issue_and_open(tomo_token_keys_t *keys, const uint8_t *data, size_t size)
{
    uint8_t       text[TOMO_TOKEN_LEN];
    tomo_buf_t    b;
    tomo_token_t  t, back;

    if (size < 28) {
        return;
    }

    t.account = (uint32_t) tomo_get_le(data, 4);
    t.kind = (tomo_token_kind_e) (data[4] & 3);
    t.target = (uint32_t) tomo_get_le(data + 5, 4);
    t.friend = (uint32_t) tomo_get_le(data + 9, 4);
    t.delivery = (uint32_t) tomo_get_le(data + 13, 4);
    t.day = (uint32_t) tomo_get_le(data + 17, 4);
    t.check = (uint32_t) tomo_get_le(data + 21, 4);

    if (data[25] & 1) {
        t.account &= 0x3fff;
        t.target &= 0xfffff;
        t.friend &= 0x3fffffff;
        t.delivery &= 0xffffff;
        t.day &= 0x3fff;
        t.check &= 0xffffff;
    }

    tomo_buf_init(&b, text, sizeof(text));

    if (tomo_token_issue(keys, &t, &b) != TOMO_OK) {
        return;
    }

    FUZZ_HOLDS(tomo_token_open(keys, tomo_buf_str(&b), &back) == TOMO_OK);
    FUZZ_HOLDS(back.account == t.account && back.kind == t.kind
               && back.target == t.target && back.friend == t.friend
               && back.delivery == t.delivery && back.day == t.day
               && back.check == t.check);

    /* one flip, anywhere */
    text[data[26] % sizeof(text)] ^= (uint8_t) (1u << data[27] % 8);
    FUZZ_HOLDS(tomo_token_open(keys, tomo_buf_str(&b), &back) != TOMO_OK);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool               ready;
    static tomo_token_keys_t  keys;
    uint8_t                   again[TOMO_TOKEN_LEN];
    tomo_buf_t                b;
    tomo_str_t                token, text = tomo_str_n(data, size);
    tomo_token_t              t;

    static const uint8_t  master[32] = "fuzz";

    if (!ready) {
        FUZZ_HOLDS(tomo_token_key_init(&keys.keys[0], 3,
                                       tomo_str_n(master, 32)) == TOMO_OK);
        keys.n = 1;
        ready = true;
    }

    if (tomo_token_open(&keys, text, &t) == TOMO_OK) {
        tomo_buf_init(&b, again, sizeof(again));
        FUZZ_HOLDS(tomo_token_issue(&keys, &t, &b) == TOMO_OK);
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), text));
    }

    if (tomo_token_trim(text, &token) == TOMO_OK) {
        FUZZ_HOLDS(token.data == data && token.len == TOMO_TOKEN_LEN);
        fuzz_touch(token);
    }

    issue_and_open(&keys, data, size);

    return 0;
}
