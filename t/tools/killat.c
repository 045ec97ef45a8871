/*
 * killat: kills a process at the K-th system call that it makes.
 *
 *   killat K FILE PROGRAM ARGUMENT...
 *
 * The calls of all its threads are counted together, from the first flock on:
 * what comes before it is the loader's and the reading of the configuration.
 * The process is stopped on entering call K and gets SIGKILL, so that the call
 * is not made.  K = 0 only counts.  FILE then holds `CALLS NUMBER`: calls
 * counted, and the kernel's number of the last.  SIGTERM is passed on.
 * (strace -e inject counts each kind of call in each thread by itself, so
 * that no number walks through all of them.)
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define KILLAT_OPTIONS  (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL            \
                         | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK           \
                         | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)

static volatile pid_t      killat_child;
static unsigned long       killat_calls;
static unsigned long long  killat_last;


static void
killat_pass_on(int sig)
{
    int  saved = errno;

    kill(killat_child, sig);
    errno = saved;
}


static void
killat_write(const char *path)
{
    FILE  *out = fopen(path, "w");

    if (out != NULL) {
        fprintf(out, "%lu %llu\n", killat_calls, killat_last);
        fclose(out);
    }
}


/* a call begins in thread pid: is it the one? */
static void
killat_count(pid_t pid, unsigned long k)
{
    struct ptrace_syscall_info  info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0
        || info.op != PTRACE_SYSCALL_INFO_ENTRY
        || (killat_calls == 0 && info.entry.nr != SYS_flock))
    {
        return;
    }

    killat_calls++;
    killat_last = info.entry.nr;

    if (killat_calls == k) {
        kill(killat_child, SIGKILL);
    }
}


/* the exit status of the child */
static int
killat_follow(unsigned long k)
{
    int    status, sig;
    pid_t  pid;

    for ( ;; ) {
        pid = waitpid(-1, &status, __WALL);

        if (pid < 0) {
            if (errno == EINTR) {
                continue;
            }

            return 1;
        }

        if (!WIFSTOPPED(status)) {
            if (pid == killat_child) {
                return WIFEXITED(status) ? WEXITSTATUS(status)
                                         : 128 + WTERMSIG(status);
            }

            continue;
        }

        sig = WSTOPSIG(status);

        if (sig == (SIGTRAP | 0x80)) {
            killat_count(pid, k);
            sig = 0;

        } else if (sig == SIGTRAP || sig == SIGSTOP) {
            sig = 0;                    /* ptrace's own */
        }

        ptrace(PTRACE_SYSCALL, pid, 0, (unsigned long) sig);
    }
}


int
main(int argc, char **argv)
{
    int               code, status;
    struct sigaction  pass = { .sa_handler = killat_pass_on };

    if (argc < 4) {
        fprintf(stderr, "killat: K FILE PROGRAM ARGUMENT...\n");
        return 2;
    }

    killat_child = fork();

    if (killat_child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[3], argv + 3);
        _exit(127);
    }

    sigaction(SIGTERM, &pass, NULL);

    if (killat_child < 0 || waitpid(killat_child, &status, 0) < 0
        || ptrace(PTRACE_SETOPTIONS, killat_child, 0, KILLAT_OPTIONS) != 0)
    {
        perror("killat");
        return 2;
    }

    ptrace(PTRACE_SYSCALL, killat_child, 0, 0);
    code = killat_follow(strtoul(argv[1], NULL, 10));
    killat_write(argv[2]);

    return code;
}
