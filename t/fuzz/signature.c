/* Signatures: the header is canonical, and only the right one verifies. */

#include "fuzz.h"
#include "tomo_codec.h"
#include "tomo_webhook.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool         ready;
    static tomo_hash_t  hash;
    size_t              cut;
    uint8_t             mac[32], want[32], text[48];
    tomo_buf_t          b;
    tomo_str_t          header, chunks[2], secret, all;
    tomo_signature_e    verdict;

    if (!ready) {
        FUZZ_HOLDS(tomo_hash_init(&hash) == TOMO_OK);
        ready = true;
    }

    header = tomo_str_n(data, size < 44 ? size : 44);

    if (tomo_webhook_signature(tomo_str_n(data, size), mac) == TOMO_OK) {
        FUZZ_HOLDS(size == 44);
    }

    if (tomo_webhook_signature(header, mac) == TOMO_OK) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_b64_put(&b, tomo_str_n(mac, sizeof(mac)));
        FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b), header));

    } else {
        memset(mac, 0, sizeof(mac));
    }

    if (size < 2) {
        return 0;
    }

    /* secret | body, cut anywhere */
    cut = data[0] % size;
    secret = tomo_str_n(data, cut);
    all = tomo_str_n(data + cut, size - cut);
    chunks[0] = tomo_str_n(all.data, data[1] % (all.len + 1));
    chunks[1] = tomo_str_n(all.data + chunks[0].len,
                           all.len - chunks[0].len);

    FUZZ_HOLDS(tomo_hash_hmac(&hash, secret, &all, 1, want) == TOMO_OK);
    verdict = tomo_webhook_verify(&hash, want, chunks, 2, &secret, 1);
    FUZZ_HOLDS(verdict == (cut == 0 ? TOMO_SIGNATURE_WRONG
                                    : TOMO_SIGNATURE_OK_FIRST));

    if (!tomo_mac_same(mac, want, sizeof(mac))) {
        FUZZ_HOLDS(tomo_webhook_verify(&hash, mac, chunks, 2, &secret, 1)
                   == TOMO_SIGNATURE_WRONG);
    }

    return 0;
}
