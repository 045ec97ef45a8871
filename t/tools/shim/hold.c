/*
 * hold: preloaded, it keeps every fdatasync of a journal's segment waiting as
 * long as the file TOMO_HOLD is there; TOMO_HOLD.on says that one waits.  A
 * test builds it with `cc -shared -fPIC`.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>


static int
is_segment(int fd)
{
    char     link[64], path[4096];
    ssize_t  n;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));

    return n > 4 && memcmp(path + n - 4, ".seg", 4) == 0;
}


int
fdatasync(int fd)
{
    int          on;
    char         path[4096];
    const char  *hold = getenv("TOMO_HOLD");

    if (hold != NULL && access(hold, F_OK) == 0 && is_segment(fd)) {
        (void) snprintf(path, sizeof(path), "%s.on", hold);
        on = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (on >= 0) {
            (void) close(on);
        }

        while (access(hold, F_OK) == 0) {
            (void) usleep(2000);
        }
    }

    return (int) syscall(SYS_fdatasync, fd);
}
