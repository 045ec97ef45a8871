/*
 * api/http: the thin shell over libmicrohttpd: a listening unix socket, one
 * request_t per request with its body, and answers in JSON.  It knows nothing
 * of accounts or Redis: routes do.
 *
 * Threads: a pool of libmicrohttpd's own; a request belongs to one thread at
 * a time.  A request that waits for its owner's commit is suspended and holds
 * no thread; whoever has the answer resumes it (http_resume, any thread).
 */

#ifndef TOMO_API_HTTP_H
#define TOMO_API_HTTP_H

#include <microhttpd.h>

#include "tomo_base.h"

#define HTTP_BODY_MAX      (256u * 1024)
#define HTTP_ANSWER_MAX    (8u * 1024 * 1024)
#define HTTP_THREADS       4
#define HTTP_ESCAPED       6        /* bytes that one becomes: \u0001 */

typedef struct request_s request_t;

typedef enum {
    HTTP_ANSWERED = 0,      /* r->status and r->out are filled */
    HTTP_SUSPENDED          /* http_suspend was called: r is the waiter's */
} http_rc_e;

/* Answers the request, or suspends it and keeps r until http_resume. */
typedef http_rc_e (*http_handler_pt)(void *ctx, request_t *r);
/* May the request have a body?  Its header is there; false: none is kept. */
typedef bool (*http_admit_pt)(void *ctx, const request_t *r);

struct request_s {
    struct MHD_Connection  *conn;
    tomo_str_t              method;
    tomo_str_t              path;       /* without the query */
    const char             *authorization;  /* NULL: absent */
    const char             *content_type;   /* NULL: absent */
    tomo_str_t              body;       /* complete when the handler runs */

    unsigned                status;     /* of the answer */
    tomo_buf_t              out;        /* the answer's JSON */
    const char             *allow;      /* for 405, NULL else */
    const char             *type;       /* NULL: JSON */

    /* owned by http.c */
    uint8_t                *body_data;
    size_t                  body_cap;
    char                   *path_copy;
    bool                    admitted;   /* its body is kept */
    bool                    too_large;
    bool                    handled;
};

typedef struct http_s http_t;

/*
 * Listens on the unix socket at path (an old one is replaced) and serves
 * until http_stop.  NULL: the reason is logged.
 */
http_t *http_start(const char *path, http_admit_pt admit,
    http_handler_pt handler, void *ctx);

/*
 * Lets requests under way finish, for a second.  Suspended ones must have
 * been resumed by their owner before.
 */
void http_stop(http_t *h);

/* a query parameter, NULL: absent; "" when it has no value */
const char *http_query(const request_t *r, const char *name);

/* room for an answer of up to bytes (at most HTTP_ANSWER_MAX); may fail
   r->out, which then becomes an error by itself */
void http_room(request_t *r, size_t bytes);

/* room for that much more, as far as an answer may grow */
void http_more(request_t *r, size_t bytes);

/*
 * From the handler only, before r is handed to the one who will resume it;
 * the handler then touches r no more and returns HTTP_SUSPENDED.
 */
void http_suspend(request_t *r);
/* any thread; r->status and r->out are filled */
void http_resume(request_t *r);

/*
 * The answer becomes {"error":{"code":…,"message":…,"path":…}}; code and
 * message are for people who must act, and free of secrets.  path: a JSON
 * pointer, or NULL.
 */
void http_error(request_t *r, unsigned status, const char *code,
    const char *message);
void http_error_at(request_t *r, unsigned status, const char *code,
    const char *message, const char *path);

#endif
