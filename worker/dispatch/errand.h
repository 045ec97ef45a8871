/*
 * errand: a call that blocks (Redis, a sync of the disk), made on a thread of
 * its own, so that the loop goes on moving what is in flight.  One call at a
 * time; whoever starts it leaves alone what it works on until it is over.
 *
 * All functions but the call itself belong to the loop's thread.
 */

#ifndef ERRAND_H
#define ERRAND_H

#include <stdbool.h>

typedef struct errand_s  errand_t;

typedef void (*errand_pt)(void *data);

/*
 * event_fd: an eventfd, readable when a call is over.  name: what its calls
 * wait for, for the log; borrowed for ever.  NULL: logged.
 */
errand_t *errand_new(int event_fd, const char *name);
/* waits for the call under way; accepts NULL */
void errand_free(errand_t *e);

/* not while one is under way */
void errand_start(errand_t *e, errand_pt call, void *data);
/* is one under way?  Once it is not, all that the call did can be seen. */
bool errand_busy(errand_t *e);
/* is one under way for 5 s and more?  Logged once: that is no progress. */
bool errand_stuck(errand_t *e);
/* returns when none is under way */
void errand_wait(errand_t *e);

#endif
