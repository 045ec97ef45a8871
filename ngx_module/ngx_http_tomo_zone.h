/*
 * ngx_http_tomo_zone: the shared memory of all workers: counters, one slot
 * per journal writer, and the table of accounts, links, surveys and secrets
 * (core/tomo_table) in two areas.
 *
 * No lock is taken after the zone was made, and no invariant spans two
 * writes: a worker may be killed between any two instructions.
 *
 *   counters   atomic additions
 *   slots      each number has one writer, the process that owns the slot
 *   table      area[generation & 1] is valid and never touched; the elected
 *              worker fills the other area, then raises the generation.  A
 *              reader copies out and trusts its copy only when the
 *              generation stood still meanwhile.
 *
 * Nothing in the zone points outside it, and nobody keeps a pointer into an
 * area.
 */

#ifndef NGX_HTTP_TOMO_ZONE_H
#define NGX_HTTP_TOMO_ZONE_H

#include "ngx_http_tomo_module.h"
#include "ngx_http_tomo_counters.h"
#include "tomo_table.h"

#define NGX_HTTP_TOMO_SLOTS     1024
#define NGX_HTTP_TOMO_ZONE_MIN  (1024 * 1024)

#define NGX_HTTP_TOMO_REDIS_NONE  0
#define NGX_HTTP_TOMO_REDIS_UP    1
#define NGX_HTTP_TOMO_REDIS_DOWN  2

/*
 * One writer: a worker's own, or a dead one's that a live worker ships on.
 * writer 0 = free.  Taken by compare-and-swap; written by its owner only.
 */
typedef struct {
    ngx_atomic_t  writer;       /* random id of the journal writer */
    ngx_atomic_t  pid;          /* the process that ships it */
    ngx_atomic_t  last_seq;     /* last record in the journal's files */
    ngx_atomic_t  passed_seq;   /* up to here shipped or set aside */
    ngx_atomic_t  bytes;        /* the writer's bytes on disk */
    ngx_atomic_t  redis;        /* NGX_HTTP_TOMO_REDIS_* of its own worker */
    ngx_atomic_t  refused;      /* rows of tomo_doctor that stop shipping */
    ngx_atomic_t  held;         /* accounts that wait; see hold.c */
                                /* one slot = one cache line */
} ngx_http_tomo_slot_t;

typedef struct {
    ngx_atomic_t          edge_id;      /* of this master, never 0 */
    ngx_atomic_t          generation;   /* 0: no table yet */
    ngx_atomic_t          area_len[2];  /* bytes of the block in each area */
    ngx_atomic_t          feeder;       /* pid of the elected worker, or 0 */
    ngx_atomic_t          feeder_msec;  /* its last sign of life (monotonic) */
    /*
     * Records of writers whose slot was given back.  Both sides of the
     * balance use this one sum: a slot is given back only when last_seq =
     * passed_seq, so a kill half way counts them twice on both sides.
     */
    ngx_atomic_t          retired;
    ngx_atomic_t          quarantined;  /* of all passed ones; a subset */
    ngx_atomic_t          counters[NGX_HTTP_TOMO_COUNTER_END];
    ngx_http_tomo_slot_t  slots[NGX_HTTP_TOMO_SLOTS];
} ngx_http_tomo_shctx_t;

/* shm_zone->data; in the cycle's pool, the areas in shared memory */
struct ngx_http_tomo_zone_s {
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_slab_pool_t            *shpool;
    ngx_http_tomo_shctx_t      *sh;
    u_char                     *area[2];
    size_t                      area_size;  /* room for a block */
};

#define ngx_http_tomo_count(tz, name)                                         \
    (void) ngx_atomic_fetch_add(                                              \
        &(tz)->sh->counters[NGX_HTTP_TOMO_C_##name], 1)
#define ngx_http_tomo_count_n(tz, name, n)                                    \
    (void) ngx_atomic_fetch_add(                                              \
        &(tz)->sh->counters[NGX_HTTP_TOMO_C_##name], (ngx_atomic_int_t) (n))

/*
 * Makes or inherits the zone (directive tomo_zone); sets shm_zone->init.
 * A new zone loads the snapshot: a missing one is normal, a broken one is
 * logged and ignored.
 */
ngx_int_t ngx_http_tomo_zone_init(ngx_shm_zone_t *shm_zone, void *data);

/*
 * Lookups.  All copy out of the table.
 *   NGX_OK        found
 *   NGX_DECLINED  the table has no such account or item
 *   NGX_BUSY      there is no table yet, or it changed too often to read
 *   NGX_ERROR     out of memory
 */

/* a->id views id; id need not be a valid account id */
ngx_int_t ngx_http_tomo_zone_account(ngx_http_tomo_zone_t *tz, ngx_str_t *id,
    tomo_table_account_t *a);

/* a->id is copied into pool */
ngx_int_t ngx_http_tomo_zone_account_by_number(ngx_http_tomo_zone_t *tz,
    ngx_pool_t *pool, uint32_t number, tomo_table_account_t *a);

/* *value is copied into pool */
ngx_int_t ngx_http_tomo_zone_item(ngx_http_tomo_zone_t *tz, ngx_pool_t *pool,
    tomo_str_t account, tomo_item_kind_e kind, uint32_t number,
    tomo_str_t *value);

/*
 * The whole block, copied into out (for the next build and the snapshot);
 * *generation is its generation.  NGX_DECLINED: no table yet.
 * out too small: NGX_ERROR.
 */
ngx_int_t ngx_http_tomo_zone_copy(ngx_http_tomo_zone_t *tz, tomo_buf_t *out,
    uint64_t *generation);

/*
 * Is this worker the one that writes the table?  Takes the office when its
 * holder is dead, and says so again at every call (call at least each 5 s).
 * resign: at exit, so that the next takes over at once.
 */
ngx_uint_t ngx_http_tomo_zone_elected(ngx_http_tomo_zone_t *tz);
void ngx_http_tomo_zone_resign(ngx_http_tomo_zone_t *tz);

/*
 * Puts a block (built by tomo_table_build with any generation in its header)
 * into the idle area and makes it the table.  Only the elected worker, or
 * the master before there are workers.  NGX_ERROR: larger than area_size, or
 * the block is damaged; the old table stays.
 */
ngx_int_t ngx_http_tomo_zone_publish(ngx_http_tomo_zone_t *tz,
    tomo_str_t block);

/*
 * Slots.  take: the slot that has this writer already, else a free one;
 * NULL: all taken.  give_back: only when last_seq = passed_seq.
 */
ngx_http_tomo_slot_t *ngx_http_tomo_zone_take_slot(ngx_http_tomo_zone_t *tz,
    uint64_t writer);
void ngx_http_tomo_zone_give_back_slot(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_slot_t *slot);

/* the balance, in records; received = shipped + waiting + quarantined */
typedef struct {
    uint64_t  received;
    uint64_t  shipped;
    uint64_t  waiting;
    uint64_t  quarantined;
    uint64_t  bytes;            /* of all writers' files */
} ngx_http_tomo_balance_t;

void ngx_http_tomo_zone_balance(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_balance_t *b);

#endif
