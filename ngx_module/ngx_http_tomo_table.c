#include "ngx_http_tomo_table.h"


/* What a rebuild works in; one block, wiped afterwards */
typedef struct {
    u_char                *old;
    u_char                *out;
    size_t                 area;
    tomo_table_account_t  *accounts;
    tomo_table_item_t     *items;
    size_t                 n_accounts;
    size_t                 n_items;
    tomo_arena_t           scratch;
} ngx_http_tomo_rebuild_t;


void
ngx_http_tomo_table_free(ngx_http_tomo_fresh_t *fresh)
{
    tomo_mac_wipe(fresh, fresh->size);
    ngx_free(fresh);
}


ngx_http_tomo_fresh_t *
ngx_http_tomo_table_read(ngx_http_tomo_main_conf_t *tmcf, tomo_str_t account,
    const ngx_http_tomo_reply_t *reply, ngx_log_t *log)
{
    size_t                  size, values;
    ngx_uint_t              i, n;
    tomo_fresh_keys_t       keys;
    ngx_http_tomo_fresh_t  *fresh;

    n = ngx_http_tomo_reply_n(reply);
    values = 0;

    for (i = 1; i < n; i += 2) {
        values += ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply,
                                                                 i)).len;
    }

    size = tomo_fresh_bytes(account, n / 2, values);

    fresh = ngx_calloc(sizeof(ngx_http_tomo_fresh_t) + size, log);
    if (fresh == NULL) {
        return NULL;
    }

    fresh->size = sizeof(ngx_http_tomo_fresh_t) + size;
    tomo_arena_init(&fresh->arena, fresh + 1, size);

    keys.seal = tmcf->keys ? tmcf->keys->seal : NULL;
    keys.n = tmcf->keys ? tmcf->keys->n : 0;

    if (tomo_fresh_begin(&fresh->feed, account, n / 2, &fresh->arena)
        != TOMO_OK)
    {
        goto failed;
    }

    for (i = 0; i + 1 < n; i += 2) {
        tomo_fresh_pair(&fresh->feed, &keys,
            ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i)),
            ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i + 1)));
    }

    if (tomo_fresh_end(&fresh->feed) == TOMO_OK) {
        return fresh;
    }

failed:

    ngx_http_tomo_table_free(fresh);

    return NULL;
}


static ngx_uint_t
ngx_http_tomo_table_is_fresh(ngx_queue_t *fresh, tomo_str_t account)
{
    ngx_queue_t            *q;
    ngx_http_tomo_fresh_t  *f;

    for (q = ngx_queue_head(fresh); q != ngx_queue_sentinel(fresh);
         q = ngx_queue_next(q))
    {
        f = ngx_queue_data(q, ngx_http_tomo_fresh_t, queue);

        if (tomo_str_eq(f->feed.account.id, account)) {
            return 1;
        }
    }

    return 0;
}


/* what the old table says of accounts that stay as they are */

static void
ngx_http_tomo_table_keep(ngx_http_tomo_rebuild_t *rb, tomo_str_t old,
    ngx_queue_t *fresh)
{
    size_t                 i;
    ngx_uint_t             known, is_fresh;
    tomo_str_t             last;
    tomo_table_item_t      item;
    tomo_table_account_t   account;

    for (i = 0; tomo_table_account_at(old, i, &account); i++) {
        if (!ngx_http_tomo_table_is_fresh(fresh, account.id)) {
            rb->accounts[rb->n_accounts++] = account;
        }
    }

    /* items lie sorted by account: one look per account is enough */
    last = tomo_str_null;
    known = 0;
    is_fresh = 0;

    for (i = 0; tomo_table_item_at(old, i, &item); i++) {
        if (!known || !tomo_str_eq(item.account, last)) {
            last = item.account;
            known = 1;
            is_fresh = ngx_http_tomo_table_is_fresh(fresh, last);
        }

        if (!is_fresh) {
            rb->items[rb->n_items++] = item;
        }
    }
}


static void
ngx_http_tomo_table_add(ngx_http_tomo_rebuild_t *rb, ngx_queue_t *fresh)
{
    ngx_queue_t            *q;
    ngx_http_tomo_fresh_t  *f;

    for (q = ngx_queue_head(fresh); q != ngx_queue_sentinel(fresh);
         q = ngx_queue_next(q))
    {
        f = ngx_queue_data(q, ngx_http_tomo_fresh_t, queue);

        rb->accounts[rb->n_accounts++] = f->feed.account;
        ngx_memcpy(&rb->items[rb->n_items], f->feed.items,
                   f->feed.n_items * sizeof(tomo_table_item_t));
        rb->n_items += f->feed.n_items;
    }
}


static void
ngx_http_tomo_table_done(ngx_http_tomo_rebuild_t *rb)
{
    if (rb->old) {
        tomo_mac_wipe(rb->old, rb->area);
        ngx_free(rb->old);
    }

    if (rb->out) {
        tomo_mac_wipe(rb->out, rb->area);
        ngx_free(rb->out);
    }

    if (rb->scratch.data) {
        ngx_free(rb->scratch.data);
    }

    if (rb->items) {
        ngx_free(rb->items);
    }

    if (rb->accounts) {
        ngx_free(rb->accounts);
    }
}


static ngx_int_t
ngx_http_tomo_table_room(ngx_http_tomo_rebuild_t *rb, ngx_log_t *log)
{
    rb->accounts = ngx_alloc((rb->n_accounts + 1)
                             * sizeof(tomo_table_account_t), log);
    rb->items = ngx_alloc((rb->n_items + 1) * sizeof(tomo_table_item_t), log);
    rb->scratch.cap = 65536 + 256 * (rb->n_accounts + rb->n_items);
    rb->scratch.data = ngx_alloc(rb->scratch.cap, log);
    rb->n_accounts = 0;
    rb->n_items = 0;

    return rb->accounts && rb->items && rb->scratch.data ? NGX_OK
                                                         : NGX_ERROR;
}


static void
ngx_http_tomo_table_size(ngx_http_tomo_rebuild_t *rb, tomo_str_t old,
    ngx_queue_t *fresh)
{
    ngx_queue_t            *q;
    tomo_table_item_t       item;
    tomo_table_account_t    account;
    ngx_http_tomo_fresh_t  *f;

    while (tomo_table_account_at(old, rb->n_accounts, &account)) {
        rb->n_accounts++;
    }

    while (tomo_table_item_at(old, rb->n_items, &item)) {
        rb->n_items++;
    }

    for (q = ngx_queue_head(fresh); q != ngx_queue_sentinel(fresh);
         q = ngx_queue_next(q))
    {
        f = ngx_queue_data(q, ngx_http_tomo_fresh_t, queue);

        rb->n_accounts++;
        rb->n_items += f->feed.n_items;
    }
}


ngx_int_t
ngx_http_tomo_table_apply(ngx_http_tomo_main_conf_t *tmcf,
    ngx_queue_t *fresh, ngx_log_t *log)
{
    uint64_t                 generation;
    ngx_int_t                rc;
    tomo_rc_e                built;
    tomo_buf_t               old, out;
    ngx_http_tomo_rebuild_t  rb;

    ngx_memzero(&rb, sizeof(ngx_http_tomo_rebuild_t));
    rb.area = tmcf->zone->area_size;
    rb.old = ngx_alloc(rb.area, log);
    rb.out = ngx_alloc(rb.area, log);
    rc = NGX_ERROR;

    if (rb.old == NULL || rb.out == NULL) {
        goto done;
    }

    tomo_buf_init(&old, rb.old, rb.area);
    generation = 0;

    rc = ngx_http_tomo_zone_copy(tmcf->zone, &old, &generation);

    if (rc == NGX_ERROR) {
        goto done;
    }

    if (rc == NGX_DECLINED) {
        tomo_buf_reset(&old);
    }

    ngx_http_tomo_table_size(&rb, tomo_buf_str(&old), fresh);

    rc = ngx_http_tomo_table_room(&rb, log);
    if (rc != NGX_OK) {
        goto done;
    }

    ngx_http_tomo_table_keep(&rb, tomo_buf_str(&old), fresh);
    ngx_http_tomo_table_add(&rb, fresh);

    tomo_buf_init(&out, rb.out, rb.area);
    built = tomo_table_build(generation + 1, rb.accounts, rb.n_accounts,
                             rb.items, rb.n_items, &rb.scratch, &out);

    if (built != TOMO_OK) {
        rc = built == TOMO_INVALID ? NGX_DECLINED : NGX_ERROR;
        goto done;
    }

    rc = ngx_http_tomo_zone_publish(tmcf->zone, tomo_buf_str(&out));

done:

    ngx_http_tomo_table_done(&rb);

    return rc;
}
