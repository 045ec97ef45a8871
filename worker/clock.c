#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"


/* One aligned 8-byte cell; on little-endian machines as in the file. */
static _Atomic int64_t  *clock_cell;


static int64_t
clock_swap(int64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (int64_t) __builtin_bswap64((uint64_t) v);
#else
    return v;
#endif
}


tomo_rc_e
clock_open(const char *path)
{
    int          fd;
    void        *map;
    struct stat  st;

    if (path == NULL) {
        return TOMO_OK;
    }

    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        log_error("clock file", "%s cannot be opened: %s; check [sandbox] "
                  "clock_file", path, strerror(errno));
        return TOMO_ERROR;
    }

    if (fstat(fd, &st) != 0
        || (st.st_size < 8 && ftruncate(fd, 8) != 0))
    {
        log_error("clock file", "%s cannot be sized: %s", path,
                  strerror(errno));
        close(fd);
        return TOMO_ERROR;
    }

    map = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (map == MAP_FAILED) {
        log_error("clock file", "%s cannot be mapped: %s", path,
                  strerror(errno));
        return TOMO_ERROR;
    }

    clock_cell = map;

    return TOMO_OK;
}


int64_t
clock_real_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


int64_t
clock_now_ms(void)
{
    return clock_real_ms() + clock_offset_ms();
}


int64_t
clock_mono_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


int64_t
clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}


int64_t
clock_offset_ms(void)
{
    return clock_cell == NULL ? 0 : clock_swap(*clock_cell);
}


void
clock_offset_set(int64_t offset_ms)
{
    if (clock_cell != NULL) {
        *clock_cell = clock_swap(offset_ms);
    }
}
