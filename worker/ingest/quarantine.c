#include "quarantine.h"

#include <openssl/evp.h>

#include "tomo_codec.h"
#include "tomo_keys.h"


/*
 * Ids of quarantined events need not be unique or well formed, so every one
 * gets a synthetic id from its content and place (B19).
 */
static tomo_str_t
quarantine_id(decision_t *d, const event_t *ev)
{
    uint8_t     digest[EVP_MAX_MD_SIZE], text[64];
    tomo_buf_t  b;
    unsigned    len = 0;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "q-");

    if (EVP_Digest(ev->raw.data, ev->raw.len, digest, &len, EVP_sha256(),
                   NULL)
        == 1)
    {
        tomo_hex_put(&b, tomo_str_n(digest, 8));
    }

    tomo_buf_byte(&b, '.');
    tomo_buf_u64(&b, ev->index);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


void
quarantine_put(decision_t *d, const event_t *ev, const char *why)
{
    tomo_str_t  body = ev->raw;

    /* a commit must be able to hold it */
    body.len = body.len < QUARANTINE_BYTES ? body.len : QUARANTINE_BYTES;
    commit_op(d->c, 'x', decision_key(d, tomo_key_quarantine));
    commit_pair(d->c, "why", tomo_str_c(why));
    commit_pair(d->c, "id", quarantine_id(d, ev));
    commit_pair(d->c, "kind", tomo_str_c(event_kind_word(ev->kind)));
    commit_pair_i64(d->c, "at", ev->received_ms);
    commit_pair(d->c, "origin", ev->origin);
    commit_pair(d->c, "entry", ev->entry);
    commit_pair_u64(d->c, "index", ev->index);
    commit_pair(d->c, "body", body);
    commit_end(d->c);
    d->o->state.counters[ev->kind == EVENT_TIMER ? OWNER_TIMERS_ASIDE
                                                 : OWNER_QUARANTINED]++;
}
