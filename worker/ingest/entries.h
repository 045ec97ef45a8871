/*
 * entries: from stream entries and due members of the schedule to events.
 * Whatever cannot be read becomes one event with a fault, so that it is
 * counted, kept and passed.
 */

#ifndef ENTRIES_H
#define ENTRIES_H

#include "event.h"
#include "owner.h"

typedef struct {
    event_t  *events;
    size_t    n;
    size_t    cap;
} entries_t;

/*
 * Appends the events of one stream entry (reply: [id, [field, value …]]),
 * those before skip left out.  At least one event comes of it, EVENT_NONE
 * for an entry without any.  TOMO_FULL: the arena; nothing was appended.
 */
tomo_rc_e entries_read(entries_t *list, owner_t *o, const redisReply *entry,
    tomo_lane_e lane, uint32_t skip, tomo_arena_t *arena) TOMO_MUST_CHECK;

/* appends the event of one member of the schedule */
tomo_rc_e entries_timer(entries_t *list, tomo_str_t member, int64_t due_ms,
    tomo_arena_t *arena) TOMO_MUST_CHECK;

/* timers of one batch: by due moment, then serial */
void entries_sort(entries_t *list);

/*
 * How many of the events from i on make the next slice.  Timers: whole windows
 * of serials, so that a multicast's window is decided at once.
 */
size_t entries_cut(const entries_t *list, size_t i);

#endif
