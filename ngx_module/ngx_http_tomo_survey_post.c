/*
 * ngx_http_tomo_survey_post: a posted survey: whose page it came from, what
 * it says, and into the journal; answered when it is on disk.
 */

#include "ngx_http_tomo_park.h"
#include "ngx_http_tomo_pace.h"
#include "ngx_http_tomo_survey.h"


#define NGX_HTTP_TOMO_ANSWER_HEAD  2048     /* the line without answers */


static void ngx_http_tomo_survey_posted(ngx_http_request_t *r);
static ngx_int_t ngx_http_tomo_survey_stored(ngx_http_request_t *r,
    ngx_int_t rc);


/* application/x-www-form-urlencoded, whatever charset it claims */

static ngx_uint_t
ngx_http_tomo_survey_is_form(ngx_http_request_t *r)
{
    size_t      end;
    ngx_str_t   value;
    tomo_str_t  type;

    if (ngx_http_tomo_header_in(r, "content-encoding", &value)
        != NGX_DECLINED
        || ngx_http_tomo_header_in(r, "content-type", &value) != NGX_OK)
    {
        return 0;
    }

    type = ngx_http_tomo_view(&value);
    end = tomo_str_find(type, 0, ';');

    while (end > 0 && type.data[end - 1] == ' ') {
        end--;
    }

    return tomo_str_caseeq(tomo_str_n(type.data, end),
                           tomo_str("application/x-www-form-urlencoded"));
}


ngx_int_t
ngx_http_tomo_survey_post(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    ngx_uint_t  refused;

    refused = !ngx_http_tomo_survey_is_form(r)
                  ? NGX_HTTP_UNSUPPORTED_MEDIA_TYPE
              : !ngx_http_tomo_origin_ok(r) ? NGX_HTTP_FORBIDDEN : 0;

    if (refused) {

        if (ngx_http_discard_request_body(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_tomo_survey_note(r, sv, refused);
    }

    return ngx_http_tomo_body_read(r, sv->ctx, ngx_http_tomo_survey_posted);
}


static void
ngx_http_tomo_survey_posted(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_tomo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);

    rc = ngx_http_tomo_survey_open(r, ctx->handler);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


/* a post with many fields needs more than a plain one: try, then quadruple */

static tomo_rc_e
ngx_http_tomo_survey_read(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    tomo_str_t body, tomo_answers_t *answers)
{
    size_t        size;
    tomo_rc_e     rc;
    tomo_arena_t  a;

    for (size = 2 * body.len + 32 * 1024; /* void */ ; size *= 4) {
        ngx_http_tomo_survey_arena(r, &a, size);
        rc = tomo_survey_read(&sv->form, body, &a, answers);

        if (rc != TOMO_FULL || a.cap == 0
            || size > NGX_HTTP_TOMO_SURVEY_MEMORY)
        {
            return rc;
        }

        (void) ngx_pfree(r->pool, a.data);
    }
}


/* what no person does: told with the answer, its sender sees a thank you */

static void
ngx_http_tomo_survey_marks(ngx_http_tomo_survey_t *sv,
    const tomo_answers_t *answers, tomo_buf_t *b)
{
    if (answers->trapped) {
        tomo_rec_put_u64(b, "trap", 1);
    }

    if (ngx_http_tomo_pace_quick(answers->nonce)) {
        ngx_http_tomo_count(sv->tmcf->zone, survey_quick);
        tomo_rec_put_u64(b, "quick", 1);
    }

    if (ngx_http_tomo_pace_flood(sv->tmcf, &sv->token)) {
        ngx_http_tomo_count(sv->tmcf->zone, survey_flood);
        tomo_rec_put_u64(b, "flood", 1);
    }
}


/* the line that goes on; every byte of an answer becomes three at most */

static ngx_int_t
ngx_http_tomo_survey_line(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    const tomo_answers_t *answers, size_t posted, tomo_str_t *line)
{
    size_t         size;
    u_char        *data;
    tomo_buf_t     b;
    tomo_answer_t  one;

    size = 4 * posted + NGX_HTTP_TOMO_ANSWER_HEAD;
    data = ngx_palloc(r->pool, size);
    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&one, sizeof(one));

    one.at_ms = ngx_http_tomo_now_ms(sv->tmcf);
    one.survey = sv->token.target;
    one.rev = sv->form.rev;
    one.friend = sv->token.friend;
    one.delivery = sv->token.delivery;
    one.day = sv->token.day;
    one.check = sv->token.check;
    one.nonce = answers->nonce;

    if (r->headers_in.user_agent) {
        one.ua = ngx_http_tomo_view(&r->headers_in.user_agent->value);
    }

    tomo_buf_init(&b, data, size);
    tomo_answer_put(&b, &one);

    ngx_http_tomo_survey_marks(sv, answers, &b);
    tomo_survey_answers_put(&b, &sv->form, answers);

    *line = tomo_buf_str(&b);

    return b.failed ? NGX_ERROR : NGX_OK;
}


/* NGX_OK: taken, stored() answers; NGX_BUSY, NGX_ERROR: it was not */

static ngx_int_t
ngx_http_tomo_survey_store(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv,
    tomo_str_t line)
{
    tomo_record_t  record;

    ngx_memzero(&record, sizeof(record));
    record.kind = TOMO_ENTRY_answer;
    record.lane = TOMO_LANE_IN;
    record.events = 1;
    record.account = ngx_http_tomo_view(&sv->ctx->account);
    record.body = line;

    return ngx_http_tomo_park(r, &record, ngx_http_tomo_survey_stored, NULL);
}


/*
 * What is wrong with a post, or 0.  A filled trap field is taken as it is:
 * its sender sees a thank you, ingest sets it aside (B52).
 */

static ngx_uint_t
ngx_http_tomo_survey_wrong(ngx_http_tomo_survey_t *sv,
    const tomo_answers_t *answers)
{
    if (answers->trapped) {
        ngx_http_tomo_count(sv->tmcf->zone, survey_trapped);
        return 0;
    }

    if (answers->rev != sv->form.rev) {
        ngx_http_tomo_verdict(sv->ctx, "changed");
        return NGX_HTTP_CONFLICT;
    }

    if (answers->errors) {
        ngx_http_tomo_verdict(sv->ctx, "invalid");
        return 422;
    }

    return 0;
}


ngx_int_t
ngx_http_tomo_survey_take(ngx_http_request_t *r, ngx_http_tomo_survey_t *sv)
{
    tomo_rc_e       read;
    ngx_uint_t      status;
    tomo_str_t      body, line;
    tomo_answers_t  answers;

    if (!sv->form.open) {
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_NOT_FOUND);
    }

    if (ngx_http_tomo_body(r, sv->ctx, &body) != NGX_OK) {
        return ngx_http_tomo_survey_note(r, sv,
                                         NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    read = ngx_http_tomo_survey_read(r, sv, body, &answers);

    if (read == TOMO_FULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (read != TOMO_OK) {
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_BAD_REQUEST);
    }

    status = ngx_http_tomo_survey_wrong(sv, &answers);

    if (status) {
        ngx_http_tomo_count(sv->tmcf->zone, survey_invalid);
        return ngx_http_tomo_survey_page(r, sv, &answers, status);
    }

    if (ngx_http_tomo_survey_line(r, sv, &answers, body.len, &line)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_tomo_survey_store(r, sv, line) != NGX_OK) {
        return ngx_http_tomo_survey_note(r, sv,
                                         NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_tomo_survey_stored(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_tomo_ctx_t     *ctx;
    ngx_http_tomo_survey_t  *sv;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    sv = ctx->handler;

    if (rc != NGX_OK) {
        return ngx_http_tomo_survey_note(r, sv, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_http_tomo_count(sv->tmcf->zone, survey_answered);
    ngx_http_tomo_verdict(ctx, "accepted");
    ctx->events = 1;

    return ngx_http_tomo_survey_taken(r, sv);
}
