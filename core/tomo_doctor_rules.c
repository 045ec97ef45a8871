#include "tomo_doctor_rules.h"

#include <string.h>

#include "tomo_codec.h"


#define TOMO_DOCTOR_DEB12       10      /* Debian 12's revision of 7.0.15-1 */
#define TOMO_DOCTOR_SKEW_WARN   2000
#define TOMO_DOCTOR_SKEW_MAX    60000
#define TOMO_DOCTOR_LAG_MAX     10


/* the word of `wanted` before the first space */

static tomo_str_t
tomo_doctor_first(tomo_str_t s)
{
    return tomo_str_n(s.data, tomo_str_find(s, 0, ' '));
}


static uint64_t
tomo_doctor_number(tomo_str_t s)
{
    uint64_t  n;

    return tomo_u64_get(s, INT64_MAX, &n) == TOMO_OK ? n : 0;
}


static tomo_doctor_e
tomo_doctor_or(bool good, tomo_doctor_e otherwise)
{
    return good ? TOMO_DOCTOR_PASS : otherwise;
}


static tomo_doctor_e
tomo_doctor_is(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;

    return tomo_doctor_or(tomo_str_eq(value, wanted)
                          || tomo_str_eq(value, tomo_doctor_first(wanted)),
                          TOMO_DOCTOR_FAIL);
}


/* as `is`, but nothing is lost by it */

static tomo_doctor_e
tomo_doctor_hope(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    return tomo_doctor_or(tomo_doctor_is(f, value, wanted)
                          == TOMO_DOCTOR_PASS, TOMO_DOCTOR_WARN);
}


static tomo_doctor_e
tomo_doctor_least(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;

    return tomo_doctor_or(tomo_doctor_number(value)
                          >= tomo_doctor_number(tomo_doctor_first(wanted)),
                          TOMO_DOCTOR_FAIL);
}


static tomo_doctor_e
tomo_doctor_version(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    size_t    from = 0, end;
    uint64_t  part, number = 0;

    (void) f;
    (void) wanted;

    for (size_t i = 0; i < 3; i++) {
        end = tomo_str_find(value, from, '.');

        if (from >= value.len
            || tomo_u64_get(tomo_str_n(value.data + from, end - from), 999,
                            &part) != TOMO_OK)
        {
            return TOMO_DOCTOR_FAIL;
        }

        number = number * 1000 + part;
        from = end + 1;
    }

    if (number < 7000005) {
        return TOMO_DOCTOR_FAIL;
    }

    return tomo_doctor_or(number >= 7000015, TOMO_DOCTOR_WARN);
}


/* "5:7.0.15-1~deb12u10": the revision behind deb12u; others are not ours */

static tomo_doctor_e
tomo_doctor_package(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    tomo_str_t  mark = tomo_str("deb12u");

    (void) f;
    (void) wanted;

    for (size_t i = 0; i + mark.len < value.len; i++) {
        tomo_str_t  rest = tomo_str_n(value.data + i, value.len - i);

        if (tomo_str_starts(rest, mark)) {
            rest = tomo_str_n(rest.data + mark.len, rest.len - mark.len);

            return tomo_doctor_or(tomo_doctor_number(rest)
                                  >= TOMO_DOCTOR_DEB12, TOMO_DOCTOR_WARN);
        }
    }

    return TOMO_DOCTOR_PASS;
}


static tomo_doctor_e
tomo_doctor_fsync(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    if (f->relaxed && tomo_str_eq(value, tomo_str("everysec"))) {
        return TOMO_DOCTOR_WARN;
    }

    return tomo_doctor_is(f, value, wanted);
}


static tomo_doctor_e
tomo_doctor_save(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;
    (void) wanted;

    return tomo_doctor_or(value.len > 0, TOMO_DOCTOR_WARN);
}


static tomo_doctor_e
tomo_doctor_limit(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    uint64_t  n = tomo_doctor_number(value);

    (void) wanted;

    if (n == 0) {
        return TOMO_DOCTOR_FAIL;
    }

    return tomo_doctor_or(f->memory == 0 || n / 3 <= f->memory / 5,
                          TOMO_DOCTOR_WARN);
}


static tomo_doctor_e
tomo_doctor_used(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    const tomo_doctor_value_t  *v = &f->values[TOMO_DOCTOR_ROW_MAXMEMORY];

    uint64_t  max = tomo_doctor_number(tomo_str_n(v->text, v->len));

    (void) wanted;

    return tomo_doctor_or(max == 0
                          || tomo_doctor_number(value) < max / 4 * 3,
                          TOMO_DOCTOR_FAIL);
}


static tomo_doctor_e
tomo_doctor_replicas(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) wanted;

    return tomo_doctor_or(f->replicas == 0 || tomo_doctor_number(value) > 0,
                          TOMO_DOCTOR_FAIL);
}


static tomo_doctor_e
tomo_doctor_lag(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    uint64_t  n = tomo_doctor_number(value);

    (void) wanted;

    return tomo_doctor_or(f->replicas == 0
                          || (n > 0 && n <= TOMO_DOCTOR_LAG_MAX),
                          TOMO_DOCTOR_FAIL);
}


/* how far apart the clocks are, in ms */

static tomo_doctor_e
tomo_doctor_skew(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    int64_t  n;

    (void) f;
    (void) wanted;

    if (tomo_i64_get(value, &n) != TOMO_OK || n > TOMO_DOCTOR_SKEW_MAX
        || n < -TOMO_DOCTOR_SKEW_MAX)
    {
        return TOMO_DOCTOR_FAIL;
    }

    return tomo_doctor_or(n <= TOMO_DOCTOR_SKEW_WARN
                          && n >= -TOMO_DOCTOR_SKEW_WARN, TOMO_DOCTOR_WARN);
}


static tomo_doctor_e
tomo_doctor_readable(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    return f->assumed ? tomo_doctor_hope(f, value, wanted)
                      : tomo_doctor_is(f, value, wanted);
}


static tomo_doctor_e
tomo_doctor_user(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;
    (void) wanted;

    return tomo_doctor_or(!tomo_str_eq(value, tomo_str("default")),
                          TOMO_DOCTOR_WARN);
}


/* history: "goes on", "began" (never seen before), else what happened */

static tomo_doctor_e
tomo_doctor_history(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;

    return tomo_doctor_or(tomo_str_eq(value, wanted)
                          || tomo_str_eq(value, tomo_str("began")),
                          TOMO_DOCTOR_WARN);
}


/* percent free */

static tomo_doctor_e
tomo_doctor_room(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) f;

    return tomo_doctor_or(tomo_doctor_number(tomo_doctor_first(value))
                          >= tomo_doctor_number(tomo_doctor_first(wanted)),
                          TOMO_DOCTOR_WARN);
}


static tomo_doctor_e
tomo_doctor_disk(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    (void) wanted;

    return tomo_doctor_or(!tomo_str_eq(value, tomo_str("tmpfs")),
                          f->sandbox ? TOMO_DOCTOR_WARN : TOMO_DOCTOR_FAIL);
}


/* "always [madvise] never": the one in brackets holds */

static tomo_doctor_e
tomo_doctor_pages(const tomo_doctor_facts_t *f, tomo_str_t value,
    tomo_str_t wanted)
{
    tomo_str_t  bad = tomo_str("[always]");

    (void) f;
    (void) wanted;

    return tomo_doctor_or(!tomo_str_starts(value, bad), TOMO_DOCTOR_WARN);
}


/* What to do, by row. */

#define TOMO_DOCTOR_ADVICE_VERSION                                            \
    "upgrade Redis; before 7.0.5 it loses streams"
#define TOMO_DOCTOR_ADVICE_PACKAGE                                            \
    "apt-get install --only-upgrade redis-server"
#define TOMO_DOCTOR_ADVICE_ROLE                                               \
    "it is a replica; give the master's address"
#define TOMO_DOCTOR_ADVICE_MODE                                               \
    "cluster and Sentinel ports are not supported; give a standalone server"
#define TOMO_DOCTOR_ADVICE_CLUSTER                                            \
    "start it with `cluster-enabled no`; a cluster is not supported"
#define TOMO_DOCTOR_ADVICE_APPENDONLY  "set `appendonly yes`"
#define TOMO_DOCTOR_ADVICE_APPENDFSYNC                                        \
    "set `appendfsync always` (or write durability = relaxed and accept "     \
    "that a crash loses a second)"
#define TOMO_DOCTOR_ADVICE_REWRITE  "set `no-appendfsync-on-rewrite no`"
#define TOMO_DOCTOR_ADVICE_AOF_WRITE                                          \
    "free disk space and look at the log of Redis"
#define TOMO_DOCTOR_ADVICE_AOF_REWRITE                                        \
    "the AOF only grows; look at the log of Redis, at memory and disk"
#define TOMO_DOCTOR_ADVICE_TRUNCATED                                          \
    "set `aof-load-truncated yes`, or a torn end keeps Redis from starting"
#define TOMO_DOCTOR_ADVICE_SAVE                                               \
    "set `save 3600 1`, so that there is a file to back up"
#define TOMO_DOCTOR_ADVICE_SAVING                                             \
    "no backup can be made; look at the log of Redis, at memory and disk"
#define TOMO_DOCTOR_ADVICE_BGSAVE  "set `stop-writes-on-bgsave-error yes`"
#define TOMO_DOCTOR_ADVICE_MAXMEMORY                                          \
    "set `maxmemory` to at most 60 % of the machine's memory"
#define TOMO_DOCTOR_ADVICE_MEMORY                                             \
    "raise `maxmemory`, and see that tomo-worker runs and keeps up"
#define TOMO_DOCTOR_ADVICE_POLICY  "set `maxmemory-policy noeviction`"
#define TOMO_DOCTOR_ADVICE_EVICTED                                            \
    "Redis deleted data of ours: restore a backup, then CONFIG RESETSTAT"
#define TOMO_DOCTOR_ADVICE_LISTPACK  "set `hash-max-listpack-value 1024`"
#define TOMO_DOCTOR_ADVICE_INTSET  "set `set-max-intset-entries 16384`"
#define TOMO_DOCTOR_ADVICE_NODES                                              \
    "set it to 1, or what was deleted stays in memory and RDB files a while"
#define TOMO_DOCTOR_ADVICE_REPLICAS                                           \
    "set `min-replicas-to-write 1`, or a failover loses more than a moment"
#define TOMO_DOCTOR_ADVICE_LAG  "set `min-replicas-max-lag 10`"
#define TOMO_DOCTOR_ADVICE_CLOCK                                              \
    "set both machines' clocks by NTP; over 60,000 ms nothing is sent"
#define TOMO_DOCTOR_ADVICE_SETTINGS                                           \
    "add +config|get to the ACL user, or check them by hand and write "       \
    "assume_redis_checked = yes"
#define TOMO_DOCTOR_ADVICE_USER                                               \
    "use the users of conf/redis-users.acl"
#define TOMO_DOCTOR_ADVICE_FORBIDDEN                                          \
    "this user may administer Redis: use those of conf/redis-users.acl"
#define TOMO_DOCTOR_ADVICE_ADDRESS                                            \
    "nothing on the way is encrypted: use a tunnel"
#define TOMO_DOCTOR_ADVICE_PROBE                                              \
    "look at the log of Redis, its disk, its memory and its ACL"
#define TOMO_DOCTOR_ADVICE_ROLLBACK                                           \
    "what was lost is being shipped again; sending waits for it "             \
    "(docs/backup.md)"
#define TOMO_DOCTOR_ADVICE_AOF_DISK  "free space, or use a larger disk"
#define TOMO_DOCTOR_ADVICE_JOURNAL_DISK  "free space, or use a larger disk"
#define TOMO_DOCTOR_ADVICE_JOURNAL                                            \
    "it is gone after a power cut: put the journal on a disk"
#define TOMO_DOCTOR_ADVICE_APART                                              \
    "one full disk stops both: give each a file system of its own"
#define TOMO_DOCTOR_ADVICE_OVERCOMMIT                                         \
    "sysctl vm.overcommit_memory=1, or Redis cannot fork to save"
#define TOMO_DOCTOR_ADVICE_HUGEPAGES                                          \
    "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"

const tomo_doctor_rule_t  tomo_doctor_rules[TOMO_DOCTOR_ROW_END] = {
#define TOMO_DOCTOR_RULE_(id, item_, from_, name_, rule_, wanted_, stops_)    \
    [TOMO_DOCTOR_ROW_##id] = {                                                \
        .row = {                                                              \
            .item = item_,                                                    \
            .from = TOMO_DOCTOR_##from_,                                      \
            .name = name_,                                                    \
            .wanted = wanted_,                                                \
            .advice = TOMO_DOCTOR_ADVICE_##id,                                \
            .stops = TOMO_DOCTOR_##stops_,                                    \
        },                                                                    \
        .judge = tomo_doctor_##rule_,                                         \
    },
    TOMO_DOCTOR_ROWS(TOMO_DOCTOR_RULE_)
#undef TOMO_DOCTOR_RULE_
};
