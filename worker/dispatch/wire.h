/*
 * wire: HTTPS to LINE by libcurl's multi interface: HTTP/2 multiplexed, or
 * HTTP/1.1 on many connections.  It knows nothing of messages: a request goes
 * in, an answer comes out exactly once, from wire_turn, on the same thread.
 *
 * https only, no redirects, no proxy, TLS 1.2 or later, certificate checked;
 * an answer's body is cut at 64 KB (its status still counts).
 */

#ifndef WIRE_H
#define WIRE_H

#include "conf.h"
#include "tomo_base.h"

#define WIRE_BODY_MAX     (64 * 1024)
#define WIRE_FLYING_MAX   400
#define WIRE_REQUEST_ID   64
#define WIRE_FDS_MAX      8

typedef struct wire_s  wire_t;

typedef struct {
    const char  *path;          /* "/v2/bot/message/push" */
    bool         post;
    const char  *type;          /* Content-Type of a POST */
    tomo_str_t   bearer;        /* access token; empty: none */
    tomo_str_t   retry_key;     /* empty: none */
    tomo_str_t   body;          /* copied */
    bool         once;          /* never sent again silently (replies: no
                                   retry key protects them) */
} wire_request_t;

typedef struct {
    int          status;        /* 0: no answer */
    bool         unsent;        /* status 0, and it surely never left */
    const char  *cause;         /* status 0: why, static text for the log */
    tomo_str_t   body;          /* cut at WIRE_BODY_MAX */
    char         request_id[WIRE_REQUEST_ID + 1];
    char         accepted_id[WIRE_REQUEST_ID + 1];
} wire_answer_t;

/* views of the answer live during the call */
typedef void (*wire_done_pt)(void *data, void *subject,
    const wire_answer_t *answer);

/* NULL: libcurl failed (logged).  done(data, subject, …) for every request. */
wire_t *wire_new(const conf_t *conf, wire_done_pt done, void *data);
/* ends what is under way without calling back */
void wire_free(wire_t *w);

/*
 * Starts a request.  Views are borrowed for the call.  TOMO_FULL: 400 are
 * under way; TOMO_ERROR: libcurl refused.  Then done is never called.
 */
tomo_rc_e wire_start(wire_t *w, const wire_request_t *request, void *subject)
    TOMO_MUST_CHECK;

size_t wire_flying(const wire_t *w);

/*
 * Nothing is waited for any more: calls back what surely never left and what
 * had begun to answer; the outcome of the rest stays unknown.
 */
void wire_give_up(wire_t *w);

/*
 * Waits for traffic, for the fds given (at most WIRE_FDS_MAX, to read), or for
 * at most timeout_ms; then moves everything on and calls back what ended.
 */
struct curl_waitfd;
void wire_turn(wire_t *w, struct curl_waitfd *fds, unsigned n,
    int timeout_ms);

#endif
