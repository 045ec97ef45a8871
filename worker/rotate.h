/*
 * rotate: a new secret in the place of an old one, without a moment in which
 * neither counts (docs/security.md, Rotation).  Each writes one file anew, at
 * once, with the old owner and mode; the old secret stays beside the new one
 * until the next rotation of the same, or --finish.
 */

#ifndef ROTATE_H
#define ROTATE_H

#include "conf.h"

/*
 * what: edge-key, worker-key, api-token.  finish: the old one goes.  Prints
 * what to do next, never a secret.  Returns the exit code.
 */
int rotate_run(const conf_t *conf, const char *what, bool finish);

#endif
