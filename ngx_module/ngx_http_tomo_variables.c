/*
 * ngx_http_tomo_variables: $tomo_account $tomo_friend $tomo_link
 * $tomo_survey $tomo_verdict $tomo_events, for access_log.  A request that
 * is not ours, or does not know yet, has "-" (not found).
 */

#include "ngx_http_tomo_module.h"


static ngx_int_t ngx_http_tomo_variable_string(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tomo_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_tomo_variables[] = {

    { ngx_string("tomo_account"), NULL, ngx_http_tomo_variable_string,
      offsetof(ngx_http_tomo_ctx_t, account), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tomo_verdict"), NULL, ngx_http_tomo_variable_string,
      offsetof(ngx_http_tomo_ctx_t, verdict), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tomo_friend"), NULL, ngx_http_tomo_variable_number,
      offsetof(ngx_http_tomo_ctx_t, friend), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tomo_link"), NULL, ngx_http_tomo_variable_number,
      offsetof(ngx_http_tomo_ctx_t, link), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tomo_survey"), NULL, ngx_http_tomo_variable_number,
      offsetof(ngx_http_tomo_ctx_t, survey), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tomo_events"), NULL, ngx_http_tomo_variable_number,
      offsetof(ngx_http_tomo_ctx_t, events), NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_tomo_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_tomo_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tomo_variable_string(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t            *s;
    ngx_http_tomo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    s = ctx ? (ngx_str_t *) ((u_char *) ctx + data) : NULL;

    if (s == NULL || s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = s->data;
    v->len = (unsigned) s->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tomo_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    uint32_t              n;
    ngx_http_tomo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tomo_module);
    n = ctx ? *(uint32_t *) ((u_char *) ctx + data) : 0;

    if (n == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT32_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = (unsigned) (ngx_snprintf(p, NGX_INT32_LEN, "%uD", n) - p);
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
