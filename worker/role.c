#include "role.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#include "api/api.h"
#include "dispatch/dispatch.h"
#include "ingest/ingest.h"

#define ROLE_FDS_MAX   64
#define ROLE_REPORT_US INT64_C(500000)


static const struct {
    const char    *name;
    role_main_pt   main;
} role_table[] = {
    { "ingest", ingest_main },
    { "dispatch", dispatch_main },
    { "api", api_main },
};

static volatile sig_atomic_t  role_stop;
static int                    role_stop_fd = -1;


role_main_pt
role_find(const char *name)
{
    for (size_t i = 0; i < sizeof(role_table) / sizeof(role_table[0]); i++) {
        if (strcmp(role_table[i].name, name) == 0) {
            return role_table[i].main;
        }
    }

    return NULL;
}


const char *
role_name(size_t i)
{
    return i < sizeof(role_table) / sizeof(role_table[0])
           ? role_table[i].name : NULL;
}


static void
role_on_stop(int sig)
{
    int       saved = errno;
    uint64_t  one = 1;

    (void) sig;

    role_stop = 1;

    /* the flag stands even if the counter is full */
    (void) !write(role_stop_fd, &one, sizeof(one));
    errno = saved;
}


static bool
role_signals(void)
{
    struct sigaction  stop = { .sa_handler = role_on_stop };
    struct sigaction  ignore = { .sa_handler = SIG_IGN };

    role_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (role_stop_fd < 0) {
        return false;
    }

    return sigaction(SIGTERM, &stop, NULL) == 0
           && sigaction(SIGINT, &stop, NULL) == 0
           && sigaction(SIGPIPE, &ignore, NULL) == 0
           && sigaction(SIGHUP, &ignore, NULL) == 0;
}


/* Is the reader of our reports, the supervisor, still there? */

static bool
role_watched(int report_fd)
{
    struct pollfd  fd = { .fd = report_fd };

    return poll(&fd, 1, 0) <= 0 || !(fd.revents & (POLLERR | POLLNVAL));
}


/* Started as /proc/self/exe, it would be called `exe` in ps and the journal. */

static void
role_title(const char *name)
{
    char  title[16];

    snprintf(title, sizeof(title), "tomo-%s", name);
    prctl(PR_SET_NAME, title);
}


int
role_run(const char *name, const conf_t *conf, int report_fd)
{
    int            code;
    role_t         role = { .name = name, .conf = conf,
                            .report_fd = report_fd };
    role_main_pt   run = role_find(name);

    log_init(name, conf->log_json);

    if (run == NULL) {
        log_error("role", "%s does not exist: use ingest, dispatch or api",
                  name);
        return ROLE_EXIT_CONF;
    }

    if (report_fd >= 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);

        if (!role_watched(report_fd)) {
            return ROLE_EXIT_FAIL;      /* it died before we asked */
        }
    }

    role_title(name);

    if (!role_signals()) {
        log_error("role", "%s cannot set up signals: %s", name,
                  strerror(errno));
        return ROLE_EXIT_FAIL;
    }

    if (clock_open(conf->clock_file) != TOMO_OK) {
        return ROLE_EXIT_CONF;
    }

    role.stop_fd = role_stop_fd;
    code = run(&role);
    log_info("role", "%s ended with code %d", name, code);

    return code;
}


bool
role_stopping(const role_t *role)
{
    (void) role;

    return role_stop != 0;
}


static void
role_report(role_t *role, char word)
{
    if (role->report_fd >= 0) {
        /* a full pipe means that nobody is in a hurry to know */
        (void) !write(role->report_fd, &word, 1);
    }
}


void
role_ready(role_t *role)
{
    if (!role->ready) {
        role->ready = true;
        role_report(role, 'R');
        log_info("role", "%s is ready", role->name);
    }
}


void
role_alive(role_t *role)
{
    int64_t  now_us = clock_mono_us();

    if (now_us - role->alive_us >= ROLE_REPORT_US) {
        role->alive_us = now_us;
        role_report(role, 'A');
    }
}


int
role_poll(role_t *role, struct pollfd *fds, size_t n, int timeout_ms)
{
    int            rc;
    struct pollfd  all[ROLE_FDS_MAX];

    if (n > ROLE_FDS_MAX - 1) {
        n = ROLE_FDS_MAX - 1;
    }

    for (size_t i = 0; i < n; i++) {
        all[i] = fds[i];
    }

    all[n] = (struct pollfd) { .fd = role->stop_fd, .events = POLLIN };

    rc = poll(all, n + 1, timeout_ms);

    for (size_t i = 0; i < n; i++) {
        fds[i].revents = rc > 0 ? all[i].revents : 0;
    }

    if (rc > 0 && all[n].revents != 0) {
        rc--;
    }

    return rc < 0 ? 0 : rc;
}
