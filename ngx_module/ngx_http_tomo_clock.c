/*
 * ngx_http_tomo_clock: now, as the sandbox says: real time plus the offset in
 * a file of 8 bytes that the worker's api role moves.
 */

#include <sys/mman.h>

#include "ngx_http_tomo_module.h"


static void ngx_http_tomo_clock_map(ngx_http_tomo_main_conf_t *tmcf);


int64_t
ngx_http_tomo_now_ms(ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    if (tmcf->clock == NULL
        && tmcf->clock_file.len
        && tmcf->clock_tried != tp->sec)
    {
        tmcf->clock_tried = tp->sec;
        ngx_http_tomo_clock_map(tmcf);
    }

    return (int64_t) tp->sec * 1000 + (int64_t) tp->msec
           + (tmcf->clock ? *tmcf->clock : 0);
}


/* A file that comes later is found within a second; mapped until exit. */

static void
ngx_http_tomo_clock_map(ngx_http_tomo_main_conf_t *tmcf)
{
    void             *p;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    fd = ngx_open_file(tmcf->clock_file.data, NGX_FILE_RDONLY, NGX_FILE_OPEN,
                       0);
    if (fd == NGX_INVALID_FILE) {
        return;
    }

    /* a shorter file would kill the process at the first read */

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && ngx_file_size(&fi) >= (off_t) sizeof(int64_t))
    {
        p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        if (p != MAP_FAILED) {
            tmcf->clock = p;
        }
    }

    (void) ngx_close_file(fd);
}
