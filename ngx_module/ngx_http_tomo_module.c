/*
 * ngx_http_tomo_module: the module's tables and its life: what happens when
 * configuration was read, when a worker starts and when it ends.
 */

#include "ngx_http_tomo_journal.h"
#include "ngx_http_tomo_log.h"
#include "ngx_http_tomo_zone.h"


static ngx_int_t ngx_http_tomo_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_tomo_init_process(ngx_cycle_t *cycle);
static void ngx_http_tomo_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_tomo_count_phase(ngx_http_request_t *r);


static ngx_http_module_t  ngx_http_tomo_module_ctx = {
    ngx_http_tomo_add_variables,           /* preconfiguration */
    ngx_http_tomo_init,                    /* postconfiguration */

    ngx_http_tomo_create_main_conf,        /* create main configuration */
    ngx_http_tomo_init_main_conf,          /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_tomo_create_loc_conf,         /* create location configuration */
    ngx_http_tomo_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_tomo_module = {
    NGX_MODULE_V1,
    &ngx_http_tomo_module_ctx,             /* module context */
    ngx_http_tomo_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_tomo_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_tomo_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_tomo_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tomo_module);

    if (tmcf->locations == 0) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_tomo_log_phase;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_tomo_count_phase;

    ngx_http_tomo_body_init(tmcf);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tomo_init_process(ngx_cycle_t *cycle)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tomo_module);

    if (tmcf == NULL || tmcf->zone == NULL || tmcf->journal_conf == NULL) {
        return NGX_OK;
    }

    /* The journal starts the shipper, at once or when its disk lets it. */

    if (ngx_http_tomo_journal_init(cycle, tmcf) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "tomo: out of memory: this worker answers webhooks 503");
    }

    return NGX_OK;
}


static void
ngx_http_tomo_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_tomo_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tomo_module);

    if (tmcf == NULL) {
        return;
    }

    ngx_http_tomo_ship_exit(cycle, tmcf);
    ngx_http_tomo_journal_exit(cycle, tmcf);
}


/* what nginx refuses before a handler of ours is asked */

static ngx_int_t
ngx_http_tomo_count_phase(ngx_http_request_t *r)
{
    ngx_http_tomo_loc_conf_t   *tlcf;
    ngx_http_tomo_main_conf_t  *tmcf;

    if (r->headers_out.status != NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        return NGX_OK;
    }

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tomo_module);
    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    if (tlcf->handler == ngx_http_tomo_webhook_handler) {
        ngx_http_tomo_count(tmcf->zone, webhook_too_large);

    } else if (tlcf->handler == ngx_http_tomo_survey_handler) {
        ngx_http_tomo_count(tmcf->zone, survey_refused);
    }

    return NGX_OK;
}
