#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "log.h"


static tomo_rc_e
pidfile_write(const pidfile_t *p)
{
    int   n;
    char  text[32];

    n = snprintf(text, sizeof(text), "%ld\n", (long) getpid());

    if (ftruncate(p->fd, 0) != 0
        || pwrite(p->fd, text, (size_t) n, 0) != n)
    {
        log_error("pid file", "%s cannot be written: %s", p->path,
                  strerror(errno));
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


tomo_rc_e
pidfile_open(pidfile_t *p, const char *dir, const char *name)
{
    int        n;
    tomo_rc_e  rc;

    p->fd = -1;
    n = snprintf(p->path, sizeof(p->path), "%s/%s", dir, name);

    if (n < 0 || (size_t) n >= sizeof(p->path)) {
        log_error("pid file", "has a path that is too long: choose a shorter "
                  "run_dir");
        return TOMO_ERROR;
    }

    p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (p->fd < 0) {
        log_error("pid file", "%s cannot be opened: %s; create run_dir for "
                  "the worker's user", p->path, strerror(errno));
        return TOMO_ERROR;
    }

    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0) {
        log_error("pid file", "%s is held: a tomo-worker already runs with "
                  "this run_dir; stop it or choose another", p->path);
        rc = TOMO_DENIED;

    } else {
        rc = pidfile_write(p);
    }

    if (rc != TOMO_OK) {
        close(p->fd);
        p->fd = -1;
    }

    return rc;
}


void
pidfile_close(pidfile_t *p)
{
    if (p->fd >= 0) {
        unlink(p->path);
        close(p->fd);
        p->fd = -1;
    }
}
