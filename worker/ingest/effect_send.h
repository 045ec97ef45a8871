/* effect_send: messages to d->f, for what is no action of a list */

#ifndef EFFECT_SEND_H
#define EFFECT_SEND_H

#include "decision.h"

/* NULL: nothing */
void effect_send_messages(decision_t *d, const messages_t *messages);

#endif
