/* effects: the table of what actions do, for decision_run; set by decide.c */

#ifndef EFFECTS_H
#define EFFECTS_H

#include "decision.h"

extern const effect_pt  effects_table[ACTION_END];

#endif
