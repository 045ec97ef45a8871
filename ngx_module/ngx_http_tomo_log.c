/*
 * ngx_http_tomo_log: error.log without request lines, and a rate limit.
 */

#include "ngx_http_tomo_log.h"
#include "ngx_http_tomo_zone.h"

#define NGX_HTTP_TOMO_LOG_LINES  10     /* a second and worker */


static u_char *ngx_http_tomo_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static u_char *ngx_http_tomo_log_sealed(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);


ngx_int_t
ngx_http_tomo_log_phase(ngx_http_request_t *r)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    if (r->log_handler != ngx_http_tomo_log_handler
        && r->log_handler != ngx_http_tomo_log_sealed)
    {
        tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
        tmcf->log_next = r->log_handler;
        r->log_handler = ngx_http_tomo_log_handler;
    }

    return NGX_DECLINED;
}


void
ngx_http_tomo_log_seal(ngx_http_request_t *r)
{
    r->log_handler = ngx_http_tomo_log_sealed;
}


static u_char *
ngx_http_tomo_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    ngx_http_tomo_loc_conf_t   *tlcf;
    ngx_http_tomo_main_conf_t  *tmcf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tomo_module);

    if (tlcf->name.len == 0) {
        tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
        return tmcf->log_next(r, sr, buf, len);
    }

    return ngx_http_tomo_log_sealed(r, sr, buf, len);
}


static u_char *
ngx_http_tomo_log_sealed(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char                    *p;
    ngx_http_tomo_ctx_t       *ctx;
    ngx_http_core_srv_conf_t  *cscf;
    ngx_http_tomo_loc_conf_t  *tlcf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tomo_module);

    p = ngx_snprintf(buf, len, ", server: %V, method: %V, tomo: %V",
                     &cscf->server_name, &r->main->method_name, &tlcf->name);
    len -= (size_t) (p - buf);
    buf = p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);

    if (ctx && ctx->account.len) {
        p = ngx_snprintf(buf, len, ", account: %V", &ctx->account);
    }

    return p;
}


ngx_uint_t
ngx_http_tomo_log_allowed(ngx_http_tomo_main_conf_t *tmcf)
{
    if (tmcf->log_second != ngx_time()) {
        tmcf->log_second = ngx_time();
        tmcf->log_lines = 0;
    }

    if (tmcf->log_lines++ < NGX_HTTP_TOMO_LOG_LINES) {
        return 1;
    }

    ngx_http_tomo_count(tmcf->zone, log_limited);

    return 0;
}
