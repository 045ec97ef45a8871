#include "ngx_http_tomo_pace.h"
#include "tomo_codec.h"


#define NGX_HTTP_TOMO_PACE_BYTES    16      /* of a nonce */
#define NGX_HTTP_TOMO_PACE_TIME     6       /* of them, the highest first */
#define NGX_HTTP_TOMO_PACE_PLACES   1024


typedef struct {
    uint64_t    who;
    time_t      minute;
    ngx_uint_t  n;
} ngx_http_tomo_pace_place_t;

struct ngx_http_tomo_pace_s {
    ngx_http_tomo_pace_place_t  places[NGX_HTTP_TOMO_PACE_PLACES];
};


/* real time: the sandbox's clock may jump between page and post */

static uint64_t
ngx_http_tomo_pace_now_ms(void)
{
    ngx_time_t  *tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


ngx_int_t
ngx_http_tomo_pace_nonce(u_char nonce[TOMO_SURVEY_NONCE_LEN])
{
    u_char      bytes[NGX_HTTP_TOMO_PACE_BYTES];
    uint64_t    now;
    ngx_int_t   i;
    tomo_buf_t  b;

    if (ngx_http_tomo_random(bytes, sizeof(bytes)) != NGX_OK) {
        return NGX_ERROR;
    }

    now = ngx_http_tomo_pace_now_ms();

    for (i = NGX_HTTP_TOMO_PACE_TIME - 1; i >= 0; i--) {
        bytes[i] = (u_char) now;
        now >>= 8;
    }

    tomo_buf_init(&b, nonce, TOMO_SURVEY_NONCE_LEN);
    tomo_b64url_put(&b, tomo_str_n(bytes, sizeof(bytes)));

    return b.failed ? NGX_ERROR : NGX_OK;
}


ngx_uint_t
ngx_http_tomo_pace_quick(tomo_str_t nonce)
{
    u_char      bytes[NGX_HTTP_TOMO_PACE_BYTES];
    uint64_t    made, now;
    ngx_uint_t  i;
    tomo_buf_t  b;

    tomo_buf_init(&b, bytes, sizeof(bytes));

    if (tomo_b64url_get(nonce, &b) != TOMO_OK || b.len != sizeof(bytes)) {
        return 0;
    }

    for (i = 0, made = 0; i < NGX_HTTP_TOMO_PACE_TIME; i++) {
        made = made << 8 | bytes[i];
    }

    now = ngx_http_tomo_pace_now_ms();

    return made <= now && now - made < NGX_HTTP_TOMO_PACE_QUICK_MS;
}


/*
 * Two links may share a place: the later one begins anew, so nobody is taken
 * for a flood because of another.
 */

ngx_uint_t
ngx_http_tomo_pace_flood(ngx_http_tomo_main_conf_t *tmcf,
    const tomo_token_t *token)
{
    time_t                       minute;
    uint64_t                     who;
    ngx_http_tomo_pace_place_t  *place;

    if (tmcf->pace == NULL) {
        tmcf->pace = ngx_pcalloc(ngx_cycle->pool,
                                 sizeof(ngx_http_tomo_pace_t));
        if (tmcf->pace == NULL) {
            return 0;
        }
    }

    who = ((uint64_t) token->account << 32 | token->target)
          * UINT64_C(0x9e3779b97f4a7c15)
          + (uint64_t) token->friend * UINT64_C(0xc2b2ae3d27d4eb4f)
          + token->kind + 1;
    place = &tmcf->pace->places[(who >> 40) % NGX_HTTP_TOMO_PACE_PLACES];
    minute = ngx_time() / 60;

    if (place->who != who || place->minute != minute) {
        place->who = who;
        place->minute = minute;
        place->n = 0;
    }

    place->n++;

    return place->n > NGX_HTTP_TOMO_PACE_MINUTE
           ? place->n - NGX_HTTP_TOMO_PACE_MINUTE : 0;
}
