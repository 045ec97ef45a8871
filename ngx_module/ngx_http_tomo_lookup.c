#include "ngx_http_tomo_lookup.h"
#include "tomo_feed.h"
#include "tomo_keys.h"


#define NGX_HTTP_TOMO_LOOKUP_ID  (TOMO_ACCOUNT_MAX + 32)


struct ngx_http_tomo_lookup_s {
    ngx_http_tomo_ship_t  *ship;
    ngx_rbtree_t           keys;
    ngx_rbtree_node_t      sentinel;
    ngx_queue_t            open;        /* keys that wait for Redis */
    ngx_queue_t            gone;        /* "not there", oldest first */
    ngx_uint_t             n;
};

/*
 * One item somebody asked for.  On `open` while anybody waits or a command is
 * on its way; on `gone` when Redis said there is none.
 */
typedef struct {
    ngx_str_node_t           sn;        /* first: account/kind/number */
    ngx_queue_t              queue;
    ngx_queue_t              waiters;
    ngx_http_tomo_lookup_t  *lookup;
    ngx_event_t              deadline;
    ngx_msec_t               until;     /* gone: when to ask again */
    tomo_item_kind_e         kind;
    uint32_t                 number;
    size_t                   account;   /* length of the account in id */
    unsigned                 sent:1;
    unsigned                 gone:1;
    u_char                   id[NGX_HTTP_TOMO_LOOKUP_ID];
} ngx_http_tomo_lookup_key_t;

/* One request that waits; in its pool */
typedef struct {
    ngx_queue_t              queue;
    ngx_http_request_t      *request;
    ngx_http_tomo_lookup_pt  handler;
    void                    *data;
    unsigned                 waiting:1;
} ngx_http_tomo_lookup_waiter_t;


static void ngx_http_tomo_lookup_watch(void *data, ngx_uint_t up);
static void ngx_http_tomo_lookup_deadline(ngx_event_t *ev);
static void ngx_http_tomo_lookup_send(ngx_http_tomo_lookup_key_t *key);


ngx_int_t
ngx_http_tomo_lookup_start(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_lookup_t  *lookup;

    lookup = ngx_pcalloc(ship->pool, sizeof(ngx_http_tomo_lookup_t));
    if (lookup == NULL) {
        return NGX_ERROR;
    }

    lookup->ship = ship;
    ngx_rbtree_init(&lookup->keys, &lookup->sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&lookup->open);
    ngx_queue_init(&lookup->gone);
    ship->lookup = lookup;

    return ngx_http_tomo_redis_watch(ship->redis, ngx_http_tomo_lookup_watch,
                                     lookup);
}


static void
ngx_http_tomo_lookup_forget(ngx_http_tomo_lookup_key_t *key)
{
    if (key->deadline.timer_set) {
        ngx_del_timer(&key->deadline);
    }

    ngx_queue_remove(&key->queue);
    ngx_rbtree_delete(&key->lookup->keys, &key->sn.node);
    key->lookup->n--;
    ngx_free(key);
}


/*
 * Gives everybody who waits the answer.  Waiters are moved aside first: what
 * a handler causes may wait for the same key again, or end another waiter.
 */

static void
ngx_http_tomo_lookup_finish(ngx_queue_t *from, ngx_int_t rc,
    tomo_str_t value)
{
    ngx_int_t                       answer;
    tomo_str_t                      copy;
    ngx_queue_t                     waiters, *q;
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_tomo_lookup_waiter_t  *w;

    if (ngx_queue_empty(from)) {
        return;
    }

    ngx_queue_init(&waiters);
    ngx_queue_add(&waiters, from);
    ngx_queue_init(from);

    while (!ngx_queue_empty(&waiters)) {
        q = ngx_queue_head(&waiters);
        w = ngx_queue_data(q, ngx_http_tomo_lookup_waiter_t, queue);

        ngx_queue_remove(q);
        w->waiting = 0;

        r = w->request;
        c = r->connection;
        answer = rc;
        copy = tomo_str_null;

        if (rc == NGX_OK) {
            copy.data = ngx_pnalloc(r->pool, value.len ? value.len : 1);
            copy.len = value.len;

            if (copy.data == NULL) {
                answer = NGX_BUSY;
            } else {
                ngx_memcpy((u_char *) copy.data, value.data, value.len);
            }
        }

        w->handler(r, answer, copy, w->data);
        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_http_tomo_lookup_reply(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_queue_t                  waiters;
    ngx_http_tomo_ship_t        *ship;
    ngx_http_tomo_lookup_key_t  *key = data;

    ship = key->lookup->ship;
    key->sent = 0;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_NIL:
        key->gone = 1;
        key->until = ngx_current_msec + NGX_HTTP_TOMO_LOOKUP_GONE_MS;

        if (key->deadline.timer_set) {
            ngx_del_timer(&key->deadline);
        }

        ngx_queue_remove(&key->queue);
        ngx_queue_insert_tail(&key->lookup->gone, &key->queue);
        ngx_http_tomo_lookup_finish(&key->waiters, NGX_DECLINED,
                                    tomo_str_null);
        return;

    case NGX_HTTP_TOMO_REPLY_STRING:
        ngx_http_tomo_count(ship->tmcf->zone, lookup_found);
        break;

    case NGX_HTTP_TOMO_REPLY_ERROR:
        break;

    case NGX_HTTP_TOMO_REPLY_LOST:
        if (!ngx_queue_empty(&key->waiters)) {
            return;             /* asked again when Redis is back in time */
        }

        break;

    default:
        ngx_http_tomo_redis_surprise(ship->redis, "HGET answered oddly");
        break;
    }

    /* the key goes before anybody is told: they may ask anew */
    ngx_queue_init(&waiters);

    if (!ngx_queue_empty(&key->waiters)) {
        ngx_queue_add(&waiters, &key->waiters);
    }

    ngx_http_tomo_lookup_forget(key);

    if (ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_STRING) {
        ngx_http_tomo_lookup_finish(&waiters, NGX_OK,
                                    ngx_http_tomo_reply_str(reply));
    } else {
        ngx_http_tomo_lookup_finish(&waiters, NGX_BUSY, tomo_str_null);
    }
}


static void
ngx_http_tomo_lookup_deadline(ngx_event_t *ev)
{
    ngx_queue_t                  waiters;
    ngx_http_tomo_lookup_key_t  *key = ev->data;

    ngx_queue_init(&waiters);

    if (!ngx_queue_empty(&key->waiters)) {
        ngx_queue_add(&waiters, &key->waiters);
        ngx_queue_init(&key->waiters);
    }

    if (!key->sent) {
        ngx_http_tomo_lookup_forget(key);
    }

    ngx_http_tomo_lookup_finish(&waiters, NGX_BUSY, tomo_str_null);
}


static void
ngx_http_tomo_lookup_send(ngx_http_tomo_lookup_key_t *key)
{
    u_char                 keys[TOMO_KEY_MAX], fields[64];
    tomo_buf_t             name, field;
    tomo_str_t             argv[3];
    ngx_http_tomo_ship_t  *ship;

    ship = key->lookup->ship;

    tomo_buf_init(&name, keys, sizeof(keys));
    tomo_key_feed(&name, tomo_str_n(key->id, key->account));
    tomo_buf_init(&field, fields, sizeof(fields));
    tomo_feed_field_put(&field, key->kind, key->number);

    argv[0] = tomo_str("HGET");
    argv[1] = tomo_buf_str(&name);
    argv[2] = tomo_buf_str(&field);

    if (ngx_http_tomo_redis_send(ship->redis, argv, 3,
                                 ngx_http_tomo_lookup_reply, key)
        == NGX_OK)
    {
        key->sent = 1;
        ngx_http_tomo_count(ship->tmcf->zone, lookup_sent);
    }
}


static void
ngx_http_tomo_lookup_watch(void *data, ngx_uint_t up)
{
    ngx_queue_t                 *q;
    ngx_http_tomo_lookup_t      *lookup = data;
    ngx_http_tomo_lookup_key_t  *key;

    if (!up) {
        return;
    }

    for (q = ngx_queue_head(&lookup->open);
         q != ngx_queue_sentinel(&lookup->open);
         q = ngx_queue_next(q))
    {
        key = ngx_queue_data(q, ngx_http_tomo_lookup_key_t, queue);

        if (!key->sent) {
            ngx_http_tomo_lookup_send(key);
        }
    }
}


/* drops what need not be remembered; NGX_DECLINED: no room for one more */

static ngx_int_t
ngx_http_tomo_lookup_room(ngx_http_tomo_lookup_t *lookup)
{
    ngx_queue_t                 *q;
    ngx_http_tomo_lookup_key_t  *key;

    while (!ngx_queue_empty(&lookup->gone)) {
        q = ngx_queue_head(&lookup->gone);
        key = ngx_queue_data(q, ngx_http_tomo_lookup_key_t, queue);

        if (lookup->n < NGX_HTTP_TOMO_LOOKUP_KEYS
            && (ngx_msec_int_t) (key->until - ngx_current_msec) > 0)
        {
            break;
        }

        ngx_http_tomo_lookup_forget(key);
    }

    return lookup->n < NGX_HTTP_TOMO_LOOKUP_KEYS ? NGX_OK : NGX_DECLINED;
}


static ngx_http_tomo_lookup_key_t *
ngx_http_tomo_lookup_key(ngx_http_tomo_lookup_t *lookup, tomo_str_t account,
    tomo_item_kind_e kind, uint32_t number)
{
    u_char                       id[NGX_HTTP_TOMO_LOOKUP_ID];
    uint32_t                     hash;
    ngx_str_t                    name;
    tomo_buf_t                   b;
    ngx_http_tomo_lookup_key_t  *key;

    tomo_buf_init(&b, id, sizeof(id));
    tomo_buf_put(&b, account);
    tomo_buf_byte(&b, '/');
    tomo_feed_field_put(&b, kind, number);

    if (b.failed) {
        return NULL;
    }

    name.data = id;
    name.len = b.len;
    hash = ngx_crc32_short(name.data, name.len);

    if (ngx_http_tomo_lookup_room(lookup) != NGX_OK) {
        return (ngx_http_tomo_lookup_key_t *)
                   ngx_str_rbtree_lookup(&lookup->keys, &name, hash);
    }

    key = (ngx_http_tomo_lookup_key_t *)
              ngx_str_rbtree_lookup(&lookup->keys, &name, hash);
    if (key) {
        return key;
    }

    key = ngx_calloc(sizeof(ngx_http_tomo_lookup_key_t), lookup->ship->log);
    if (key == NULL) {
        return NULL;
    }

    ngx_memcpy(key->id, id, b.len);
    key->sn.str.data = key->id;
    key->sn.str.len = b.len;
    key->sn.node.key = hash;
    key->lookup = lookup;
    key->kind = kind;
    key->number = number;
    key->account = account.len;
    key->deadline.handler = ngx_http_tomo_lookup_deadline;
    key->deadline.data = key;
    key->deadline.log = lookup->ship->log;

    ngx_queue_init(&key->waiters);
    ngx_rbtree_insert(&lookup->keys, &key->sn.node);
    ngx_queue_insert_tail(&lookup->open, &key->queue);
    lookup->n++;

    return key;
}


/* the request ends, answered or not */

static void
ngx_http_tomo_lookup_leave(void *data)
{
    ngx_http_tomo_lookup_waiter_t  *w = data;

    if (w->waiting) {
        w->waiting = 0;
        ngx_queue_remove(&w->queue);
    }
}


static ngx_int_t
ngx_http_tomo_lookup_park(ngx_http_request_t *r,
    ngx_http_tomo_lookup_key_t *key, ngx_http_tomo_lookup_pt handler,
    void *data)
{
    ngx_http_cleanup_t             *cln;
    ngx_http_tomo_lookup_waiter_t  *w;

    w = ngx_pcalloc(r->pool, sizeof(ngx_http_tomo_lookup_waiter_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (w == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    w->request = r;
    w->handler = handler;
    w->data = data;
    w->waiting = 1;

    cln->handler = ngx_http_tomo_lookup_leave;
    cln->data = w;

    ngx_queue_insert_tail(&key->waiters, &w->queue);

    /* not cancelable: a leaving worker answers those who wait */
    if (!key->deadline.timer_set) {
        ngx_add_timer(&key->deadline, NGX_HTTP_TOMO_LOOKUP_MS);
    }

    if (!key->sent) {
        ngx_http_tomo_lookup_send(key);
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_tomo_lookup(ngx_http_request_t *r, tomo_str_t account,
    tomo_item_kind_e kind, uint32_t number, ngx_http_tomo_lookup_pt handler,
    void *data, tomo_str_t *value)
{
    ngx_int_t                    rc;
    ngx_http_tomo_lookup_key_t  *key;
    ngx_http_tomo_main_conf_t   *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);

    rc = ngx_http_tomo_zone_item(tmcf->zone, r->pool, account, kind, number,
                                 value);

    if (rc == NGX_OK || rc == NGX_ERROR) {
        return rc;
    }

    if (tmcf->ship == NULL) {
        return NGX_BUSY;
    }

    key = ngx_http_tomo_lookup_key(tmcf->ship->lookup, account, kind, number);
    if (key == NULL) {
        return NGX_BUSY;
    }

    if (!key->gone) {
        return ngx_http_tomo_lookup_park(r, key, handler, data);
    }

    if ((ngx_msec_int_t) (key->until - ngx_current_msec) > 0) {
        return NGX_DECLINED;
    }

    key->gone = 0;
    ngx_queue_remove(&key->queue);
    ngx_queue_insert_tail(&key->lookup->open, &key->queue);

    return ngx_http_tomo_lookup_park(r, key, handler, data);
}
