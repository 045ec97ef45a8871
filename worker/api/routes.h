/*
 * api/routes: which handler answers which path: one row of a table per call
 * of docs/openapi.yaml.  Denies by default: every call needs the token; only
 * /metrics, which nginx guards, does not.
 */

#ifndef TOMO_API_ROUTES_H
#define TOMO_API_ROUTES_H

#include "context.h"
#include "names.h"

#define ROUTES_ARGS_MAX  3

typedef struct {
    context_t             *ctx;
    names_t               *names;
    int64_t                start_ms;    /* real time */
} routes_t;

/* what the path's {…} stood for, in order; account is NULL outside one */
typedef struct {
    const conf_account_t  *account;
    tomo_str_t             args[ROUTES_ARGS_MAX];
} route_match_t;

typedef http_rc_e (*route_pt)(routes_t *routes, request_t *r,
    const route_match_t *m);

/* http's admission, by the token, and handler; data is a routes_t */
bool routes_admit(void *data, const request_t *r);
http_rc_e routes_handle(void *data, request_t *r);

/* the limit parameter: 1..500, default 100; false: r was answered 400 */
bool routes_limit(request_t *r, uint64_t *limit);

/* accounts.c */
http_rc_e accounts_list(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e accounts_status(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e accounts_quarantine(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e accounts_command(routes_t *routes, request_t *r,
    const route_match_t *m);

/* friends.c */
http_rc_e friends_list(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e friends_one(routes_t *routes, request_t *r,
    const route_match_t *m);

/* deletions.c */
http_rc_e friends_delete(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e deletions_list(routes_t *routes, request_t *r,
    const route_match_t *m);
/* a deleted friend: r is answered 410; false: there is no tombstone */
bool deletions_one(redis_t *redis, request_t *r, const route_match_t *m,
    uint64_t serial);

/* timeline.c */
http_rc_e timeline_list(routes_t *routes, request_t *r,
    const route_match_t *m);

/* definitions.c */
http_rc_e definitions_list(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e definitions_get(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e definitions_put(routes_t *routes, request_t *r,
    const route_match_t *m);

/* sandbox.c */
http_rc_e sandbox_clock_get(routes_t *routes, request_t *r,
    const route_match_t *m);
http_rc_e sandbox_clock_post(routes_t *routes, request_t *r,
    const route_match_t *m);

#endif
