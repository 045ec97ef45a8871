/*
 * erase: a person's copies are removed (promise S2): the record, its timeline,
 * its places in indexes and schedule, open rows of the outbox, what lies in
 * the quarantine.  A tombstone stays (gone.h).  What a stream of unknown
 * length holds goes page by page, in follow-ups of their own.
 */

#ifndef ERASE_H
#define ERASE_H

#include "decision.h"

/*
 * Removes d->f, which is NULL afterwards, and begins the follow-ups.  NULL: it
 * could not be done (memory); else the new tombstone.
 */
const gone_stone_t *erase_friend(decision_t *d);

/* the follow-up `do=erase`: one page of `out` or `quarantine`, or places */
tomo_rc_e erase_go_on(decision_t *d) TOMO_MUST_CHECK;

/*
 * LINE's unsend: the text goes out of the row of message ref.  Its rows are
 * in ev->page.
 */
void erase_text(decision_t *d, tomo_str_t ref);
/* was message ref unsent before it came here? */
bool erase_unsent(const decision_t *d, tomo_str_t ref);

#endif
