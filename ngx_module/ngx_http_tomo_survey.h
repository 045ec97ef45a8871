/*
 * ngx_http_tomo_survey: /s/TOKEN: shows a survey, takes its answers.
 *
 *   ngx_http_tomo_survey.c         token → account → compiled form → what next
 *   ngx_http_tomo_survey_post.c    body → answers → journal → 303
 *   ngx_http_tomo_survey_page.c    answers in HTML and their headers
 *   ngx_http_tomo_forms.c          forms of this worker, parsed
 *   ngx_http_tomo_pages.c          blank pages, ready to send
 *   ngx_http_tomo_origin.c         whose page posted this?
 *
 * The token is the identity ("by link"); nothing of the friend is ever shown.
 * A GET changes nothing.  Validation is core/tomo_survey's alone.
 */

#ifndef NGX_HTTP_TOMO_SURVEY_H
#define NGX_HTTP_TOMO_SURVEY_H

#include "ngx_http_tomo_journal.h"
#include "tomo_survey.h"

#define NGX_HTTP_TOMO_SURVEY_MEMORY  (16 * 1024 * 1024)  /* of one request */

/* one request, from its token to its answer; in r->pool */
typedef struct {
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_http_tomo_ctx_t        *ctx;
    tomo_token_t                token;
    ngx_str_t                   path;       /* "/s/TOKEN", fit for a URL */
    tomo_str_t                  value;      /* compiled form, as looked up */
    tomo_survey_t               form;       /* parsed; views that end with
                                               the loop's turn */
} ngx_http_tomo_survey_t;

/*
 * Finds the compiled form and goes on with it: NGX_AGAIN: later (the count
 * of r->main is not touched), else what to finalize r with.
 */
ngx_int_t ngx_http_tomo_survey_open(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);

/*
 * Reads the body, then continues through ngx_http_tomo_survey_open.  Returns
 * what a content handler returns.
 */
ngx_int_t ngx_http_tomo_survey_post(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);

/* form stands: NGX_AGAIN: finalized later; else the answer to finalize with */
ngx_int_t ngx_http_tomo_survey_take(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);

/* An arena of size bytes in r->pool; its failed bit: out of memory */
void ngx_http_tomo_survey_arena(ngx_http_request_t *r, tomo_arena_t *a,
    size_t size);

/*
 * A blank page out of the worker's store, before the form is even parsed:
 * NGX_DECLINED: there is none; else what to finalize with.  What is stored
 * was open.
 */
ngx_int_t ngx_http_tomo_survey_ready(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);

/*
 * Answers; all return what to finalize with.  page: answers NULL: blank with
 * a fresh nonce; else those of a post, under the post's own nonce, so that
 * the same form sent twice stays one.
 */
ngx_int_t ngx_http_tomo_survey_page(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv, const tomo_answers_t *answers,
    ngx_uint_t status);
ngx_int_t ngx_http_tomo_survey_thanks(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);
/* 303 to the thanks page */
ngx_int_t ngx_http_tomo_survey_taken(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv);
/* 404, 503, or the refusal of a post (400, 403, 415): one sentence */
ngx_int_t ngx_http_tomo_survey_note(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv, ngx_uint_t status);

/*
 * Did a page of this host post this?  All of these must hold:
 *   Sec-Fetch-Site is there       must be same-origin
 *   Origin is there               must be http(s)://HOST of the Host header;
 *                                 "null" is not
 *   Referer is there, no Origin   its host must be that of the Host header
 *   none of them                  yes: browsers that send none of them know
 *                                 no other site's token either
 * Any of the three twice: no.  A proxy in front must pass Host on.
 */
ngx_uint_t ngx_http_tomo_origin_ok(ngx_http_request_t *r);

/* a header that may come once: NGX_DECLINED: absent, NGX_ERROR: twice */
ngx_int_t ngx_http_tomo_header_in(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

#endif
