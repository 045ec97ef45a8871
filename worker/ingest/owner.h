/*
 * owner: an account whose ingest this process holds: its cursor, counters,
 * definitions and numbers, loaded from Redis when the lease is taken or a
 * commit was refused, and carried along in memory while every commit
 * succeeds.  One thread.
 */

#ifndef OWNER_H
#define OWNER_H

#include "commit.h"
#include "conf.h"
#include "gone.h"
#include "lease.h"
#include "model/defs.h"
#include "redis.h"
#include "starts.h"
#include "tomo_send.h"
#include "vault.h"

#define OWNER_ID_MAX     48             /* stream ids */
#define OWNER_TRY_MAX    96
#define OWNER_TRIES      3
#define OWNER_LANES      3              /* by tomo_lane_e; LOCAL: timers */
#define OWNER_SERIAL_MAX    ((1u << 30) - 1)    /* what a token holds */
#define OWNER_DELIVERY_MAX  ((1u << 24) - 1)

/* X(name, field of the cursor hash): counters that only grow */
#define OWNER_COUNTERS(X)                                                     \
    X(ENTRIES,     "entries")       /* of `in` and `bulk`, passed */          \
    X(EVENTS,      "events")        /* in them: handled + quarantined */      \
    X(HANDLED,     "handled")       /* events decided, duplicates too */      \
    X(QUARANTINED, "quarantined")   /* events set aside */                    \
    X(DUPLICATES,  "duplicates")    /* of the handled: seen before */         \
    X(CONFLICTS,   "conflicts")     /* same id, other content */              \
    X(ERASED,      "erased")        /* of the handled: of the deleted */      \
    X(SKIPPED,     "skipped")       /* of the handled: groups, no friend */   \
    X(PREVIEWS,    "previews")      /* clicks that were no person's */        \
    X(ANONYMOUS,   "anonymous")     /* clicks of nobody we know */            \
    X(CUT,         "cut")           /* effects over the limits */             \
    X(TIMERS,      "timers")        /* due members decided */                 \
    X(TIMERS_ASIDE, "timers_aside") /* due members quarantined */             \
    X(ACCEPTED,    "send_accepted")                                           \
    X(PROBABLY,    "send_probably")                                           \
    X(UNUSABLE,    "send_unusable")                                           \
    X(REFUSED,     "send_refused")                                            \
    X(PARKED,      "send_parked")                                             \
    X(CANCELLED,   "send_cancelled")

typedef enum {
#define OWNER_ENUM_(name, field)  OWNER_##name,
    OWNER_COUNTERS(OWNER_ENUM_)
#undef OWNER_ENUM_
    OWNER_COUNTERS_END
} owner_counter_e;

/* what a commit changes besides friends; copied so that it can be undone */
typedef struct {
    char      in[OWNER_ID_MAX];         /* cursor */
    char      bulk[OWNER_ID_MAX];
    uint32_t  in_i;
    uint32_t  bulk_i;
    uint64_t  n;                        /* commits so far */
    uint64_t  counters[OWNER_COUNTERS_END];
    char      try[OWNER_LANES][OWNER_TRY_MAX];  /* events being tried alone */
    uint32_t  try_n[OWNER_LANES];
    uint32_t  serial;                   /* last given */
    uint32_t  delivery;                 /* last delivery number */
    uint64_t  defs_version;
    uint64_t  feed_version;
} owner_state_t;

typedef struct owner_delivery_s  owner_delivery_t;

/* The numbers that `meta` has; `cursor` has them too, as of its own commit */
typedef struct {
    bool      in_meta;                  /* it says the last friend's number */
    bool      known;                    /* it does, or `cursor` */
    bool      taken;                    /* a new friend's record was there */
    uint32_t  serial;
    uint32_t  delivery;
} owner_numbers_t;

/* How far a search for the last number is (recover) */
typedef struct {
    bool      on;
    bool      told;                     /* that it is needed */
    uint64_t  generation;               /* of Redis, when it began */
    uint32_t  buckets;                  /* of `uid`, looked through */
    uint32_t  empty;                    /* windows without a record, in a row */
    uint32_t  highest;
} owner_search_t;

typedef struct {
    const conf_t          *conf;
    const conf_account_t  *account;
    vault_t               *vault;
    tomo_str_t             id;
    lease_t                lease;
    bool                   loaded;
    bool                   loading;     /* its folder, in part: begin again */
    bool                   alone;       /* replay: one event at a time */
    size_t                 alone_left[OWNER_LANES];  /* to replay so */
    char                   spared[OWNER_TRY_MAX]; /* its last try was none */
    char                   aside[OWNER_TRY_MAX];  /* it cannot be decided … */
    const char            *aside_why;
    bool                   stuck;       /* a key of a wrong type: waits */
    int64_t                stuck_us;
    int64_t                lease_us;    /* monotonic: next try to take it */
    int64_t                seen_day;    /* ids up to it are let go of */
    bool                   old_sets;    /* of ids, of an older Tomo, are left */
    owner_state_t          state;
    owner_numbers_t        numbers;
    owner_search_t         search;
    defs_t                *defs;
    starts_t              *starts;
    defs_t                *old_defs;    /* replaced in this batch */
    gone_t                 gone;        /* deleted persons */
    int64_t                keep_ms;     /* journals of edges, as they say */
    uint64_t               erase_n;     /* commit that last erased something */
    uint64_t               erase_was;   /* at the look before */
    uint64_t               erasing_n;   /* the AOF is being written behind it */
    uint64_t               erased_n;    /* … and has been */
    owner_delivery_t      *deliveries;  /* "scenario/welcome/hello" → number */
    size_t                 n_deliveries;
    size_t                 cap_deliveries;
    commit_t              *commit;
    char                   key_lease[TOMO_KEY_MAX];
    char                   key_cursor[TOMO_KEY_MAX];
} owner_t;

/* TOMO_ERROR: out of memory */
tomo_rc_e owner_init(owner_t *o, const conf_t *conf,
    const conf_account_t *account, vault_t *vault, const lease_self_t *self)
    TOMO_MUST_CHECK;
void owner_free(owner_t *o);

/*
 * Reads cursor, meta and definitions.  TOMO_AGAIN: Redis is down;
 * TOMO_INVALID: a key has a wrong type (logged; owner->stuck).
 */
tomo_rc_e owner_load(owner_t *o, redis_t *r) TOMO_MUST_CHECK;

/*
 * Are the numbers of cursor and meta, pairs as HGETALL gives them, numbers?
 * Taken for 0, a commit's would be refused for ever, a friend's be given
 * twice.  false: logged.
 */
bool owner_sane(const owner_t *o, const redisReply *cursor,
    const redisReply *meta) TOMO_MUST_CHECK;

/* takes over a new set of definitions; the old one lives until owner_settle */
tomo_rc_e owner_defs(owner_t *o, defs_t *defs) TOMO_MUST_CHECK;
/* nothing refers to the old definitions any more */
void owner_settle(owner_t *o);

/*
 * The number of a delivery: one for each definition and step.  A new one is
 * added to the commit.  0: no more numbers (24 bits).
 */
uint32_t owner_delivery(owner_t *o, tomo_str_t name);

/*
 * Work that goes on in an event of its own, because it is too much for one
 * commit: adds an entry with this body to `bulk`.
 */
void owner_follow_up(owner_t *o, tomo_str_t body, int64_t now_ms);

/* the commit drops or removes something: Redis' file is to be written anew */
void owner_erases(owner_t *o);

/* starts the commit that stands on the present state */
void owner_commit_begin(owner_t *o);
/* adds the cursor and counters, state.n + 1, last */
void owner_commit_end(owner_t *o);

#endif
