#include "owner.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_entry.h"
#include "tomo_keys.h"
#include "tomo_token.h"

#define OWNER_COMMIT_BYTES   (24u << 20)
#define OWNER_DELIVERY_HEAD  "dl:"

struct owner_delivery_s {
    char      *name;
    size_t     len;
    uint32_t   no;
};

static const char *const  owner_try[OWNER_LANES][2] = {
    { "try", "try_n" },
    { "try_bulk", "try_bulk_n" },
    { "try_timer", "try_timer_n" }
};

static const char *const  owner_fields[] = {
#define OWNER_FIELD_(name, field)  field,
    OWNER_COUNTERS(OWNER_FIELD_)
#undef OWNER_FIELD_
};


static void
owner_key(char *out, tomo_str_t account,
    void (*fn)(tomo_buf_t *, tomo_str_t))
{
    tomo_buf_t  b;

    tomo_buf_init(&b, out, TOMO_KEY_MAX - 1);
    fn(&b, account);
    out[b.len] = '\0';
}


tomo_rc_e
owner_init(owner_t *o, const conf_t *conf, const conf_account_t *account,
    vault_t *vault, const lease_self_t *self)
{
    memset(o, 0, sizeof(owner_t));
    o->conf = conf;
    o->account = account;
    o->vault = vault;
    o->id = tomo_str_c(account->id);
    owner_key(o->key_lease, o->id, tomo_key_lease_ingest);
    owner_key(o->key_cursor, o->id, tomo_key_cursor);
    lease_init(&o->lease, self, tomo_str_c(o->key_lease));
    o->commit = commit_create(OWNER_COMMIT_BYTES);

    return o->commit != NULL ? TOMO_OK : TOMO_ERROR;
}


static void
owner_forget(owner_t *o)
{
    size_t  i;

    for (i = 0; i < o->n_deliveries; i++) {
        free(o->deliveries[i].name);
    }

    o->n_deliveries = 0;
    gone_free(&o->gone);
    owner_settle(o);
    defs_free(o->defs);
    starts_free(o->starts);
    o->defs = NULL;
    o->starts = NULL;
    o->loaded = false;
}


void
owner_free(owner_t *o)
{
    owner_forget(o);
    free(o->deliveries);
    commit_free(o->commit);
    o->commit = NULL;
}


void
owner_settle(owner_t *o)
{
    defs_free(o->old_defs);
    o->old_defs = NULL;
}


tomo_rc_e
owner_defs(owner_t *o, defs_t *defs)
{
    starts_t  *starts;

    starts = starts_build(defs);

    if (starts == NULL) {
        return TOMO_ERROR;
    }

    /* two edits in one batch: the set between them saw no event alone */
    owner_settle(o);
    o->old_defs = o->defs;
    starts_free(o->starts);
    o->defs = defs;
    o->starts = starts;

    return TOMO_OK;
}


static uint64_t
owner_u64(const redisReply *pairs, const char *name, uint64_t max)
{
    uint64_t  n = 0;

    return tomo_u64_get(redis_pair(pairs, name), max, &n) == TOMO_OK ? n : 0;
}


static void
owner_text(char *out, size_t cap, tomo_str_t s, const char *otherwise)
{
    if (s.len == 0 || s.len >= cap) {
        s = tomo_str_c(otherwise);
    }

    memcpy(out, s.data, s.len);
    out[s.len] = '\0';
}


static bool
owner_delivery_put(owner_t *o, tomo_str_t name, uint32_t no)
{
    size_t             cap;
    owner_delivery_t  *more;

    if (o->n_deliveries == o->cap_deliveries) {
        cap = 2 * o->cap_deliveries + 16;
        more = realloc(o->deliveries, cap * sizeof(owner_delivery_t));

        if (more == NULL) {
            return false;
        }

        o->deliveries = more;
        o->cap_deliveries = cap;
    }

    more = &o->deliveries[o->n_deliveries];
    more->name = malloc(name.len + 1);

    if (more->name == NULL) {
        return false;
    }

    memcpy(more->name, name.data, name.len);
    more->len = name.len;
    more->no = no;
    o->n_deliveries++;

    return true;
}


static void
owner_load_cursor(owner_t *o, const redisReply *cursor)
{
    size_t          i;
    owner_state_t  *s = &o->state;

    memset(s, 0, sizeof(owner_state_t));
    owner_text(s->in, sizeof(s->in), redis_pair(cursor, "in"), "0-0");
    owner_text(s->bulk, sizeof(s->bulk), redis_pair(cursor, "bulk"), "0-0");
    s->in_i = (uint32_t) owner_u64(cursor, "in_i", UINT32_MAX);
    s->bulk_i = (uint32_t) owner_u64(cursor, "bulk_i", UINT32_MAX);
    s->n = owner_u64(cursor, "n", UINT64_MAX);
    s->serial = (uint32_t) owner_u64(cursor, "serial", OWNER_SERIAL_MAX);
    s->delivery = (uint32_t) owner_u64(cursor, "delivery",
                                       OWNER_DELIVERY_MAX);
    o->numbers.known = redis_pair(cursor, "serial").data != NULL;

    for (i = 0; i < OWNER_LANES; i++) {
        owner_text(s->try[i], sizeof(s->try[i]),
                   redis_pair(cursor, owner_try[i][0]), "");
        s->try_n[i] = (uint32_t) owner_u64(cursor, owner_try[i][1],
                                           UINT32_MAX);
    }

    for (i = 0; i < OWNER_COUNTERS_END; i++) {
        s->counters[i] = owner_u64(cursor, owner_fields[i], UINT64_MAX);
    }
}


/* none is given twice: the highest that anything here tells of */
static void
owner_load_numbers(owner_t *o, const redisReply *meta)
{
    owner_numbers_t  *m = &o->numbers;

    m->in_meta = redis_pair(meta, "serial").data != NULL;
    m->known = m->known || m->in_meta;
    m->serial = (uint32_t) owner_u64(meta, "serial", OWNER_SERIAL_MAX);
    m->delivery = (uint32_t) owner_u64(meta, "delivery", OWNER_DELIVERY_MAX);

    if (m->serial > o->state.serial) {
        o->state.serial = m->serial;
    }

    if (m->delivery > o->state.delivery) {
        o->state.delivery = m->delivery;
    }
}


static bool
owner_load_meta(owner_t *o, const redisReply *meta)
{
    size_t      i;
    uint64_t    no;
    tomo_str_t  name, head = tomo_str(OWNER_DELIVERY_HEAD);

    o->loading = owner_u64(meta, "loading", 1) == 1
                 && o->account->definitions != NULL;

    o->erase_n = owner_u64(meta, "erase", UINT64_MAX);
    o->erased_n = owner_u64(meta, "erased", UINT64_MAX);
    owner_load_numbers(o, meta);
    o->state.defs_version = owner_u64(meta, "defs", UINT64_MAX);
    o->state.feed_version = owner_u64(meta, "feed", UINT64_MAX);

    for (i = 0; i + 1 < redis_len(meta); i += 2) {
        name = redis_str(redis_at(meta, i));

        if (!tomo_str_starts(name, head)
            || tomo_u64_get(redis_str(redis_at(meta, i + 1)),
                            OWNER_DELIVERY_MAX, &no)
               != TOMO_OK)
        {
            continue;
        }

        if (!owner_delivery_put(o, tomo_str_n(name.data + head.len,
                                              name.len - head.len),
                                (uint32_t) no))
        {
            return false;
        }

        if (no > o->state.delivery) {
            o->state.delivery = (uint32_t) no;
        }
    }

    return true;
}


static tomo_rc_e
owner_load_defs(owner_t *o, const redisReply *stored)
{
    size_t   i, broken;
    defs_t  *defs;

    defs = defs_create();

    if (defs == NULL) {
        return TOMO_ERROR;
    }

    for (i = 0; i + 1 < redis_len(stored) && !o->loading; i += 2) {
        if (defs_add_stored(defs, redis_str(redis_at(stored, i)),
                            redis_str(redis_at(stored, i + 1)))
            != TOMO_OK)
        {
            log_error(o->account->id, "a stored definition cannot be read and "
                      "is left out: field %zu of key `defs`; store it again "
                      "with PUT", i / 2);
        }
    }

    broken = defs_compile_stored(defs);

    if (broken > 0) {
        log_error(o->account->id, "%zu stored definitions do not compile and "
                  "rest: store them again with PUT, the answer says what is "
                  "wrong", broken);
    }

    return owner_defs(o, defs);
}


static redisReply *
owner_hgetall(redis_t *r, tomo_str_t account,
    void (*fn)(tomo_buf_t *, tomo_str_t))
{
    char  key[TOMO_KEY_MAX];

    owner_key(key, account, fn);

    return redis_call_c(r, "HGETALL", key, NULL);
}


tomo_rc_e
owner_load(owner_t *o, redis_t *r)
{
    bool         wrong = false, whole = true;
    size_t       i;
    tomo_rc_e    rc = TOMO_AGAIN;
    redisReply  *got[4] = { NULL };

    static void (*const  keys[])(tomo_buf_t *, tomo_str_t) = {
        tomo_key_cursor, tomo_key_meta, tomo_key_defs, tomo_key_gone
    };

    owner_forget(o);

    for (i = 0; i < 4 && whole; i++) {
        got[i] = owner_hgetall(r, o->id, keys[i]);
        wrong = wrong || redis_error_of(got[i]) == REDIS_ERR_TYPE;
        whole = got[i] != NULL
                && (wrong || redis_is(got[i], REDIS_REPLY_ARRAY));
    }

    if (whole && wrong) {
        log_error(o->account->id, "cannot be loaded: `cursor`, `meta`, "
                  "`defs` or `gone` is no hash; somebody wrote to this "
                  "Redis: restore it from a backup");
        o->stuck = true;
        o->stuck_us = clock_mono_us();
        rc = TOMO_INVALID;

    } else if (whole && !owner_sane(o, got[0], got[1])) {
        rc = TOMO_INVALID;

    } else if (whole) {
        owner_load_cursor(o, got[0]);

        if (owner_load_meta(o, got[1])
            && owner_load_defs(o, got[2]) == TOMO_OK
            && gone_load(&o->gone, o->account->id, got[3]) == TOMO_OK)
        {
            o->loaded = true;
            rc = TOMO_OK;
        }
    }

    for (i = 0; i < 4; i++) {
        freeReplyObject(got[i]);
    }

    return rc;
}


uint32_t
owner_delivery(owner_t *o, tomo_str_t name)
{
    size_t      i;
    uint8_t     text[256];
    char        key[TOMO_KEY_MAX];
    tomo_buf_t  b;

    for (i = 0; i < o->n_deliveries; i++) {
        if (tomo_str_eq(name, tomo_str_n(o->deliveries[i].name,
                                         o->deliveries[i].len)))
        {
            return o->deliveries[i].no;
        }
    }

    tomo_buf_init(&b, text, sizeof(text) - 1);
    tomo_buf_c(&b, OWNER_DELIVERY_HEAD);
    tomo_buf_put(&b, name);

    if (b.failed || o->state.delivery == OWNER_DELIVERY_MAX
        || !owner_delivery_put(o, name, o->state.delivery + 1))
    {
        return 0;
    }

    o->state.delivery++;
    text[b.len] = '\0';
    owner_key(key, o->id, tomo_key_meta);
    commit_op(o->commit, 'h', tomo_str_c(key));
    commit_pair_u64(o->commit, (const char *) text, o->state.delivery);
    commit_pair_u64(o->commit, "delivery", o->state.delivery);
    commit_end(o->commit);

    return o->state.delivery;
}


void
owner_follow_up(owner_t *o, tomo_str_t body, int64_t now_ms)
{
    int           i;
    char          key[TOMO_KEY_MAX];
    uint8_t       text[160];
    tomo_str_t    argv[2 * TOMO_ENTRY_FIELDS];
    tomo_buf_t    b;
    tomo_entry_t  e;

    tomo_buf_init(&b, text, sizeof(text));
    e = (tomo_entry_t) {
        .kind = TOMO_ENTRY_follow_up, .at_ms = now_ms, .writer = 0,
        .seq = o->state.n + 1, .body = body
    };

    if (tomo_entry_encode(&e, &b, argv) != TOMO_OK) {
        o->commit->failed = true;
        return;
    }

    owner_key(key, o->id, tomo_key_bulk);
    commit_op(o->commit, 'x', tomo_str_c(key));

    for (i = 0; i < 2 * TOMO_ENTRY_FIELDS; i++) {
        commit_arg(o->commit, argv[i]);
    }

    commit_end(o->commit);
}


void
owner_erases(owner_t *o)
{
    char  key[TOMO_KEY_MAX];

    if (o->erase_n == o->state.n + 1) {
        return;
    }

    o->erase_n = o->state.n + 1;
    owner_key(key, o->id, tomo_key_meta);
    commit_op(o->commit, 'h', tomo_str_c(key));
    commit_pair_u64(o->commit, "erase", o->erase_n);
    commit_end(o->commit);
}


void
owner_commit_begin(owner_t *o)
{
    commit_reset(o->commit, tomo_str_c(o->key_lease),
                 tomo_str_c(o->key_cursor));
}


void
owner_commit_end(owner_t *o)
{
    size_t          i;
    commit_t       *c = o->commit;
    owner_state_t  *s = &o->state;

    commit_op(c, 'h', tomo_str_c(o->key_cursor));
    commit_pair(c, "in", tomo_str_c(s->in));
    commit_pair_u64(c, "in_i", s->in_i);
    commit_pair(c, "bulk", tomo_str_c(s->bulk));
    commit_pair_u64(c, "bulk_i", s->bulk_i);
    commit_pair_u64(c, "serial", s->serial);
    commit_pair_u64(c, "delivery", s->delivery);

    for (i = 0; i < OWNER_LANES; i++) {
        commit_pair(c, owner_try[i][0], tomo_str_c(s->try[i]));
        commit_pair_u64(c, owner_try[i][1], s->try_n[i]);
    }

    for (i = 0; i < OWNER_COUNTERS_END; i++) {
        commit_pair_u64(c, owner_fields[i], s->counters[i]);
    }

    commit_pair_u64(c, "n", s->n + 1);
    commit_end(c);
}
