#include "ngx_http_tomo_redis_wire.h"


#define NGX_HTTP_TOMO_REDIS_READ      16384
#define NGX_HTTP_TOMO_REDIS_READS     16        /* then others get a turn */
#define NGX_HTTP_TOMO_REDIS_REPLY     (64 * 1024 * 1024)
#define NGX_HTTP_TOMO_REDIS_ELEMENTS  (4 * 1024 * 1024)
#define NGX_HTTP_TOMO_REDIS_NUMBER    (1 + NGX_SIZE_T_LEN + 2)


/* makes room for len more bytes behind what waits to be sent */

static ngx_int_t
ngx_http_tomo_redis_reserve(ngx_http_tomo_redis_t *redis, size_t len)
{
    u_char  *out;
    size_t   size;

    if (redis->out_sent && redis->out_len + len > redis->out_size) {
        ngx_memmove(redis->out, redis->out + redis->out_sent,
                    redis->out_len - redis->out_sent);
        redis->out_len -= redis->out_sent;
        redis->out_sent = 0;
    }

    if (redis->out_len + len > redis->out_size) {
        size = ngx_max(2 * redis->out_size, redis->out_len + len);
        size = ngx_max(size, 65536);

        out = ngx_alloc(size, redis->log);
        if (out == NULL) {
            return NGX_ERROR;
        }

        if (redis->out) {
            ngx_memcpy(out, redis->out, redis->out_len);
            ngx_free(redis->out);
        }

        redis->out = out;
        redis->out_size = size;
    }

    return NGX_OK;
}


/* "*3\r\n" or "$42\r\n" */

static u_char *
ngx_http_tomo_redis_number(u_char *p, u_char sign, size_t n)
{
    size_t  at;
    u_char  digits[NGX_SIZE_T_LEN];

    at = sizeof(digits);

    do {
        digits[--at] = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    *p++ = sign;
    p = ngx_cpymem(p, digits + at, sizeof(digits) - at);
    *p++ = CR;
    *p++ = LF;

    return p;
}


/* a command as Redis reads it, straight into the connection's buffer */

static ngx_int_t
ngx_http_tomo_redis_append(ngx_http_tomo_redis_t *redis,
    const tomo_str_t *argv, ngx_uint_t argc)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    len = NGX_HTTP_TOMO_REDIS_NUMBER;

    for (i = 0; i < argc; i++) {
        len += NGX_HTTP_TOMO_REDIS_NUMBER + argv[i].len + 2;
    }

    if (ngx_http_tomo_redis_reserve(redis, len) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_http_tomo_redis_number(redis->out + redis->out_len, '*', argc);

    for (i = 0; i < argc; i++) {
        p = ngx_http_tomo_redis_number(p, '$', argv[i].len);

        if (argv[i].len) {
            p = ngx_cpymem(p, argv[i].data, argv[i].len);
        }

        *p++ = CR;
        *p++ = LF;
    }

    redis->stats.bytes += (uint64_t) (p - redis->out) - redis->out_len;
    redis->out_len = (size_t) (p - redis->out);

    return NGX_OK;
}


ngx_int_t
ngx_http_tomo_redis_queue(ngx_http_tomo_redis_t *redis,
    const tomo_str_t *argv, ngx_uint_t argc, ngx_http_tomo_reply_pt handler,
    void *data)
{
    ngx_http_tomo_redis_command_t  *command;

    if (argc == 0
        || ngx_http_tomo_redis_append(redis, argv, argc) != NGX_OK)
    {
        return NGX_ERROR;
    }

    command = &redis->commands[(redis->first + redis->n)
                               % NGX_HTTP_TOMO_REDIS_COMMANDS];
    command->handler = handler;
    command->data = data;
    command->sent = ngx_current_msec;

    if (redis->n++ == 0) {
        if (redis->timer.timer_set) {
            ngx_del_timer(&redis->timer);
        }

        ngx_add_timer(&redis->timer, redis->conf->timeout);
    }

    ngx_post_event(&redis->flush, &ngx_posted_events);

    return NGX_OK;
}


ngx_uint_t
ngx_http_tomo_redis_room(const ngx_http_tomo_redis_t *redis,
    ngx_uint_t commands, size_t bytes)
{
    return redis->n + commands <= NGX_HTTP_TOMO_REDIS_COMMANDS
           && redis->out_len - redis->out_sent + bytes
              <= NGX_HTTP_TOMO_REDIS_BYTES;
}


ngx_int_t
ngx_http_tomo_redis_send(ngx_http_tomo_redis_t *redis,
    const tomo_str_t *argv, ngx_uint_t argc, ngx_http_tomo_reply_pt handler,
    void *data)
{
    if (redis->state != NGX_HTTP_TOMO_REDIS_UP || redis->broken) {
        return NGX_DECLINED;
    }

    if (!ngx_http_tomo_redis_room(redis, 1, 0)) {
        return NGX_AGAIN;
    }

    return ngx_http_tomo_redis_queue(redis, argv, argc, handler, data);
}


ngx_uint_t
ngx_http_tomo_redis_up(const ngx_http_tomo_redis_t *redis)
{
    return redis->state == NGX_HTTP_TOMO_REDIS_UP && redis->broken == NULL;
}


void
ngx_http_tomo_redis_flush(ngx_event_t *ev)
{
    ngx_http_tomo_redis_t  *redis = ev->data;

    if (redis->broken) {
        ngx_http_tomo_redis_drop(redis, redis->broken);
        return;
    }

    if (redis->state == NGX_HTTP_TOMO_REDIS_HELLO
        || redis->state == NGX_HTTP_TOMO_REDIS_UP)
    {
        ngx_http_tomo_redis_write(redis->connection->write);
    }
}


void
ngx_http_tomo_redis_write(ngx_event_t *wev)
{
    ssize_t                 n;
    ngx_connection_t       *c;
    ngx_http_tomo_redis_t  *redis;

    c = wev->data;
    redis = c->data;

    if (redis->state == NGX_HTTP_TOMO_REDIS_CONNECTING) {
        ngx_http_tomo_redis_connected(redis);
        return;
    }

    while (redis->out_sent < redis->out_len) {
        n = c->send(c, redis->out + redis->out_sent,
                    redis->out_len - redis->out_sent);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_tomo_redis_drop(redis, "write failed");
            return;
        }

        redis->out_sent += (size_t) n;
    }

    if (redis->out_sent == redis->out_len) {
        redis->out_sent = 0;
        redis->out_len = 0;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_tomo_redis_drop(redis, "event failed");
    }
}


/*
 * "*2000000000" would have hiredis ask for 16 GB before any element came
 * (B106); no array of ours comes near the limit.
 */

static void *
ngx_http_tomo_redis_array(const redisReadTask *task, int elements)
{
    redisReplyObjectFunctions  *usual = task->privdata;

    if (elements > NGX_HTTP_TOMO_REDIS_ELEMENTS) {
        return NULL;
    }

    return usual->createArray(task, elements);
}


void
ngx_http_tomo_redis_bound(ngx_http_tomo_redis_t *redis)
{
    redis->bounded = *redis->reader->fn;
    redis->bounded.createArray = ngx_http_tomo_redis_array;
    redis->reader->privdata = redis->reader->fn;
    redis->reader->fn = &redis->bounded;
}


/* gives every whole reply to its handler; NGX_ERROR: drop the connection */

static ngx_int_t
ngx_http_tomo_redis_answer(ngx_http_tomo_redis_t *redis)
{
    void                           *reply;
    ngx_http_tomo_redis_command_t   command;

    for ( ;; ) {

        if (redisReaderGetReply(redis->reader, &reply) != REDIS_OK) {
            redis->stats.surprises++;
            redis->broken = "broken reply";
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        if (redis->n == 0) {
            freeReplyObject(reply);
            redis->stats.surprises++;
            redis->broken = "a reply nobody asked for";
            return NGX_ERROR;
        }

        command = redis->commands[redis->first];
        redis->first = (redis->first + 1) % NGX_HTTP_TOMO_REDIS_COMMANDS;
        redis->n--;

        command.handler(reply, command.data);
        freeReplyObject(reply);

        if (redis->broken) {
            return NGX_ERROR;
        }
    }
}


static ngx_msec_int_t
ngx_http_tomo_redis_left(const ngx_http_tomo_redis_t *redis)
{
    return (ngx_msec_int_t) (redis->commands[redis->first].sent
                             + redis->conf->timeout - ngx_current_msec);
}


static void
ngx_http_tomo_redis_rearm(ngx_http_tomo_redis_t *redis)
{
    ngx_msec_int_t  left;

    if (redis->n == 0) {
        if (redis->timer.timer_set) {
            ngx_del_timer(&redis->timer);
        }

        return;
    }

    left = ngx_http_tomo_redis_left(redis);

    ngx_add_timer(&redis->timer, (ngx_msec_t) ngx_max(left, 1));
}


/*
 * nginx moves a timer that is set by 300 ms or more only, so that it may come
 * before the oldest command's time.
 */

ngx_uint_t
ngx_http_tomo_redis_overdue(ngx_http_tomo_redis_t *redis)
{
    if (redis->n && ngx_http_tomo_redis_left(redis) <= 0) {
        return 1;
    }

    ngx_http_tomo_redis_rearm(redis);

    return 0;
}


void
ngx_http_tomo_redis_read(ngx_event_t *rev)
{
    u_char                  buf[NGX_HTTP_TOMO_REDIS_READ];
    ssize_t                 n;
    ngx_uint_t              i;
    ngx_connection_t       *c;
    ngx_http_tomo_redis_t  *redis;

    c = rev->data;
    redis = c->data;

    if (redis->state == NGX_HTTP_TOMO_REDIS_CONNECTING) {
        return;         /* the write event tells the outcome */
    }

    for (i = 0; i < NGX_HTTP_TOMO_REDIS_READS; i++) {

        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_http_tomo_redis_drop(redis, "connection closed");
            return;
        }

        if (redis->reader->len > NGX_HTTP_TOMO_REDIS_REPLY
            || redisReaderFeed(redis->reader, (char *) buf, (size_t) n)
               != REDIS_OK)
        {
            ngx_http_tomo_redis_drop(redis, "reply too large");
            return;
        }

        if (ngx_http_tomo_redis_answer(redis) != NGX_OK) {
            ngx_http_tomo_redis_drop(redis, redis->broken);
            return;
        }
    }

    ngx_http_tomo_redis_rearm(redis);

    if (i == NGX_HTTP_TOMO_REDIS_READS) {
        ngx_post_event(rev, &ngx_posted_next_events);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_tomo_redis_drop(redis, "event failed");
    }
}


