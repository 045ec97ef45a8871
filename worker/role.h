/*
 * role: what a role of the worker (ingest, dispatch, api) is given, and what
 * it owes: it runs until role_stopping(), says when it is ready, and tells the
 * supervisor about progress at least every 5 s (the watchdog).
 *
 * A role is a process.  Its main function gets an opened log and clock, an
 * ignored SIGPIPE, SIGTERM and SIGINT turned into role_stopping(), and ends
 * by returning an exit code:
 *   0   stopped as asked
 *   78  configuration or Redis settings refuse: restarting at once is no use
 *   other: failed; the supervisor starts it again
 * It dies with its supervisor (PR_SET_PDEATHSIG).  After SIGTERM it should end
 * within 2.5 s: the three are stopped one after the other in 8 s.
 *
 * Entry points, one per folder: worker/ingest/ingest.h, worker/dispatch/
 * dispatch.h, worker/api/api.h, each declaring
 *   int NAME_main(role_t *role);
 */

#ifndef ROLE_H
#define ROLE_H

#include "conf.h"

#define ROLE_EXIT_OK    0
#define ROLE_EXIT_FAIL  1
#define ROLE_EXIT_CONF  78

typedef struct {
    const char    *name;
    const conf_t  *conf;
    int            stop_fd;     /* readable once we shall stop; for poll() */
    int            report_fd;   /* to the supervisor; -1: none */
    int64_t        alive_us;
    bool           ready;
} role_t;

typedef int (*role_main_pt)(role_t *role);

/* NULL: no role of that name in this build */
role_main_pt role_find(const char *name);
/* the i-th name in the order of starting; NULL behind the last */
const char *role_name(size_t i);

/* runs a role in this process: signals, log, clock; returns the exit code */
int role_run(const char *name, const conf_t *conf, int report_fd);

/* any thread */
bool role_stopping(const role_t *role);
/* the rest by the role's main thread */
void role_ready(role_t *role);          /* first time only */
void role_alive(role_t *role);          /* cheap: at most 2 reports a second */

/*
 * poll() on n fds and, besides, the stop fd; returns poll's result (0: timed
 * out or stopping).  n ≤ 62.
 */
struct pollfd;
int role_poll(role_t *role, struct pollfd *fds, size_t n, int timeout_ms);

#endif
