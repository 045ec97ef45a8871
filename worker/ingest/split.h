/*
 * split: a webhook body (LINE.md 3-5) into events, by yajl's SAX callbacks
 * with our own bounds: ≤ 1 MiB, depth 32, 10,000 events.  It never crashes
 * and never trusts: a body that is no webhook is a fault of the whole entry,
 * an odd event is a fault of that event alone (RELIABILITY.md, B14-B24).
 * Names and kinds it does not know are passed over.  Pure but for yajl.
 */

#ifndef SPLIT_H
#define SPLIT_H

#include "event.h"

#define SPLIT_BODY_MAX    (1024 * 1024)
#define SPLIT_EVENTS_MAX  10000
#define SPLIT_DEPTH_MAX   32

typedef struct {
    event_t     *events;
    size_t       n;
    tomo_str_t   destination;
} split_t;

/*
 * step: bytes fed at a time, 0 = all at once (tests feed single bytes).
 * NULL: done, *out is filled from the arena; else why the whole body goes to
 * the quarantine, a static word.  Only what LINE sends is filled in: the
 * caller adds where each event stands.
 */
const char *split_body(tomo_str_t body, size_t step, tomo_arena_t *a,
    split_t *out);

/*
 * Judges one event by the clock: sets ev->fault for a moment in the future
 * (B18) or older than the dedupe memory (W9).  received_ms: of the entry.
 */
void split_judge(event_t *ev, int64_t received_ms);

/*
 * For split_body: once all members are read.  Until then ev->bot holds the
 * mode and ev->origin the source's type.
 */
void split_finish(event_t *ev);

#define SPLIT_FUTURE_MS  (10 * TOMO_MIN_MS)
#define SPLIT_OLD_MS     (7 * TOMO_DAY_MS)

#endif
