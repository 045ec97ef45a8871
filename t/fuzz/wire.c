/*
 * The edge's connection to Redis: whatever arrives, in whatever pieces, and
 * wherever it breaks, every command that was taken has exactly one answer, its
 * own and in order, none before its time and none too late; what goes out is
 * those commands and nothing else; the connection comes back (B98, B106).
 * The input is a list of steps of both sides, the network and the clock.
 */

#include "wire_peer.h"

#define TURNS  4000


/* a timer is about to run: who waits longest then */

static void
loop_timer(const ngx_event_t *ev)
{
    FUZZ_HOLDS(ev == &t.redis->timer);
    t.timeouts = t.redis->stats.timeouts;
    t.due = t.redis->state == NGX_HTTP_TOMO_REDIS_CONNECTING
            ? t.connected + t.conf.connect_timeout
            : t.up && t.answered < t.n
              ? sent[t.answered].when + t.conf.timeout : 0;
}


static void send_one(size_t fill);


static void
touch(const ngx_http_tomo_reply_t *r, int depth)
{
    ngx_str_t  word = ngx_http_tomo_reply_word(r);

    fuzz_touch(ngx_http_tomo_reply_str(r));
    fuzz_touch(tomo_str_n(word.data, word.len));
    FUZZ_HOLDS(word.len <= 32);
    (void) ngx_http_tomo_reply_is(r, "OK");
    (void) ngx_http_tomo_reply_integer(r);

    for (ngx_uint_t i = 0; i < ngx_http_tomo_reply_n(r) && depth < 16; i++) {
        touch(ngx_http_tomo_reply_at(r, i), depth + 1);
    }

    FUZZ_HOLDS(ngx_http_tomo_reply_at(r, ngx_http_tomo_reply_n(r)) == NULL);
}


/* what handlers do: send more, say that the answer is odd */

static void
react(void)
{
    switch (next() % 8) {

    case 5:
        send_one(next());
        send_one(next());
        break;

    case 6:
        ngx_http_tomo_redis_surprise(t.redis, "the story wants it");
        t.surprised = true;
        send_one(0);
        break;

    case 7:
        ngx_http_tomo_redis_proved(t.redis);
        break;

    default:
        break;
    }
}


static void
handler(const ngx_http_tomo_reply_t *reply, void *data)
{
    size_t   id = t.answered++;
    sent_t  *s = data;

    FUZZ_HOLDS(!t.sending);
    FUZZ_HOLDS(id < t.n && s == &sent[id] && s->waits);
    s->waits = false;
    FUZZ_HOLDS(t.up && s->socket == world.sockets);

    if (reply == NULL) {
        FUZZ_HOLDS(net.open == NULL && !ngx_http_tomo_redis_up(t.redis));
        send_one(0);
        FUZZ_HOLDS(t.answered <= t.n && !sent[t.n].waits);
        return;
    }

    FUZZ_HOLDS(!t.surprised);
    touch(reply, 0);

    if (t.honest) {
        check_own(reply, id);
    }

    react();
}


static void
send_one(size_t fill)
{
    sent_t      *s = &sent[t.n];
    ngx_int_t    rc;
    ngx_uint_t   up = ngx_http_tomo_redis_up(t.redis);
    ngx_uint_t   room = ngx_http_tomo_redis_room(t.redis, 1, 0);
    tomo_str_t   argv[3];
    char         id[24];
    bool         no_memory = world.no_memory;

    if (t.n == SENDS - 1) {
        return;
    }

    *s = (sent_t) { true, world.sockets, ngx_current_msec, fill };
    snprintf(id, sizeof(id), "%zu", t.n);
    argv[0] = tomo_str("ECHO");
    argv[1] = tomo_str_c(id);
    argv[2] = tomo_str_n(fill == 0 ? NULL : filler, fill);
    t.sending = true;
    rc = ngx_http_tomo_redis_send(t.redis, argv, 3, handler, s);
    t.sending = false;
    FUZZ_HOLDS((rc == NGX_DECLINED) == !up);
    FUZZ_HOLDS(!up || (rc == NGX_AGAIN) == !room);
    FUZZ_HOLDS(rc != NGX_ERROR || (no_memory && !world.no_memory));
    s->waits = rc == NGX_OK;
    t.n += rc == NGX_OK;
}


static void
watch(void *data, ngx_uint_t up)
{
    FUZZ_HOLDS(data == &t && up == !t.up);
    FUZZ_HOLDS(t.answered == t.n);
    t.up = up;

    if (up) {
        t.ups++;
        t.errors = world.errors;
        send_one(next());
        return;
    }

    FUZZ_HOLDS(net.open == NULL);
    t.downs++;
    send_one(1);
}


/* what must hold after every turn */

static void
check(void)
{
    ngx_msec_t              now = ngx_current_msec;
    ngx_http_tomo_redis_t  *r = t.redis;

    FUZZ_HOLDS(t.up == (r->state == NGX_HTTP_TOMO_REDIS_UP));
    FUZZ_HOLDS(r->n == t.n - t.answered
                       + (r->state == NGX_HTTP_TOMO_REDIS_HELLO));
    FUZZ_HOLDS(r->out_sent <= r->out_len && r->out_len <= r->out_size);
    FUZZ_HOLDS(r->out_len - r->out_sent
               <= NGX_HTTP_TOMO_REDIS_BYTES + FILL_MAX + 128);
    FUZZ_HOLDS((net.open == NULL) == (r->state == NGX_HTTP_TOMO_REDIS_WAIT));
    FUZZ_HOLDS(r->timer.timer_set || (t.up && r->n == 0));
    FUZZ_HOLDS(r->broken == NULL);
    FUZZ_HOLDS(net.open == NULL || net.arrived == net.taken || net.deaf
               || net.open->read.posted);
    FUZZ_HOLDS(r->stats.connects == t.ups && r->stats.losses == t.downs);
    FUZZ_HOLDS(t.up || world.errors - t.errors <= 2);

    /* not before its time, nor much later (nginx moves no timer for 300 ms) */
    FUZZ_HOLDS(r->stats.timeouts == t.timeouts || now >= t.due);
    FUZZ_HOLDS(t.answered == t.n
               || now < sent[t.answered].when + t.conf.timeout
                        + NGX_TIMER_LAZY_DELAY);
    t.timeouts = r->stats.timeouts;
}


static void
turn(void)
{
    loop_turn();
    check();
}


/* the peer and the network do what they should */

static void
well(void)
{
    net_connected(0);
    make_room(1u << 28);
    turn();
    answers(SIZE_MAX);
    deliver(SIZE_MAX);
    turn();
    net.room = 0;
}


static void
step_bytes(void)
{
    size_t  len = next();

    len = len < (size_t) (t.end - t.at) ? len : (size_t) (t.end - t.at);

    if (say(t.at, len)) {
        t.honest = false;
    }

    t.at += len;
}


static void
step_break(uint8_t how)
{
    if (net.open == NULL) {
        world.connect = how % NET_END;

    } else if (net.connecting) {
        net_connected(how % 2 ? ECONNREFUSED : 0);

    } else {
        net.ended = true;
        net.reset = how % 2;
        net.can_read = true;
        net.can_write = net.reset;
    }
}


static void
step_world(uint8_t how)
{
    switch (how % 4) {

    case 0:
        world.no_memory = true;
        break;

    case 1:
        world.no_event = true;
        break;

    case 2:
        ngx_http_tomo_redis_surprise(t.redis, "somebody wants it");
        break;

    default:
        world.connect = (how >> 2) % NET_END;
        break;
    }
}


/* many at once; over one of the two limits once in a story, as it is slow */

static void
step_burst(uint8_t how)
{
    size_t  n = how, fill = 0;

    if (how >= 252) {
        n = t.burst ? 0 : how >= 254 ? NGX_HTTP_TOMO_REDIS_COMMANDS + 1u : 40;
        fill = how >= 254 ? 0 : FILL_MAX / 4;
        t.burst = true;
    }

    for ( ; n > 0; n--) {
        send_one(fill);
    }
}


static void
step(void)
{
    uint8_t  what = next(), how = next();

    switch (what % 16) {

    case 0:
    case 1:
        send_one(how < 250 ? how : how * 100u);
        break;

    case 2:
        well();
        break;

    case 3:
        deliver(how);
        turn();
        break;

    case 4:
        deliver(SIZE_MAX);
        turn();
        break;

    case 5:
        make_room(how < 128 ? how : how * 512u);
        turn();
        break;

    case 6:
        answers(how);
        break;

    case 7:
        ngx_current_msec += how;
        turn();
        break;

    case 8:
        ngx_current_msec += how * 20u;
        turn();
        break;

    case 9:
        net_connected(how < 200 ? 0 : ETIMEDOUT);
        break;

    case 10:
        step_bytes();
        break;

    case 11:
        step_break(how);
        break;

    case 12:
        step_world(how);
        break;

    case 13:
        step_burst(how);
        break;

    default:
        turn();
        break;
    }
}


/* when all goes well again, it is there again, and everything is answered */

static void
finish(void)
{
    size_t  n;

    world.no_memory = world.no_event = false;
    world.connect = NET_AGAIN;
    turn();

    for (size_t i = 0; i < TURNS && !(t.up && t.answered == t.n); i++) {
        well();
        ngx_current_msec += 25;
    }

    FUZZ_HOLDS(t.up);
    n = t.n;
    send_one(3);
    FUZZ_HOLDS(t.n == n + 1 || n == SENDS - 1);

    for (size_t i = 0; i < TURNS && t.answered == n; i++) {
        well();
        ngx_current_msec += 25;
    }

    FUZZ_HOLDS(t.answered > n || n == SENDS - 1);
}


static void
start(uint8_t how)
{
    static ngx_log_t   log = { .log_level = NGX_LOG_INFO };
    static ngx_pool_t  pool;

    t.conf.host = (how & 1) != 0 ? (ngx_str_t) ngx_string("/run/redis.sock")
                                 : (ngx_str_t) ngx_string("127.0.0.1");
    t.conf.port = (how & 1) != 0 ? 0 : 6379;
    t.conf.timeout = (how & 2) != 0 ? 100 : 2000;
    t.conf.connect_timeout = (how & 4) != 0 ? 50 : 1000;

    if ((how & 8) != 0) {
        ngx_str_set(&t.conf.password, "key");
    }

    if ((how & 16) != 0) {
        ngx_str_set(&t.conf.user, "edge");
    }

    t.redis = ngx_http_tomo_redis_start(&t.conf, &pool, &log);
    FUZZ_HOLDS(t.redis != NULL);
    FUZZ_HOLDS(ngx_http_tomo_redis_watch(t.redis, watch, &t) == NGX_OK);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2048) {
        return 0;
    }

    if (filler[0] == 0) {
        memset(filler, 'f', sizeof(filler));
    }

    srandom(1);
    memset(&t, 0, sizeof(t));
    t.at = data + 1;
    t.end = data + size;
    loop_begin();
    start(data[0]);

    while (t.at < t.end) {
        step();
    }

    if ((data[0] & 32) == 0) {
        finish();
    }

    ngx_http_tomo_redis_close(t.redis);
    FUZZ_HOLDS(t.answered == t.n && net.open == NULL);
    ngx_http_tomo_redis_close(t.redis);
    loop_end();

    return 0;
}
