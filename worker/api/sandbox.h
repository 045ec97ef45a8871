/*
 * api/sandbox: the sandbox's clock (docs/openapi.yaml): advancing walks the due
 * moments in order, each with now = its due moment, and answers when all due
 * work and its sends are settled.
 *
 * One thread walks; a second advance while it walks is refused with 409.
 */

#ifndef TOMO_API_SANDBOX_H
#define TOMO_API_SANDBOX_H

#include "context.h"

/* TOMO_ERROR: no thread (logged) */
tomo_rc_e sandbox_start(const conf_t *conf, sandbox_t **sandbox)
    TOMO_MUST_CHECK;
/*
 * Answers an advance under way with 503 and ends the thread; from then on
 * sandbox_advance refuses.  Free it when the server has stopped.
 */
void sandbox_stop(sandbox_t *s);
void sandbox_free(sandbox_t *s);

/* hands a suspended request over; false: one is under way already */
bool sandbox_advance(sandbox_t *s, request_t *r, int64_t advance_ms);

/* {"now_ms":…,"zone":…} */
void sandbox_put(const conf_t *conf, request_t *r);

#endif
