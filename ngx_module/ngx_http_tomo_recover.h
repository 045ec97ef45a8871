/*
 * ngx_http_tomo_recover: what a dead writer's folder holds: its segments, how
 * far each can be trusted, and the accounts in them.  Plain blocking calls for
 * the thread pool; no log, no counters, memory by malloc.
 *
 * Any thread, under the folder's lock.
 */

#ifndef NGX_HTTP_TOMO_RECOVER_H
#define NGX_HTTP_TOMO_RECOVER_H

#include "ngx_http_tomo_source.h"

/* an account and its last record in this journal */
typedef struct {
    u_char      id[TOMO_ACCOUNT_MAX];
    size_t      len;
    uint64_t    last;
} ngx_http_tomo_recovered_account_t;

typedef struct ngx_http_tomo_recovered_s  ngx_http_tomo_recovered_t;

struct ngx_http_tomo_recovered_s {
    ngx_http_tomo_recovered_t          *next;
    uint64_t                            writer;
    int                                 lock;
    char                                folder[NGX_HTTP_TOMO_PATH_MAX];

    ngx_http_tomo_kept_t               *kept;       /* oldest first */
    ngx_uint_t                          n_kept;
    ngx_http_tomo_recovered_account_t  *accounts;
    ngx_uint_t                          n_accounts;

    ngx_uint_t                          bad;        /* files set aside */
    ngx_uint_t                          torn;       /* tails cut */
    ngx_err_t                           err;        /* folder not readable */
};

/*
 * folder: "JOURNAL/ID", lock: its lock, held.  NULL: out of memory (the lock
 * stays the caller's).  Torn tails are cut, files that are no segments of this
 * writer get the name *.bad.  kept == NULL after success: nothing is left.
 * A segment that cannot be read is an error of the whole folder, because it
 * may be readable later; with give_up it gets the name *.bad too and the rest
 * counts.
 */
ngx_http_tomo_recovered_t *ngx_http_tomo_recover(const char *folder,
    uint64_t writer, int lock, ngx_uint_t give_up);
void ngx_http_tomo_recover_free(ngx_http_tomo_recovered_t *found);

/* removes an empty folder: its lock, files not in use, itself; 0 or errno */
int ngx_http_tomo_recover_remove(const char *folder);

#endif
