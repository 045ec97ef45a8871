/*
 * ngx_http_tomo_webhook: takes webhooks from LINE: verifies the signature
 * over the raw body, appends it to the journal as it came, and answers 200
 * when it is on disk.  No JSON is parsed here.
 */

#include "ngx_http_tomo_log.h"
#include "ngx_http_tomo_park.h"
#include "tomo_webhook.h"

typedef struct {
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_http_tomo_ctx_t        *ctx;
    uint8_t                     mac[TOMO_MAC_BYTES];    /* in the header */
} ngx_http_tomo_webhook_t;


static ngx_int_t ngx_http_tomo_webhook_headers(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh);
static ngx_int_t ngx_http_tomo_webhook_known(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh);
static void ngx_http_tomo_webhook_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_tomo_webhook_verify(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, tomo_str_t body);
static ngx_int_t ngx_http_tomo_webhook_store(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, tomo_str_t body);
static ngx_int_t ngx_http_tomo_webhook_stored(ngx_http_request_t *r,
    ngx_int_t rc);
static void ngx_http_tomo_webhook_left(ngx_http_request_t *r);
static ngx_int_t ngx_http_tomo_webhook_answer(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, ngx_int_t status);


ngx_int_t
ngx_http_tomo_webhook_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_tomo_ctx_t      *ctx;
    ngx_http_tomo_webhook_t  *wh;

    ctx = ngx_http_tomo_ctx(r);
    wh = ngx_pcalloc(r->pool, sizeof(ngx_http_tomo_webhook_t));
    if (ctx == NULL || wh == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->handler = wh;
    wh->ctx = ctx;
    wh->tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    rc = ngx_http_tomo_webhook_headers(r, wh);

    if (rc == NGX_OK) {
        rc = ngx_http_tomo_webhook_known(r, wh);
    }

    if (rc != NGX_OK) {
        (void) ngx_http_discard_request_body(r);
        return ngx_http_tomo_webhook_answer(r, wh, rc);
    }

    return ngx_http_tomo_body_read(r, ctx, ngx_http_tomo_webhook_body);
}


/*
 * What needs no body is checked first, so that a stranger's is not read.
 * This and the next steps return NGX_OK, or the status of the answer.
 */

static ngx_int_t
ngx_http_tomo_webhook_headers(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh)
{
    ngx_table_elt_t  *signature;

    if (r->method != NGX_HTTP_POST) {
        ngx_http_tomo_count(wh->tmcf->zone, webhook_method);
        ngx_http_tomo_verdict(wh->ctx, "method");
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_http_tomo_request_header(r, "content-encoding", &signature)) {
        ngx_http_tomo_count(wh->tmcf->zone, webhook_encoded);
        ngx_http_tomo_verdict(wh->ctx, "encoded");
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    switch (ngx_http_tomo_request_header(r, "x-line-signature", &signature)) {

    case 0:
        break;

    case 1:
        if (signature->value.len == 0) {
            break;
        }

        if (tomo_webhook_signature(ngx_http_tomo_view(&signature->value),
                                   wh->mac)
            == TOMO_OK)
        {
            return NGX_OK;
        }

        /* fall through */

    default:

        /* of two, neither is picked: a proxy might have added one */

        ngx_http_tomo_count(wh->tmcf->zone, webhook_signature_malformed);
        ngx_http_tomo_verdict(wh->ctx, "signature_malformed");
        return NGX_HTTP_UNAUTHORIZED;
    }

    ngx_http_tomo_count(wh->tmcf->zone, webhook_signature_missing);
    ngx_http_tomo_verdict(wh->ctx, "signature_missing");

    return NGX_HTTP_UNAUTHORIZED;
}


/* is the last segment of the path an account with a secret? */

static ngx_int_t
ngx_http_tomo_webhook_known(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh)
{
    ngx_int_t             rc;
    ngx_str_t             id;
    tomo_table_account_t  account;

    if (wh->tmcf->journal == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    id = ngx_http_tomo_last_segment(r);
    rc = ngx_http_tomo_zone_account(wh->tmcf->zone, &id, &account);

    switch (rc) {

    case NGX_OK:
        wh->ctx->account = id;
        return NGX_OK;

    case NGX_DECLINED:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_account_unknown);
        ngx_http_tomo_verdict(wh->ctx, "account_unknown");
        return NGX_HTTP_UNAUTHORIZED;

    default:
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
}


static void
ngx_http_tomo_webhook_body(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    tomo_str_t                body;
    ngx_http_tomo_ctx_t      *ctx;
    ngx_http_tomo_webhook_t  *wh;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    wh = ctx->handler;

    rc = ngx_http_tomo_body(r, ctx, &body);

    if (rc == NGX_OK) {
        rc = ngx_http_tomo_webhook_verify(r, wh, body);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_tomo_webhook_store(r, wh, body);

        if (rc == NGX_OK) {
            return;                     /* stored() answers */
        }
    }

    ngx_http_finalize_request(r, ngx_http_tomo_webhook_answer(r, wh, rc));
}


static ngx_int_t
ngx_http_tomo_webhook_verify(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, tomo_str_t body)
{
    size_t             n;
    ngx_int_t          rc;
    tomo_str_t         account, secrets[TOMO_WEBHOOK_SECRETS];
    tomo_signature_e   verdict;
    ngx_uint_t         i;
    const char        *word;

    account = ngx_http_tomo_view(&wh->ctx->account);

    for (i = 0, n = 0; i < TOMO_WEBHOOK_SECRETS; i++) {
        rc = ngx_http_tomo_zone_item(wh->tmcf->zone, r->pool, account,
                                     TOMO_ITEM_SECRET, i + 1, &secrets[n]);
        if (rc == NGX_OK) {
            n++;

        } else if (rc != NGX_DECLINED) {
            return NGX_HTTP_SERVICE_UNAVAILABLE;
        }
    }

    verdict = n ? tomo_webhook_verify(&wh->tmcf->keys->hash, wh->mac, &body, 1,
                                      secrets, n)
                : TOMO_SIGNATURE_WRONG;

    switch (verdict) {

    case TOMO_SIGNATURE_OK_FIRST:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_verified);
        return NGX_OK;

    case TOMO_SIGNATURE_OK_SECOND:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_verified_next);
        return NGX_OK;

    default:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_signature_wrong);
        word = tomo_signature_word(verdict);
        wh->ctx->verdict.data = (u_char *) word;
        wh->ctx->verdict.len = ngx_strlen(word);
        return NGX_HTTP_UNAUTHORIZED;
    }
}


static ngx_int_t
ngx_http_tomo_webhook_store(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, tomo_str_t body)
{
    ngx_int_t      rc;
    tomo_record_t  record;

    ngx_memzero(&record, sizeof(record));
    record.kind = TOMO_ENTRY_webhook;
    record.lane = TOMO_LANE_IN;
    record.events = 1;
    record.account = ngx_http_tomo_view(&wh->ctx->account);
    record.body = body;

    rc = ngx_http_tomo_park(r, &record, ngx_http_tomo_webhook_stored,
                            ngx_http_tomo_webhook_left);

    return rc == NGX_OK ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_tomo_webhook_stored(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_tomo_ctx_t      *ctx;
    ngx_http_tomo_webhook_t  *wh;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    wh = ctx->handler;

    if (rc == NGX_BUSY) {
        ngx_http_tomo_count(wh->tmcf->zone, webhook_late);
    }

    return ngx_http_tomo_webhook_answer(r, wh, rc == NGX_OK ? NGX_HTTP_OK
                                            : NGX_HTTP_SERVICE_UNAVAILABLE);
}


static void
ngx_http_tomo_webhook_left(ngx_http_request_t *r)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    ngx_http_tomo_count(tmcf->zone, webhook_abandoned);
}


/*
 * Sends the answer of a status.  401 is the same for an unknown account and
 * for any bad signature: it tells a stranger nothing.
 */

static ngx_int_t
ngx_http_tomo_webhook_answer(ngx_http_request_t *r,
    ngx_http_tomo_webhook_t *wh, ngx_int_t status)
{
    ngx_str_t  allow = ngx_string("POST");

    switch (status) {

    case NGX_HTTP_OK:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_accepted);
        ngx_http_tomo_verdict(wh->ctx, "accepted");
        wh->ctx->events = 1;

        return ngx_http_tomo_send(r, status, "application/json",
                                  tomo_str("{}"), 0);

    case NGX_HTTP_UNAUTHORIZED:
        if (ngx_http_tomo_log_allowed(wh->tmcf)) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "tomo: webhook refused: %V: compare channel secret "
                          "and webhook URL with LINE's console",
                          &wh->ctx->verdict);
        }

        return ngx_http_tomo_send(r, status, "text/plain",
                                  tomo_str("not signed by this channel\n"),
                                  0);

    case NGX_HTTP_NOT_ALLOWED:
        if (ngx_http_tomo_header(r, "Allow", allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_tomo_send(r, status, "text/plain",
                                  tomo_str("POST only\n"), 0);

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        return ngx_http_tomo_send(r, status, "text/plain",
                                  tomo_str("no Content-Encoding\n"), 0);

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_http_tomo_count(wh->tmcf->zone, webhook_unavailable);
        ngx_http_tomo_verdict(wh->ctx, "unavailable");

        return ngx_http_tomo_send(r, status, "text/plain",
                                  tomo_str("cannot be stored now\n"), 1);

    default:
        return status;
    }
}
