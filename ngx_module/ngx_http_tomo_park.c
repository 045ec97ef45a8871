/*
 * ngx_http_tomo_park: requests that wait for the journal.
 */

#include "ngx_http_tomo_park.h"

typedef struct {
    ngx_http_tomo_waiter_t      waiter;
    ngx_http_request_t         *request;
    ngx_http_tomo_main_conf_t  *tmcf;
    ngx_http_tomo_parked_pt     stored;
    ngx_http_tomo_left_pt       left;
} ngx_http_tomo_park_t;


static void
ngx_http_tomo_park_stored(ngx_http_tomo_waiter_t *w, ngx_int_t rc)
{
    ngx_http_tomo_park_t  *park = w->data;
    ngx_http_request_t    *r = park->request;
    ngx_connection_t      *c = r->connection;

    ngx_http_finalize_request(r, park->stored(r, rc));
    ngx_http_run_posted_requests(c);    /* r and park may be gone by now */
}


static void
ngx_http_tomo_park_left(void *data)
{
    ngx_http_tomo_ctx_t   *ctx;
    ngx_http_tomo_park_t  *park = data;

    if (!park->waiter.waiting || park->tmcf->journal == NULL) {
        return;
    }

    ngx_http_tomo_journal_cancel(park->tmcf->journal, &park->waiter);

    ctx = ngx_http_get_module_ctx(park->request, ngx_http_tomo_module);
    ngx_http_tomo_verdict(ctx, "abandoned");

    if (park->left) {
        park->left(park->request);
    }
}


ngx_int_t
ngx_http_tomo_park(ngx_http_request_t *r, tomo_record_t *record,
    ngx_http_tomo_parked_pt stored, ngx_http_tomo_left_pt left)
{
    ngx_int_t              rc;
    ngx_http_cleanup_t    *cln;
    ngx_http_tomo_park_t  *park;

    /* after the append nothing may fail */

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_tomo_park_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    park = cln->data;
    ngx_memzero(park, sizeof(ngx_http_tomo_park_t));

    park->request = r;
    park->tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    park->stored = stored;
    park->left = left;
    park->waiter.handler = ngx_http_tomo_park_stored;
    park->waiter.data = park;

    cln->handler = ngx_http_tomo_park_left;

    if (park->tmcf->journal == NULL) {
        return NGX_BUSY;
    }

    rc = ngx_http_tomo_journal_append(park->tmcf->journal, record,
                                      &park->waiter);
    if (rc != NGX_OK) {
        return rc;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_OK;
}
