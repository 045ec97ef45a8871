/*
 * supervisor: starts each role as a process of its own, restarts one that
 * ended (at once; after repeated failures with a growing delay), reports to
 * systemd, and on SIGTERM stops the roles in order api, ingest, dispatch
 * within 8 s.  SIGHUP: checks the configuration; if it is good, the roles are
 * restarted one after the other and read it; if not, all stays as it was.
 *
 * RUN_DIR/worker.pid holds its process id while it lives.
 */

#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "conf.h"

/*
 * A role that reports nothing for so long hangs and is killed; until then
 * systemd hears from us.  WatchdogSec= of the unit is this, as a test holds:
 * a shorter one would end all roles for a pause that one of them may take.
 */
#define SUPERVISOR_SILENT_MS  60000

/* program: path for exec of the roles; returns the exit code */
int supervisor_run(const conf_t *conf, const char *program);

#endif
