/*
 * row: one open row of an account's outbox (docs/formats.md, The outbox) in
 * dispatch's memory: what the stream said, and how far its sending is.
 * Owned by the queue; nothing here talks to anybody.
 */

#ifndef ROW_H
#define ROW_H

#include <hiredis/hiredis.h>

#include "tomo_base.h"
#include "tomo_send.h"

#define ROW_NAME_BYTES  16      /* the send journal knows a row by it */
#define ROW_ID_MAX      44      /* two numbers of 20 digits and a dash */

/*
 *   QUEUED → READY → CHOSEN → FLYING → (answer) → TIMED → QUEUED …
 *   any state but FLYING → gone (freed)
 */
typedef enum {
    ROW_QUEUED = 0,             /* behind another row of its friend */
    ROW_READY,                  /* in its channel's ready list */
    ROW_CHOSEN,                 /* being taken and journalled */
    ROW_FLYING,                 /* a request is under way */
    ROW_TIMED                   /* waits until due_us */
} row_state_e;

typedef struct row_s     row_t;
typedef struct lane_s    lane_t;        /* queue.h: one friend's rows */

/* what a request under way is about: subject of wire_start */
typedef struct {
    void   *channel;            /* channel_t */
    row_t  *row;                /* NULL: the channel's access token */
} row_flight_t;

struct row_s {
    char          id[ROW_ID_MAX];       /* of the stream entry */
    uint64_t      id_ms;
    uint64_t      id_seq;
    tomo_via_e    via;
    uint32_t      friend;               /* 0: multicast */
    tomo_str_t    to;
    tomo_str_t    serials;
    tomo_str_t    keep_to;              /* multicast: those it goes to */
    tomo_str_t    keep_serials;
    tomo_str_t    key;                  /* UUID text; empty: none */
    tomo_str_t    token;
    tomo_str_t    body;
    int64_t       token_ms;
    int64_t       due_ms;
    uint64_t      links;                /* feed version; 0: none */
    uint8_t       name[ROW_NAME_BYTES];

    row_state_e   state;
    uint32_t      attempt;              /* made so far */
    bool          unknown_before;
    bool          journalled;           /* an attempt record stands */
    int64_t       first_ms;             /* 0: not tried yet */
    uint32_t      renewals;
    uint64_t      access_used;          /* generation of the access token */
    bool          limited;              /* the last answer was a 429 ... */
    uint64_t      limited_at;           /* ... after so many accepted rows */
    int64_t       limited_ms;           /* the first of them ... */
    uint64_t      limited_pauses;       /* ... since a pause of that number */
    row_flight_t  flight;
    uint64_t      epoch;                /* the lease it was seen under */
    int64_t       seen_us;
    int64_t       covers_ms;            /* the journal's, when it was seen */
    int64_t       due_us;               /* TIMED, monotonic */
    size_t        heap_at;              /* place in the timer heap */

    lane_t       *lane;
    row_t        *prev, *next;          /* in the lane, oldest first */
    row_t        *ready_next;
    struct row_s *hash_next;            /* by id, in the queue's table */

    char         *text;                 /* owns every view above ... */
    char         *kept;                 /* ... but those of row_leave_out */
};

/*
 * A row from the fields of a stream entry; every view is copied.  NULL with a
 * static reason in *why: the entry is none of ours (X3); the id is fine.
 */
row_t *row_new(tomo_str_t id, const redisReply *pairs, const char **why);
void row_free(row_t *row);

/* "MS-SEQ"; false: not a stream id */
bool row_id_parse(tomo_str_t id, uint64_t *ms, uint64_t *seq);

/* 16 bytes from a UUID's 36 characters, or from 32 hex digits; false: none */
bool row_name_uuid(tomo_str_t key, uint8_t name[ROW_NAME_BYTES]);
bool row_name_parse(tomo_str_t hex, uint8_t name[ROW_NAME_BYTES]);

/*
 * A multicast that was never tried goes without some recipients: places in
 * its lists from 0, joined by commas, ascending.  Its lists stay as they are.
 */
void row_leave_out(row_t *row, tomo_str_t places);
/* how many people it is for */
int64_t row_people(const row_t *row);
/* does LINE count it, so that the month's quota stops it? */
bool row_counted(const row_t *row);

#endif
