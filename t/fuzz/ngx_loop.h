/*
 * ngx_loop: nginx's event loop with time that the story moves and one socket
 * that the story plays: edge-triggered events, posted events and timers in
 * nginx's order, its own inline functions and macros where it has such.  What
 * is closed is freed, so that a sanitizer sees every late use.
 */

#ifndef TOMO_FUZZ_NGX_LOOP_H
#define TOMO_FUZZ_NGX_LOOP_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "fuzz.h"

#define TIMERS   8
#define CHUNKS   8
#define ARRIVED  (1u << 20)


typedef struct {
    ngx_connection_t  c;
    ngx_event_t       read, write;
} socket_t;

static struct {
    socket_t  *open;                    /* NULL: none */
    bool       connecting;
    int        error;                   /* that getsockopt tells */
    bool       can_read, can_write;     /* edges not yet told */
    bool       wants_write;             /* was told to come again */
    bool       ended, reset;            /* by the peer */
    bool       fresh;                   /* that it is connected is not told */
    bool       deaf;                    /* told to read before that */
    size_t     room;                    /* bytes it takes for now */
    size_t     taken, arrived, made;    /* of bytes, ends */
    u_char     bytes[ARRIVED];
} net;

static struct {
    ngx_uint_t  connect;                /* how the next ones go: NET_… */
    bool        no_memory, no_event;    /* the next one fails */
    ngx_uint_t  errors;                 /* lines of the log */
    ngx_uint_t  sockets;                /* made so far */
} world;

enum { NET_AGAIN, NET_OK, NET_DECLINED, NET_ERROR, NET_END };

/* the story: what the peer got; a new socket; a timer is about to run */
static void net_written(const u_char *data, size_t len);
static void net_opened(void);
static void loop_timer(const ngx_event_t *ev);

volatile ngx_msec_t  ngx_current_msec;
ngx_rbtree_t         ngx_event_timer_rbtree;
ngx_queue_t          ngx_posted_events, ngx_posted_next_events;

static ngx_rbtree_node_t  *timers[TIMERS];
static size_t              n_timers;
static void               *chunks[CHUNKS];      /* kept for the next story */
static size_t              sizes[CHUNKS], n_chunks;


void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    (void) tree;
    FUZZ_HOLDS(n_timers < TIMERS);

    for (size_t i = 0; i < n_timers; i++) {
        FUZZ_HOLDS(timers[i] != node);
    }

    timers[n_timers++] = node;
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    size_t  i = 0;

    (void) tree;

    while (i < n_timers && timers[i] != node) {
        i++;
    }

    FUZZ_HOLDS(i < n_timers);
    timers[i] = timers[--n_timers];
}


/* every text that a line names can be read */

void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    va_list  args;

    (void) err;
    FUZZ_HOLDS(log->log_level >= level);
    world.errors += level <= NGX_LOG_ERR;
    va_start(args, fmt);

    for (const char *p = strchr(fmt, '%'); p; p = strchr(p + 1, '%')) {
        if (p[1] == 'V') {
            const ngx_str_t  *s = va_arg(args, ngx_str_t *);

            fuzz_touch(tomo_str_n(s->data, s->len));

        } else {
            FUZZ_HOLDS(p[1] == 's');
            fuzz_touch(tomo_str_c(va_arg(args, char *)));
        }
    }

    va_end(args);
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    if (world.no_memory) {
        world.no_memory = false;
        return NULL;
    }

    return malloc(size);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    (void) pool;
    FUZZ_HOLDS(n_chunks < CHUNKS);

    if (sizes[n_chunks] != size) {
        free(chunks[n_chunks]);
        chunks[n_chunks] = malloc(size);
        sizes[n_chunks] = size;
        FUZZ_HOLDS(chunks[n_chunks] != NULL);
    }

    return chunks[n_chunks++];
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return memset(ngx_palloc(pool, size), 0, size);
}


void
ngx_inet_set_port(struct sockaddr *sa, in_port_t port)
{
    FUZZ_HOLDS(sa->sa_family == AF_INET || sa->sa_family == AF_INET6);
    ((struct sockaddr_in *) (void *) sa)->sin_port = htons(port);
}


ngx_int_t
ngx_event_get_peer(ngx_peer_connection_t *pc, void *data)
{
    (void) pc;
    (void) data;

    return NGX_OK;
}


static ngx_int_t
net_event(void)
{
    if (world.no_event) {
        world.no_event = false;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags)
{
    FUZZ_HOLDS(net.open != NULL && rev == &net.open->read && flags == 0);

    return net_event();
}


ngx_int_t
ngx_handle_write_event(ngx_event_t *wev, size_t lowat)
{
    FUZZ_HOLDS(net.open != NULL && wev == &net.open->write && lowat == 0);

    return net_event();
}


static ssize_t
net_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n = net.arrived - net.taken;

    FUZZ_HOLDS(net.open != NULL && c == &net.open->c && !net.connecting);

    if (n == 0) {
        return net.reset ? NGX_ERROR : net.ended ? 0 : NGX_AGAIN;
    }

    n = n < size ? n : size;
    memcpy(buf, net.bytes + net.taken, n);
    net.taken += n;

    if (net.taken == net.made) {
        net.taken = net.arrived = net.made = 0;
    }

    return (ssize_t) n;
}


static ssize_t
net_send(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n = net.room < size ? net.room : size;

    FUZZ_HOLDS(net.open != NULL && c == &net.open->c && !net.connecting);
    FUZZ_HOLDS(size > 0);

    if (net.reset) {
        return NGX_ERROR;
    }

    if (n == 0) {
        net.wants_write = true;
        return NGX_AGAIN;
    }

    net.room -= n;
    net_written(buf, n);

    return (ssize_t) n;
}


ngx_int_t
ngx_event_connect_peer(ngx_peer_connection_t *pc)
{
    ngx_uint_t  how = world.connect;

    FUZZ_HOLDS(net.open == NULL);
    FUZZ_HOLDS(pc->get(pc, pc->data) == NGX_OK && pc->socklen > 0);

    if (how == NET_ERROR) {
        return NGX_ERROR;
    }

    net.open = calloc(1, sizeof(socket_t));
    FUZZ_HOLDS(net.open != NULL);
    net.open->c.fd = 3;
    net.open->c.read = &net.open->read;
    net.open->c.write = &net.open->write;
    net.open->c.recv = net_recv;
    net.open->c.send = net_send;
    net.open->read.data = net.open->write.data = net.open;
    net.connecting = how != NET_OK;
    net.can_read = net.can_write = net.wants_write = false;
    net.ended = net.reset = net.fresh = net.deaf = false;
    net.taken = net.arrived = net.made = net.room = 0;
    net.error = 0;
    world.sockets++;
    net_opened();
    pc->connection = &net.open->c;

    return how == NET_OK ? NGX_OK : how == NET_AGAIN ? NGX_AGAIN
                                                     : NGX_DECLINED;
}


void
ngx_close_connection(ngx_connection_t *c)
{
    FUZZ_HOLDS(net.open != NULL && c == &net.open->c);
    FUZZ_HOLDS(!c->read->timer_set && !c->write->timer_set);

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    free(net.open);
    net.open = NULL;
}


static int
net_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    FUZZ_HOLDS(net.open != NULL && fd == net.open->c.fd);
    FUZZ_HOLDS(level == SOL_SOCKET && name == SO_ERROR);
    FUZZ_HOLDS(*len == sizeof(int));
    memcpy(value, &net.error, sizeof(int));

    return 0;
}


static int
net_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    FUZZ_HOLDS(net.open != NULL && fd == net.open->c.fd);
    FUZZ_HOLDS(level == SOL_SOCKET && name == SO_LINGER);
    FUZZ_HOLDS(((const struct linger *) value)->l_onoff == 1);
    FUZZ_HOLDS(len == sizeof(struct linger));

    return 0;
}


/* the peer took the connection, or refused it */

static void
net_connected(int error)
{
    if (net.open != NULL && net.connecting) {
        net.connecting = false;
        net.error = error;
        net.can_write = net.fresh = true;
    }
}


static void
loop_posted(ngx_queue_t *posted)
{
    ngx_event_t  *ev;

    while (!ngx_queue_empty(posted)) {
        ev = ngx_queue_data(ngx_queue_head(posted), ngx_event_t, queue);
        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


static ngx_event_t *
loop_due(void)
{
    ngx_rbtree_node_t  *least = NULL;

    for (size_t i = 0; i < n_timers; i++) {
        if (least == NULL || (ngx_msec_int_t) (timers[i]->key - least->key)
                             < 0)
        {
            least = timers[i];
        }
    }

    if (least == NULL
        || (ngx_msec_int_t) (least->key - ngx_current_msec) > 0)
    {
        return NULL;
    }

    return ngx_rbtree_data(least, ngx_event_t, timer);
}


/* one turn: what the kernel tells, timers, then what was posted */

static void
loop_turn(void)
{
    ngx_event_t  *ev;

    while (!ngx_queue_empty(&ngx_posted_next_events)) {
        ev = ngx_queue_data(ngx_queue_head(&ngx_posted_next_events),
                            ngx_event_t, queue);
        ngx_queue_remove(&ev->queue);
        ngx_queue_insert_tail(&ngx_posted_events, &ev->queue);
    }

    if (net.open != NULL && net.can_read) {
        net.can_read = false;
        net.deaf = net.fresh;
        net.open->read.handler(&net.open->read);
    }

    if (net.open != NULL && net.can_write) {
        net.can_write = net.fresh = false;
        net.open->write.handler(&net.open->write);
    }

    while ((ev = loop_due()) != NULL) {
        loop_timer(ev);
        ngx_event_del_timer(ev);
        ev->timedout = 1;
        ev->handler(ev);
    }

    loop_posted(&ngx_posted_events);
}


static void
loop_begin(void)
{
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_current_msec = 1000000;
    FUZZ_HOLDS(n_timers == 0 && net.open == NULL);
    memset(&world, 0, sizeof(world));
}


/* nothing may be left behind */

static void
loop_end(void)
{
    FUZZ_HOLDS(n_timers == 0 && net.open == NULL);
    FUZZ_HOLDS(ngx_queue_empty(&ngx_posted_events));
    FUZZ_HOLDS(ngx_queue_empty(&ngx_posted_next_events));
    n_chunks = 0;
}


/* the files under test, with the story's socket in place of the kernel's */

#define getsockopt  net_getsockopt
#define setsockopt  net_setsockopt
#include "ngx_module/ngx_http_tomo_reply.c"
#include "ngx_module/ngx_http_tomo_redis.c"
#include "ngx_module/ngx_http_tomo_redis_wire.c"
#undef getsockopt
#undef setsockopt
#pragma GCC diagnostic pop

#endif
