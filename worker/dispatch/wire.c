#include "wire_handle.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define WIRE_STREAMS     100L
#define WIRE_MANY        64         /* in flight: answers come all the time */
#define WIRE_REST_NS     1000000L   /* and are taken together */


struct wire_s {
    const conf_t   *conf;
    CURLM          *multi;
    wire_done_pt    done;
    void           *data;
    size_t          flying;
    bool            added;          /* since libcurl was last called */
    wire_flight_t  *all[WIRE_FLYING_MAX];
    size_t          n_all;
    wire_flight_t  *unused;
    char            url[2048];
};


wire_t *
wire_new(const conf_t *conf, wire_done_pt done, void *data)
{
    wire_t  *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        return NULL;
    }

    w->conf = conf;
    w->done = done;
    w->data = data;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK
        || (w->multi = curl_multi_init()) == NULL)
    {
        log_error("libcurl", "could not be set up");
        free(w);
        return NULL;
    }

    curl_multi_setopt(w->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(w->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                      WIRE_STREAMS);
    curl_multi_setopt(w->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long) WIRE_FLYING_MAX);
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS,
                      (long) WIRE_FLYING_MAX);

    return w;
}


static wire_flight_t *
wire_flight(wire_t *w)
{
    wire_flight_t  *f = w->unused;

    if (f != NULL) {
        w->unused = f->next;
        return f;
    }

    f = w->n_all < WIRE_FLYING_MAX ? calloc(1, sizeof(*f)) : NULL;

    if (f == NULL) {
        return NULL;
    }

    f->easy = curl_easy_init();

    if (f->easy == NULL || !wire_handle_set(f, w->conf)) {
        log_error("libcurl", "lacks an option that sending needs");
        curl_easy_cleanup(f->easy);
        free(f);
        return NULL;
    }

    w->all[w->n_all++] = f;

    return f;
}


static void
wire_release(wire_t *w, wire_flight_t *f)
{
    curl_slist_free_all(f->headers);
    free(f->out);
    f->headers = NULL;
    f->out = NULL;
    f->subject = NULL;
    f->next = w->unused;
    w->unused = f;
}


static bool
wire_add_header(wire_flight_t *f, const char *name, tomo_str_t value)
{
    int                 n;
    bool                ok;
    char               *line = NULL;
    struct curl_slist  *list;

    n = asprintf(&line, "%s: %.*s", name, (int) value.len,
                 (const char *) value.data);

    if (n < 0) {
        return false;
    }

    list = curl_slist_append(f->headers, line);
    ok = list != NULL;
    f->headers = ok ? list : f->headers;
    explicit_bzero(line, (size_t) n);
    free(line);

    return ok;
}


static bool
wire_headers(wire_flight_t *f, const wire_request_t *r)
{
    bool         ok = true;
    int          n;
    char        *line = NULL;
    tomo_str_t   none = tomo_str("");

    if (r->bearer.len > 0) {
        n = asprintf(&line, "Bearer %.*s", (int) r->bearer.len,
                     (const char *) r->bearer.data);
        ok = n > 0 && wire_add_header(f, "Authorization",
                                      tomo_str_n(line, (size_t) n));

        if (n > 0) {
            explicit_bzero(line, (size_t) n);
            free(line);
        }
    }

    if (ok && r->post) {
        ok = wire_add_header(f, "Content-Type", tomo_str_c(r->type))
             && wire_add_header(f, "Expect", none);
    }

    if (ok && r->retry_key.len > 0) {
        ok = wire_add_header(f, "X-Line-Retry-Key", r->retry_key);
    }

    return ok;
}


/*
 * A request that must not be sent twice behind our back gives its body by a
 * read callback without a way to rewind: on a connection that died after the
 * body left, libcurl then fails instead of repeating it (T44).
 */

static bool
wire_body(wire_flight_t *f, const wire_request_t *r)
{
    CURL  *e = f->easy;

    if (!r->post) {
        return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }

    f->out = malloc(r->body.len + 1);

    if (f->out == NULL) {
        return false;
    }

    memcpy(f->out, r->body.data, r->body.len);
    f->out_len = r->body.len;
    f->out_at = 0;

    return curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_POSTFIELDS,
                               r->once ? NULL : f->out) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_READFUNCTION,
                               r->once ? wire_handle_read : NULL) == CURLE_OK
           && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t) r->body.len) == CURLE_OK;
}


tomo_rc_e
wire_start(wire_t *w, const wire_request_t *r, void *subject)
{
    int             n;
    wire_flight_t  *f;

    if (w->flying == WIRE_FLYING_MAX) {
        return TOMO_FULL;
    }

    n = snprintf(w->url, sizeof(w->url), "%s%s", w->conf->line_url, r->path);
    f = wire_flight(w);

    if (f == NULL || n < 0 || (size_t) n >= sizeof(w->url)) {
        return TOMO_ERROR;
    }

    memset(&f->answer, 0, sizeof(f->answer));
    f->in_len = 0;
    f->subject = subject;

    if (!wire_headers(f, r) || !wire_body(f, r)
        || curl_easy_setopt(f->easy, CURLOPT_URL, w->url) != CURLE_OK
        || curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers)
           != CURLE_OK
        || curl_multi_add_handle(w->multi, f->easy) != CURLM_OK)
    {
        wire_release(w, f);
        return TOMO_ERROR;
    }

    w->flying++;
    w->added = true;

    return TOMO_OK;
}


size_t
wire_flying(const wire_t *w)
{
    return w->flying;
}


/*
 * Failures before the first byte of the request could leave.  The code alone
 * is not enough: on a connection that died libcurl goes for another one by
 * itself, and the failure is the second one's (T44).
 */

static bool
wire_unsent(wire_flight_t *f, CURLcode rc)
{
    long  sent = 0;

    if (curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &sent) != CURLE_OK
        || sent > 0)
    {
        return false;
    }

    switch (rc) {

    case CURLE_OPERATION_TIMEDOUT:

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return true;

    default:
        return false;
    }
}


static void
wire_ended(wire_t *w, wire_flight_t *f, CURLcode rc)
{
    long            status = 0;
    wire_answer_t  *a = &f->answer;

    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(w->multi, f->easy);
    w->flying--;

    /* once the status line is there it decides, whatever the body does */
    a->status = (int) status;
    a->body = tomo_str_n(f->in, f->in_len);

    if (status == 0) {
        a->unsent = wire_unsent(f, rc);
        a->cause = curl_easy_strerror(rc);
    }

    w->done(w->data, f->subject, a);
    wire_release(w, f);
}


/*
 * libcurl looks at every transfer each time it is called.  While many are in
 * flight a short rest lets it serve several answers at once; whatever else the
 * caller waits for ends it.
 */

static void
wire_rest(const wire_t *w, const struct curl_waitfd *fds, unsigned n)
{
    struct pollfd    own[WIRE_FDS_MAX];
    struct timespec  rest = { .tv_nsec = WIRE_REST_NS };

    if (w->flying < WIRE_MANY || n > WIRE_FDS_MAX) {
        return;
    }

    for (unsigned i = 0; i < n; i++) {
        own[i] = (struct pollfd) { .fd = fds[i].fd, .events = POLLIN };
    }

    (void) ppoll(own, n, &rest, NULL);
}


void
wire_turn(wire_t *w, struct curl_waitfd *fds, unsigned n, int timeout_ms)
{
    int       running, left;
    CURLMsg  *msg;
    void     *flight;

    /* few in flight: libcurl may still hold some of an answer */
    if (w->added || w->flying < WIRE_MANY) {
        w->added = false;
        curl_multi_perform(w->multi, &running);
    }

    if (timeout_ms > 0) {
        wire_rest(w, fds, n);
    }

    curl_multi_poll(w->multi, fds, n, timeout_ms, NULL);
    curl_multi_perform(w->multi, &running);

    while ((msg = curl_multi_info_read(w->multi, &left)) != NULL) {
        if (msg->msg == CURLMSG_DONE) {
            CURLcode  rc = msg->data.result;    /* gone with the handle */

            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &flight);
            wire_ended(w, flight, rc);
        }
    }
}


void
wire_give_up(wire_t *w)
{
    long  status;

    for (size_t i = 0; i < w->n_all; i++) {
        wire_flight_t  *f = w->all[i];

        if (f->subject == NULL) {
            continue;
        }

        status = 0;
        curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);

        if (status != 0 || wire_unsent(f, CURLE_OPERATION_TIMEDOUT)) {
            wire_ended(w, f, CURLE_OPERATION_TIMEDOUT);
        }
    }
}


void
wire_free(wire_t *w)
{
    if (w == NULL) {
        return;
    }

    for (size_t i = 0; i < w->n_all; i++) {
        curl_multi_remove_handle(w->multi, w->all[i]->easy);
        curl_easy_cleanup(w->all[i]->easy);
        curl_slist_free_all(w->all[i]->headers);
        free(w->all[i]->out);
        free(w->all[i]);
    }

    curl_multi_cleanup(w->multi);
    curl_global_cleanup();
    free(w);
}
