#include "ngx_http_tomo_redis_wire.h"


static void ngx_http_tomo_redis_connect(ngx_http_tomo_redis_t *redis);
static void ngx_http_tomo_redis_timer(ngx_event_t *ev);


/* never resolves a name: host is a path or a numeric address */

static ngx_int_t
ngx_http_tomo_redis_address(ngx_http_tomo_redis_t *redis)
{
    u_char              *host;
    size_t               len;
    struct sockaddr_un  *saun;

    host = redis->conf->host.data;
    len = redis->conf->host.len;

    if (redis->conf->port == 0) {
        saun = &redis->sockaddr.sockaddr_un;

        if (len >= sizeof(saun->sun_path)) {
            return NGX_ERROR;
        }

        saun->sun_family = AF_UNIX;
        ngx_memcpy(saun->sun_path, host, len);
        redis->socklen = sizeof(struct sockaddr_un);

        return NGX_OK;
    }

    if (inet_pton(AF_INET, (char *) host,
                  &redis->sockaddr.sockaddr_in.sin_addr) == 1)
    {
        redis->sockaddr.sockaddr_in.sin_family = AF_INET;
        redis->socklen = sizeof(struct sockaddr_in);

    } else if (inet_pton(AF_INET6, (char *) host,
                         &redis->sockaddr.sockaddr_in6.sin6_addr) == 1)
    {
        redis->sockaddr.sockaddr_in6.sin6_family = AF_INET6;
        redis->socklen = sizeof(struct sockaddr_in6);

    } else {
        return NGX_ERROR;
    }

    ngx_inet_set_port(&redis->sockaddr.sockaddr, redis->conf->port);

    return NGX_OK;
}


ngx_http_tomo_redis_t *
ngx_http_tomo_redis_start(const ngx_http_tomo_redis_conf_t *conf,
    ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_http_tomo_redis_t  *redis;

    redis = ngx_pcalloc(pool, sizeof(ngx_http_tomo_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->commands = ngx_palloc(pool, NGX_HTTP_TOMO_REDIS_COMMANDS
                                 * sizeof(ngx_http_tomo_redis_command_t));
    if (redis->commands == NULL) {
        return NULL;
    }

    redis->conf = conf;
    redis->log = log;

    if (ngx_http_tomo_redis_address(redis) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "tomo: redis %V is neither a socket's path (at most 107 "
                      "bytes) nor a numeric address: correct tomo_redis",
                      &conf->host);
        return NULL;
    }

    /*
     * A failed connect is told once per outage, in our own words: a lack of
     * descriptors, which nginx calls an alert at every try, as well.
     */
    redis->quiet = *log;
    redis->quiet.log_level = NGX_LOG_EMERG;

    redis->timer.handler = ngx_http_tomo_redis_timer;
    redis->timer.data = redis;
    redis->timer.log = log;
    redis->flush.handler = ngx_http_tomo_redis_flush;
    redis->flush.data = redis;
    redis->flush.log = log;

    /* the first connect happens in the loop, when all watchers are set */
    redis->timer.cancelable = 1;
    ngx_add_timer(&redis->timer, 1);

    return redis;
}


ngx_int_t
ngx_http_tomo_redis_watch(ngx_http_tomo_redis_t *redis,
    ngx_http_tomo_redis_watch_pt watch, void *data)
{
    if (redis->n_watchers == NGX_HTTP_TOMO_REDIS_WATCHERS) {
        return NGX_ERROR;
    }

    redis->watchers[redis->n_watchers].watch = watch;
    redis->watchers[redis->n_watchers].data = data;
    redis->n_watchers++;

    if (redis->state == NGX_HTTP_TOMO_REDIS_UP) {
        watch(data, 1);
    }

    return NGX_OK;
}


static void
ngx_http_tomo_redis_tell(ngx_http_tomo_redis_t *redis, ngx_uint_t up)
{
    ngx_uint_t  i;

    for (i = 0; i < redis->n_watchers; i++) {
        redis->watchers[i].watch(redis->watchers[i].data, up);
    }
}


/* the only place that changes the state; it owns the timer */

static void
ngx_http_tomo_redis_set_state(ngx_http_tomo_redis_t *redis,
    ngx_http_tomo_redis_state_e state)
{
    redis->state = state;

    if (redis->timer.timer_set) {
        ngx_del_timer(&redis->timer);
    }

    /* a reply owed keeps a leaving worker alive, a reconnect does not */
    redis->timer.cancelable = (state == NGX_HTTP_TOMO_REDIS_WAIT);

    switch (state) {

    case NGX_HTTP_TOMO_REDIS_WAIT:
        ngx_add_timer(&redis->timer, ngx_http_tomo_backoff(&redis->tries));
        break;

    case NGX_HTTP_TOMO_REDIS_CONNECTING:
        ngx_add_timer(&redis->timer, redis->conf->connect_timeout);
        break;

    case NGX_HTTP_TOMO_REDIS_HELLO:
    case NGX_HTTP_TOMO_REDIS_UP:
        if (redis->n) {
            ngx_add_timer(&redis->timer, redis->conf->timeout);
        }

        break;

    case NGX_HTTP_TOMO_REDIS_CLOSED:
        break;
    }
}


static void
ngx_http_tomo_redis_timer(ngx_event_t *ev)
{
    ngx_http_tomo_redis_t  *redis = ev->data;

    switch (redis->state) {

    case NGX_HTTP_TOMO_REDIS_WAIT:
        ngx_http_tomo_redis_connect(redis);
        break;

    case NGX_HTTP_TOMO_REDIS_CONNECTING:
        redis->stats.timeouts++;
        ngx_http_tomo_redis_drop(redis, "connect timed out");
        break;

    case NGX_HTTP_TOMO_REDIS_HELLO:
    case NGX_HTTP_TOMO_REDIS_UP:
        if (ngx_http_tomo_redis_overdue(redis)) {
            redis->stats.timeouts++;
            ngx_http_tomo_redis_drop(redis, "no answer in time");
        }

        break;

    case NGX_HTTP_TOMO_REDIS_CLOSED:
        break;
    }
}


static void
ngx_http_tomo_redis_hello(const ngx_http_tomo_reply_t *reply, void *data)
{
    ngx_http_tomo_redis_t  *redis = data;

    if (reply == NULL) {
        return;
    }

    if (ngx_http_tomo_reply_kind(reply) != NGX_HTTP_TOMO_REPLY_STATUS) {
        redis->stats.refused++;

        if (!redis->denied) {
            ngx_str_t  word = ngx_http_tomo_reply_word(reply);

            ngx_log_error(NGX_LOG_ERR, redis->log, 0,
                          "tomo: redis %V refused the edge: %V: check user "
                          "and password_file of tomo_redis",
                          &redis->conf->host, &word);
            redis->reported = 1;
            redis->denied = 1;
        }

        redis->broken = "refused";
        return;
    }

    redis->stats.connects++;

    if (redis->reported) {
        ngx_log_error(NGX_LOG_NOTICE, redis->log, 0,
                      "tomo: redis %V is back", &redis->conf->host);
        redis->reported = 0;
        redis->denied = 0;
    }

    ngx_http_tomo_redis_set_state(redis, NGX_HTTP_TOMO_REDIS_UP);
    ngx_http_tomo_redis_tell(redis, 1);
}


static void
ngx_http_tomo_redis_greet(ngx_http_tomo_redis_t *redis)
{
    ngx_uint_t   argc;
    tomo_str_t   argv[3];
    ngx_str_t   *user, *password;

    user = (ngx_str_t *) &redis->conf->user;
    password = (ngx_str_t *) &redis->conf->password;
    argc = 0;

    if (password->len) {
        argv[argc++] = tomo_str("AUTH");

        if (user->len) {
            argv[argc++] = tomo_str_n(user->data, user->len);
        }

        argv[argc++] = tomo_str_n(password->data, password->len);

    } else {
        argv[argc++] = tomo_str("PING");
    }

    ngx_http_tomo_redis_set_state(redis, NGX_HTTP_TOMO_REDIS_HELLO);

    if (ngx_http_tomo_redis_queue(redis, argv, argc,
                                  ngx_http_tomo_redis_hello, redis)
        != NGX_OK)
    {
        ngx_http_tomo_redis_drop(redis, "out of memory");
    }
}


static void
ngx_http_tomo_redis_connect(ngx_http_tomo_redis_t *redis)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    ngx_memzero(&redis->peer, sizeof(ngx_peer_connection_t));
    redis->peer.sockaddr = &redis->sockaddr.sockaddr;
    redis->peer.socklen = redis->socklen;
    redis->peer.name = (ngx_str_t *) &redis->conf->host;
    redis->peer.get = ngx_event_get_peer;
    redis->peer.log = &redis->quiet;
    redis->peer.log_error = NGX_ERROR_ERR;

    ngx_set_errno(0);
    rc = ngx_event_connect_peer(&redis->peer);

    c = redis->peer.connection;
    redis->connection = c;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        redis->err = ngx_socket_errno;
        ngx_http_tomo_redis_drop(redis, "connect failed");
        return;
    }

    c->data = redis;
    c->log = redis->log;
    c->read->log = redis->log;
    c->write->log = redis->log;
    c->read->handler = ngx_http_tomo_redis_read;
    c->write->handler = ngx_http_tomo_redis_write;

    redis->reader = redisReaderCreate();
    if (redis->reader == NULL) {
        ngx_http_tomo_redis_drop(redis, "out of memory");
        return;
    }

    ngx_http_tomo_redis_bound(redis);
    ngx_http_tomo_redis_set_state(redis, NGX_HTTP_TOMO_REDIS_CONNECTING);

    if (rc == NGX_OK) {
        ngx_http_tomo_redis_greet(redis);
    }
}


void
ngx_http_tomo_redis_connected(ngx_http_tomo_redis_t *redis)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(redis->connection->fd, SOL_SOCKET, SO_ERROR, (void *) &err,
                   &len)
        == -1 || err)
    {
        redis->err = err ? err : ngx_socket_errno;
        ngx_http_tomo_redis_drop(redis, "connect failed");
        return;
    }

    ngx_http_tomo_redis_greet(redis);
}


/*
 * What the kernel has not handed over yet must not arrive after the marks
 * were read on the next connection: a reset throws it away.
 */

static void
ngx_http_tomo_redis_disconnect(ngx_http_tomo_redis_t *redis)
{
    struct linger  linger;

    if (redis->connection == NULL) {
        return;
    }

    if (redis->conf->port) {
        linger.l_onoff = 1;
        linger.l_linger = 0;

        if (setsockopt(redis->connection->fd, SOL_SOCKET, SO_LINGER,
                       (const void *) &linger, sizeof(struct linger))
            == -1)
        {
            ngx_log_error(NGX_LOG_ERR, redis->log, ngx_socket_errno,
                          "tomo: redis %V: setsockopt(SO_LINGER) failed",
                          &redis->conf->host);
        }
    }

    ngx_close_connection(redis->connection);
    redis->connection = NULL;
}


/*
 * Everything that ends a connection comes here, once.  Handlers run after the
 * state has changed, so what they send is refused, and never from inside a
 * submit: send itself only queues.
 */

static void
ngx_http_tomo_redis_teardown(ngx_http_tomo_redis_t *redis,
    ngx_http_tomo_redis_state_e state)
{
    ngx_uint_t                     was_up;
    ngx_http_tomo_redis_command_t  command;

    was_up = (redis->state == NGX_HTTP_TOMO_REDIS_UP);

    redis->broken = NULL;
    ngx_http_tomo_redis_set_state(redis, state);

    if (redis->flush.posted) {
        ngx_delete_posted_event(&redis->flush);
    }

    ngx_http_tomo_redis_disconnect(redis);

    if (redis->reader) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }

    redis->out_len = 0;
    redis->out_sent = 0;

    while (redis->n) {
        command = redis->commands[redis->first];
        redis->first = (redis->first + 1) % NGX_HTTP_TOMO_REDIS_COMMANDS;
        redis->n--;

        command.handler(NULL, command.data);
    }

    if (was_up) {
        redis->stats.losses++;
        ngx_http_tomo_redis_tell(redis, 0);
    }
}


void
ngx_http_tomo_redis_drop(ngx_http_tomo_redis_t *redis, const char *why)
{
    if (!redis->reported) {
        redis->reported = 1;
        ngx_log_error(NGX_LOG_ERR, redis->log, redis->err,
                      "tomo: redis %V lost: %s: the journal keeps what "
                      "arrives; check that redis runs and may be reached",
                      &redis->conf->host, why);
    }

    redis->err = 0;

    ngx_http_tomo_redis_teardown(redis, NGX_HTTP_TOMO_REDIS_WAIT);
}


void
ngx_http_tomo_redis_close(ngx_http_tomo_redis_t *redis)
{
    if (redis->state == NGX_HTTP_TOMO_REDIS_CLOSED) {
        return;
    }

    redis->n_watchers = 0;      /* nobody reconnects or starts anew */
    ngx_http_tomo_redis_teardown(redis, NGX_HTTP_TOMO_REDIS_CLOSED);

    if (redis->out) {
        ngx_free(redis->out);
        redis->out = NULL;
        redis->out_size = 0;
    }
}


void
ngx_http_tomo_redis_surprise(ngx_http_tomo_redis_t *redis, const char *why)
{
    redis->stats.surprises++;

    if (redis->broken == NULL && redis->connection) {
        redis->broken = why;
        ngx_post_event(&redis->flush, &ngx_posted_events);
    }
}


void
ngx_http_tomo_redis_proved(ngx_http_tomo_redis_t *redis)
{
    redis->tries = 0;
}


const ngx_http_tomo_redis_stats_t *
ngx_http_tomo_redis_stats(const ngx_http_tomo_redis_t *redis)
{
    return &redis->stats;
}
