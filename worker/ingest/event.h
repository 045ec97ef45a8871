/*
 * event: something that happened, on its way from a stream entry (or the
 * schedule) to its decision.  Views live in the batch's arena.
 */

#ifndef EVENT_H
#define EVENT_H

#include "model/friend.h"
#include "json.h"
#include "timer.h"
#include "tomo_entry.h"
#include "tomo_journal.h"

/*
 * X(name, word on the timeline, decide, needs): a new kind of event is a row
 * here and its function in a decide_*.c, which kinds.h declares and decide.c
 * calls.
 */
#define EVENT_KINDS(X)                                                        \
    X(NONE,      "none",      decide_none,      NOTHING)                      \
    X(FOLLOW,    "follow",    decide_follow,    LINE)                         \
    X(UNFOLLOW,  "unfollow",  decide_unfollow,  LINE)                         \
    X(MESSAGE,   "message",   decide_message,   LINE)                         \
    X(POSTBACK,  "postback",  decide_postback,  LINE)                         \
    X(UNSEND,    "unsend",    decide_unsend,    LINE)                         \
    X(OTHER,     "other",     decide_other,     LINE)                         \
    X(CLICK,     "click",     decide_click,     NOTHING)                      \
    X(ANSWER,    "answer",    decide_answer,    NONCE)                        \
    X(VERDICT,   "verdict",   decide_verdict,   ROW)                          \
    X(COMMAND,   "command",   decide_command,   NOTHING)                      \
    X(FOLLOW_UP, "follow_up", decide_follow_up, PAGE)                         \
    X(TIMER,     "timer",     decide_timer,     NOTHING)

typedef enum {
#define EVENT_ENUM_(name, word, decide, needs)  EVENT_##name,
    EVENT_KINDS(EVENT_ENUM_)
#undef EVENT_ENUM_
    EVENT_KIND_END
} event_kind_e;

/* what is looked up before it is decided, besides the friend of ev->serial */
typedef enum {
    EVENT_NEEDS_NOTHING = 0,
    EVENT_NEEDS_LINE,           /* LINE's id of the event, friend of uid */
    EVENT_NEEDS_NONCE,          /* the id of an answer */
    EVENT_NEEDS_ROW,            /* the outbox row of a verdict */
    EVENT_NEEDS_PAGE            /* what a follow-up goes through */
} event_needs_e;

typedef enum {
    EVENT_SOURCE_NONE = 0,
    EVENT_SOURCE_USER,
    EVENT_SOURCE_GROUP          /* group, room, or a kind we do not know */
} event_source_e;

#define EVENT_TOO_LARGE  "too_large"    /* a fault: fits into no commit */

typedef struct {
    event_kind_e    kind;

    /* where it stands */
    tomo_lane_e     lane;       /* LOCAL: from the schedule */
    tomo_str_t      entry;      /* id of the stream entry */
    uint32_t        index;      /* within the entry, from 0 */
    bool            last;       /* of the entry */
    bool            apart;      /* decided in a slice of its own */
    tomo_str_t      origin;     /* WRITER-SEQ */

    tomo_str_t      id;
    int64_t         at_ms;      /* when it happened */
    int64_t         received_ms;
    tomo_str_t      uid;        /* LINE user id; may be absent */
    uint32_t        serial;     /* of the friend, 0: not known yet */
    tomo_str_t      raw;        /* as it came, for the quarantine */
    size_t          context;    /* of raw: where deliveryContext's value … */
    size_t          context_end; /* … begins and ends; 0: it has none */
    const char     *fault;      /* not NULL: to the quarantine, and why */

    /* webhook */
    tomo_str_t      type;       /* LINE's word */
    event_source_e  source;
    bool            standby;
    bool            unblocked;
    tomo_str_t      reply;      /* reply token */
    tomo_str_t      what;       /* message type */
    tomo_str_t      text;       /* message text, postback data, … */
    tomo_str_t      ref;        /* message id */
    tomo_str_t      bot;        /* destination */

    /* our own kinds */
    tomo_click_t    click;
    tomo_answer_t   answer;
    tomo_rec_t      line;       /* VERDICT, FOLLOW_UP */
    json_t         *command;
    uint32_t        no;         /* TIMER */
    timer_e         timer;      /* TIMER */

    /* loaded by view */
    tomo_str_t      met;        /* decided before: the digest it had then */
    tomo_str_t     *row;        /* VERDICT: pairs of its outbox row */
    size_t          n_row;
    tomo_str_t     *page;       /* FOLLOW_UP: ZSCAN: next cursor, members; or
                                   of erase; UNSEND: rows of the timeline */
    size_t          n_page;
} event_t;

/* ids LINE gives: [0-9A-Z]{26}; user ids: U and 32 hex digits */
bool event_id_ok(tomo_str_t s);
bool event_uid_ok(tomo_str_t s);

const char *event_kind_word(event_kind_e kind);
event_needs_e event_needs(event_kind_e kind);

#endif
