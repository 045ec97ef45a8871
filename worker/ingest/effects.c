#include "effects.h"

#include "effect.h"

const effect_pt  effects_table[ACTION_END] = {
#define EFFECTS_ROW_(name, word, compile, effect)  effect,
    ACTIONS(EFFECTS_ROW_)
#undef EFFECTS_ROW_
};
