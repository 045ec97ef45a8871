/*
 * view: the friends, dedupe marks and rows that a slice of events is decided
 * on, loaded by one pipeline of two rounds.  Later events of the slice see
 * what earlier ones changed, because they share the records.
 */

#ifndef VIEW_H
#define VIEW_H

#include "event.h"
#include "redis.h"

#define VIEW_SLOTS  4096                /* a power of two, > 2 · events */

/* entries of `out` or `quarantine` that erase.c goes through, in ev->page */
#define VIEW_PAGE_OUT         256
#define VIEW_PAGE_QUARANTINE  16        /* bodies of up to 1 MB */
#define VIEW_PAGE_WIDTH       3         /* id, kind or friend, body */

typedef struct {
    tomo_str_t  account;
    tomo_arena_t *arena;
    friend_t   *friends[VIEW_SLOTS];    /* by serial, open addressing */
    friend_t   *uids[VIEW_SLOTS];       /* by LINE user id */
    tomo_str_t  ids[VIEW_SLOTS];        /* event ids met in this slice */
    tomo_str_t  digests[VIEW_SLOTS];    /* and of what content */
    bool        old_sets;               /* ids of an older Tomo are left */
    size_t      n;
} view_t;

void view_reset(view_t *v, tomo_str_t account, tomo_arena_t *arena);

/*
 * Called when the first round is on its way and before its replies are taken:
 * whoever has replies outstanding on the connection takes them here.
 */
typedef tomo_rc_e (*view_before_pt)(void *ctx);

/*
 * TOMO_ERROR: Redis is gone; TOMO_INVALID: a key of a wrong type; or what
 * before gave: replies of the round are then still to come.
 */
tomo_rc_e view_load(view_t *v, redis_t *r, event_t *events, size_t n,
    view_before_pt before, void *ctx) TOMO_MUST_CHECK;

/* NULL: not loaded or unknown */
friend_t *view_friend(view_t *v, uint32_t serial);
friend_t *view_friend_uid(view_t *v, tomo_str_t uid);
/* a new friend of this slice */
void view_add(view_t *v, friend_t *f, tomo_str_t uid);

/* the digest under which this id was decided in this slice; len 0: not */
tomo_str_t view_met(const view_t *v, tomo_str_t id);
void view_remember(view_t *v, tomo_str_t id, tomo_str_t digest);

/* days since 1970 of the hash of ids that an id belongs to */
uint64_t view_day(int64_t at_ms);
/* bucket of the uid hash */
uint64_t view_bucket(tomo_str_t uid);

#endif
