/*
 * ngx_http_tomo_pace: what comes faster than people write or tap: answers
 * within 200 ms of their page, more answers (B52) or clicks (B36) a minute from
 * one link than anybody sends.  It only tells; what becomes of them is ingest's
 * to decide.  Counted in each worker by itself.
 */

#ifndef NGX_HTTP_TOMO_PACE_H
#define NGX_HTTP_TOMO_PACE_H

#include "ngx_http_tomo_module.h"
#include "tomo_survey.h"

#define NGX_HTTP_TOMO_PACE_QUICK_MS   200
#define NGX_HTTP_TOMO_PACE_MINUTE     120

/* a page's nonce: when it was made (real time), and 80 random bits */
ngx_int_t ngx_http_tomo_pace_nonce(u_char nonce[TOMO_SURVEY_NONCE_LEN]);

/* was the page of this nonce made a moment ago?  A strange nonce: no */
ngx_uint_t ngx_http_tomo_pace_quick(tomo_str_t nonce);

/* one more by this token: 0, or the how manieth of too many in this minute */
ngx_uint_t ngx_http_tomo_pace_flood(ngx_http_tomo_main_conf_t *tmcf,
    const tomo_token_t *token);

#endif
