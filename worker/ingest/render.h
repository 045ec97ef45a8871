/* render: messages with a friend's own values in their inserts */

#ifndef RENDER_H
#define RENDER_H

#include "decision.h"

/* renders messages for d->f and adds them to d->bubbles */
void render_messages(decision_t *d, const messages_t *messages);

#endif
