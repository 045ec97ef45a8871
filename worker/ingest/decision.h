/*
 * decision: the decision being built about one event: what it is decided on
 * (owner, view, now) and what comes of it so far: changes in friends,
 * operations of the commit, bubbles to send, and events derived from it.
 * Only Redis' contents as loaded and the arguments count: no I/O here.  It
 * knows no kind of event, rule or effect: those stand above it.
 */

#ifndef DECISION_H
#define DECISION_H

#include "event.h"
#include "model/action.h"
#include "owner.h"
#include "view.h"

#define DECISION_EFFECTS_MAX  256
#define DECISION_DEPTH_MAX    8
#define DECISION_BUBBLES_MAX  64
#define DECISION_FX_BYTES     2048      /* of a row's list; behind it only */
#define DECISION_FX_SPARE     1024      /* … what was left out of it */
#define DECISION_WHY_BYTES    512

/* What one event made happen and rules have not seen yet */
typedef struct {
    trigger_e  trigger;
    uint32_t   no;
    unsigned   depth;
} decision_derived_t;

/* A message object on its way into a row of the outbox */
typedef struct {
    tomo_str_t  json;
    tomo_str_t  def;
    tomo_str_t  step;
    uint32_t    gen;
    int64_t     due_ms;
    tomo_str_t  event;          /* id of the event that led to it */
    uint32_t    delivery;
    bool        linked;         /* holds a link or survey of ours */
} bubble_t;

/* A send that may share a multicast with others of the slice */
typedef struct {
    const messages_t  *messages;
    tomo_str_t         def;
    tomo_str_t         step;
    uint32_t           gen;
    int64_t            due_ms;
    uint32_t           delivery;
    uint32_t           serial;
    tomo_str_t         uid;
    tomo_str_t         event;
} mass_item_t;

typedef struct {
    mass_item_t  *items;
    size_t        n;
    size_t        cap;
    size_t        n_rows;       /* at most so many rows will come of them */
} mass_t;

typedef struct decision_s  decision_t;

/* does what a marketer asked for (model/action.h) to d->f */
typedef void (*effect_pt)(decision_t *d, const action_t *a);

struct decision_s {
    const effect_pt    *effect;         /* by action_e: the driver's table */
    owner_t            *o;
    view_t             *view;
    mass_t             *mass;           /* sends that may become multicasts */
    size_t              mass_from;      /* ev's own stand from here */
    commit_t           *c;
    tomo_arena_t       *arena;
    event_t            *ev;
    friend_t           *f;              /* whom it is about; NULL: nobody */
    int64_t             now_ms;
    bool                alone;          /* replay after a takeover */

    unsigned            depth;
    unsigned            effects;
    unsigned            cut;
    decision_derived_t  derived[DECISION_EFFECTS_MAX];
    size_t              n_derived;

    bubble_t            bubbles[DECISION_BUBBLES_MAX];
    size_t              n_bubbles;
    tomo_str_t          reply;          /* token that may still be used */
    int64_t             reply_at_ms;

    tomo_str_t          def;            /* what acts now: kind/id */
    tomo_str_t          step;
    uint32_t            gen;
    int64_t             due_ms;
    tomo_str_t          by;             /* event that led here; "": ev's */

    bool                silent;         /* nothing is written to timelines */
    const char         *kind;           /* of the timeline row */
    tomo_str_t          text;
    tomo_buf_t          fx;             /* encoded `&fx=…` pairs */
    tomo_buf_t          why;
    unsigned            fx_more;        /* effects that the list left out */
    uint8_t             fx_bytes[DECISION_FX_BYTES + DECISION_FX_SPARE];
    uint8_t             why_bytes[DECISION_WHY_BYTES];
};

/* nothing is decided about ev yet; d->f is its friend, if it names one */
void decision_begin(decision_t *d, event_t *ev);
/* d->f's row on the timeline and its changes go into the commit */
void decision_end(decision_t *d);

/* one more effect?  false: over the limit, counted */
bool decision_take(decision_t *d);
/* remembers that rules have to look at it */
void decision_raise(decision_t *d, trigger_e trigger, uint32_t no);
/* `word` or `word:id` to the row's effects / reasons */
void decision_fx(decision_t *d, const char *word, tomo_str_t id);
void decision_why(decision_t *d, tomo_str_t word);

/*
 * The friend of the event's LINE user id: the known one, or a new record with
 * st unset.  NULL: the event names nobody.
 */
friend_t *decision_friend(decision_t *d);

/* op i or j: a friend into or out of the index set of that number */
void decision_index(decision_t *d, char op, uint32_t serial,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t), uint64_t no);

/*
 * A list of actions, in its order, by the driver's table: so what runs them
 * stands below what they do.  kind, id: whose they are, e.g. tag/vip.
 */
void decision_run(decision_t *d, const actions_t *actions, const char *kind,
    tomo_str_t id);

/* d->f's changes into the commit; decision_end does it for the last d->f */
void decision_save(decision_t *d);

/* a row onto a friend's timeline */
void decision_row(decision_t *d, uint32_t serial, tomo_str_t id,
    int64_t at_ms, const char *kind, tomo_str_t text);

/* key names in the arena */
tomo_str_t decision_key(decision_t *d, void (*fn)(tomo_buf_t *, tomo_str_t));
tomo_str_t decision_key_no(decision_t *d,
    void (*fn)(tomo_buf_t *, tomo_str_t, uint64_t), uint64_t no);
/* "kind/id" in the arena */
tomo_str_t decision_name(decision_t *d, const char *kind, tomo_str_t id);
/* the id of a definition's number, "?" for one that is gone */
tomo_str_t decision_id(const decision_t *d, def_kind_e kind, uint32_t no);

#endif
