/*
 * ask: asks a Redis for what the rows of core/tomo_doctor want to know.  It
 * looks and judges nothing.  All functions need a connection that is up and
 * an empty pipeline, and may lose it.
 */

#ifndef ASK_H
#define ASK_H

#include "redis.h"
#include "tomo_doctor.h"

/* our own file's part of the facts; first of all */
void ask_begin(tomo_doctor_facts_t *f, const conf_t *conf);

/*
 * INFO, CONFIG GET and TIME.  TOMO_AGAIN: no answer, or still loading;
 * TOMO_DENIED: INFO is refused (f tells it as unreadable settings).
 */
tomo_rc_e ask_settings(redis_t *r, tomo_doctor_facts_t *f) TOMO_MUST_CHECK;

/* a value is written and read back (T50); TOMO_AGAIN: no answer */
tomo_rc_e ask_probe(redis_t *r, tomo_doctor_facts_t *f) TOMO_MUST_CHECK;

/* who we are, and whether we may do what nobody of us should */
tomo_rc_e ask_rights(redis_t *r, tomo_doctor_facts_t *f) TOMO_MUST_CHECK;

#endif
