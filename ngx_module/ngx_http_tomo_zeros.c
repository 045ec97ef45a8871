/*
 * ngx_http_tomo_zeros: files full of zeros: segments before they are used, and
 * after.  Plain system calls, in a thread.
 */

#include "ngx_http_tomo_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


/*
 * Never written, hence one copy for all: a block of each thread's own would
 * stay in its arena, which is megabytes for a pool of 32 threads.
 */
static const char  ngx_http_tomo_zeros[64 * 1024];


static int ngx_http_tomo_zeros_write(int fd, size_t size);


/*
 * Zeros are really written: on a file that was only allocated, every first
 * write of a block also changes metadata, and the sync costs twice.
 */

int
ngx_http_tomo_zeros_make(const char *name, size_t size)
{
    int  fd, err;

    fd = open(name, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);
    if (fd == -1) {
        return errno;
    }

    err = ngx_http_tomo_zeros_write(fd, size);

    if (err == 0 && fsync(fd) == -1) {
        err = errno;
    }

    if (close(fd) == -1 && err == 0) {
        err = errno;
    }

    if (err != 0) {
        (void) unlink(name);
    }

    return err;
}


/* the whole of a file that is there */

int
ngx_http_tomo_zeros_over(const char *name)
{
    int          fd, err;
    struct stat  st;

    fd = open(name, O_WRONLY|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return errno;
    }

    err = fstat(fd, &st) == -1 ? errno
          : ngx_http_tomo_zeros_write(fd, (size_t) st.st_size);

    if (close(fd) == -1 && err == 0) {
        err = errno;
    }

    return err;
}


static int
ngx_http_tomo_zeros_write(int fd, size_t size)
{
    int      err = 0;
    size_t   done, part;
    ssize_t  n;

    for (done = 0; err == 0 && done < size; done += (size_t) n) {
        part = size - done;
        part = part < sizeof(ngx_http_tomo_zeros)
               ? part : sizeof(ngx_http_tomo_zeros);

        n = pwrite(fd, ngx_http_tomo_zeros, part, (off_t) done);
        if (n <= 0) {
            err = n == -1 ? errno : ENOSPC;
            n = 0;
        }
    }

    return err;
}
