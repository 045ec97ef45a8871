#include "ngx_http_tomo_beat.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


#define NGX_HTTP_TOMO_FEED_AGAIN_MS  2000   /* after a refusal */


static void ngx_http_tomo_feed_tick(ngx_event_t *ev);


ngx_int_t
ngx_http_tomo_feed_start(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_feed_t  *feed;

    feed = ngx_pcalloc(ship->pool, sizeof(ngx_http_tomo_feed_t));
    if (feed == NULL) {
        return NGX_ERROR;
    }

    feed->ship = ship;
    ngx_queue_init(&feed->accounts);
    ngx_queue_init(&feed->fresh);

    if (ngx_http_tomo_saver_init(&feed->saver, ship->tmcf, ship->pool,
                                 ship->log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    feed->timer.handler = ngx_http_tomo_feed_tick;
    feed->timer.data = feed;
    feed->timer.log = ship->log;
    feed->timer.cancelable = 1;
    ngx_add_timer(&feed->timer, 20);

    ship->feed = feed;

    return NGX_OK;
}


/* what was read and is not in the table yet */

static void
ngx_http_tomo_feed_drop(ngx_http_tomo_feed_t *feed)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&feed->fresh)) {
        q = ngx_queue_head(&feed->fresh);
        ngx_queue_remove(q);
        ngx_http_tomo_table_free(ngx_queue_data(q, ngx_http_tomo_fresh_t,
                                                queue));
    }
}


void
ngx_http_tomo_feed_stop(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_feed_t  *feed;

    feed = ship->feed;
    if (feed == NULL) {
        return;
    }

    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    if (feed->elected) {
        ngx_http_tomo_zone_resign(ship->tmcf->zone);
        feed->elected = 0;
    }

    ngx_http_tomo_feed_drop(feed);
}


static ngx_http_tomo_feed_account_t *
ngx_http_tomo_feed_account(ngx_http_tomo_feed_t *feed, tomo_str_t id)
{
    ngx_queue_t                   *q;
    ngx_http_tomo_feed_account_t  *account;

    for (q = ngx_queue_head(&feed->accounts);
         q != ngx_queue_sentinel(&feed->accounts);
         q = ngx_queue_next(q))
    {
        account = ngx_queue_data(q, ngx_http_tomo_feed_account_t, queue);

        if (tomo_str_eq(tomo_str_n(account->id, account->len), id)) {
            return account;
        }
    }

    account = ngx_calloc(sizeof(ngx_http_tomo_feed_account_t),
                         feed->ship->log);
    if (account == NULL) {
        return NULL;
    }

    account->feed = feed;
    account->len = id.len;
    ngx_memcpy(account->id, id.data, id.len);
    ngx_queue_insert_tail(&feed->accounts, &account->queue);
    feed->n++;

    return account;
}


static void
ngx_http_tomo_feed_failed(ngx_http_tomo_feed_t *feed, tomo_str_t account,
    const char *why)
{
    ngx_str_t  id;

    id.data = (u_char *) account.data;
    id.len = account.len;

    ngx_http_tomo_count(feed->ship->tmcf->zone, feed_errors);
    ngx_log_error(NGX_LOG_ERR, feed->ship->log, 0,
                  "tomo: feed of account \"%V\": %s", &id, why);
}


/* puts the queue of fresh feeds into the table; alone when they disagree */

static void
ngx_http_tomo_feed_publish(ngx_http_tomo_feed_t *feed, ngx_queue_t *fresh,
    ngx_uint_t n)
{
    ngx_int_t               rc;
    ngx_queue_t             one, *q;
    ngx_http_tomo_fresh_t  *f;

    rc = ngx_http_tomo_table_apply(feed->ship->tmcf, fresh, feed->ship->log);

    while (!ngx_queue_empty(fresh)) {
        q = ngx_queue_head(fresh);
        f = ngx_queue_data(q, ngx_http_tomo_fresh_t, queue);
        ngx_queue_remove(q);

        if (rc != NGX_OK && n > 1) {
            ngx_queue_init(&one);
            ngx_queue_insert_tail(&one, q);
            ngx_http_tomo_feed_publish(feed, &one, 1);
            continue;
        }

        if (rc == NGX_OK) {
            ngx_http_tomo_count(feed->ship->tmcf->zone, feed_applied);
            feed->saver.dirty = 1;
        } else {
            ngx_http_tomo_feed_failed(feed, f->feed.account.id,
                rc == NGX_DECLINED
                ? "contradicts the table: two accounts of one number?"
                : "does not fit: enlarge tomo_zone");
        }

        ngx_http_tomo_table_free(f);
    }
}


static void
ngx_http_tomo_feed_apply(ngx_http_tomo_feed_t *feed)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;

    n = 0;

    for (q = ngx_queue_head(&feed->fresh);
         q != ngx_queue_sentinel(&feed->fresh); q = ngx_queue_next(q))
    {
        n++;
    }

    if (n == 0) {
        return;
    }

    /* the office may have been lost while Redis answered */
    feed->elected = ngx_http_tomo_zone_elected(feed->ship->tmcf->zone);

    if (!feed->elected) {
        ngx_http_tomo_feed_drop(feed);
        return;
    }

    ngx_http_tomo_feed_publish(feed, &feed->fresh, n);

    if (ngx_http_tomo_redis_up(feed->ship->redis)) {
        ngx_http_tomo_feed_beat(feed);
    }
}


static void
ngx_http_tomo_feed_read(const ngx_http_tomo_reply_t *reply, void *data)
{
    tomo_str_t                     id;
    ngx_http_tomo_feed_t          *feed;
    ngx_http_tomo_fresh_t         *fresh;
    ngx_http_tomo_feed_account_t  *account = data;

    feed = account->feed;
    account->asked = 0;
    feed->asked--;
    id = tomo_str_n(account->id, account->len);

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_ARRAY:
        if (ngx_http_tomo_reply_n(reply) == 0) {
            break;              /* taken away since its version was read */
        }

        fresh = ngx_http_tomo_table_read(feed->ship->tmcf, id, reply,
                                         feed->ship->log);
        if (fresh == NULL) {
            ngx_http_tomo_feed_failed(feed, id, "is no feed: version or "
                                      "number are missing; check the worker");
            break;
        }

        if (fresh->feed.left_out) {
            ngx_http_tomo_feed_failed(feed, id, "has items that cannot be "
                                      "read: is tomo_key_file the worker's "
                                      "edge_key?");
        }

        ngx_queue_insert_tail(&feed->fresh, &fresh->queue);
        break;

    case NGX_HTTP_TOMO_REPLY_ERROR:
        account->again = ngx_current_msec + NGX_HTTP_TOMO_FEED_AGAIN_MS;
        account->again += account->again == 0;
        ngx_http_tomo_feed_failed(feed, id, "redis refused HGETALL: check "
                                  "the rights of the redis user");
        break;

    case NGX_HTTP_TOMO_REPLY_LOST:
        account->tried = 0;
        break;

    default:
        ngx_http_tomo_redis_surprise(feed->ship->redis,
                                     "HGETALL answered oddly");
        break;
    }

    if (feed->asked == 0) {
        ngx_http_tomo_feed_apply(feed);
    }
}


static void
ngx_http_tomo_feed_get(ngx_http_tomo_feed_account_t *account)
{
    u_char      keys[TOMO_KEY_MAX];
    tomo_buf_t  key;
    tomo_str_t  argv[2];

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_feed(&key, tomo_str_n(account->id, account->len));

    argv[0] = tomo_str("HGETALL");
    argv[1] = tomo_buf_str(&key);

    if (ngx_http_tomo_redis_send(account->feed->ship->redis, argv, 2,
                                 ngx_http_tomo_feed_read, account)
        == NGX_OK)
    {
        account->asked = 1;
        account->feed->asked++;
    }
}


static void
ngx_http_tomo_feed_version(const ngx_http_tomo_reply_t *reply, void *data)
{
    uint64_t                       version;
    ngx_str_t                      id;
    ngx_http_tomo_feed_t          *feed;
    tomo_table_account_t           known;
    ngx_http_tomo_feed_account_t  *account = data;

    feed = account->feed;
    feed->polls--;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_STRING:
        break;

    case NGX_HTTP_TOMO_REPLY_LOST:
    case NGX_HTTP_TOMO_REPLY_NIL:       /* an emptied Redis: serve what was */
    case NGX_HTTP_TOMO_REPLY_ERROR:
        return;

    default:
        ngx_http_tomo_redis_surprise(feed->ship->redis,
                                     "HGET answered oddly");
        return;
    }

    if (account->again
        && (ngx_msec_int_t) (account->again - ngx_current_msec) <= 0)
    {
        account->again = 0;
        account->tried = 0;
    }

    if (tomo_u64_get(ngx_http_tomo_reply_str(reply), UINT64_MAX, &version)
            != TOMO_OK
        || version == account->tried || account->asked)
    {
        return;
    }

    id.data = account->id;
    id.len = account->len;

    if (ngx_http_tomo_zone_account(feed->ship->tmcf->zone, &id, &known)
            == NGX_OK
        && known.version == version)
    {
        return;
    }

    account->tried = version;
    ngx_http_tomo_feed_get(account);
}


static void
ngx_http_tomo_feed_poll(ngx_http_tomo_feed_account_t *account)
{
    u_char      keys[TOMO_KEY_MAX];
    tomo_buf_t  key;
    tomo_str_t  argv[3];

    tomo_buf_init(&key, keys, sizeof(keys));
    tomo_key_feed(&key, tomo_str_n(account->id, account->len));

    argv[0] = tomo_str("HGET");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_str("version");

    if (ngx_http_tomo_redis_send(account->feed->ship->redis, argv, 3,
                                 ngx_http_tomo_feed_version, account)
        == NGX_OK)
    {
        account->feed->polls++;
    }
}


static void
ngx_http_tomo_feed_listed(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_uint_t                     i, n;
    tomo_str_t                     id;
    ngx_http_tomo_feed_t          *feed = data;
    ngx_http_tomo_feed_account_t  *account;

    feed->polls--;

    if (ngx_http_tomo_reply_kind(reply) != NGX_HTTP_TOMO_REPLY_ARRAY) {
        if (reply && ngx_http_tomo_reply_kind(reply)
                     != NGX_HTTP_TOMO_REPLY_ERROR)
        {
            ngx_http_tomo_redis_surprise(feed->ship->redis,
                                         "SMEMBERS answered oddly");
        }

        return;
    }

    n = feed->n;

    for (i = 0; i < ngx_http_tomo_reply_n(reply); i++) {
        id = ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i));

        if (!tomo_keys_account_ok(id)) {
            ngx_http_tomo_count(feed->ship->tmcf->zone, feed_errors);
            continue;
        }

        account = ngx_http_tomo_feed_account(feed, id);

        if (account && feed->n > n) {
            n = feed->n;
            ngx_http_tomo_feed_poll(account);       /* new: at once */
        }
    }
}


static void
ngx_http_tomo_feed_round(ngx_http_tomo_feed_t *feed)
{
    tomo_str_t    argv[2];
    ngx_queue_t  *q;

    argv[0] = tomo_str("SMEMBERS");
    argv[1] = tomo_str(TOMO_KEY_ACCOUNTS);

    if (ngx_http_tomo_redis_send(feed->ship->redis, argv, 2,
                                 ngx_http_tomo_feed_listed, feed)
        == NGX_OK)
    {
        feed->polls++;
    }

    for (q = ngx_queue_head(&feed->accounts);
         q != ngx_queue_sentinel(&feed->accounts);
         q = ngx_queue_next(q))
    {
        ngx_http_tomo_feed_poll(ngx_queue_data(q,
                                    ngx_http_tomo_feed_account_t, queue));
    }

    ngx_http_tomo_feed_beat(feed);
}


/*
 * What was read under an earlier office was thrown away, and who held it since
 * may have gone before it came to that version: nothing counts as tried.
 */

static void
ngx_http_tomo_feed_anew(ngx_http_tomo_feed_t *feed)
{
    ngx_queue_t                   *q;
    ngx_http_tomo_feed_account_t  *account;

    for (q = ngx_queue_head(&feed->accounts);
         q != ngx_queue_sentinel(&feed->accounts);
         q = ngx_queue_next(q))
    {
        account = ngx_queue_data(q, ngx_http_tomo_feed_account_t, queue);
        account->tried = 0;
    }
}


static void
ngx_http_tomo_feed_tick(ngx_event_t *ev)
{
    ngx_uint_t             elected;
    ngx_http_tomo_feed_t  *feed = ev->data;

    ngx_add_timer(ev, NGX_HTTP_TOMO_FEED_MS);
    ngx_http_tomo_ship_tell(feed->ship);

    elected = ngx_http_tomo_zone_elected(feed->ship->tmcf->zone);

    if (elected && !feed->elected) {
        feed->saver.dirty = 1;  /* the one before may not have come to it */
        ngx_http_tomo_feed_anew(feed);
    }

    feed->elected = elected;

    if (!elected) {
        return;
    }

    if (ngx_http_tomo_redis_up(feed->ship->redis) && feed->polls == 0
        && feed->asked == 0)
    {
        ngx_http_tomo_feed_round(feed);
    }

    ngx_http_tomo_saver_tick(&feed->saver);
}
