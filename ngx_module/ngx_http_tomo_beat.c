#include "ngx_http_tomo_beat.h"


static void
ngx_http_tomo_feed_beaten(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_http_tomo_feed_t  *feed = data;

    feed->polls--;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_INTEGER:
        ngx_http_tomo_redis_proved(feed->ship->redis);
        break;

    case NGX_HTTP_TOMO_REPLY_LOST:
    case NGX_HTTP_TOMO_REPLY_ERROR:
        break;                  /* the shipper tells why, if it matters */

    default:
        ngx_http_tomo_redis_surprise(feed->ship->redis,
                                     "HSET answered oddly");
        break;
    }
}


/*
 * "at=MS versions=a:12,b:3 waiting=0 keep=259200 keys=2,1": what this edge
 * has, for the worker
 */

static void
ngx_http_tomo_beat_put(ngx_http_tomo_feed_t *feed, tomo_buf_t *b)
{
    ngx_str_t                      id;
    ngx_uint_t                     n;
    ngx_queue_t                   *q;
    ngx_http_tomo_zone_t          *tz;
    tomo_table_account_t           known;
    ngx_http_tomo_balance_t        balance;
    ngx_http_tomo_feed_account_t  *account;

    tz = feed->ship->tmcf->zone;

    tomo_buf_c(b, "at=");
    tomo_buf_i64(b, (int64_t) ngx_time() * 1000
                    + (int64_t) ngx_timeofday()->msec);
    tomo_buf_c(b, " versions=");
    n = 0;

    for (q = ngx_queue_head(&feed->accounts);
         q != ngx_queue_sentinel(&feed->accounts);
         q = ngx_queue_next(q))
    {
        account = ngx_queue_data(q, ngx_http_tomo_feed_account_t, queue);
        id.data = account->id;
        id.len = account->len;

        if (ngx_http_tomo_zone_account(tz, &id, &known) != NGX_OK) {
            continue;
        }

        tomo_buf_c(b, n++ ? "," : "");
        tomo_buf_put(b, known.id);
        tomo_buf_byte(b, ':');
        tomo_buf_u64(b, known.version);
    }

    ngx_http_tomo_zone_balance(tz, &balance);
    tomo_buf_c(b, " waiting=");
    tomo_buf_u64(b, balance.waiting);
    tomo_buf_c(b, " keep=");
    tomo_buf_u64(b, (uint64_t) feed->ship->tmcf->journal_conf->keep);

    if (feed->ship->tmcf->keys) {
        tomo_buf_c(b, " keys=");

        for (n = 0; n < feed->ship->tmcf->keys->n; n++) {
            tomo_buf_c(b, n ? "," : "");
            tomo_buf_u64(b, feed->ship->tmcf->keys->tokens.keys[n].id);
        }
    }
}


void
ngx_http_tomo_feed_beat(ngx_http_tomo_feed_t *feed)
{
    u_char      *text, ids[16];
    size_t       size;
    tomo_buf_t   b, edge;
    tomo_str_t   argv[4];

    size = 192 + feed->n * (TOMO_ACCOUNT_MAX + 24);

    text = ngx_alloc(size, feed->ship->log);
    if (text == NULL) {
        return;
    }

    tomo_buf_init(&b, text, size);
    ngx_http_tomo_beat_put(feed, &b);

    tomo_buf_init(&edge, ids, sizeof(ids));
    tomo_buf_hex64(&edge, feed->ship->tmcf->zone->sh->edge_id);

    argv[0] = tomo_str("HSET");
    argv[1] = tomo_str(TOMO_KEY_EDGES);
    argv[2] = tomo_buf_str(&edge);
    argv[3] = tomo_buf_str(&b);

    if (!b.failed
        && ngx_http_tomo_redis_send(feed->ship->redis, argv, 4,
                                    ngx_http_tomo_feed_beaten, feed)
           == NGX_OK)
    {
        feed->polls++;
    }

    ngx_free(text);
}
