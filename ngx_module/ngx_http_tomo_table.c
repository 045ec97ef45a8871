#include "ngx_http_tomo_table.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


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


/* a secret is sealed with one of the edge's keys, bound to its place */

static ngx_int_t
ngx_http_tomo_table_unseal(ngx_http_tomo_main_conf_t *tmcf,
    tomo_str_t account, uint32_t number, tomo_str_t sealed, tomo_arena_t *a,
    tomo_str_t *secret)
{
    void        *memory;
    u_char       aads[TOMO_ACCOUNT_MAX + 32];
    ngx_uint_t   i;
    tomo_buf_t   aad, out;

    tomo_buf_init(&aad, aads, sizeof(aads));
    tomo_buf_c(&aad, "secret|");
    tomo_buf_put(&aad, account);
    tomo_buf_byte(&aad, '|');
    tomo_buf_u64(&aad, number);

    memory = tomo_arena_alloc(a, sealed.len);

    if (memory == NULL || aad.failed || tmcf->keys == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < tmcf->keys->n; i++) {
        tomo_buf_init(&out, memory, sealed.len);

        if (tomo_seal_open(tmcf->keys->seal[i], tomo_buf_str(&aad), sealed,
                           &out)
            == TOMO_OK)
        {
            *secret = tomo_buf_str(&out);
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_tomo_table_item(ngx_http_tomo_main_conf_t *tmcf,
    ngx_http_tomo_fresh_t *fresh, tomo_arena_t *a, tomo_str_t field,
    tomo_str_t value)
{
    uint64_t            n;
    uint32_t            number;
    tomo_rc_e           rc;
    tomo_item_kind_e    kind;
    tomo_table_item_t  *item;

    if (tomo_str_eq(field, tomo_str("version"))) {
        if (tomo_u64_get(value, UINT64_MAX, &n) != TOMO_OK) {
            return NGX_ERROR;
        }

        fresh->account.version = n;
        return NGX_OK;
    }

    if (tomo_str_eq(field, tomo_str("number"))) {
        if (tomo_u64_get(value, (1u << 14) - 1, &n) != TOMO_OK) {
            return NGX_ERROR;
        }

        fresh->account.number = (uint32_t) n;
        return NGX_OK;
    }

    rc = tomo_feed_field_parse(field, &kind, &number);
    if (rc != TOMO_OK) {
        return NGX_ERROR;
    }

    item = &fresh->items[fresh->n_items];
    item->account = fresh->account.id;
    item->kind = kind;
    item->number = number;

    if (kind == TOMO_ITEM_SECRET) {
        if (ngx_http_tomo_table_unseal(tmcf, fresh->account.id, number, value,
                                       a, &item->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        item->value = tomo_arena_dup(a, value);
    }

    if (a->failed) {
        return NGX_ERROR;
    }

    fresh->n_items++;

    return NGX_OK;
}


ngx_http_tomo_fresh_t *
ngx_http_tomo_table_read(ngx_http_tomo_main_conf_t *tmcf, tomo_str_t account,
    const ngx_http_tomo_reply_t *reply, ngx_log_t *log)
{
    size_t                  size;
    ngx_uint_t              i, n;
    tomo_str_t              field, value;
    tomo_arena_t            arena;
    ngx_http_tomo_fresh_t  *fresh;

    n = ngx_http_tomo_reply_n(reply);
    size = sizeof(ngx_http_tomo_fresh_t) + account.len + 64
           + (n / 2 + 1) * (sizeof(tomo_table_item_t) + 16);

    for (i = 1; i < n; i += 2) {
        size += ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i)).len
                + 8;
    }

    fresh = ngx_calloc(size, log);
    if (fresh == NULL) {
        return NULL;
    }

    fresh->size = size;
    tomo_arena_init(&arena, fresh + 1,
                    size - sizeof(ngx_http_tomo_fresh_t));

    fresh->account.id = tomo_arena_dup(&arena, account);
    fresh->items = tomo_arena_array(&arena, n / 2 + 1,
                                    sizeof(tomo_table_item_t));

    if (arena.failed) {
        goto failed;
    }

    for (i = 0; i + 1 < n; i += 2) {
        field = ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i));
        value = ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i + 1));

        if (ngx_http_tomo_table_item(tmcf, fresh, &arena, field, value)
            != NGX_OK)
        {
            fresh->left_out++;
        }
    }

    if (arena.failed || fresh->account.version == 0
        || fresh->account.number == 0)
    {
        goto failed;
    }

    return fresh;

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

        if (tomo_str_eq(f->account.id, account)) {
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

        rb->accounts[rb->n_accounts++] = f->account;
        ngx_memcpy(&rb->items[rb->n_items], f->items,
                   f->n_items * sizeof(tomo_table_item_t));
        rb->n_items += f->n_items;
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
        rb->n_items += f->n_items;
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
