/*
 * disk: preloaded, every folder lies on a file system of the type TOMO_DISK,
 * a number as of linux/magic.h in hex; nobody can mount each kind everywhere.
 * A test builds it with `cc -shared -fPIC`.
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>


int
statfs(const char *path, struct statfs *fs)
{
    int          rc = (int) syscall(SYS_statfs, path, fs);
    const char  *type = getenv("TOMO_DISK");

    if (rc == 0 && type != NULL) {
        fs->f_type = (__typeof__(fs->f_type)) strtoul(type, NULL, 16);
    }

    return rc;
}
