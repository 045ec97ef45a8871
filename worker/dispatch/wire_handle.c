#include "wire_handle.h"

#include <string.h>
#include <strings.h>

#define WIRE_CONNECT_MS  5000L
#define WIRE_TOTAL_MS    10000L


static size_t
wire_handle_body(char *data, size_t size, size_t n, void *ctx)
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
wire_handle_line(tomo_str_t line, const char *name,
    char id[WIRE_REQUEST_ID + 1])
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
wire_handle_header(char *data, size_t size, size_t n, void *ctx)
{
    tomo_str_t      line = tomo_str_n(data, size * n);
    wire_flight_t  *f = ctx;

    wire_handle_line(line, "x-line-request-id", f->answer.request_id);
    wire_handle_line(line, "x-line-accepted-request-id",
                     f->answer.accepted_id);

    return line.len;
}


size_t
wire_handle_read(char *data, size_t size, size_t n, void *ctx)
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


bool
wire_handle_set(wire_flight_t *f, const conf_t *conf)
{
    CURL      *e = f->easy;
    CURLcode   rc = CURLE_OK;

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
    WIRE_SET(CURLOPT_WRITEFUNCTION, wire_handle_body);
    WIRE_SET(CURLOPT_HEADERFUNCTION, wire_handle_header);

    if (conf->line_unix_socket != NULL) {
        WIRE_SET(CURLOPT_UNIX_SOCKET_PATH, conf->line_unix_socket);
    }

    if (conf->line_ca_file != NULL) {
        WIRE_SET(CURLOPT_CAINFO, conf->line_ca_file);
        WIRE_SET(CURLOPT_CAPATH, NULL);
    }

    WIRE_SET(CURLOPT_PRIVATE, f);
    WIRE_SET(CURLOPT_WRITEDATA, f);
    WIRE_SET(CURLOPT_HEADERDATA, f);
    WIRE_SET(CURLOPT_READDATA, f);

#undef WIRE_SET

    return rc == CURLE_OK;
}
