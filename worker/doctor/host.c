#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_TMPFS  0x01021994
#define HOST_RAMFS  0x858458f6
#define HOST_PATH   1024


/* path, or the first folder above it that is there */

static void
host_nearest(const char *path, char *out, size_t size)
{
    char         *slash;
    struct stat   st;

    snprintf(out, size, "%s", path);

    while (stat(out, &st) != 0 && (slash = strrchr(out, '/')) != NULL
           && slash != out)
    {
        *slash = '\0';
    }
}


void
host_journal(tomo_doctor_facts_t *f, const conf_t *conf)
{
    char           path[HOST_PATH];
    struct statfs  fs;

    host_nearest(conf->journal, path, sizeof(path));

    if (statfs(path, &fs) != 0) {
        return;
    }

    tomo_doctor_see(f, TOMO_DOCTOR_ROW_JOURNAL,
                    (unsigned long) fs.f_type == HOST_TMPFS
                    || (unsigned long) fs.f_type == HOST_RAMFS
                    ? tomo_str("tmpfs") : tomo_str("a disk"));
}


static void
host_free(tomo_doctor_facts_t *f, tomo_doctor_row_e id, const char *folder)
{
    char            path[HOST_PATH], text[TOMO_DOCTOR_VALUE];
    unsigned long   percent;
    struct statvfs  fs;

    host_nearest(folder, path, sizeof(path));

    if (statvfs(path, &fs) != 0 || fs.f_blocks == 0) {
        return;
    }

    percent = (unsigned long) ((long double) fs.f_bavail * 100
                               / (long double) fs.f_blocks);
    snprintf(text, sizeof(text), "%lu %% free", percent);
    tomo_doctor_see(f, id, tomo_str_c(text));
}


static void
host_apart(tomo_doctor_facts_t *f, const char *journal, const char *dir)
{
    char         path[HOST_PATH];
    struct stat  one, other;

    host_nearest(journal, path, sizeof(path));

    if (stat(path, &one) == 0 && stat(dir, &other) == 0) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_APART,
                        one.st_dev == other.st_dev
                        ? tomo_str("on one file system")
                        : tomo_str("apart"));
    }
}


static void
host_file(tomo_doctor_facts_t *f, tomo_doctor_row_e id)
{
    int      fd = open(tomo_doctor_row(id)->name, O_RDONLY | O_CLOEXEC);
    char     text[TOMO_DOCTOR_VALUE];
    ssize_t  n;

    if (fd < 0) {
        return;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
        n--;
    }

    if (n > 0) {
        tomo_doctor_see(f, id, tomo_str_n(text, (size_t) n));
    }
}


/* Debian's revision: no Redis tells it (it counts only on this machine) */

static void
host_package(tomo_doctor_facts_t *f)
{
    int      fds[2], status;
    char     text[TOMO_DOCTOR_VALUE];
    pid_t    pid;
    ssize_t  n;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return;
    }

    pid = fork();

    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(STDERR_FILENO);
        execlp("dpkg-query", "dpkg-query", "-W", "-f", "${Version}",
               "redis-server", (char *) NULL);
        _exit(127);
    }

    close(fds[1]);
    n = pid < 0 ? 0 : read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);

    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
        && WEXITSTATUS(status) == 0 && n > 0)
    {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_PACKAGE,
                        tomo_str_n(text, (size_t) n));
    }
}


static bool
host_is_local(const conf_t *conf)
{
    const char  *address = conf->redis_address;

    return strncmp(address, "unix:", 5) == 0
           || strncmp(address, "127.", 4) == 0
           || strncmp(address, "[::1]", 5) == 0;
}


void
host_look(tomo_doctor_facts_t *f, const conf_t *conf, const char *redis_dir)
{
    bool  local = host_is_local(conf);

    tomo_doctor_see(f, TOMO_DOCTOR_ROW_ADDRESS,
                    local ? tomo_str("local") : tomo_str("remote"));
    host_journal(f, conf);
    host_free(f, TOMO_DOCTOR_ROW_JOURNAL_DISK, conf->journal);

    if (!local) {
        return;                 /* its machine is not this one */
    }

    host_package(f);
    host_file(f, TOMO_DOCTOR_ROW_OVERCOMMIT);
    host_file(f, TOMO_DOCTOR_ROW_HUGEPAGES);

    if (redis_dir != NULL) {
        host_free(f, TOMO_DOCTOR_ROW_AOF_DISK, redis_dir);
        host_apart(f, conf->journal, redis_dir);
    }
}
