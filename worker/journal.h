/*
 * journal: a role's own journal folder (docs/formats.md, Journals; bytes:
 * core/tomo_journal.h).  Blocking: append records, then one journal_sync for
 * all of them.  Also reads: every kept record of every writer in the folder,
 * for what must be known at start, and from a sequence on, for shipping.
 *
 *   DIR/0123456789abcdef/lock, 0000000000000001.seg …   one writer
 *   DIR/spare/                                          segments for reuse
 *
 * At journal_open the folders of dead writers (lock free) are recovered and
 * adopted: their records are listed and shipped under their old id.
 *
 * A journal belongs to one thread, but for some calls: journal_part_write may
 * run on another one, journal_read, _settle and _settled on a third.  A failed
 * sync cannot be repeated into a success (the kernel may have dropped the
 * pages): journal_sync then fails for ever and the role must end; what was not
 * synced was not promised.
 */

#ifndef JOURNAL_H
#define JOURNAL_H

#include "tomo_journal.h"

/* no role keeps shipped segments longer */
#define JOURNAL_KEEP_MAX_MS  (8 * TOMO_DAY_MS)

typedef struct journal_s  journal_t;

typedef struct {
    const char  *dir;           /* made (0700) when missing; copied */
    int64_t      keep_ms;       /* shipped segments stay so long */
    uint64_t     max_bytes;     /* of all writers; 0 = 4 GiB */
    uint32_t     segment_bytes; /* 0 = 8 MiB */
} journal_options_t;

/* NULL: logged with the cause (not writable, other owner, no space) */
journal_t *journal_open(const journal_options_t *options);
void journal_close(journal_t *j);       /* does not sync */

/*
 * Buffers a record; r->seq is ignored and given back.  account ≤ 32 bytes,
 * body ≤ TOMO_JOURNAL_PAYLOAD_MAX.  TOMO_LIMIT: too large; TOMO_FULL:
 * max_bytes is reached; TOMO_ERROR: no segment could be made.
 */
tomo_rc_e journal_append(journal_t *j, tomo_record_t *r) TOMO_MUST_CHECK;
/* writes what is buffered and makes it durable; TOMO_ERROR: see above */
tomo_rc_e journal_sync(journal_t *j) TOMO_MUST_CHECK;

/*
 * The same in three steps, so that the owner can go on appending: begin takes
 * what is buffered aside (false: nothing was, or a part is under way), write
 * writes and syncs it (blocking, any one thread), end makes it count.
 * journal_sync and a full segment have to wait for a part under way: `wait` is
 * called then, and returns when journal_part_write did.
 */
bool journal_part_begin(journal_t *j);
void journal_part_write(journal_t *j);
tomo_rc_e journal_part_end(journal_t *j) TOMO_MUST_CHECK;
void journal_part_by(journal_t *j, void (*wait)(void *data), void *data);

uint64_t journal_writer(const journal_t *j);
uint64_t journal_last_seq(const journal_t *j);      /* synced */
uint64_t journal_next_seq(const journal_t *j);      /* of the next record */
/* has writer i a synced record of that sequence or a later one? */
bool journal_has(const journal_t *j, size_t i, uint64_t seq);

/*
 * Calls fn for every kept record of every writer, each writer's in order of
 * sequence.  Views live during the call.  fn returns false to stop.
 */
typedef bool (*journal_fn_pt)(void *data, uint64_t writer,
    const tomo_record_t *r);
tomo_rc_e journal_each(journal_t *j, journal_fn_pt fn, void *data)
    TOMO_MUST_CHECK;

/* the writers in the folder: ours is index 0, then adopted ones */
size_t journal_writers(const journal_t *j);
uint64_t journal_writer_id(const journal_t *j, size_t i);

/*
 * Reads records of writer i from sequence *seq on (synced ones only): calls
 * fn until it returns false or nothing is left; *seq ends as the sequence
 * after the last record given.  TOMO_ABSENT: *seq is older than the oldest
 * kept record (moved to the oldest; an incident for the caller to log).
 */
tomo_rc_e journal_read(journal_t *j, size_t i, uint64_t *seq,
    journal_fn_pt fn, void *data) TOMO_MUST_CHECK;

/*
 * The owner's thread, while nobody reads.
 * Everything of writer i up to seq has been shipped: segments wholly below it
 * and older than keep_ms (real time) are recycled, empty dead writers removed.
 */
void journal_shipped(journal_t *j, size_t i, uint64_t seq);

/*
 * For who adopts writer i after a kill: the shipper knew all up to seq as done.
 * It stands in the folder's lock file and is not synced: an older one may be
 * read; 0: nothing is known.  The shipping thread may call both.
 */
void journal_settle(journal_t *j, size_t i, uint64_t seq);
uint64_t journal_settled(const journal_t *j, size_t i);

#endif
