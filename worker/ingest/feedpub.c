#include "feedpub.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "model/def_link.h"
#include "model/def_survey.h"
#include "tomo_codec.h"
#include "tomo_feed.h"
#include "tomo_keys.h"

#define FEEDPUB_VALUE_BYTES  (256 * 1024)


static tomo_str_t
feedpub_key(char *text, owner_t *o, void (*fn)(tomo_buf_t *, tomo_str_t))
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, TOMO_KEY_MAX);
    fn(&b, o->id);

    return tomo_buf_str(&b);
}


static void
feedpub_link(tomo_buf_t *b, const void *compiled)
{
    tomo_link_t        link;
    const def_link_t  *l = compiled;

    link = (tomo_link_t) { .url = l->url, .open = l->open };
    tomo_link_put(b, &link);
}


static void
feedpub_survey(tomo_buf_t *b, const void *compiled)
{
    def_survey_put(b, compiled);
}


/* the kinds of definition that edges know */
static const struct {
    tomo_item_kind_e   item;
    void             (*put)(tomo_buf_t *b, const void *compiled);
} feedpub_kinds[DEF_KIND_END] = {
    [DEF_LINK] = { TOMO_ITEM_LINK, feedpub_link },
    [DEF_SURVEY] = { TOMO_ITEM_SURVEY, feedpub_survey },
};


bool
feedpub_has(def_kind_e kind)
{
    return feedpub_kinds[kind].put != NULL;
}


void
feedpub_def(owner_t *o, const def_t *def)
{
    char        key[TOMO_KEY_MAX];
    uint8_t     value[FEEDPUB_VALUE_BYTES], field[64];
    tomo_buf_t  b, name;

    if (def->compiled == NULL || !feedpub_has(def->kind)) {
        return;
    }

    tomo_buf_init(&b, value, sizeof(value));
    tomo_buf_init(&name, field, sizeof(field));
    feedpub_kinds[def->kind].put(&b, def->compiled);
    tomo_feed_field_put(&name, feedpub_kinds[def->kind].item, def->no);

    if (b.failed || name.failed) {
        log_error(o->account->id, "%s %u is too large for the edge feed: "
                  "make it smaller", defs_kind_word(def->kind),
                  (unsigned) def->no);
        return;
    }

    commit_op(o->commit, 'h', feedpub_key(key, o, tomo_key_feed));
    commit_arg(o->commit, tomo_buf_str(&name));
    commit_arg(o->commit, tomo_buf_str(&b));
    commit_end(o->commit);
}


void
feedpub_version(owner_t *o)
{
    char  key[TOMO_KEY_MAX];

    o->state.feed_version++;
    commit_op(o->commit, 'h', feedpub_key(key, o, tomo_key_feed));
    commit_pair_u64(o->commit, "version", o->state.feed_version);
    commit_pair_u64(o->commit, "number", o->account->number);
    commit_end(o->commit);
    commit_op(o->commit, 'h', feedpub_key(key, o, tomo_key_meta));
    commit_pair_u64(o->commit, "feed", o->state.feed_version);
    commit_pair_u64(o->commit, "number", o->account->number);
    commit_end(o->commit);
}


/* tells whether the sealed secrets are these, without opening them */
static tomo_rc_e
feedpub_print(owner_t *o, char out[65])
{
    size_t      i;
    uint8_t     text[256], mac[TOMO_MAC_BYTES];
    tomo_buf_t  b, hex;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "feed-secrets|");
    tomo_buf_put(&b, o->id);
    tomo_buf_byte(&b, '|');
    tomo_buf_c(&b, o->account->secret);
    tomo_buf_byte(&b, '|');
    tomo_buf_c(&b, o->account->next_secret);

    for (i = 0; i < o->vault->tokens.n; i++) {
        tomo_buf_byte(&b, '|');
        tomo_buf_u64(&b, o->vault->tokens.keys[i].id);
    }

    if (b.failed
        || tomo_mac_sign(&o->vault->tombstone, tomo_buf_str(&b), mac)
           != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    tomo_mac_wipe(text, sizeof(text));
    tomo_buf_init(&hex, out, 64);
    tomo_hex_put(&hex, tomo_str_n(mac, sizeof(mac)));
    out[64] = '\0';

    return TOMO_OK;
}


static tomo_rc_e
feedpub_secret(owner_t *o, unsigned n, const char *secret)
{
    char        key[TOMO_KEY_MAX];
    uint8_t     aad[96], field[16], sealed[128];
    tomo_buf_t  a, f, s;

    tomo_buf_init(&a, aad, sizeof(aad));
    tomo_buf_c(&a, "secret|");
    tomo_buf_put(&a, o->id);
    tomo_buf_byte(&a, '|');
    tomo_buf_u64(&a, n);
    tomo_buf_init(&f, field, sizeof(field));
    tomo_buf_c(&f, "secret/");
    tomo_buf_u64(&f, n);
    tomo_buf_init(&s, sealed, sizeof(sealed));

    if (secret[0] == '\0') {
        commit_op(o->commit, 'd', feedpub_key(key, o, tomo_key_feed));
        commit_arg(o->commit, tomo_buf_str(&f));
        commit_end(o->commit);
        return TOMO_OK;
    }

    if (vault_seal_edge(o->vault, tomo_buf_str(&a), tomo_str_c(secret), &s)
        != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    commit_op(o->commit, 'h', feedpub_key(key, o, tomo_key_feed));
    commit_arg(o->commit, tomo_buf_str(&f));
    commit_arg(o->commit, tomo_buf_str(&s));
    commit_end(o->commit);

    return TOMO_OK;
}


tomo_rc_e
feedpub_stale(owner_t *o, redis_t *r, char print[65], bool *stale)
{
    char         feed[TOMO_KEY_MAX + 1], meta[TOMO_KEY_MAX + 1];
    tomo_rc_e    rc = TOMO_AGAIN;
    uint64_t     n;
    redisReply  *version, *old;

    /* redis_call_c wants C strings */
    feed[feedpub_key(feed, o, tomo_key_feed).len] = '\0';
    meta[feedpub_key(meta, o, tomo_key_meta).len] = '\0';
    version = redis_call_c(r, "HGET", feed, "version", NULL);
    old = version == NULL ? NULL
                          : redis_call_c(r, "HGET", meta, "feed_print", NULL);

    /* `meta` gone: edges must not be told of an older version than they have */
    if (tomo_u64_get(redis_str(version), UINT64_MAX - 1, &n) == TOMO_OK
        && n > o->state.feed_version)
    {
        o->state.feed_version = n;
    }

    if (old != NULL && feedpub_print(o, print) == TOMO_OK) {
        *stale = !redis_is(version, REDIS_REPLY_STRING)
                 || !tomo_str_eq(redis_str(old), tomo_str_n(print, 64));
        rc = TOMO_OK;
    }

    freeReplyObject(version);
    freeReplyObject(old);

    return rc;
}


bool
feedpub_some(owner_t *o, size_t *i)
{
    for ( /* void */ ; *i < defs_count(o->defs); (*i)++) {
        if (!commit_room(o->commit, 200, 2 * FEEDPUB_VALUE_BYTES)) {
            return true;
        }

        feedpub_def(o, defs_at(o->defs, *i));
    }

    return false;
}


tomo_rc_e
feedpub_secrets(owner_t *o, const char *print)
{
    char  key[TOMO_KEY_MAX];

    if (feedpub_secret(o, 1, o->account->secret) != TOMO_OK
        || feedpub_secret(o, 2, o->account->next_secret) != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    commit_op(o->commit, 'h', feedpub_key(key, o, tomo_key_meta));
    commit_pair(o->commit, "feed_print", tomo_str_n(print, 64));
    commit_end(o->commit);

    return TOMO_OK;
}
