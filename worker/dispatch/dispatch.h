/*
 * dispatch: the role that sends: outbox rows to LINE, LINE's verdicts back as
 * events (DESIGN.md 6).
 */

#ifndef DISPATCH_H
#define DISPATCH_H

#include "role.h"

int dispatch_main(role_t *role);

#endif
