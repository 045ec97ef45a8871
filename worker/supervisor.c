#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "notify.h"
#include "pidfile.h"
#include "reload.h"
#include "role.h"

#define SUPERVISOR_ROLES       3
#define SUPERVISOR_STOP_MS     7500     /* of all roles; 8 s are promised */
#define SUPERVISOR_SHARE_MS    2500     /* until the next one is told */
#define SUPERVISOR_STEADY_MS   10000    /* lived so long: not a crash loop */
#define SUPERVISOR_DELAY_MS    5000     /* longest wait before a restart */
#define SUPERVISOR_READY_MS    200      /* … of a role that had got ready */


typedef struct {
    const char  *name;
    pid_t        pid;           /* 0: not running */
    int          fd;            /* its reports, -1 */
    bool         ready;
    bool         replace;       /* reload: to be stopped and started anew */
    uint32_t     failures;      /* in a row */
    int64_t      started_ms;    /* monotonic, all of these */
    int64_t      heard_ms;
    int64_t      start_at_ms;   /* not running: start it then */
    int64_t      told_ms;       /* SIGTERM was sent, 0: not */
} supervisor_role_t;

typedef struct {
    const conf_t       *conf;
    const char         *program;
    supervisor_role_t   roles[SUPERVISOR_ROLES];
    size_t              n;
    int                 signal_fd;
    pidfile_t           pid;
    bool                ready;
    bool                stopping;
    int64_t             stop_ms;
    int64_t             ping_ms;
    int                 code;
} supervisor_t;


static bool
supervisor_signals(supervisor_t *s)
{
    sigset_t  set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    signal(SIGPIPE, SIG_IGN);

    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return false;
    }

    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return s->signal_fd >= 0;
}


/* In the child: becomes the role.  Its report pipe is the only extra fd. */

static void
supervisor_exec(const supervisor_t *s, const char *name, int report_fd)
{
    char      fd_text[16];
    sigset_t  none;
    char     *argv[] = {
        (char *) "tomo-worker", (char *) "--config", s->conf->file,
        (char *) "--role", (char *) name, NULL
    };

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    snprintf(fd_text, sizeof(fd_text), "%d", report_fd);

    if (setenv("TOMO_REPORT_FD", fd_text, 1) == 0) {
        execv(s->program, argv);
    }

    _exit(127);
}


static void
supervisor_start(supervisor_t *s, supervisor_role_t *role)
{
    int    fds[2];
    pid_t  pid;

    role->start_at_ms = clock_mono_ms() + 1000;     /* if it cannot be */

    if (pipe2(fds, O_NONBLOCK) != 0) {
        log_error("role", "%s cannot be started: %s", role->name,
                  strerror(errno));
        return;
    }

    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    pid = fork();

    if (pid == 0) {
        supervisor_exec(s, role->name, fds[1]);
    }

    close(fds[1]);

    if (pid < 0) {
        log_error("role", "%s cannot be started: %s", role->name,
                  strerror(errno));
        close(fds[0]);
        return;
    }

    role->pid = pid;
    role->fd = fds[0];
    role->ready = false;
    role->replace = false;
    role->told_ms = 0;
    role->started_ms = clock_mono_ms();
    role->heard_ms = role->started_ms;
}


static void
supervisor_stop(supervisor_t *s, int code)
{
    if (s->stopping) {
        return;
    }

    s->stopping = true;
    s->code = code;
    s->stop_ms = clock_mono_ms();
    notify_send("STOPPING=1\nSTATUS=stopping the roles");
}


/*
 * At once after the first end, then longer and longer.  A role that got ready
 * is awaited by friends: it may have met a poison event, and gets past it
 * within three starts.
 */
static int64_t
supervisor_delay_ms(const supervisor_role_t *role, bool conf)
{
    int64_t  delay_ms = 0, max_ms = SUPERVISOR_DELAY_MS;

    if (conf) {
        return SUPERVISOR_DELAY_MS;
    }

    if (role->failures > 0) {
        delay_ms = role->failures > 6 ? SUPERVISOR_DELAY_MS
                                      : INT64_C(50) << role->failures;
    }

    if (role->ready) {
        max_ms = SUPERVISOR_READY_MS;
    }

    return delay_ms < max_ms ? delay_ms : max_ms;
}


static void
supervisor_ended(supervisor_t *s, supervisor_role_t *role, int status)
{
    int64_t  now_ms = clock_mono_ms();
    int64_t  delay_ms;
    bool     conf = WIFEXITED(status) && WEXITSTATUS(status) == ROLE_EXIT_CONF;

    close(role->fd);
    role->fd = -1;
    role->pid = 0;

    if (s->stopping || role->replace) {
        role->start_at_ms = now_ms;
        return;
    }

    if (conf && !s->ready) {
        log_error("role", "%s refuses to start: see its line above",
                  role->name);
        supervisor_stop(s, ROLE_EXIT_CONF);
        return;
    }

    if (now_ms - role->started_ms >= SUPERVISOR_STEADY_MS) {
        role->failures = 0;
    }

    delay_ms = supervisor_delay_ms(role, conf);
    role->failures++;
    role->start_at_ms = now_ms + delay_ms;

    if (WIFSIGNALED(status)) {
        log_error("role", "%s was ended by signal %d: starting it again in "
                  "%lld ms", role->name, WTERMSIG(status),
                  (long long) delay_ms);
    } else {
        log_error("role", "%s ended with code %d: starting it again in "
                  "%lld ms", role->name, WEXITSTATUS(status),
                  (long long) delay_ms);
    }
}


static void
supervisor_reap(supervisor_t *s)
{
    int    status;
    pid_t  pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->n; i++) {
            if (s->roles[i].pid == pid) {
                supervisor_ended(s, &s->roles[i], status);
            }
        }
    }
}


/* A broken file must not stop what runs (B85): check first, then replace. */

static void
supervisor_reload(supervisor_t *s)
{
    notify_send("RELOADING=1");

    if (!reload_good(s->conf->file)) {
        log_error("configuration", "%s was not loaded: it has the faults "
                  "above; the roles go on with the old one", s->conf->file);

    } else {
        log_info("configuration", "%s is good: replacing the roles",
                 s->conf->file);

        for (size_t i = 0; i < s->n; i++) {
            s->roles[i].replace = true;
        }
    }

    notify_send("READY=1");
}


static void
supervisor_signal(supervisor_t *s)
{
    struct signalfd_siginfo  info;

    while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {

        case SIGCHLD:
            supervisor_reap(s);
            break;

        case SIGHUP:
            if (!s->stopping) {
                supervisor_reload(s);
            }
            break;

        default:
            if (s->stopping) {
                s->stop_ms = clock_mono_ms() - SUPERVISOR_STOP_MS;
            }

            supervisor_stop(s, ROLE_EXIT_OK);
            break;
        }
    }
}


static void
supervisor_hear(supervisor_role_t *role)
{
    char     words[64];
    ssize_t  n;

    while ((n = read(role->fd, words, sizeof(words))) > 0) {
        role->heard_ms = clock_mono_ms();

        if (memchr(words, 'R', (size_t) n) != NULL) {
            role->ready = true;
        }
    }
}


/* One role at a time is told to end: in order of stopping, or of replacing. */

static void
supervisor_tell(supervisor_role_t *role)
{
    if (role->told_ms == 0) {
        role->told_ms = clock_mono_ms();
        kill(role->pid, SIGTERM);
    }
}


static bool
supervisor_stop_step(supervisor_t *s)
{
    static const char *const  order[] = { "api", "ingest", "dispatch" };

    bool     gone = true;
    int64_t  now_ms = clock_mono_ms();

    for (size_t k = 0; k < SUPERVISOR_ROLES; k++) {
        for (size_t i = 0; i < s->n; i++) {
            supervisor_role_t  *role = &s->roles[i];

            if (role->pid == 0 || strcmp(role->name, order[k]) != 0) {
                continue;
            }

            gone = false;
            supervisor_tell(role);

            if (now_ms - s->stop_ms >= SUPERVISOR_STOP_MS) {
                kill(role->pid, SIGKILL);

            } else if (now_ms - role->told_ms < SUPERVISOR_SHARE_MS) {
                return false;
            }
        }
    }

    return gone;
}


static void
supervisor_run_step(supervisor_t *s)
{
    int64_t  now_ms = clock_mono_ms();
    bool     replacing = false;

    for (size_t i = 0; i < s->n; i++) {
        supervisor_role_t  *role = &s->roles[i];

        if (role->pid == 0) {
            if (now_ms >= role->start_at_ms) {
                supervisor_start(s, role);
            }

            replacing = true;
            continue;
        }

        if (now_ms - role->heard_ms > SUPERVISOR_SILENT_MS
            || (role->told_ms != 0
                && now_ms - role->told_ms > SUPERVISOR_STOP_MS))
        {
            log_error("role", "%s does not answer: killing it", role->name);
            role->heard_ms = now_ms;
            kill(role->pid, SIGKILL);
        }

        if (role->replace && !replacing) {
            supervisor_tell(role);
        }

        replacing = replacing || role->replace || !role->ready;
    }

    if (!s->ready && !replacing) {
        s->ready = true;
        notify_send("READY=1\nSTATUS=all roles run");
        log_info("worker", "is ready");
    }
}


/* The watchdog is fed only while every role reports progress. */

static void
supervisor_ping(supervisor_t *s)
{
    int64_t  now_ms = clock_mono_ms();
    int64_t  every_ms = notify_watchdog_us() / 3000;

    if (every_ms == 0 || now_ms - s->ping_ms < every_ms) {
        return;
    }

    for (size_t i = 0; i < s->n; i++) {
        if (s->roles[i].pid != 0
            && now_ms - s->roles[i].heard_ms > SUPERVISOR_SILENT_MS)
        {
            return;
        }
    }

    s->ping_ms = now_ms;
    notify_send("WATCHDOG=1");
}


static void
supervisor_loop(supervisor_t *s)
{
    struct pollfd  fds[SUPERVISOR_ROLES + 1];

    for ( ;; ) {
        if (s->stopping) {
            if (supervisor_stop_step(s)) {
                return;
            }

        } else {
            supervisor_run_step(s);
        }

        supervisor_ping(s);

        for (size_t i = 0; i < s->n; i++) {
            fds[i] = (struct pollfd) { .fd = s->roles[i].fd,
                                       .events = POLLIN };
        }

        fds[s->n] = (struct pollfd) { .fd = s->signal_fd, .events = POLLIN };
        poll(fds, (nfds_t) s->n + 1, s->stopping || !s->ready ? 20 : 200);

        for (size_t i = 0; i < s->n; i++) {
            if (s->roles[i].fd >= 0) {
                supervisor_hear(&s->roles[i]);
            }
        }

        supervisor_signal(s);
    }
}


int
supervisor_run(const conf_t *conf, const char *program)
{
    supervisor_t  s = { .conf = conf, .program = program };

    notify_open();
    notify_send("STATUS=starting the roles; they are ready when Redis answers");

    if (pidfile_open(&s.pid, conf->run_dir, "worker.pid") != TOMO_OK) {
        return ROLE_EXIT_CONF;
    }

    if (!supervisor_signals(&s)) {
        log_error("worker", "cannot set up signals: %s", strerror(errno));
        return ROLE_EXIT_FAIL;
    }

    for (size_t i = 0; role_name(i) != NULL; i++) {
        if (role_find(role_name(i)) != NULL) {
            s.roles[s.n++] = (supervisor_role_t) { .name = role_name(i),
                                                   .fd = -1 };
        }
    }

    supervisor_loop(&s);

    log_info("worker", "has stopped after %lld ms",
             (long long) (clock_mono_ms() - s.stop_ms));
    pidfile_close(&s.pid);

    return s.code;
}
