/*
 * pidfile: RUN_DIR/NAME with our process id, locked while we live, so that a
 * second supervisor on the same folder is refused.
 */

#ifndef PIDFILE_H
#define PIDFILE_H

#include "tomo_base.h"

typedef struct {
    int   fd;
    char  path[1024];
} pidfile_t;

/* TOMO_DENIED: another process holds it; TOMO_ERROR: files; both logged */
tomo_rc_e pidfile_open(pidfile_t *p, const char *dir, const char *name)
    TOMO_MUST_CHECK;
void pidfile_close(pidfile_t *p);       /* removes it */

#endif
