/*
 * wire_handle: one of libcurl's handles and what it is set to for good: TLS,
 * limits, and what takes an answer in.  For wire*.c alone.
 */

#ifndef WIRE_HANDLE_H
#define WIRE_HANDLE_H

#include <curl/curl.h>

#include "wire.h"

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

/* f->easy exists; false: libcurl lacks an option */
bool wire_handle_set(wire_flight_t *f, const conf_t *conf) TOMO_MUST_CHECK;
/* CURLOPT_READFUNCTION of a body that goes out once; ctx: wire_flight_t */
size_t wire_handle_read(char *data, size_t size, size_t n, void *ctx);

#endif
