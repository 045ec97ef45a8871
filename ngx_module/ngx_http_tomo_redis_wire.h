/*
 * ngx_http_tomo_redis_wire: what the two halves of the connection share: its
 * states and reconnection (ngx_http_tomo_redis.c), and bytes in order, out
 * and in (ngx_http_tomo_redis_wire.c).  For these two files alone; everybody
 * else includes ngx_http_tomo_redis.h.
 */

#ifndef NGX_HTTP_TOMO_REDIS_WIRE_H
#define NGX_HTTP_TOMO_REDIS_WIRE_H

#include "ngx_http_tomo_redis.h"

#include <hiredis/hiredis.h>


/*
 * Transitions: WAIT → CONNECTING → HELLO → UP; from any of them back to WAIT
 * on a loss, and to CLOSED, which is final.
 */
typedef enum {
    NGX_HTTP_TOMO_REDIS_WAIT = 0,       /* timer: when to connect again */
    NGX_HTTP_TOMO_REDIS_CONNECTING,     /* timer: connect timeout */
    NGX_HTTP_TOMO_REDIS_HELLO,          /* AUTH or PING is on its way */
    NGX_HTTP_TOMO_REDIS_UP,             /* timer: timeout of the oldest */
    NGX_HTTP_TOMO_REDIS_CLOSED
} ngx_http_tomo_redis_state_e;


typedef struct {
    ngx_http_tomo_reply_pt  handler;
    void                   *data;
    ngx_msec_t              sent;
} ngx_http_tomo_redis_command_t;


struct ngx_http_tomo_redis_s {
    const ngx_http_tomo_redis_conf_t  *conf;
    ngx_http_tomo_redis_state_e        state;
    ngx_peer_connection_t              peer;
    ngx_sockaddr_t                     sockaddr;
    socklen_t                          socklen;
    ngx_connection_t                  *connection;
    redisReader                       *reader;
    redisReplyObjectFunctions          bounded;     /* the reader's */

    u_char                            *out;         /* capacity out_size */
    size_t                             out_size;
    size_t                             out_len;
    size_t                             out_sent;

    ngx_http_tomo_redis_command_t     *commands;    /* ring */
    ngx_uint_t                         first;
    ngx_uint_t                         n;

    struct {
        ngx_http_tomo_redis_watch_pt   watch;
        void                          *data;
    } watchers[NGX_HTTP_TOMO_REDIS_WATCHERS];
    ngx_uint_t                         n_watchers;

    ngx_event_t                        timer;
    ngx_event_t                        flush;
    const char                        *broken;      /* drop, and why */
    ngx_err_t                          err;         /* of a failed connect */
    ngx_uint_t                         tries;
    ngx_http_tomo_redis_stats_t        stats;
    ngx_log_t                         *log;
    ngx_log_t                          quiet;       /* for nginx's connect */
    unsigned                           reading:1;
    unsigned                           reported:1;  /* this outage is logged */
    unsigned                           denied:1;    /* … that AUTH is refused */
};


/* _redis.c: ends the connection, tells everybody, connects again later */
void ngx_http_tomo_redis_drop(ngx_http_tomo_redis_t *redis, const char *why);
/* _redis.c: the socket became writable while connecting */
void ngx_http_tomo_redis_connected(ngx_http_tomo_redis_t *redis);

/* _redis_wire.c: queues whatever the state */
ngx_int_t ngx_http_tomo_redis_queue(ngx_http_tomo_redis_t *redis,
    const tomo_str_t *argv, ngx_uint_t argc, ngx_http_tomo_reply_pt handler,
    void *data);
/* _redis_wire.c: has the oldest command waited too long?  If not, the timer */
ngx_uint_t ngx_http_tomo_redis_overdue(ngx_http_tomo_redis_t *redis);
/* _redis_wire.c: limits the arrays of a new reader */
void ngx_http_tomo_redis_bound(ngx_http_tomo_redis_t *redis);
/* _redis_wire.c: event handlers */
void ngx_http_tomo_redis_flush(ngx_event_t *ev);
void ngx_http_tomo_redis_read(ngx_event_t *rev);
void ngx_http_tomo_redis_write(ngx_event_t *wev);

#endif
