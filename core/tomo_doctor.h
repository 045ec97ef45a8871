/*
 * tomo_doctor: what Tomo wants of its Redis and of the machine around it, one
 * row for each thing, and the judgement: observed → verdict and what to do.
 *
 * The table is the only place that knows what is wanted.  Edge, worker and
 * `tomo-worker --doctor` look (each in its own way) and put what they saw
 * into tomo_doctor_facts_t; so all of them say the same words.  Nothing here
 * asks anybody anything.
 */

#ifndef TOMO_DOCTOR_H
#define TOMO_DOCTOR_H

#include "tomo_base.h"

#define TOMO_DOCTOR_VALUE  96           /* bytes kept of an observed value */
#define TOMO_DOCTOR_LINE   512          /* room for tomo_doctor_line */

/* bits: whom a FAIL stops */
#define TOMO_DOCTOR_SHIP   1u           /* the edge: its journal keeps all */
#define TOMO_DOCTOR_WORK   2u           /* ingest and api */
#define TOMO_DOCTOR_SEND   4u           /* dispatch */
#define TOMO_DOCTOR_BOTH   (TOMO_DOCTOR_WORK | TOMO_DOCTOR_SEND)
#define TOMO_DOCTOR_ALL    (TOMO_DOCTOR_SHIP | TOMO_DOCTOR_BOTH)

typedef enum {
    TOMO_DOCTOR_NONE = 0,               /* nobody looked */
    TOMO_DOCTOR_PASS,
    TOMO_DOCTOR_WARN,
    TOMO_DOCTOR_FAIL
} tomo_doctor_e;

/* where an observed value comes from */
typedef enum {
    TOMO_DOCTOR_INFO = 0,               /* field `name` of INFO */
    TOMO_DOCTOR_CONFIG,                 /* CONFIG GET `name` */
    TOMO_DOCTOR_ASK,                    /* a command, see `name` */
    TOMO_DOCTOR_HOST                    /* this machine, see `name` */
} tomo_doctor_from_e;

/*
 * X(ID, item, from, name, rule, wanted, whom a FAIL stops)
 * Rules: tomo_doctor_rules.c.  The text of `wanted` that IS compares is what
 * stands before the first space.
 */
#define TOMO_DOCTOR_ROWS(X)                                                   \
    X(VERSION, "version", INFO, "redis_version", version,                     \
      "7.0.15 or later", ALL)                                                 \
    X(PACKAGE, "package", HOST, "dpkg-query redis-server", package,           \
      "5:7.0.15-1~deb12u10 or later", ALL)                                    \
    X(ROLE, "role", INFO, "role", is, "master", ALL)                          \
    X(MODE, "mode", INFO, "redis_mode", is, "standalone", ALL)                \
    X(CLUSTER, "cluster", INFO, "cluster_enabled", is, "0", ALL)              \
    X(APPENDONLY, "appendonly", INFO, "aof_enabled", is, "1 (yes)", ALL)      \
    X(APPENDFSYNC, "appendfsync", CONFIG, "appendfsync", fsync,               \
      "always", ALL)                                                          \
    X(REWRITE, "no-appendfsync-on-rewrite", CONFIG,                           \
      "no-appendfsync-on-rewrite", is, "no", ALL)                             \
    X(AOF_WRITE, "AOF writing", INFO, "aof_last_write_status", is,            \
      "ok", ALL)                                                              \
    X(AOF_REWRITE, "AOF rewriting", INFO, "aof_last_bgrewrite_status",        \
      hope, "ok", ALL)                                                        \
    X(TRUNCATED, "aof-load-truncated", CONFIG, "aof-load-truncated", hope,    \
      "yes", ALL)                                                             \
    X(SAVE, "save", CONFIG, "save", save, "3600 1 (hourly, for backups)",     \
      ALL)                                                                    \
    X(SAVING, "RDB saving", INFO, "rdb_last_bgsave_status", hope, "ok", ALL)  \
    X(BGSAVE, "stop-writes-on-bgsave-error", CONFIG,                          \
      "stop-writes-on-bgsave-error", hope, "yes", ALL)                        \
    X(MAXMEMORY, "maxmemory", CONFIG, "maxmemory", limit,                     \
      "set, at most 60 % of the memory", ALL)                                 \
    X(MEMORY, "memory used", INFO, "used_memory", used,                       \
      "under 75 % of maxmemory", SHIP)                                        \
    X(POLICY, "maxmemory-policy", CONFIG, "maxmemory-policy", is,             \
      "noeviction", ALL)                                                      \
    X(EVICTED, "keys thrown away", INFO, "evicted_keys", hope, "0", ALL)      \
    X(LISTPACK, "hash-max-listpack-value", CONFIG,                            \
      "hash-max-listpack-value", least, "1024 or more", BOTH)                 \
    X(INTSET, "set-max-intset-entries", CONFIG, "set-max-intset-entries",     \
      least, "16384 or more", BOTH)                                           \
    X(NODES, "stream-node-max-entries", CONFIG, "stream-node-max-entries",    \
      hope, "1", ALL)                                                         \
    X(REPLICAS, "min-replicas-to-write", CONFIG, "min-replicas-to-write",     \
      replicas, "1 or more when there are replicas", ALL)                     \
    X(LAG, "min-replicas-max-lag", CONFIG, "min-replicas-max-lag", lag,       \
      "at most 10 when there are replicas", ALL)                              \
    X(CLOCK, "clocks apart", ASK, "TIME", skew, "at most 2000 ms", SEND)      \
    X(SETTINGS, "settings readable", ASK, "CONFIG GET", readable, "yes",      \
      ALL)                                                                    \
    X(USER, "user", ASK, "ACL WHOAMI", user, "not default", ALL)              \
    X(FORBIDDEN, "what is forbidden", ASK, "MODULE LIST", hope,               \
      "NOPERM", ALL)                                                          \
    X(ADDRESS, "address", HOST, "[redis] address", hope,                      \
      "local (a socket or loopback)", ALL)                                    \
    X(PROBE, "trial write", ASK, "SET and GET", is, "read back", ALL)         \
    X(ROLLBACK, "history", ASK, "the watermark", history,                     \
      "goes on", ALL)                                                         \
    X(AOF_DISK, "disk of the AOF", HOST, "statvfs", room, "20 % free or more",\
      ALL)                                                                    \
    X(JOURNAL_DISK, "disk of the journal", HOST, "statvfs", room,             \
      "20 % free or more", ALL)                                               \
    X(JOURNAL, "file system of the journal", HOST, "statfs", disk, "a disk",  \
      ALL)                                                                    \
    X(APART, "journal and AOF", HOST, "stat", hope, "apart", ALL)             \
    X(OVERCOMMIT, "vm.overcommit_memory", HOST,                               \
      "/proc/sys/vm/overcommit_memory", hope, "1", ALL)                       \
    X(HUGEPAGES, "transparent huge pages", HOST,                              \
      "/sys/kernel/mm/transparent_hugepage/enabled", pages,                   \
      "madvise or never", ALL)

typedef enum {
#define TOMO_DOCTOR_ENUM_(id, ...)  TOMO_DOCTOR_ROW_##id,
    TOMO_DOCTOR_ROWS(TOMO_DOCTOR_ENUM_)
#undef TOMO_DOCTOR_ENUM_
    TOMO_DOCTOR_ROW_END
} tomo_doctor_row_e;

typedef struct {
    const char          *item;
    tomo_doctor_from_e   from;
    const char          *name;
    const char          *wanted;
    const char          *advice;        /* of a WARN or a FAIL */
    unsigned             stops;
} tomo_doctor_row_t;

typedef struct {
    char     text[TOMO_DOCTOR_VALUE];   /* NUL-terminated */
    uint8_t  len;
    bool     seen;
} tomo_doctor_value_t;

/* Zero-initialise; fill by tomo_doctor_see and tomo_doctor_info. */
typedef struct {
    tomo_doctor_value_t  values[TOMO_DOCTOR_ROW_END];
    uint64_t             memory;        /* of the machine, bytes; 0: unknown */
    uint64_t             replicas;      /* connected */
    bool                 loading;       /* Redis still reads its file */
    bool                 relaxed;       /* our file: durability = relaxed */
    bool                 assumed;       /* our file: settings unreadable, ok */
    bool                 sandbox;
    char                 run_id[41];
} tomo_doctor_facts_t;

const tomo_doctor_row_t *tomo_doctor_row(tomo_doctor_row_e id);

/* what was observed; cut at TOMO_DOCTOR_VALUE - 1 bytes, unprintables as ? */
void tomo_doctor_see(tomo_doctor_facts_t *f, tomo_doctor_row_e id,
    tomo_str_t value);
void tomo_doctor_see_i64(tomo_doctor_facts_t *f, tomo_doctor_row_e id,
    int64_t value);
/*
 * The row CLOCK, from the seconds and µs that TIME answered and our own clock
 * (real time, ms) when it was asked and when it answered.
 */
void tomo_doctor_clock(tomo_doctor_facts_t *f, int64_t s, int64_t us,
    int64_t asked_ms, int64_t answered_ms);
/* the rows that come from INFO, from its whole answer */
void tomo_doctor_info(tomo_doctor_facts_t *f, tomo_str_t info);
/* a row from CONFIG by the setting's name; unknown names are passed over */
void tomo_doctor_config(tomo_doctor_facts_t *f, tomo_str_t name,
    tomo_str_t value);
/* the value of a field in INFO's answer; {NULL, 0}: absent */
tomo_str_t tomo_doctor_field(tomo_str_t info, const char *name);

tomo_doctor_e tomo_doctor_judge(tomo_doctor_row_e id,
    const tomo_doctor_facts_t *f);
const char *tomo_doctor_word(tomo_doctor_e verdict);

/* bit i = row i: fails and stops one of whom / warns, or fails others */
uint64_t tomo_doctor_stops(const tomo_doctor_facts_t *f, unsigned whom);
uint64_t tomo_doctor_warns(const tomo_doctor_facts_t *f, unsigned whom);

/* "appendfsync is everysec, wanted always: set …"; one line, no end of line */
void tomo_doctor_line(tomo_buf_t *b, tomo_doctor_row_e id,
    const tomo_doctor_facts_t *f);

#endif
