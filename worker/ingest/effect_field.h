/* effect_field: a field of d->f, for what is no action of a list */

#ifndef EFFECT_FIELD_H
#define EFFECT_FIELD_H

#include "decision.h"

/* an older value never overwrites a newer one; "" and too long: nothing */
void effect_field_put(decision_t *d, uint32_t no, tomo_str_t value,
    int64_t at_ms);

#endif
