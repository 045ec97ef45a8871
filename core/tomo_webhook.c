/*
 * tomo_webhook: the signature of a webhook request.
 */

#include "tomo_webhook.h"
#include "tomo_codec.h"

#include <string.h>


static const char *const  webhook_words[] = {
#define WEBHOOK_WORD(name, word)  word,
    TOMO_SIGNATURES(WEBHOOK_WORD)
#undef WEBHOOK_WORD
};


tomo_rc_e
tomo_webhook_signature(tomo_str_t header, uint8_t *mac32)
{
    uint8_t     bytes[TOMO_MAC_BYTES + 1];
    tomo_rc_e   rc;
    tomo_buf_t  b;

    if (header.len != TOMO_WEBHOOK_SIGNATURE_LEN) {
        return TOMO_INVALID;
    }

    tomo_buf_init(&b, bytes, sizeof(bytes));
    rc = tomo_b64_get(header, &b);

    if (rc != TOMO_OK || b.len != TOMO_MAC_BYTES) {
        return TOMO_INVALID;
    }

    memcpy(mac32, bytes, TOMO_MAC_BYTES);

    return TOMO_OK;
}


/*
 * An empty secret never fits: it means that none is set.  Every secret is
 * tried, so that time does not tell which one fitted.
 */
tomo_signature_e
tomo_webhook_verify(tomo_hash_t *hash, const uint8_t *mac32,
    const tomo_str_t *chunks, size_t n_chunks, const tomo_str_t *secrets,
    size_t n_secrets)
{
    size_t            i;
    uint8_t           want[TOMO_MAC_BYTES];
    tomo_signature_e  verdict;

    verdict = TOMO_SIGNATURE_WRONG;

    for (i = 0; i < n_secrets && i < TOMO_WEBHOOK_SECRETS; i++) {
        if (secrets[i].len == 0
            || tomo_hash_hmac(hash, secrets[i], chunks, n_chunks, want)
               != TOMO_OK)
        {
            continue;
        }

        if (tomo_mac_same(want, mac32, TOMO_MAC_BYTES)
            && verdict == TOMO_SIGNATURE_WRONG)
        {
            verdict = (i == 0) ? TOMO_SIGNATURE_OK_FIRST
                               : TOMO_SIGNATURE_OK_SECOND;
        }
    }

    tomo_mac_wipe(want, sizeof(want));

    return verdict;
}


const char *
tomo_signature_word(tomo_signature_e s)
{
    return webhook_words[s];
}
