/*
 * wire_peer: the Redis of the edge's connection: it checks that what it gets
 * is a hello and then the commands taken, byte for byte, and answers each with
 * its number.  It holds the story that is told.
 */

#ifndef TOMO_FUZZ_WIRE_PEER_H
#define TOMO_FUZZ_WIRE_PEER_H

#include "ngx_loop.h"

#define SENDS     20000
#define FILL_MAX  (1u << 20)


typedef struct {
    bool        waits;
    ngx_uint_t  socket;
    ngx_msec_t  when;
    size_t      fill;
} sent_t;

static sent_t  sent[SENDS];
static u_char  filler[FILL_MAX];

static struct {
    const uint8_t                *at, *end;
    ngx_http_tomo_redis_t        *redis;
    ngx_http_tomo_redis_conf_t    conf;
    size_t                        n;            /* commands taken */
    size_t                        answered;     /* of them */
    size_t                        hello;        /* bytes that the peer got */
    bool                          greeted;      /* all of them */
    bool                          welcome;      /* … and answered */
    size_t                        got, got_at;  /* commands, bytes */
    size_t                        told;         /* commands it answered */
    bool                          honest;       /* on this connection */
    bool                          surprised;
    bool                          sending;
    bool                          up;
    bool                          closing;
    bool                          burst;
    ngx_uint_t                    ups, downs;
    ngx_msec_t                    connected;
    ngx_uint_t                    errors;       /* before this outage */
    uint64_t                      timeouts;     /* when the timer ran */
    ngx_msec_t                    due;          /* whose then */
} t;


static uint8_t
next(void)
{
    return t.at < t.end ? *t.at++ : 0;
}


static void
net_opened(void)
{
    FUZZ_HOLDS(t.answered == t.n && !t.up);
    t.hello = t.got_at = 0;
    t.greeted = t.welcome = t.surprised = false;
    t.got = t.told = t.n;
    t.honest = true;
    t.connected = ngx_current_msec;
}


/* what the peer gets is a hello and then the commands taken, byte for byte */

static void
check_text(const char *text, size_t at, const u_char *data, size_t len)
{
    FUZZ_HOLDS(at + len <= strlen(text));
    FUZZ_HOLDS(memcmp(text + at, data, len) == 0);
}


static size_t
check_hello(const u_char *data, size_t len)
{
    size_t       n;
    const char  *text = "*1\r\n$4\r\nPING\r\n";

    if (t.conf.password.len > 0) {
        text = t.conf.user.len > 0
               ? "*3\r\n$4\r\nAUTH\r\n$4\r\nedge\r\n$3\r\nkey\r\n"
               : "*2\r\n$4\r\nAUTH\r\n$3\r\nkey\r\n";
    }

    n = strlen(text) - t.hello;
    n = n < len ? n : len;
    check_text(text, t.hello, data, n);
    t.hello += n;
    t.greeted = t.hello == strlen(text);

    return n;
}


static size_t
check_command(const u_char *data, size_t len)
{
    char     head[96], id[24];
    size_t   n, fill, at = t.got_at;

    FUZZ_HOLDS(t.got < t.n && sent[t.got].socket == world.sockets);
    fill = sent[t.got].fill;
    snprintf(id, sizeof(id), "%zu", t.got);
    snprintf(head, sizeof(head), "*3\r\n$4\r\nECHO\r\n$%zu\r\n%s\r\n$%zu\r\n",
             strlen(id), id, fill);

    if (at < strlen(head)) {
        n = strlen(head) - at;
        n = n < len ? n : len;
        check_text(head, at, data, n);

    } else if (at < strlen(head) + fill) {
        n = strlen(head) + fill - at;
        n = n < len ? n : len;
        FUZZ_HOLDS(memcmp(filler, data, n) == 0);

    } else {
        at -= strlen(head) + fill;
        n = 2 - at < len ? 2 - at : len;
        check_text("\r\n", at, data, n);
    }

    t.got_at += n;

    if (t.got_at == strlen(head) + fill + 2) {
        t.got++;
        t.got_at = 0;
    }

    return n;
}


static void
net_written(const u_char *data, size_t len)
{
    size_t  n;

    for ( ; len > 0; data += n, len -= n) {
        n = t.greeted ? check_command(data, len) : check_hello(data, len);
    }
}


/* an honest peer's answer says whose it is */

static void
check_own(const ngx_http_tomo_reply_t *r, size_t id)
{
    char        text[32];
    tomo_str_t  s = ngx_http_tomo_reply_str(r);

    snprintf(text, sizeof(text), id % 5 == 3 ? "ERR %zu" : "%zu", id);

    switch (id % 5) {

    case 0:
        FUZZ_HOLDS(ngx_http_tomo_reply_is(r, text));
        break;

    case 1:
        FUZZ_HOLDS(ngx_http_tomo_reply_kind(r)
                   == NGX_HTTP_TOMO_REPLY_INTEGER);
        FUZZ_HOLDS(ngx_http_tomo_reply_integer(r) == (int64_t) id);
        break;

    case 2:
        FUZZ_HOLDS(ngx_http_tomo_reply_n(r) == 2);
        FUZZ_HOLDS(ngx_http_tomo_reply_kind(ngx_http_tomo_reply_at(r, 0))
                   == NGX_HTTP_TOMO_REPLY_NIL);
        FUZZ_HOLDS(tomo_str_eq(
            ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(r, 1)),
            tomo_str_c(text)));
        break;

    case 3:
        FUZZ_HOLDS(ngx_http_tomo_reply_kind(r) == NGX_HTTP_TOMO_REPLY_ERROR);
        FUZZ_HOLDS(tomo_str_eq(s, tomo_str_c(text)));
        break;

    default:
        FUZZ_HOLDS(ngx_http_tomo_reply_kind(r)
                   == NGX_HTTP_TOMO_REPLY_STRING);
        FUZZ_HOLDS(s.len == strlen(text) + sent[id].fill);
        FUZZ_HOLDS(memcmp(s.data, text, strlen(text)) == 0);
        break;
    }
}


/* what the peer says; false: no room for more */

static bool
say(const void *data, size_t len)
{
    if (net.open == NULL || len > ARRIVED - net.made) {
        return false;
    }

    memcpy(net.bytes + net.made, data, len);
    net.made += len;

    return true;
}


static bool
answer(size_t id)
{
    char    text[96];
    size_t  made = net.made, len = (size_t) snprintf(text, 24, "%zu", id);

    switch (id % 5) {

    case 0:
        snprintf(text, sizeof(text), "+%zu\r\n", id);
        break;

    case 1:
        snprintf(text, sizeof(text), ":%zu\r\n", id);
        break;

    case 2:
        snprintf(text, sizeof(text), "*2\r\n$-1\r\n$%zu\r\n%zu\r\n", len,
                 id);
        break;

    case 3:
        snprintf(text, sizeof(text), "-ERR %zu\r\n", id);
        break;

    default:
        snprintf(text, sizeof(text), "$%zu\r\n%zu", len + sent[id].fill, id);

        if (say(text, strlen(text)) && say(filler, sent[id].fill)
            && say("\r\n", 2))
        {
            return true;
        }

        net.made = made;
        return false;
    }

    return say(text, strlen(text));
}


static void
answers(size_t n)
{
    for ( ; n > 0 && t.greeted && net.open != NULL; n--) {
        if (!t.welcome) {
            t.welcome = say("+OK\r\n", 5);

        } else if (t.told < t.got && answer(t.told)) {
            t.told++;

        } else {
            return;
        }
    }
}


static void
deliver(size_t n)
{
    if (net.open != NULL && net.made > net.arrived && !net.connecting) {
        n = n < net.made - net.arrived ? n : net.made - net.arrived;
        net.arrived += n;
        net.can_read = n > 0;
    }
}


static void
make_room(size_t n)
{
    net.room += n;

    if (net.wants_write && net.room > 0) {
        net.wants_write = false;
        net.can_write = true;
    }
}

#endif
