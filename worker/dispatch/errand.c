#include "errand.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define ERRAND_STUCK_US  INT64_C(5000000)


struct errand_s {
    pthread_t        thread;
    pthread_mutex_t  lock;
    pthread_cond_t   changed;
    int              event_fd;
    const char      *name;
    errand_pt        call;          /* NULL: nothing is under way */
    void            *data;
    int64_t          started_us;
    bool             told;          /* that it does not come back */
    bool             ending;
};


static void *
errand_run(void *data)
{
    uint64_t   one = 1;
    errand_t  *e = data;

    (void) pthread_mutex_lock(&e->lock);

    for ( ;; ) {
        while (e->call == NULL && !e->ending) {
            (void) pthread_cond_wait(&e->changed, &e->lock);
        }

        if (e->call == NULL) {
            break;
        }

        (void) pthread_mutex_unlock(&e->lock);
        e->call(e->data);
        (void) pthread_mutex_lock(&e->lock);

        e->call = NULL;
        (void) pthread_cond_broadcast(&e->changed);

        /* it cannot be so full that this fails while nobody looks */
        if (write(e->event_fd, &one, sizeof(one)) < 0) {
            continue;
        }
    }

    (void) pthread_mutex_unlock(&e->lock);

    return NULL;
}


errand_t *
errand_new(int event_fd, const char *name)
{
    int        rc;
    sigset_t   all, before;
    errand_t  *e = calloc(1, sizeof(*e));

    if (e == NULL) {
        return NULL;
    }

    e->event_fd = event_fd;
    e->name = name;
    (void) pthread_mutex_init(&e->lock, NULL);
    (void) pthread_cond_init(&e->changed, NULL);

    /* signals are the loop's */
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&e->thread, NULL, errand_run, e);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (rc != 0) {
        log_error("thread", "cannot be started: raise the limit of tasks "
                  "(systemd: TasksMax) of the worker");
        free(e);
        return NULL;
    }

    return e;
}


void
errand_free(errand_t *e)
{
    if (e == NULL) {
        return;
    }

    (void) pthread_mutex_lock(&e->lock);
    e->ending = true;
    (void) pthread_cond_broadcast(&e->changed);
    (void) pthread_mutex_unlock(&e->lock);
    (void) pthread_join(e->thread, NULL);
    (void) pthread_cond_destroy(&e->changed);
    (void) pthread_mutex_destroy(&e->lock);
    free(e);
}


void
errand_start(errand_t *e, errand_pt call, void *data)
{
    (void) pthread_mutex_lock(&e->lock);
    e->call = call;
    e->data = data;
    e->started_us = clock_mono_us();
    e->told = false;
    (void) pthread_cond_broadcast(&e->changed);
    (void) pthread_mutex_unlock(&e->lock);
}


bool
errand_busy(errand_t *e)
{
    bool  busy;

    (void) pthread_mutex_lock(&e->lock);
    busy = e->call != NULL;
    (void) pthread_mutex_unlock(&e->lock);

    return busy;
}


bool
errand_stuck(errand_t *e)
{
    if (!errand_busy(e)
        || clock_mono_us() - e->started_us < ERRAND_STUCK_US)
    {
        return false;
    }

    if (!e->told) {
        e->told = true;
        log_error(e->name, "does not answer for 5 s and nothing is sent: look "
                  "at it; this role is killed and started again if that does "
                  "not end");
    }

    return true;
}


void
errand_wait(errand_t *e)
{
    (void) pthread_mutex_lock(&e->lock);

    while (e->call != NULL) {
        (void) pthread_cond_wait(&e->changed, &e->lock);
    }

    (void) pthread_mutex_unlock(&e->lock);
}
