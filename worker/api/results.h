/*
 * api/results: follows the `result` stream of every account and hands each
 * answer of a command to a callback.  One thread uses it.
 */

#ifndef TOMO_API_RESULTS_H
#define TOMO_API_RESULTS_H

#include "conf.h"
#include "tomo_base.h"

typedef struct results_s  results_t;

/* the views live during the call */
typedef void (*results_fn_pt)(void *data, tomo_str_t id, unsigned status,
    tomo_str_t body);

/* NULL: out of memory.  conf is borrowed. */
results_t *results_new(const conf_t *conf, results_fn_pt fn, void *data);
void results_free(results_t *s);

/*
 * Waits up to wait_ms for answers and hands them on.  When Redis is down it
 * waits just the same; after a reconnect it goes on where it was.
 */
void results_poll(results_t *s, int wait_ms);

#endif
