/*
 * GET /r/TOKEN: opens the token, finds the link, records the click without
 * waiting for it, and sends the visitor on.  Nothing but the token decides
 * where to: no parameter, no header.
 */

#include "ngx_http_tomo_hot.h"
#include "ngx_http_tomo_journal.h"
#include "ngx_http_tomo_lookup.h"
#include "ngx_http_tomo_pace.h"
#include "tomo_agent.h"
#include "tomo_feed.h"
#include "tomo_survey.h"


#define NGX_HTTP_TOMO_UA_MAX  256


static ngx_int_t ngx_http_tomo_redirect_answer(ngx_http_request_t *r,
    ngx_int_t rc, tomo_str_t value, const tomo_token_t *token);


static ngx_int_t
ngx_http_tomo_redirect_page(ngx_http_request_t *r, ngx_uint_t status,
    void (*put)(tomo_buf_t *b))
{
    u_char      *data;
    ngx_str_t    referrer = ngx_string("no-referrer");
    tomo_buf_t   b;

    data = ngx_palloc(r->pool, TOMO_SURVEY_NOTE_MAX);
    if (data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tomo_buf_init(&b, data, TOMO_SURVEY_NOTE_MAX);
    put(&b);

    if (b.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tomo_send_page(r, status, referrer, tomo_buf_str(&b));
}


/* unknown, forged, closed: all the same to whoever asks */

static ngx_int_t
ngx_http_tomo_redirect_gone(ngx_http_request_t *r)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    ngx_http_tomo_count(tmcf->zone, redirect_unknown);

    return ngx_http_tomo_redirect_page(r, NGX_HTTP_NOT_FOUND,
                                       tomo_survey_link_gone);
}


static ngx_int_t
ngx_http_tomo_redirect_busy(ngx_http_request_t *r)
{
    ngx_http_tomo_ctx_t        *ctx;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    ngx_http_tomo_count(tmcf->zone, redirect_unavailable);

    ctx = ngx_http_tomo_ctx(r);
    if (ctx) {
        ngx_http_tomo_verdict(ctx, "unavailable");
    }

    return ngx_http_tomo_redirect_page(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       tomo_survey_link_busy);
}


static tomo_str_t
ngx_http_tomo_redirect_purpose(ngx_http_request_t *r)
{
    ngx_uint_t        i, k;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  names[] = {
        ngx_string("purpose"), ngx_string("sec-purpose"), ngx_string("x-moz"),
        ngx_null_string
    };

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return tomo_str_null;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        for (k = 0; names[k].len; k++) {
            if (h[i].key.len == names[k].len
                && ngx_strncmp(h[i].lowcase_key, names[k].data, names[k].len)
                   == 0)
            {
                return ngx_http_tomo_view(&h[i].value);
            }
        }
    }
}


static void
ngx_http_tomo_redirect_count(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_ctx_t *ctx, tomo_visit_e visit)
{
    ngx_http_tomo_count(tz, redirect_served);

    switch (visit) {
    case TOMO_VISIT_HUMAN:
        ngx_http_tomo_verdict(ctx, "redirected");
        ngx_http_tomo_count(tz, click_human);
        break;
    case TOMO_VISIT_HEAD:
        ngx_http_tomo_verdict(ctx, "head");
        ngx_http_tomo_count(tz, click_head);
        break;
    case TOMO_VISIT_PREFETCH:
        ngx_http_tomo_verdict(ctx, "prefetch");
        ngx_http_tomo_count(tz, click_prefetch);
        break;
    default:
        ngx_http_tomo_verdict(ctx, "preview");
        ngx_http_tomo_count(tz, click_preview);
        break;
    }
}


/* the click is told to the journal; nobody waits for it */

static void
ngx_http_tomo_redirect_click(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    const tomo_token_t *token)
{
    tomo_click_t                click;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    ngx_memzero(&click, sizeof(tomo_click_t));
    click.at_ms = ngx_http_tomo_now_ms(tmcf);
    click.link = token->target;
    click.friend = token->friend;
    click.delivery = token->delivery;
    click.day = token->day;
    click.check = token->check;

    if (r->headers_in.user_agent) {
        click.ua = ngx_http_tomo_view(&r->headers_in.user_agent->value);
    }

    click.visit = tomo_agent_visit(r->method == NGX_HTTP_HEAD, click.ua,
                                   ngx_http_tomo_redirect_purpose(r));
    click.ua.len = ngx_min(click.ua.len, NGX_HTTP_TOMO_UA_MAX);

    if (tmcf->click_address) {
        click.addr = ngx_http_tomo_view(&r->connection->addr_text);
    }

    /* a link without a friend is many people's; fetchers are no person */
    click.flood = token->friend && click.visit == TOMO_VISIT_HUMAN
                  ? (uint32_t) ngx_http_tomo_pace_flood(tmcf, token) : 0;

    if (click.flood) {
        ngx_http_tomo_count(tmcf->zone, click_flood);
    }

    ngx_http_tomo_redirect_count(tmcf->zone, ctx, click.visit);

    if (tmcf->journal == NULL
        || ngx_http_tomo_journal_click(tmcf->journal,
                                       ngx_http_tomo_view(&ctx->account),
                                       &click)
           != NGX_OK)
    {
        ngx_http_tomo_count(tmcf->zone, click_dropped);
    }
}


static ngx_int_t
ngx_http_tomo_redirect_location(ngx_http_request_t *r, ngx_str_t url)
{
    ngx_str_t         none = ngx_string("no-referrer");
    ngx_str_t         store = ngx_string("no-store");
    ngx_table_elt_t  *location;

    location = ngx_list_push(&r->headers_out.headers);
    if (location == NULL) {
        return NGX_ERROR;
    }

    /* not headers_out.location: nginx would rewrite a relative one */
    location->hash = 1;
    ngx_str_set(&location->key, "Location");
    location->value = url;
#if (nginx_version >= 1023000)
    location->next = NULL;
#endif

    if (ngx_http_tomo_header(r, "Cache-Control", store) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tomo_header(r, "Referrer-Policy", none);
}


static ngx_int_t
ngx_http_tomo_redirect_go(ngx_http_request_t *r, tomo_str_t url,
    const tomo_token_t *token)
{
    ngx_str_t             to;
    ngx_http_tomo_ctx_t  *ctx;

    ctx = ngx_http_tomo_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    to.data = (u_char *) url.data;
    to.len = url.len;

    if (ngx_http_tomo_redirect_location(r, to) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_tomo_redirect_click(r, ctx, token);

    r->headers_out.status = NGX_HTTP_MOVED_TEMPORARILY;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


/* a link that came from the table will be asked for again */

static void
ngx_http_tomo_redirect_keep(ngx_http_request_t *r, tomo_str_t url,
    const tomo_token_t *token)
{
    ngx_http_tomo_ctx_t        *ctx;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    ctx = ngx_http_tomo_ctx(r);

    if (tmcf->ship == NULL || ctx == NULL || ctx->handler == NULL) {
        return;
    }

    ngx_http_tomo_hot_put(tmcf->ship->hot, tmcf->zone,
                          *(ngx_atomic_uint_t *) ctx->handler, token->account,
                          token->target, &ctx->account, url);
}


/* a link many people tap: NGX_DECLINED when this worker does not know it */

static ngx_int_t
ngx_http_tomo_redirect_hot(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    const tomo_token_t *token)
{
    u_char                          *p;
    tomo_str_t                       url;
    ngx_http_tomo_main_conf_t       *tmcf;
    const ngx_http_tomo_hot_link_t  *hot;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    if (tmcf->ship == NULL) {
        return NGX_DECLINED;
    }

    hot = ngx_http_tomo_hot_find(tmcf->ship->hot, tmcf->zone, token->account,
                                 token->target);
    if (hot == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, hot->id_len + hot->url.len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->account.data = p;
    ctx->account.len = hot->id_len;
    ctx->friend = token->friend;
    ctx->link = token->target;

    p = ngx_cpymem(p, hot->id, hot->id_len);
    url = tomo_str_n(p, hot->url.len);
    ngx_memcpy(p, hot->url.data, hot->url.len);

    return ngx_http_tomo_redirect_go(r, url, token);
}


/* the value of the link is here, or why it is not */

static ngx_int_t
ngx_http_tomo_redirect_answer(ngx_http_request_t *r, ngx_int_t rc,
    tomo_str_t value, const tomo_token_t *token)
{
    u_char        *memory;
    size_t         size;
    tomo_link_t    link;
    tomo_arena_t   arena;

    if (rc == NGX_DECLINED) {
        return ngx_http_tomo_redirect_gone(r);
    }

    if (rc != NGX_OK) {
        return rc == NGX_BUSY ? ngx_http_tomo_redirect_busy(r)
                              : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* fields, and the decoded URL, which is shorter than the line */
    size = value.len + 512;
    memory = ngx_palloc(r->pool, size);
    if (memory == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tomo_arena_init(&arena, memory, size);

    /* tomo_link_parse takes no URL that tomo_link_url_ok refuses (B31) */
    if (tomo_link_parse(value, &arena, &link) != TOMO_OK || !link.open) {
        return ngx_http_tomo_redirect_gone(r);
    }

    ngx_http_tomo_redirect_keep(r, link.url, token);

    return ngx_http_tomo_redirect_go(r, link.url, token);
}


static void
ngx_http_tomo_redirect_late(ngx_http_request_t *r, ngx_int_t rc,
    tomo_str_t value, void *data)
{
    ngx_http_finalize_request(r,
        ngx_http_tomo_redirect_answer(r, rc, value, data));
}


static ngx_int_t
ngx_http_tomo_redirect_token(ngx_http_request_t *r, tomo_token_t *token)
{
    ngx_str_t                   segment;
    tomo_rc_e                   rc;
    tomo_str_t                  text;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    segment = ngx_http_tomo_last_segment(r);

    text = ngx_http_tomo_view(&segment);

    /* of the usual length there is nothing to cut; open looks at each sign */
    rc = segment.len == TOMO_TOKEN_LEN ? TOMO_OK
                                       : tomo_token_trim(text, &text);

    if (rc == TOMO_OK) {
        rc = tomo_token_open(&tmcf->keys->tokens, text, token);
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
    if (token->kind != TOMO_TOKEN_LINK
        || token->day > tomo_token_day(ngx_http_tomo_now_ms(tmcf)) + 1)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the link by way of the table, or of Redis */

static ngx_int_t
ngx_http_tomo_redirect_find(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    tomo_token_t *token)
{
    ngx_int_t                   rc;
    tomo_str_t                  value;
    ngx_atomic_uint_t          *generation;
    tomo_table_account_t        account;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    generation = ngx_palloc(r->pool, sizeof(ngx_atomic_uint_t));
    if (generation == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *generation = tmcf->zone->sh->generation;

    rc = ngx_http_tomo_zone_account_by_number(tmcf->zone, r->pool,
                                              token->account, &account);
    if (rc != NGX_OK) {
        return ngx_http_tomo_redirect_answer(r, rc, tomo_str_null, token);
    }

    ctx->account.data = (u_char *) account.id.data;
    ctx->account.len = account.id.len;
    ctx->friend = token->friend;
    ctx->link = token->target;

    rc = ngx_http_tomo_lookup(r, account.id, TOMO_ITEM_LINK, token->target,
                              ngx_http_tomo_redirect_late, token, &value);

    if (rc == NGX_OK) {
        ctx->handler = generation;

    } else if (rc == NGX_AGAIN) {
        r->main->count++;
        return NGX_DONE;
    }

    return ngx_http_tomo_redirect_answer(r, rc, value, token);
}


ngx_int_t
ngx_http_tomo_redirect_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_str_t             allow = ngx_string("GET, HEAD");
    tomo_token_t         *token;
    ngx_http_tomo_ctx_t  *ctx;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_tomo_header(r, "Allow", allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_tomo_send(r, NGX_HTTP_NOT_ALLOWED, "text/plain",
                                  tomo_str("GET or HEAD only\n"), 0);
    }

    ctx = ngx_http_tomo_ctx(r);
    token = ngx_palloc(r->pool, sizeof(tomo_token_t));

    if (ctx == NULL || token == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_tomo_verdict(ctx, "unknown");

    if (ngx_http_tomo_redirect_token(r, token) != NGX_OK) {
        return ngx_http_tomo_redirect_gone(r);
    }

    rc = ngx_http_tomo_redirect_hot(r, ctx, token);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_tomo_redirect_find(r, ctx, token);
}
