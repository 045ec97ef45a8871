/*
 * api/commands: changes.  A command is written to the api role's journal,
 * fsynced, shipped into the account's `in` stream, decided by the owner, and
 * its request is answered from the entry the commit put into `result`
 * (docs/formats.md, Commands).
 *
 * Two threads: one writes, syncs and ships; one reads results and watches the
 * time.  A waiting request holds no thread.
 */

#ifndef TOMO_API_COMMANDS_H
#define TOMO_API_COMMANDS_H

#include "context.h"

#define COMMANDS_WAITING_MAX  64
#define COMMANDS_WAIT_MS      2000
#define COMMANDS_QUEUE_MAX    1024

/* TOMO_ERROR: the journal cannot be opened (logged) */
tomo_rc_e commands_start(const conf_t *conf, commands_t **commands)
    TOMO_MUST_CHECK;

/*
 * Answers what still waits with 202 and ends the threads; from then on
 * commands_submit answers 503.  Free it when the server has stopped.
 */
void commands_stop(commands_t *c);
void commands_free(commands_t *c);

/*
 * Suspends r and queues the command; what: the members of the command's JSON
 * behind id and actor, without braces, e.g. "\"do\":\"x\"".  HTTP_ANSWERED
 * with 503 when the queue is full.
 */
http_rc_e commands_submit(commands_t *c, request_t *r,
    const conf_account_t *account, tomo_str_t what);

/*
 * Answers 202 to those that have waited long enough.  The role's own thread
 * does it: it never waits for Redis.
 */
void commands_expire(commands_t *c);

/* the journal failed to sync: the role must end and start anew */
bool commands_failed(commands_t *c);

#endif
