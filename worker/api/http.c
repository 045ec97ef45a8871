/* api/http: see http.h */

#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "tomo_codec.h"
#include "log.h"

#define HTTP_OUT_FIRST  (64u * 1024)
#define HTTP_STOP_MS    1000    /* for answers on their way */


struct http_s {
    struct MHD_Daemon  *daemon;
    http_admit_pt       admit;
    http_handler_pt     handler;
    void               *ctx;
    char               *path;
    atomic_size_t       under_way;  /* requests handled, not yet answered */
};


static int
http_listen(const char *path)
{
    struct sockaddr_un  addr = { .sun_family = AF_UNIX };
    size_t              len;
    int                 fd;

    len = strlen(path);

    if (len >= sizeof(addr.sun_path)) {
        log_error("api socket", "%s refused: longer than %zu bytes, choose a "
                  "shorter [api] socket", path, sizeof(addr.sun_path) - 1);
        return -1;
    }

    memcpy(addr.sun_path, path, len);

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1) {
        log_error("api socket", "failed: %s", strerror(errno));
        return -1;
    }

    (void) unlink(path);

    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || chmod(path, 0660) == -1 || listen(fd, 511) == -1)
    {
        log_error("api socket", "%s cannot be opened: %s; check that its "
                  "folder exists and may be written", path, strerror(errno));
        (void) close(fd);
        return -1;
    }

    return fd;
}


static request_t *
http_request(struct MHD_Connection *conn, const char *url, const char *method)
{
    request_t  *r;

    r = calloc(1, sizeof(request_t));
    if (r == NULL) {
        return NULL;
    }

    r->path_copy = strdup(url);
    r->out.data = malloc(HTTP_OUT_FIRST);

    if (r->path_copy == NULL || r->out.data == NULL) {
        free(r->path_copy);
        free(r->out.data);
        free(r);
        return NULL;
    }

    r->out.cap = HTTP_OUT_FIRST;
    r->conn = conn;
    r->method = tomo_str_c(method);
    r->path = tomo_str_c(r->path_copy);
    r->authorization = MHD_lookup_connection_value(conn, MHD_HEADER_KIND,
                                                   "Authorization");
    r->content_type = MHD_lookup_connection_value(conn, MHD_HEADER_KIND,
                                                  "Content-Type");
    return r;
}


static bool
http_body_append(request_t *r, const char *data, size_t len)
{
    uint8_t  *p;
    size_t    cap;

    if (!r->admitted) {
        return true;
    }

    if (r->body.len + len > HTTP_BODY_MAX) {
        r->too_large = true;
        return true;
    }

    if (r->body.len + len > r->body_cap) {
        cap = r->body_cap ? r->body_cap * 2 : 4096;

        while (cap < r->body.len + len) {
            cap *= 2;
        }

        p = realloc(r->body_data, cap);
        if (p == NULL) {
            return false;
        }

        r->body_data = p;
        r->body_cap = cap;
    }

    memcpy(r->body_data + r->body.len, data, len);
    r->body = tomo_str_n(r->body_data, r->body.len + len);

    return true;
}


static enum MHD_Result
http_answer(request_t *r)
{
    struct MHD_Response  *res;
    enum MHD_Result       rc;

    if (r->out.failed) {
        http_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "answer_too_large",
                   "the answer is over 8 MiB; ask for fewer rows (limit=)");
    }

    /* the buffer is handed over: libmicrohttpd frees it after sending */
    res = MHD_create_response_from_buffer(r->out.len, r->out.data,
                                          MHD_RESPMEM_MUST_FREE);
    if (res == NULL) {
        return MHD_NO;
    }

    r->out.data = NULL;

    (void) MHD_add_response_header(res, "Content-Type",
                                   r->type ? r->type : "application/json");
    (void) MHD_add_response_header(res, "Cache-Control", "no-store");

    if (r->allow) {
        (void) MHD_add_response_header(res, "Allow", r->allow);
    }

    if (r->status == MHD_HTTP_UNAUTHORIZED) {
        (void) MHD_add_response_header(res, "WWW-Authenticate", "Bearer");
    }

    if (r->status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        (void) MHD_add_response_header(res, "Retry-After", "2");
    }

    rc = MHD_queue_response(r->conn, r->status, res);
    MHD_destroy_response(res);

    return rc;
}


static enum MHD_Result
http_access(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **con_cls)
{
    http_t     *h = cls;
    http_rc_e   rc;
    request_t  *r = *con_cls;

    (void) version;

    if (r == NULL) {
        r = http_request(conn, url, method);
        *con_cls = r;

        if (r == NULL) {
            return MHD_NO;
        }

        r->admitted = h->admit(h->ctx, r);
        return MHD_YES;
    }

    if (*upload_size) {
        if (!http_body_append(r, upload, *upload_size)) {
            return MHD_NO;
        }

        *upload_size = 0;
        return MHD_YES;
    }

    if (!r->handled) {
        r->handled = true;
        atomic_fetch_add(&h->under_way, 1);

        if (r->too_large) {
            http_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "body_too_large",
                       "the body is over 256 KiB; split the change");
            return http_answer(r);
        }

        rc = h->handler(h->ctx, r);

        /* suspended: r may be with its waiter already; called again later */
        if (rc == HTTP_SUSPENDED) {
            return MHD_YES;
        }
    }

    return http_answer(r);
}


static void
http_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode code)
{
    http_t     *h = cls;
    request_t  *r = *con_cls;

    (void) conn;
    (void) code;

    if (r == NULL) {
        return;
    }

    if (r->handled) {
        atomic_fetch_sub(&h->under_way, 1);
    }

    free(r->body_data);
    free(r->path_copy);
    free(r->out.data);
    free(r);
    *con_cls = NULL;
}


http_t *
http_start(const char *path, http_admit_pt admit, http_handler_pt handler,
    void *ctx)
{
    http_t  *h;
    int      fd;

    h = calloc(1, sizeof(http_t));
    if (h == NULL) {
        return NULL;
    }

    h->admit = admit;
    h->handler = handler;
    h->ctx = ctx;

    fd = http_listen(path);
    if (fd == -1) {
        free(h);
        return NULL;
    }

    h->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD
                                 | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                                 http_access, h,
                                 MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_THREAD_POOL_SIZE, HTTP_THREADS,
                                 MHD_OPTION_NOTIFY_COMPLETED, http_completed,
                                 h,
                                 MHD_OPTION_CONNECTION_TIMEOUT, 120u,
                                 MHD_OPTION_END);
    if (h->daemon == NULL) {
        log_error("api server", "failed: libmicrohttpd would not start; see "
                  "limits of open files and threads");
        (void) close(fd);
        free(h);
        return NULL;
    }

    h->path = strdup(path);

    return h;
}


void
http_stop(http_t *h)
{
    int64_t  end_ms = clock_mono_ms() + HTTP_STOP_MS;

    /* the server drops what it has not sent: who was just answered waits */
    while (atomic_load(&h->under_way) > 0 && clock_mono_ms() < end_ms) {
        (void) poll(NULL, 0, 2);
    }

    MHD_stop_daemon(h->daemon);

    if (h->path) {
        (void) unlink(h->path);
    }

    free(h->path);
    free(h);
}


const char *
http_query(const request_t *r, const char *name)
{
    const char  *value = NULL;

    if (MHD_lookup_connection_value_n(r->conn, MHD_GET_ARGUMENT_KIND, name,
                                      strlen(name), &value, NULL)
        == MHD_NO)
    {
        return NULL;
    }

    return value ? value : "";
}


void
http_room(request_t *r, size_t bytes)
{
    uint8_t  *p;

    if (bytes <= r->out.cap) {
        return;
    }

    p = bytes <= HTTP_ANSWER_MAX ? realloc(r->out.data, bytes) : NULL;

    if (p == NULL) {
        r->out.failed = true;
        return;
    }

    r->out.data = p;
    r->out.cap = bytes;
}


void
http_more(request_t *r, size_t bytes)
{
    size_t  need = r->out.len + bytes, cap = 2 * r->out.cap;

    if (need > r->out.cap) {
        cap = cap > need ? cap : need;
        http_room(r, cap < HTTP_ANSWER_MAX ? cap : HTTP_ANSWER_MAX);
    }
}


void
http_suspend(request_t *r)
{
    MHD_suspend_connection(r->conn);
}


void
http_resume(request_t *r)
{
    MHD_resume_connection(r->conn);
}


void
http_error(request_t *r, unsigned status, const char *code,
    const char *message)
{
    http_error_at(r, status, code, message, NULL);
}


void
http_error_at(request_t *r, unsigned status, const char *code,
    const char *message, const char *path)
{
    tomo_buf_reset(&r->out);

    r->status = status;

    tomo_buf_c(&r->out, "{\"error\":{\"code\":");
    tomo_json_put(&r->out, tomo_str_c(code));
    tomo_buf_c(&r->out, ",\"message\":");
    tomo_json_put(&r->out, tomo_str_c(message));

    if (path) {
        tomo_buf_c(&r->out, ",\"path\":");
        tomo_json_put(&r->out, tomo_str_c(path));
    }

    tomo_buf_c(&r->out, "}}");
}
