/*
 * ngx_http_tomo_survey: opens the token, finds the compiled form, and shows
 * it or takes answers to it.
 */

#include "ngx_http_tomo_survey.h"
#include "ngx_http_tomo_forms.h"
#include "ngx_http_tomo_lookup.h"


#define NGX_HTTP_TOMO_FORM_FIRST  (64 * 1024)


static void ngx_http_tomo_survey_late(ngx_http_request_t *r, ngx_int_t rc,
    tomo_str_t value, void *data);


/* the path up to the token and the token without what was hung on */

static ngx_int_t
ngx_http_tomo_survey_path(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    size_t prefix, tomo_str_t token)
{
    size_t   escape;
    u_char  *p, *from;

    /* "//" at the start would be another host (merge_slashes off) */

    for (from = r->uri.data; prefix > 1 && from[1] == '/'; from++) {
        prefix--;
    }

    escape = 2 * ngx_escape_uri(NULL, from, prefix, NGX_ESCAPE_URI);

    sv->path.data = ngx_pnalloc(r->pool, prefix + escape + token.len);
    if (sv->path.data == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) ngx_escape_uri(sv->path.data, from, prefix,
                                  NGX_ESCAPE_URI);
    p = ngx_cpymem(p, token.data, token.len);
    sv->path.len = p - sv->path.data;

    return NGX_OK;
}


/* NGX_DECLINED: nobody's token; which of the ways is for the counters */

static ngx_int_t
ngx_http_tomo_survey_token(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    ngx_str_t                   segment;
    tomo_rc_e                   rc;
    tomo_str_t                  text;
    ngx_http_tomo_main_conf_t  *tmcf = sv->tmcf;

    segment = ngx_http_tomo_last_segment(r);

    rc = tomo_token_trim(ngx_http_tomo_view(&segment), &text);

    if (rc == TOMO_OK) {
        rc = tomo_token_open(&tmcf->keys->tokens, text, &sv->token);
    }

    if (rc == TOMO_DENIED) {
        ngx_http_tomo_count(tmcf->zone, token_forged);
        return NGX_DECLINED;
    }

    if (rc != TOMO_OK) {
        ngx_http_tomo_count(tmcf->zone, token_malformed);
        return NGX_DECLINED;
    }

    /* the clocks of edge and worker may differ by a day, not by more */

    if (sv->token.kind != TOMO_TOKEN_SURVEY
        || sv->token.day > tomo_token_day(ngx_http_tomo_now_ms(tmcf)) + 1)
    {
        return NGX_DECLINED;
    }

    return ngx_http_tomo_survey_path(r, sv, r->uri.len - segment.len, text);
}


static ngx_uint_t
ngx_http_tomo_survey_is_read(ngx_http_request_t *r)
{
    return (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) != 0;
}


/* the page that most ask for: nothing but a fresh form */

static ngx_uint_t
ngx_http_tomo_survey_is_blank(ngx_http_request_t *r)
{
    return ngx_http_tomo_survey_is_read(r) && r->args.len == 0;
}


ngx_int_t
ngx_http_tomo_survey_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_str_t                allow = ngx_string("GET, HEAD, POST");
    ngx_http_tomo_survey_t  *sv;

    sv = ngx_pcalloc(r->pool, sizeof(ngx_http_tomo_survey_t));
    if (sv == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sv->tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    sv->ctx = ngx_http_tomo_ctx(r);
    if (sv->ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sv->ctx->handler = sv;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST))) {

        if (ngx_http_discard_request_body(r) != NGX_OK
            || ngx_http_tomo_header(r, "Allow", allow) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_NOT_ALLOWED);
    }

    rc = ngx_http_tomo_survey_token(r, sv);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK && r->method == NGX_HTTP_POST) {
        return ngx_http_tomo_survey_post(r, sv);
    }

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_NOT_FOUND);
    }

    rc = ngx_http_tomo_survey_open(r, sv);

    if (rc == NGX_AGAIN) {
        r->main->count++;
        return NGX_DONE;
    }

    return rc;
}


void
ngx_http_tomo_survey_arena(ngx_http_request_t *r, tomo_arena_t *a,
    size_t size)
{
    void  *data = ngx_palloc(r->pool, size);

    tomo_arena_init(a, data, data ? size : 0);
    a->failed = data == NULL;
}


/* a form's memory depends on its lines: the first size fits all usual ones */

static tomo_rc_e
ngx_http_tomo_survey_parse(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    tomo_str_t value)
{
    size_t        size;
    tomo_rc_e     rc;
    tomo_arena_t  a;

    for (size = NGX_HTTP_TOMO_FORM_FIRST; /* void */ ; size *= 4) {
        ngx_http_tomo_survey_arena(r, &a, size);
        rc = tomo_survey_parse(value, &a, &sv->form);

        if (rc != TOMO_FULL || a.cap == 0
            || size > NGX_HTTP_TOMO_SURVEY_MEMORY)
        {
            return rc;
        }

        (void) ngx_pfree(r->pool, a.data);
    }
}


static ngx_int_t
ngx_http_tomo_survey_show(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    /*
     * Shown to whoever asks: it says nothing of anybody.  A survey that
     * closed right after the post still says thank you.
     */

    if (tomo_str_eq(ngx_http_tomo_view(&r->args), tomo_str("thanks=1"))) {
        return ngx_http_tomo_survey_thanks(r, sv);
    }

    if (!sv->form.open) {
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_NOT_FOUND);
    }

    return ngx_http_tomo_survey_page(r, sv, NULL, NGX_HTTP_OK);
}


/* the form stands */

static ngx_int_t
ngx_http_tomo_survey_parsed(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    if (ngx_http_tomo_survey_is_read(r)) {
        return ngx_http_tomo_survey_show(r, sv);
    }

    return ngx_http_tomo_survey_take(r, sv);
}


/* rc and value as the lookup gave them; kept: the value is the table's */

static ngx_int_t
ngx_http_tomo_survey_found(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    ngx_int_t rc, tomo_str_t value, ngx_uint_t kept)
{
    ngx_http_tomo_form_t  *f;

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_NOT_FOUND);

    default:
        return ngx_http_tomo_survey_note(r, sv,
                                         NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    sv->value = value;

    if (ngx_http_tomo_survey_is_blank(r)) {
        rc = ngx_http_tomo_survey_ready(r, sv);

        if (rc != NGX_DECLINED) {
            return rc;
        }

    } else if (kept) {
        f = ngx_http_tomo_forms_put(sv->tmcf, sv->token.account,
                                    sv->token.target,
                                    ngx_http_tomo_view(&sv->ctx->account),
                                    value);
        if (f) {
            sv->form = f->form;
            return ngx_http_tomo_survey_parsed(r, sv);
        }
    }

    if (ngx_http_tomo_survey_parse(r, sv, value) != TOMO_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "tomo: survey %uD of account %V cannot be read: save "
                      "its definition again", sv->token.target,
                      &sv->ctx->account);

        return ngx_http_tomo_survey_note(r, sv,
                                         NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    return ngx_http_tomo_survey_parsed(r, sv);
}


static void
ngx_http_tomo_survey_late(ngx_http_request_t *r, ngx_int_t rc,
    tomo_str_t value, void *data)
{
    rc = ngx_http_tomo_survey_found(r, data, rc, value, 0);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


/* what the request is about; id is copied if it does not live as long */

static ngx_int_t
ngx_http_tomo_survey_about(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    tomo_str_t id, ngx_uint_t copy)
{
    if (copy) {
        id.data = ngx_pstrdup(r->pool, &(ngx_str_t) { id.len,
                                                      (u_char *) id.data });
        if (id.data == NULL) {
            return NGX_ERROR;
        }
    }

    sv->ctx->account.data = (u_char *) id.data;
    sv->ctx->account.len = id.len;
    sv->ctx->friend = sv->token.friend;
    sv->ctx->survey = sv->token.target;

    return NGX_OK;
}


ngx_int_t
ngx_http_tomo_survey_open(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    ngx_int_t              rc;
    tomo_str_t             value = tomo_str_null;
    tomo_table_account_t   account;
    ngx_http_tomo_form_t  *f;

    /* a blank page is made of the compiled form, all else of the parsed */

    f = ngx_http_tomo_survey_is_blank(r)
        ? NULL
        : ngx_http_tomo_forms_get(sv->tmcf, sv->token.account,
                                  sv->token.target);

    if (f) {
        if (ngx_http_tomo_survey_about(r, sv, f->id, 1) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        sv->form = f->form;
        return ngx_http_tomo_survey_parsed(r, sv);
    }

    rc = ngx_http_tomo_zone_account_by_number(sv->tmcf->zone, r->pool,
                                              sv->token.account, &account);
    if (rc == NGX_OK) {
        (void) ngx_http_tomo_survey_about(r, sv, account.id, 0);

        rc = ngx_http_tomo_lookup(r, account.id, TOMO_ITEM_SURVEY,
                                  sv->token.target,
                                  ngx_http_tomo_survey_late, sv, &value);
    }

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    return ngx_http_tomo_survey_found(r, sv, rc, value, 1);
}
