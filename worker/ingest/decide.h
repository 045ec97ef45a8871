/*
 * decide: the deciding of one event: what it is decided on (owner, view,
 * now) and what comes of it: changes in friends, operations of the commit,
 * bubbles to send, and events derived from it.  Only Redis' contents as
 * loaded and the arguments count: no I/O here.
 */

#ifndef DECIDE_H
#define DECIDE_H

#include "event.h"
#include "model/action.h"
#include "outrow.h"
#include "owner.h"
#include "view.h"

#define DECIDE_EFFECTS_MAX  256
#define DECIDE_DEPTH_MAX    8
#define DECIDE_BUBBLES_MAX  64
#define DECIDE_FX_BYTES     2048        /* of a row's list; behind it only */
#define DECIDE_FX_SPARE     1024        /* … what was left out of it */
#define DECIDE_WHY_BYTES    512

/* What one event made happen and rules have not seen yet */
typedef struct {
    trigger_e  trigger;
    uint32_t   no;
    unsigned   depth;
} decide_derived_t;

typedef struct decide_s {
    owner_t           *o;
    view_t            *view;
    mass_t            *mass;            /* sends that may become multicasts */
    size_t             mass_from;       /* ev's own stand from here */
    commit_t          *c;
    tomo_arena_t      *arena;
    event_t           *ev;
    friend_t          *f;               /* whom it is about; NULL: nobody */
    int64_t            now_ms;
    bool               alone;           /* replay after a takeover */

    unsigned           depth;
    unsigned           effects;
    unsigned           cut;
    decide_derived_t   derived[DECIDE_EFFECTS_MAX];
    size_t             n_derived;

    bubble_t           bubbles[DECIDE_BUBBLES_MAX];
    size_t             n_bubbles;
    tomo_str_t         reply;           /* token that may still be used */
    int64_t            reply_at_ms;

    tomo_str_t         def;             /* what acts now: kind/id */
    tomo_str_t         step;
    uint32_t           gen;
    int64_t            due_ms;
    tomo_str_t         by;              /* event that led here; "": ev's */

    bool               silent;          /* nothing is written to timelines */
    const char        *kind;            /* of the timeline row */
    tomo_str_t         text;
    tomo_buf_t         fx;              /* encoded `&fx=…` pairs */
    tomo_buf_t         why;
    unsigned           fx_more;         /* effects that the list left out */
    uint8_t            fx_bytes[DECIDE_FX_BYTES + DECIDE_FX_SPARE];
    uint8_t            why_bytes[DECIDE_WHY_BYTES];
} decide_t;

/* decides ev and appends what follows to the commit; TOMO_INVALID: nothing
   was changed, ev->fault says why */
tomo_rc_e decide_event(decide_t *d, event_t *ev) TOMO_MUST_CHECK;

/* one more effect?  false: over the limit, counted */
bool decide_take(decide_t *d);
/* remembers that rules have to look at it */
void decide_raise(decide_t *d, trigger_e trigger, uint32_t no);
/* `word` or `word:id` to the row's effects / reasons */
void decide_fx(decide_t *d, const char *word, tomo_str_t id);
void decide_why(decide_t *d, tomo_str_t word);

/* runs the rules on what was raised, until nothing new comes */
void decide_derive(decide_t *d);

/*
 * The friend of the event's LINE user id: the known one, or a new record with
 * st unset.  NULL: the event names nobody.
 */
friend_t *decide_friend(decide_t *d);

/* d->f's changes into the commit; decide_event does it for the last d->f */
void decide_save(decide_t *d);

/* a row onto a friend's timeline */
void decide_row(decide_t *d, uint32_t serial, tomo_str_t id, int64_t at_ms,
    const char *kind, tomo_str_t text);

/* key names in the arena */
tomo_str_t decide_key(decide_t *d, void (*fn)(tomo_buf_t *, tomo_str_t));
tomo_str_t decide_key_no(decide_t *d,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t), uint64_t no);

/* runs waiting greeting of d->f (decide_friend.c) */
void decide_resume(decide_t *d);

#endif
