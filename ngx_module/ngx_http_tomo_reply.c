/*
 * Reading a reply without knowing hiredis' struct, and the pause between two
 * tries.  Declared in ngx_http_tomo_redis.h.
 */

#include "ngx_http_tomo_redis.h"

#include <hiredis/hiredis.h>


#define NGX_HTTP_TOMO_BACKOFF_MIN_MS  50
#define NGX_HTTP_TOMO_BACKOFF_MAX_MS  5000


ngx_http_tomo_reply_e
ngx_http_tomo_reply_kind(const ngx_http_tomo_reply_t *reply)
{
    if (reply == NULL) {
        return NGX_HTTP_TOMO_REPLY_LOST;
    }

    switch (reply->type) {
    case REDIS_REPLY_STRING:
        return NGX_HTTP_TOMO_REPLY_STRING;
    case REDIS_REPLY_ARRAY:
        return NGX_HTTP_TOMO_REPLY_ARRAY;
    case REDIS_REPLY_INTEGER:
        return NGX_HTTP_TOMO_REPLY_INTEGER;
    case REDIS_REPLY_NIL:
        return NGX_HTTP_TOMO_REPLY_NIL;
    case REDIS_REPLY_STATUS:
        return NGX_HTTP_TOMO_REPLY_STATUS;
    default:
        return NGX_HTTP_TOMO_REPLY_ERROR;
    }
}


tomo_str_t
ngx_http_tomo_reply_str(const ngx_http_tomo_reply_t *reply)
{
    switch (ngx_http_tomo_reply_kind(reply)) {
    case NGX_HTTP_TOMO_REPLY_STRING:
    case NGX_HTTP_TOMO_REPLY_STATUS:
        return tomo_str_n(reply->str, reply->len);
    case NGX_HTTP_TOMO_REPLY_ERROR:
        if (reply->str) {
            return tomo_str_n(reply->str, reply->len);
        }

        return tomo_str_null;
    default:
        return tomo_str_null;
    }
}


int64_t
ngx_http_tomo_reply_integer(const ngx_http_tomo_reply_t *reply)
{
    return ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_INTEGER
           ? (int64_t) reply->integer : 0;
}


ngx_uint_t
ngx_http_tomo_reply_n(const ngx_http_tomo_reply_t *reply)
{
    return ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_ARRAY
           ? (ngx_uint_t) reply->elements : 0;
}


const ngx_http_tomo_reply_t *
ngx_http_tomo_reply_at(const ngx_http_tomo_reply_t *reply, ngx_uint_t i)
{
    return i < ngx_http_tomo_reply_n(reply) ? reply->element[i] : NULL;
}


ngx_str_t
ngx_http_tomo_reply_word(const ngx_http_tomo_reply_t *reply)
{
    size_t      i;
    ngx_str_t   word;
    tomo_str_t  text;

    if (ngx_http_tomo_reply_kind(reply) != NGX_HTTP_TOMO_REPLY_ERROR) {
        ngx_str_set(&word, "unexpected reply");
        return word;
    }

    text = ngx_http_tomo_reply_str(reply);

    for (i = 0; i < text.len && i < 32; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            break;
        }
    }

    word.data = (u_char *) text.data;
    word.len = i;

    return word;
}


ngx_uint_t
ngx_http_tomo_reply_is(const ngx_http_tomo_reply_t *reply, const char *status)
{
    tomo_str_t  text;

    if (ngx_http_tomo_reply_kind(reply) != NGX_HTTP_TOMO_REPLY_STATUS) {
        return 0;
    }

    text = ngx_http_tomo_reply_str(reply);

    return text.len == ngx_strlen(status)
           && ngx_strncmp(text.data, status, text.len) == 0;
}


ngx_msec_t
ngx_http_tomo_backoff(ngx_uint_t *step)
{
    ngx_msec_t  ms;

    ms = NGX_HTTP_TOMO_BACKOFF_MAX_MS;

    if (*step < 7) {
        ms = ngx_min(ms, (ngx_msec_t) NGX_HTTP_TOMO_BACKOFF_MIN_MS << *step);
        (*step)++;
    }

    /* from half to the whole, so that edges do not come back in step */
    return ms / 2 + (ngx_msec_t) ngx_random() % (ms / 2 + 1);
}
