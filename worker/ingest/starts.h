/*
 * starts: which scenarios start on what, an index of the definitions that
 * their owner keeps beside them.  Pure but for its memory.
 */

#ifndef STARTS_H
#define STARTS_H

#include "model/def_scenario.h"
#include "model/defs.h"

typedef struct {
    uint32_t  no;               /* of what happened; 0: any */
    uint32_t  scenario;
} start_t;

typedef struct starts_s  starts_t;

/* NULL: out of memory */
starts_t *starts_build(const defs_t *defs);
void starts_free(starts_t *starts);

/* the n that wait for trigger, in the order of the definitions */
const start_t *starts_on(const starts_t *starts, trigger_e trigger,
    size_t *n);

#endif
