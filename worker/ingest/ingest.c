#include "ingest.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "clock.h"
#include "edgewatch.h"
#include "lease.h"
#include "log.h"
#include "recover.h"
#include "redis.h"
#include "redis_check.h"
#include "retain.h"
#include "seen.h"
#include "tomo_keys.h"
#include "vault.h"

#define INGEST_WAIT_MS    50
#define INGEST_STUCK_US   INT64_C(5000000)
#define INGEST_CLEAN_US   INT64_C(10000000)
#define INGEST_LOOK_US    INT64_C(1000000)

typedef struct {
    role_t        *role;
    redis_t        redis;
    vault_t        vault;
    lease_self_t   self;
    batch_t       *batch;
    owner_t       *owners;
    size_t         n;
    uint64_t       known;           /* generation of Redis last met */
    redis_check_t  check;
    int64_t        clean_us;
    int64_t        look_us;
    edgewatch_t    edges;
    retain_t       retain;
} ingest_t;


static tomo_rc_e
ingest_open(ingest_t *in)
{
    size_t         i;
    const conf_t  *conf = in->role->conf;

    in->check.whom = TOMO_DOCTOR_WORK;
    redis_init(&in->redis, conf, "ingest", 0);
    lease_scripts(&in->redis);
    batch_script(&in->redis);

    if (vault_open(&in->vault, conf) != TOMO_OK
        || lease_self_open(&in->self, conf->run_dir, "ingest") != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    in->batch = batch_create();
    in->owners = calloc(conf->n_accounts + 1, sizeof(owner_t));

    if (in->batch == NULL || in->owners == NULL) {
        return TOMO_ERROR;
    }

    for (i = 0; i < conf->n_accounts; i++) {
        if (owner_init(&in->owners[i], conf, &conf->accounts[i], &in->vault,
                       &in->self)
            != TOMO_OK)
        {
            return TOMO_ERROR;
        }

        in->n++;
    }

    return TOMO_OK;
}


static void
ingest_close(ingest_t *in)
{
    size_t  i;

    for (i = 0; i < in->n; i++) {
        lease_release(&in->owners[i].lease, &in->redis);
        owner_free(&in->owners[i]);
    }

    free(in->owners);
    batch_free(in->batch);
    lease_self_close(&in->self);
    vault_close(&in->vault);
    redis_close(&in->redis);
}


/* heartbeats of edges: their keys, how long they keep what was shipped */
static void
ingest_edges(ingest_t *in)
{
    bool    other;
    size_t  i;

    if (edgewatch_read(&in->edges, &in->redis) != TOMO_OK) {
        return;
    }

    other = vault_prefer(&in->vault, in->edges.keys);

    if (other) {
        log_info("edge.key", "key %u issues links now",
                 (unsigned) in->vault.tokens.keys[0].id);
    }

    for (i = 0; i < in->n; i++) {
        in->owners[i].keep_ms = in->edges.keep_ms;

        if (other) {
            /* what edges read is sealed anew when it is loaded */
            in->owners[i].loaded = false;
        }
    }
}


/* the server must keep its word before we write to it (RELIABILITY.md 6) */
static tomo_rc_e
ingest_check(ingest_t *in)
{
    size_t       i;
    tomo_rc_e    rc;
    redisReply  *reply;

    if (!redis_check_due(&in->redis, &in->check)) {
        return in->check.refused ? TOMO_DENIED : TOMO_OK;
    }

    rc = redis_check(&in->redis, &in->check);

    if (rc != TOMO_OK || in->known == in->redis.generation) {
        return rc;
    }

    for (i = 0; i < in->n; i++) {
        /* after a reconnect nothing of what we remember is certain */
        in->owners[i].loaded = false;
        reply = redis_call_c(&in->redis, "SADD", TOMO_KEY_ACCOUNTS,
                             in->owners[i].account->id, NULL);
        freeReplyObject(reply);
    }

    /* no link with a key that an edge does not have yet */
    ingest_edges(in);
    in->known = in->redis.generation;

    return TOMO_OK;
}


/* the lease is ours: taken or renewed when it is time to */
static bool
ingest_holds(ingest_t *in, owner_t *o, int64_t now_us)
{
    bool       held = o->lease.held && lease_valid(&o->lease);
    tomo_rc_e  rc;

    if (held && !lease_due(&o->lease)) {
        return true;
    }

    if (!held && now_us < o->lease_us) {
        return false;
    }

    rc = lease_take(&o->lease, &in->redis);

    if (rc == TOMO_DENIED) {
        o->loaded = false;
        o->lease_us = now_us + (o->lease.wait_ms > 500 ? 500000
                                : o->lease.wait_ms * 1000);
    }

    if (rc != TOMO_OK) {
        recover_forget(o);
        return false;
    }

    if (!held) {
        log_info(o->account->id, "taken over");
        o->loaded = false;
        o->alone = true;
        recover_forget(o);

    } else if (o->lease.fresh) {
        /* what we remember may stand on data that is gone, too */
        log_warn(o->account->id, "its lease had gone: was this Redis "
                 "emptied?  Loading what is there");
        o->loaded = false;
        recover_forget(o);
    }

    return true;
}


/* holds the lease and is loaded? */
static bool
ingest_ready(ingest_t *in, owner_t *o)
{
    int64_t    now_us = clock_mono_us();
    tomo_rc_e  rc;

    if (!ingest_holds(in, o, now_us)) {
        return false;
    }

    if (o->stuck && now_us - o->stuck_us < INGEST_STUCK_US) {
        return false;
    }

    o->stuck = false;

    if (!o->loaded) {
        rc = owner_load(o, &in->redis);

        if (rc == TOMO_OK) {
            rc = batch_begin(in->batch, o, &in->redis);

        } else {
            recover_forget(o);
        }

        if (rc != TOMO_OK) {
            o->loaded = false;
            o->stuck = rc == TOMO_INVALID;
            o->stuck_us = now_us;
            return false;
        }

        if (o->alone) {
            batch_alone(o);
            o->alone = false;
        }
    }

    return true;
}


static void
ingest_turn(ingest_t *in, owner_t *o, size_t *done)
{
    tomo_rc_e  rc;

    rc = batch_turn(in->batch, o, &in->redis, done);

    if (rc == TOMO_OK) {
        return;
    }

    o->loaded = false;

    if (rc == TOMO_DENIED) {
        o->lease.held = false;

    } else if (rc == TOMO_INVALID) {
        o->stuck = true;
        o->stuck_us = clock_mono_us();
    }
}


/* nothing to do: sleeps until something is in a stream, or 50 ms */
static void
ingest_wait(ingest_t *in)
{
    size_t         i, k, n;
    char           text[TOMO_KEY_MAX];
    tomo_buf_t     key;
    redisReply    *reply;
    redis_args_t   args = { 0 };

    redis_arg_c(&args, "XREAD");
    redis_arg_c(&args, "COUNT");
    redis_arg_c(&args, "1");
    redis_arg_c(&args, "BLOCK");
    redis_arg_u64(&args, INGEST_WAIT_MS);
    redis_arg_c(&args, "STREAMS");

    for (k = 0, n = 0; k < 4; k++) {
        for (i = 0; i < in->n; i++) {
            if (!in->owners[i].loaded) {
                continue;
            }

            tomo_buf_init(&key, text, sizeof(text));

            if (k == 0) {
                tomo_key_in(&key, in->owners[i].id);
                n++;

            } else if (k == 1) {
                tomo_key_bulk(&key, in->owners[i].id);

            } else {
                tomo_buf_c(&key, k == 2 ? in->owners[i].state.in
                                        : in->owners[i].state.bulk);
            }

            /* a copy that lives until the command is appended */
            redis_arg(&args, tomo_str_n(strndup(text, key.len), key.len));
        }
    }

    if (n > 0) {
        reply = redis_call(&in->redis, &args);
        freeReplyObject(reply);

    } else {
        (void) role_poll(in->role, NULL, 0, INGEST_WAIT_MS);
    }

    for (i = 6; i < args.n; i++) {
        free((void *) (uintptr_t) args.args[i].view.data);
    }

    redis_args_free(&args);
}


/* every second: what others changed, and what was erased */
static void
ingest_look(ingest_t *in)
{
    ingest_edges(in);

    if (redis_fd(&in->redis) >= 0) {
        retain_rewrite(&in->retain, in->owners, in->n, &in->redis);
    }
}


/* what grows old: days of seen ids, quarantine, audit */
static void
ingest_clean(ingest_t *in)
{
    size_t  i;

    for (i = 0; i < in->n; i++) {
        if (in->owners[i].loaded && redis_fd(&in->redis) >= 0) {
            seen_clean(&in->owners[i], &in->redis, clock_now_ms());
            retain_trim(&in->owners[i], &in->redis);
        }
    }
}


static int
ingest_run(ingest_t *in)
{
    size_t     i, done;
    tomo_rc_e  rc;

    while (!role_stopping(in->role)) {
        role_alive(in->role);

        if (redis_up(&in->redis) != TOMO_OK) {
            (void) role_poll(in->role, NULL, 0, redis_wait_ms(&in->redis));
            continue;
        }

        rc = ingest_check(in);

        if (rc == TOMO_DENIED && !in->role->ready) {
            return ROLE_EXIT_CONF;      /* no start; later: rests */
        }

        if (rc != TOMO_OK) {
            (void) role_poll(in->role, NULL, 0, 200);
            continue;
        }

        role_ready(in->role);

        for (i = 0, done = 0; i < in->n; i++) {
            if (redis_fd(&in->redis) >= 0
                && ingest_ready(in, &in->owners[i]))
            {
                ingest_turn(in, &in->owners[i], &done);
            }

            done += recover_more(&in->owners[i]);
        }

        if (clock_mono_us() - in->look_us > INGEST_LOOK_US
            && redis_fd(&in->redis) >= 0)
        {
            in->look_us = clock_mono_us();
            ingest_look(in);
        }

        if (clock_mono_us() - in->clean_us > INGEST_CLEAN_US
            && redis_fd(&in->redis) >= 0)
        {
            in->clean_us = clock_mono_us();
            ingest_clean(in);
        }

        if (done == 0 && redis_fd(&in->redis) >= 0) {
            ingest_wait(in);
        }
    }

    return ROLE_EXIT_OK;
}


int
ingest_main(role_t *role)
{
    int       code = ROLE_EXIT_FAIL;
    ingest_t  in = { .role = role };

    if (ingest_open(&in) == TOMO_OK) {
        code = ingest_run(&in);
    }

    ingest_close(&in);

    return code;
}
