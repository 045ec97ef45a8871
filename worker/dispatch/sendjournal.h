/*
 * sendjournal: what must survive a crash about sending: that a row was tried
 * (before its first attempt leaves) and how it ended (before anybody is
 * told).  Records of kinds `attempt` (local) and `verdict` (shipped) in the
 * dispatch journal; loaded at start into two tables:
 *   by name   a row's retry key, for a reply that of the push it may become:
 *             a row decided again after a rollback of Redis finds its former
 *             life here, whichever way it went
 *   by row    rows that are settled, but may still stand in the outbox
 *
 * One thread.  A failed append or sync ends the role.
 */

#ifndef SENDJOURNAL_H
#define SENDJOURNAL_H

#include "journal.h"
#include "row.h"
#include "vault.h"

typedef struct sendjournal_s  sendjournal_t;

typedef struct {
    bool         open;          /* tried, outcome unknown */
    bool         settled;
    tomo_via_e   via;           /* of the last attempt */
    tomo_send_e  send;          /* settled: how */
    int          status;
    uint32_t     attempts;
    int64_t      first_ms;
    tomo_str_t   serials;       /* multicast: frozen recipients, else empty */
    tomo_str_t   to;
} sendjournal_life_t;

/* NULL: logged */
sendjournal_t *sendjournal_open(const conf_t *conf);
void sendjournal_close(sendjournal_t *sj);
journal_t *sendjournal_journal(sendjournal_t *sj);

/* since when (sandbox clock) every attempt is known */
int64_t sendjournal_covers_ms(const sendjournal_t *sj);

/*
 * The former life of a row's name, NULL: none.  Views live until the next
 * call that changes this name.
 */
const sendjournal_life_t *sendjournal_find(const sendjournal_t *sj,
    const uint8_t name[ROW_NAME_BYTES]);
bool sendjournal_is_settled(const sendjournal_t *sj, uint32_t account,
    uint64_t id_ms, uint64_t id_seq);

/* row->attempt and row->first_ms are those of the attempt that follows */
tomo_rc_e sendjournal_attempt(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row) TOMO_MUST_CHECK;
/* the last attempt surely did not go out: a repeat counts as a first one */
tomo_rc_e sendjournal_void(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row) TOMO_MUST_CHECK;
/* line: a verdict (verdict.h), final for the row */
tomo_rc_e sendjournal_verdict(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row, tomo_send_e send, int status, tomo_str_t line)
    TOMO_MUST_CHECK;
/* a verdict line that settles nothing (pause) */
tomo_rc_e sendjournal_event(sendjournal_t *sj, const conf_account_t *ac,
    tomo_str_t line) TOMO_MUST_CHECK;
/* the verdict of a row that could not be read */
tomo_rc_e sendjournal_broken(sendjournal_t *sj, const conf_account_t *ac,
    uint64_t id_ms, uint64_t id_seq, tomo_str_t line) TOMO_MUST_CHECK;

/* everything appended becomes durable */
tomo_rc_e sendjournal_sync(sendjournal_t *sj) TOMO_MUST_CHECK;
/* forgets what is older than 7 days */
void sendjournal_tidy(sendjournal_t *sj);

#endif
