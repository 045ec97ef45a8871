/* api/routes: see routes.h */

#include "routes.h"

#include "metrics.h"
#include "tomo_codec.h"

#define ROUTES_PREFIX  "/api/v1/"
#define ROUTES_METRICS "/metrics"
#define ROUTES_LIMIT   100
#define ROUTES_MAX     500


typedef struct {
    const char  *method;
    const char  *pattern;       /* segments; {account} must exist, {} is any */
    bool         sandbox;       /* 404 outside a sandbox */
    route_pt     handler;
} route_t;

static const route_t  routes_table[] = {
    { "GET",  "accounts", false, accounts_list },
    { "GET",  "accounts/{account}/status", false, accounts_status },
    { "GET",  "accounts/{account}/quarantine", false, accounts_quarantine },
    { "GET",  "accounts/{account}/commands/{}", false, accounts_command },
    { "GET",  "accounts/{account}/friends", false, friends_list },
    { "GET",  "accounts/{account}/friends/{}", false, friends_one },
    { "DELETE", "accounts/{account}/friends/{}", false, friends_delete },
    { "GET",  "accounts/{account}/deletions", false, deletions_list },
    { "GET",  "accounts/{account}/friends/{}/timeline", false,
      timeline_list },
    { "GET",  "accounts/{account}/definitions/{}", false, definitions_list },
    { "GET",  "accounts/{account}/definitions/{}/{}", false,
      definitions_get },
    { "PUT",  "accounts/{account}/definitions/{}/{}", false,
      definitions_put },
    { "GET",  "sandbox/clock", true, sandbox_clock_get },
    { "POST", "sandbox/clock", true, sandbox_clock_post }
};

/* for the Allow header, by the sum of methods' bits */
static const char *const  routes_allow[] = {
    NULL, "GET", "PUT", "GET, PUT", "POST", "GET, POST", "PUT, POST",
    "GET, PUT, POST", "DELETE", "GET, DELETE", "PUT, DELETE",
    "GET, PUT, DELETE", "POST, DELETE", "GET, POST, DELETE",
    "PUT, POST, DELETE", "GET, PUT, POST, DELETE"
};

#define ROUTES_N  (sizeof(routes_table) / sizeof(routes_table[0]))


static tomo_str_t
routes_segment(tomo_str_t *rest)
{
    size_t      end;
    tomo_str_t  segment;

    end = tomo_str_find(*rest, 0, '/');
    segment = tomo_str_n(rest->data, end);

    if (end == rest->len) {
        *rest = tomo_str_null;
    } else {
        *rest = tomo_str_n(rest->data + end + 1, rest->len - end - 1);
    }

    return segment;
}


static bool
routes_match(const conf_t *conf, const route_t *route, tomo_str_t path,
    route_match_t *m)
{
    size_t      n = 0;
    tomo_str_t  pattern = tomo_str_c(route->pattern), want, have;

    *m = (route_match_t) { .account = NULL };

    while (pattern.data != NULL) {
        if (path.data == NULL) {
            return false;
        }

        want = routes_segment(&pattern);
        have = routes_segment(&path);

        if (tomo_str_eq(want, tomo_str("{account}"))) {
            m->account = conf_account(conf, have);

            if (m->account == NULL) {
                return false;
            }

        } else if (tomo_str_eq(want, tomo_str("{}"))) {
            if (have.len == 0 || n == ROUTES_ARGS_MAX) {
                return false;
            }

            m->args[n++] = have;

        } else if (!tomo_str_eq(want, have)) {
            return false;
        }
    }

    return path.data == NULL;
}


static unsigned
routes_method_bit(const char *method)
{
    switch (method[0] == 'D' ? 'D' : method[1]) {
    case 'D':
        return 8;           /* DELETE */
    case 'E':
        return 1;           /* GET */
    case 'U':
        return 2;           /* PUT */
    default:
        return 4;           /* POST */
    }
}


static http_rc_e
routes_dispatch(routes_t *routes, request_t *r, tomo_str_t path)
{
    unsigned        methods = 0;
    route_match_t   m;
    const route_t  *route;

    for (size_t i = 0; i < ROUTES_N; i++) {
        route = &routes_table[i];

        if ((route->sandbox && routes->ctx->sandbox == NULL)
            || !routes_match(routes->ctx->conf, route, path, &m))
        {
            continue;
        }

        if (tomo_str_eq(r->method, tomo_str_c(route->method))) {
            return route->handler(routes, r, &m);
        }

        methods |= routes_method_bit(route->method);
    }

    if (methods) {
        r->allow = routes_allow[methods];
        http_error(r, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                   "this path knows other methods: see the Allow header");
    } else {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "no such call, account or sandbox: see docs/openapi.yaml");
    }

    return HTTP_ANSWERED;
}


bool
routes_admit(void *data, const request_t *r)
{
    routes_t  *routes = data;

    return context_authorized(routes->ctx, r);
}


http_rc_e
routes_handle(void *data, request_t *r)
{
    routes_t    *routes = data;
    tomo_str_t   path = r->path, prefix = tomo_str(ROUTES_PREFIX);

    if (tomo_str_eq(path, tomo_str(ROUTES_METRICS))
        && tomo_str_eq(r->method, tomo_str("GET")))
    {
        metrics_handle(routes, r);
        return HTTP_ANSWERED;
    }

    if (!r->admitted) {
        http_error(r, MHD_HTTP_UNAUTHORIZED, "unauthorized",
                   "send Authorization: Bearer with the owner's token");
        return HTTP_ANSWERED;
    }

    if (!tomo_str_starts(path, prefix)) {
        http_error(r, MHD_HTTP_NOT_FOUND, "not_found",
                   "calls begin with " ROUTES_PREFIX);
        return HTTP_ANSWERED;
    }

    return routes_dispatch(routes, r,
                           tomo_str_n(path.data + prefix.len,
                                      path.len - prefix.len));
}


bool
routes_limit(request_t *r, uint64_t *limit)
{
    const char  *text;

    *limit = ROUTES_LIMIT;
    text = http_query(r, "limit");

    if (text == NULL) {
        return true;
    }

    if (tomo_u64_get(tomo_str_c(text), ROUTES_MAX, limit) != TOMO_OK
        || *limit == 0)
    {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_limit",
                   "limit is a number from 1 to 500");
        return false;
    }

    return true;
}
