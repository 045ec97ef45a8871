/*
 * redis_check: is this a Redis that keeps what it acknowledges?
 * (RELIABILITY.md 6; a refused start beats a silent downgrade.)
 */

#include <string.h>

#include "log.h"
#include "redis.h"
#include "tomo_codec.h"


/* the value of `name:` in INFO's text; {NULL, 0}: absent */

static tomo_str_t
redis_check_info(tomo_str_t info, const char *name)
{
    size_t      from = 0, end, len = strlen(name);
    tomo_str_t  line;

    while (from < info.len) {
        end = tomo_str_find(info, from, '\n');
        line = tomo_str_n(info.data + from, end - from);
        from = end + 1;

        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (line.len > len && memcmp(line.data, name, len) == 0
            && line.data[len] == ':')
        {
            return tomo_str_n(line.data + len + 1, line.len - len - 1);
        }
    }

    return tomo_str_null;
}


static bool
redis_check_refuse(const redis_t *r, const char *what)
{
    log_error(r->conf->redis_address, "is refused: %s", what);

    return false;
}


static uint64_t
redis_check_version(tomo_str_t version)
{
    size_t    from = 0, end;
    uint64_t  part, number = 0;

    for (int i = 0; i < 3; i++) {
        end = tomo_str_find(version, from, '.');

        if (from >= version.len
            || tomo_u64_get(tomo_str_n(version.data + from, end - from), 999,
                            &part) != TOMO_OK)
        {
            return 0;
        }

        number = number * 1000 + part;
        from = end + 1;
    }

    return number;
}


static bool
redis_check_server(const redis_t *r, tomo_str_t info)
{
    bool        ok = true;
    uint64_t    version;
    tomo_str_t  fsync;

    version = redis_check_version(redis_check_info(info, "redis_version"));

    if (version < 7000005) {
        ok = redis_check_refuse(r, "version older than 7.0.5: upgrade Redis");

    } else if (version < 7000015) {
        log_warn(r->conf->redis_address, "is older than 7.0.15: known faults "
                 "are fixed there, upgrade Redis");
    }

    if (!tomo_str_eq(redis_check_info(info, "role"), tomo_str("master"))) {
        ok = redis_check_refuse(r, "it is a replica: give the master's "
                                "address in [redis] address");
    }

    if (!tomo_str_eq(redis_check_info(info, "redis_mode"),
                     tomo_str("standalone")))
    {
        ok = redis_check_refuse(r, "cluster and Sentinel ports are not "
                                "supported: give a standalone server");
    }

    if (!tomo_str_eq(redis_check_info(info, "aof_enabled"), tomo_str("1"))) {
        ok = redis_check_refuse(r, "appendonly is no: set `appendonly yes`");
    }

    fsync = redis_check_info(info, "aof_last_write_status");

    if (fsync.data != NULL && !tomo_str_eq(fsync, tomo_str("ok"))) {
        ok = redis_check_refuse(r, "its last write to the AOF failed: free "
                                "disk space and look at its log");
    }

    return ok;
}


/* One row: what CONFIG GET must say.  least: a number, else the text */

typedef struct {
    const char  *name;
    const char  *text;          /* NULL: a number */
    int64_t      least;
    bool         durable;       /* durability = relaxed lets it pass */
    const char  *what;
} redis_want_t;

static const redis_want_t  redis_wants[] = {

    { "appendfsync", "always", 0, true,
      "appendfsync is not always: set `appendfsync always` (or write "
      "durability = relaxed and accept losing a second)" },

    { "no-appendfsync-on-rewrite", "no", 0, false,
      "no-appendfsync-on-rewrite is yes: set it to no" },

    { "maxmemory-policy", "noeviction", 0, false,
      "maxmemory-policy evicts data: set `maxmemory-policy noeviction`" },

    { "maxmemory", NULL, 1, false,
      "maxmemory is not set: set it to at most 60 % of the memory" },

    { "hash-max-listpack-value", NULL, 1024, false,
      "hash-max-listpack-value is too small: set it to 1024" },

    { "set-max-intset-entries", NULL, 16384, false,
      "set-max-intset-entries is too small: set it to 16384" },
};


static bool
redis_check_value(const redis_want_t *want, tomo_str_t value)
{
    int64_t  n;

    if (want->text != NULL) {
        return tomo_str_eq(value, tomo_str_c(want->text));
    }

    return tomo_i64_get(value, &n) == TOMO_OK && n >= want->least;
}


static bool
redis_check_config(redis_t *r)
{
    bool        ok = true;
    tomo_str_t  value;
    redisReply  *reply;

    for (size_t i = 0; i < sizeof(redis_wants) / sizeof(redis_wants[0]); i++)
    {
        const redis_want_t  *want = &redis_wants[i];

        reply = redis_call_c(r, "CONFIG", "GET", want->name, NULL);

        if (redis_len(reply) != 2) {
            freeReplyObject(reply);
            return redis_check_refuse(r, "CONFIG GET is not allowed: add "
                                      "+config|get to the ACL user");
        }

        value = redis_str(redis_at(reply, 1));

        if (!redis_check_value(want, value)) {
            if (want->durable && r->conf->redis_relaxed) {
                log_warn(r->conf->redis_address, "runs with durability = "
                         "relaxed: a crash of it may lose what was just "
                         "acknowledged");
            } else {
                ok = redis_check_refuse(r, want->what);
            }
        }

        freeReplyObject(reply);
    }

    return ok;
}


/* PING answers even when no write would: only a write proves health (T50). */

static bool
redis_check_probe(redis_t *r)
{
    bool         ok;
    redisReply  *reply;

    reply = redis_call_c(r, "SET", TOMO_KEY_PROBE, r->name, NULL);
    ok = redis_is_ok(reply);

    if (!ok) {
        log_error(r->conf->redis_address, "is refused: a trial write was "
                  "answered %s; look at its log and its ACL",
                  redis_error_word(reply));
    }

    freeReplyObject(reply);

    return ok;
}


tomo_rc_e
redis_check(redis_t *r)
{
    bool         ok, loading;
    tomo_str_t   info;
    redisReply  *reply;

    if (redis_up(r) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    reply = redis_call_c(r, "INFO", NULL);
    info = redis_str(reply);

    if (reply == NULL || redis_error_of(reply) == REDIS_ERR_RETRY) {
        freeReplyObject(reply);
        return TOMO_AGAIN;
    }

    if (info.data == NULL) {
        log_error(r->conf->redis_address, "is refused: INFO was answered %s; "
                  "add +info to the ACL user", redis_error_word(reply));
        freeReplyObject(reply);
        return TOMO_DENIED;
    }

    loading = tomo_str_eq(redis_check_info(info, "loading"), tomo_str("1"));
    ok = loading || redis_check_server(r, info);
    freeReplyObject(reply);

    if (loading) {
        return TOMO_AGAIN;
    }

    ok = redis_check_config(r) && ok;

    if (r->ctx == NULL) {
        return TOMO_AGAIN;
    }

    return ok && redis_check_probe(r) ? TOMO_OK : TOMO_DENIED;
}
