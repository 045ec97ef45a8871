/*
 * verdict: the line that tells ingest what LINE said about a row
 * (docs/formats.md, Verdicts).  Pure: writes into a buffer.
 */

#ifndef VERDICT_H
#define VERDICT_H

#include "row.h"

#define VERDICT_MESSAGE_MAX  200
#define VERDICT_NAME_MAX     400
#define VERDICT_SENT_MAX     5

typedef struct {
    tomo_send_e   send;
    int           status;
    tomo_str_t    request;              /* LINE's id, empty: none */
    tomo_str_t    message;              /* LINE's text, cut here */
    tomo_str_t    sent[VERDICT_SENT_MAX];
    size_t        n_sent;
    tomo_str_t    name, picture, language;      /* profile */
    tomo_str_t    frozen;               /* multicast: user ids that were
                                           covered; empty: all of them */
    bool          has_frozen;
} verdict_t;

/* row->attempt and first_ms are told; at_ms: now */
void verdict_put(tomo_buf_t *b, const row_t *row, const verdict_t *v,
    int64_t at_ms);

/*
 * Not final: counted sends (or all, why "access") of the account wait.
 * `send=pause why=… until=… at=…`
 */
void verdict_pause_put(tomo_buf_t *b, const char *why, int64_t until_ms,
    int64_t at_ms);

/* a row that could not be read: refused, so that it does not stand for ever */
void verdict_broken_put(tomo_buf_t *b, tomo_str_t id, const char *why,
    int64_t at_ms);

#endif
