#include "wire.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"

#define WIRE_CONNECT_MS  5000L
#define WIRE_TOTAL_MS    10000L
#define WIRE_STREAMS     100L


typedef struct wire_flight_s  wire_flight_t;

struct wire_flight_s {
    CURL               *easy;
    void               *subject;
    struct curl_slist  *headers;
    uint8_t            *out;            /* the request's body */
    size_t              out_len;
    size_t              out_at;
    uint8_t             in[WIRE_BODY_MAX];
    size_t              in_len;
    wire_answer_t       answer;
    wire_flight_t      *next;           /* in the free list */
};

struct wire_s {
    const conf_t   *conf;
    CURLM          *multi;
    wire_done_pt    done;
    void           *data;
    size_t          flying;
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


static size_t
wire_on_body(char *data, size_t size, size_t n, void *ctx)
{
    size_t          len = size * n;
    wire_flight_t  *f = ctx;

    if (len > WIRE_BODY_MAX - f->in_len) {
        return 0;               /* the status is known, the rest is noise */
    }

    memcpy(f->in + f->in_len, data, len);
    f->in_len += len;

    return len;
}


static void
wire_header(tomo_str_t line, const char *name, char id[WIRE_REQUEST_ID + 1])
{
    size_t      len = strlen(name), n;
    tomo_str_t  value;

    if (line.len <= len || line.data[len] != ':'
        || strncasecmp((const char *) line.data, name, len) != 0)
    {
        return;
    }

    value = tomo_str_n(line.data + len + 1, line.len - len - 1);

    while (value.len > 0 && value.data[0] == ' ') {
        value = tomo_str_n(value.data + 1, value.len - 1);
    }

    /* an id is printable ASCII; whatever else comes ends it */
    for (n = 0; n < value.len && n < WIRE_REQUEST_ID; n++) {
        if (value.data[n] <= 0x20 || value.data[n] >= 0x7f) {
            break;
        }

        id[n] = (char) value.data[n];
    }

    id[n] = '\0';
}


static size_t
wire_on_header(char *data, size_t size, size_t n, void *ctx)
{
    tomo_str_t      line = tomo_str_n(data, size * n);
    wire_flight_t  *f = ctx;

    wire_header(line, "x-line-request-id", f->answer.request_id);
    wire_header(line, "x-line-accepted-request-id", f->answer.accepted_id);

    return line.len;
}


static size_t
wire_on_read(char *data, size_t size, size_t n, void *ctx)
{
    size_t          len = size * n;
    wire_flight_t  *f = ctx;

    if (len > f->out_len - f->out_at) {
        len = f->out_len - f->out_at;
    }

    memcpy(data, f->out + f->out_at, len);
    f->out_at += len;

    return len;
}


/* what is the same for every request of a handle */

static bool
wire_fixed(const wire_t *w, CURL *e)
{
    CURLcode  rc = CURLE_OK;

#define WIRE_SET(option, value)                                               \
    rc = rc == CURLE_OK ? curl_easy_setopt(e, option, value) : rc

    WIRE_SET(CURLOPT_PROTOCOLS_STR, "https");
    WIRE_SET(CURLOPT_FOLLOWLOCATION, 0L);
    WIRE_SET(CURLOPT_PROXY, "");
    WIRE_SET(CURLOPT_NOSIGNAL, 1L);
    WIRE_SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    WIRE_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    WIRE_SET(CURLOPT_SSL_VERIFYHOST, 2L);
    WIRE_SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    WIRE_SET(CURLOPT_PIPEWAIT, 1L);
    WIRE_SET(CURLOPT_CONNECTTIMEOUT_MS, WIRE_CONNECT_MS);
    WIRE_SET(CURLOPT_TIMEOUT_MS, WIRE_TOTAL_MS);
    WIRE_SET(CURLOPT_TCP_NODELAY, 1L);
    WIRE_SET(CURLOPT_TCP_KEEPALIVE, 1L);
    WIRE_SET(CURLOPT_USERAGENT, "tomo");
    WIRE_SET(CURLOPT_WRITEFUNCTION, wire_on_body);
    WIRE_SET(CURLOPT_HEADERFUNCTION, wire_on_header);

    if (w->conf->line_unix_socket != NULL) {
        WIRE_SET(CURLOPT_UNIX_SOCKET_PATH, w->conf->line_unix_socket);
    }

    if (w->conf->line_ca_file != NULL) {
        WIRE_SET(CURLOPT_CAINFO, w->conf->line_ca_file);
        WIRE_SET(CURLOPT_CAPATH, NULL);
    }

#undef WIRE_SET

    return rc == CURLE_OK;
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

    if (f->easy == NULL || !wire_fixed(w, f->easy)) {
        log_error("libcurl", "lacks an option that sending needs");
        curl_easy_cleanup(f->easy);
        free(f);
        return NULL;
    }

    curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(f->easy, CURLOPT_READDATA, f);
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
                               r->once ? wire_on_read : NULL) == CURLE_OK
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


void
wire_turn(wire_t *w, struct curl_waitfd *fds, unsigned n, int timeout_ms)
{
    int       running, left;
    CURLMsg  *msg;
    void     *flight;

    curl_multi_perform(w->multi, &running);
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
