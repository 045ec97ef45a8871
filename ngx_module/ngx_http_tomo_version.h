/*
 * ngx_http_tomo_version: which module runs, and which one lies in its file.
 *
 * nginx keeps the code it has mapped: `nginx -s reload` does not load a file
 * that was replaced, only a restart or USR2 does.  The status page tells both
 * versions so that nobody has to guess.
 */

#ifndef NGX_HTTP_TOMO_VERSION_H
#define NGX_HTTP_TOMO_VERSION_H

#include "ngx_http_tomo_module.h"

#define NGX_HTTP_TOMO_VERSION_MAX  32

typedef struct {
    u_char      on_disk[NGX_HTTP_TOMO_VERSION_MAX];     /* NUL-terminated;
                                            "unknown": no file, or not ours */
    ngx_uint_t  replaced;   /* 1: another file than the one that runs */
} ngx_http_tomo_version_t;

/*
 * Looks at the file the module was loaded from.  One stat() when it is the
 * same; a replaced one is read once (it blocks for the milliseconds that
 * takes) and remembered.  pool: for the reading.
 */
void ngx_http_tomo_version_look(ngx_pool_t *pool, ngx_http_tomo_version_t *v);

#endif
