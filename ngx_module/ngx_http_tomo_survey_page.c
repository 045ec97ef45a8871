/*
 * ngx_http_tomo_survey_page: what a survey's address answers with.
 */

#include "ngx_http_tomo_survey.h"
#include "ngx_http_tomo_pace.h"
#include "ngx_http_tomo_pages.h"

#define NGX_HTTP_TOMO_PAGE_FIRST  (32 * 1024)


static ngx_int_t
ngx_http_tomo_survey_send(ngx_http_request_t *r, ngx_uint_t status,
    tomo_str_t page)
{
    ngx_str_t  referrer = ngx_string("same-origin");

    return ngx_http_tomo_send_page(r, status, referrer, page);
}


/* the year of the sandbox clock, for the list of years */

static int
ngx_http_tomo_survey_year(ngx_http_tomo_main_conf_t *tmcf)
{
    ngx_tm_t  tm;

    ngx_gmtime((time_t) (ngx_http_tomo_now_ms(tmcf) / TOMO_SEC_MS), &tm);

    return tm.ngx_tm_year;
}


static void
ngx_http_tomo_survey_made_of(ngx_http_tomo_survey_t *sv, tomo_str_t nonce,
    ngx_http_tomo_page_t *of)
{
    of->account = sv->token.account;
    of->survey = sv->token.target;
    of->year = ngx_http_tomo_survey_year(sv->tmcf);
    of->value = sv->value;
    of->path = ngx_http_tomo_view(&sv->path);
    of->nonce = nonce;
}


static ngx_int_t
ngx_http_tomo_survey_shown(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    tomo_str_t page)
{
    ngx_http_tomo_count(sv->tmcf->zone, survey_page);
    ngx_http_tomo_verdict(sv->ctx, "shown");

    return ngx_http_tomo_survey_send(r, NGX_HTTP_OK, page);
}


ngx_int_t
ngx_http_tomo_survey_ready(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    u_char                nonce[TOMO_SURVEY_NONCE_LEN];
    tomo_str_t            page;
    ngx_http_tomo_page_t  of;

    if (ngx_http_tomo_pace_nonce(nonce) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_http_tomo_survey_made_of(sv, tomo_str_n(nonce, sizeof(nonce)), &of);

    switch (ngx_http_tomo_pages_get(r, &of, &page)) {

    case NGX_OK:
        return ngx_http_tomo_survey_shown(r, sv, page);

    case NGX_DECLINED:
        return NGX_DECLINED;

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* answers NULL: blank; of->path and nonce stand in it.  Failed: no memory */

static void
ngx_http_tomo_survey_render(ngx_http_request_t *r,
    ngx_http_tomo_survey_t *sv, const ngx_http_tomo_page_t *of,
    const tomo_answers_t *answers, tomo_buf_t *b)
{
    size_t   size;
    u_char  *data;

    for (size = NGX_HTTP_TOMO_PAGE_FIRST; /* void */ ; size *= 4) {
        data = ngx_palloc(r->pool, size);
        tomo_buf_init(b, data, data ? size : 0);
        tomo_survey_page(b, &sv->form, answers, of->nonce, of->path,
                         of->year);

        if (!b->failed || data == NULL
            || size > NGX_HTTP_TOMO_SURVEY_MEMORY)
        {
            return;
        }

        (void) ngx_pfree(r->pool, data);
    }
}


ngx_int_t
ngx_http_tomo_survey_page(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    const tomo_answers_t *answers, ngx_uint_t status)
{
    u_char                fresh[TOMO_SURVEY_NONCE_LEN];
    tomo_buf_t            b;
    tomo_str_t            nonce;
    ngx_http_tomo_page_t  of;

    if (answers) {
        nonce = answers->nonce;

    } else if (ngx_http_tomo_pace_nonce(fresh) == NGX_OK) {
        nonce = tomo_str_n(fresh, sizeof(fresh));

    } else {
        return ngx_http_tomo_survey_note(r, sv,
                                         NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_http_tomo_survey_made_of(sv, nonce, &of);
    ngx_http_tomo_survey_render(r, sv, &of, answers, &b);

    if (b.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (answers) {
        return ngx_http_tomo_survey_send(r, status, tomo_buf_str(&b));
    }

    if (sv->value.data) {               /* absent with a form that was kept */
        ngx_http_tomo_pages_put(r, &of, tomo_buf_str(&b));
    }

    return ngx_http_tomo_survey_shown(r, sv, tomo_buf_str(&b));
}


ngx_int_t
ngx_http_tomo_survey_thanks(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    size_t      size;
    u_char     *data;
    tomo_buf_t  b;

    /* the longest a byte becomes is a link of its own, far below 64 */

    size = TOMO_SURVEY_NOTE_MAX + 64 * sv->form.thanks.len;
    data = ngx_palloc(r->pool, size);
    if (data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tomo_buf_init(&b, data, size);
    tomo_survey_thanks(&b, &sv->form);
    ngx_http_tomo_verdict(sv->ctx, "thanks");

    if (b.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tomo_survey_send(r, NGX_HTTP_OK, tomo_buf_str(&b));
}


ngx_int_t
ngx_http_tomo_survey_taken(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    u_char     *p;
    ngx_str_t   location, policy = ngx_string("same-origin");

    location.len = sv->path.len + sizeof("?thanks=1") - 1;
    location.data = ngx_pnalloc(r->pool, location.len);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(location.data, sv->path.data, sv->path.len);
    ngx_memcpy(p, "?thanks=1", sizeof("?thanks=1") - 1);

    /* a path, not an address made of Host: nothing in front can bend it */

    if (ngx_http_tomo_header(r, "Location", location) != NGX_OK
        || ngx_http_tomo_header(r, "Referrer-Policy", policy) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->header_only = 1;

    return ngx_http_tomo_send(r, NGX_HTTP_SEE_OTHER, "text/plain",
                              tomo_str_null, 0);
}


ngx_int_t
ngx_http_tomo_survey_note(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    ngx_uint_t status)
{
    u_char     *data;
    tomo_buf_t  b;

    data = ngx_palloc(r->pool, TOMO_SURVEY_NOTE_MAX);
    if (data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tomo_buf_init(&b, data, TOMO_SURVEY_NOTE_MAX);

    switch (status) {

    case NGX_HTTP_NOT_FOUND:
        ngx_http_tomo_count(sv->tmcf->zone, survey_unknown);
        ngx_http_tomo_verdict(sv->ctx, "unknown");
        tomo_survey_gone(&b);
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_http_tomo_count(sv->tmcf->zone, survey_unavailable);
        ngx_http_tomo_verdict(sv->ctx, "unavailable");
        tomo_survey_busy(&b);
        break;

    default:
        ngx_http_tomo_count(sv->tmcf->zone, survey_refused);
        ngx_http_tomo_verdict(sv->ctx, "refused");
        tomo_survey_refused(&b);
    }

    if (b.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tomo_survey_send(r, status, tomo_buf_str(&b));
}
