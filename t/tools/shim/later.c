/*
 * later: preloaded, it moves the real clock of a process by TOMO_LATER_S
 * seconds; what runs on the monotonic clock is as it was.  A test builds it
 * with `cc -shared -fPIC`.
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static time_t
later_s(void)
{
    const char  *s = getenv("TOMO_LATER_S");

    return s == NULL ? 0 : (time_t) strtoll(s, NULL, 10);
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int  rc = (int) syscall(SYS_clock_gettime, clock, ts);

    if (rc == 0
        && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    {
        ts->tv_sec += later_s();
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec  ts;

    (void) zone;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *out)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return (time_t) -1;
    }

    if (out != NULL) {
        *out = ts.tv_sec;
    }

    return ts.tv_sec;
}
