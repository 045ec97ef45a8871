/*
 * ngx_http_tomo_redis: one connection to Redis in nginx's event loop, with
 * pipelining, bounds and reconnection.  It knows bytes and order, and nothing
 * of journals, feeds or links.
 *
 * hiredis formats the commands and parses the replies; the socket, its events
 * and its timers are nginx's.  So there is one owner of the descriptor, and a
 * reply nobody asked for is an error of the connection, not an abort of the
 * process.
 *
 * Contract of ngx_http_tomo_redis_send: accepted (NGX_OK) → the handler is
 * called exactly once, never before the call returns; refused → never.  The
 * handler gets NULL when the connection was lost first: the command may or
 * may not have run, so every command sent here can run twice.
 *
 * All of it runs in the loop of one worker; nothing here is for threads.
 */

#ifndef NGX_HTTP_TOMO_REDIS_H
#define NGX_HTTP_TOMO_REDIS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>

#include "ngx_http_tomo_module.h"


#define NGX_HTTP_TOMO_REDIS_COMMANDS   8192             /* without answer */
#define NGX_HTTP_TOMO_REDIS_BYTES      (8 * 1024 * 1024)    /* not sent */
#define NGX_HTTP_TOMO_REDIS_WATCHERS   4


typedef struct ngx_http_tomo_redis_s  ngx_http_tomo_redis_t;

/* hiredis' redisReply; lives until the handler returns */
typedef struct redisReply  ngx_http_tomo_reply_t;

typedef void (*ngx_http_tomo_reply_pt)(const ngx_http_tomo_reply_t *reply,
    void *data);

/*
 * up true: connected and authenticated.  up false: it is gone; all handlers
 * of its commands have been called.
 */
typedef void (*ngx_http_tomo_redis_watch_pt)(void *data, ngx_uint_t up);

typedef enum {
    NGX_HTTP_TOMO_REPLY_LOST = 0,   /* NULL: outcome unknown */
    NGX_HTTP_TOMO_REPLY_NIL,
    NGX_HTTP_TOMO_REPLY_STATUS,     /* +OK, +QUEUED */
    NGX_HTTP_TOMO_REPLY_STRING,
    NGX_HTTP_TOMO_REPLY_INTEGER,
    NGX_HTTP_TOMO_REPLY_ARRAY,
    NGX_HTTP_TOMO_REPLY_ERROR
} ngx_http_tomo_reply_e;

/* Counters of this connection since the process started */
typedef struct {
    uint64_t  connects;
    uint64_t  losses;
    uint64_t  timeouts;
    uint64_t  surprises;                /* replies of a shape nobody expects */
    uint64_t  refused;                  /* AUTH or the first answer an error */
    uint64_t  bytes;                    /* of commands queued */
} ngx_http_tomo_redis_stats_t;


/*
 * Makes the connection object (in pool) and starts connecting.  conf is
 * borrowed for the object's life.  NULL: out of memory.
 */
ngx_http_tomo_redis_t *ngx_http_tomo_redis_start(
    const ngx_http_tomo_redis_conf_t *conf, ngx_pool_t *pool, ngx_log_t *log);

/* at most NGX_HTTP_TOMO_REDIS_WATCHERS; told at once when already up */
ngx_int_t ngx_http_tomo_redis_watch(ngx_http_tomo_redis_t *redis,
    ngx_http_tomo_redis_watch_pt watch, void *data);

/*
 * Queues one command.  argv is copied.  NGX_DECLINED: not connected;
 * NGX_AGAIN: over the cap of commands or bytes; NGX_ERROR: out of memory.
 */
ngx_int_t ngx_http_tomo_redis_send(ngx_http_tomo_redis_t *redis,
    const tomo_str_t *argv, ngx_uint_t argc, ngx_http_tomo_reply_pt handler,
    void *data);

/* room for that many commands and bytes? */
ngx_uint_t ngx_http_tomo_redis_room(const ngx_http_tomo_redis_t *redis,
    ngx_uint_t commands, size_t bytes);

ngx_uint_t ngx_http_tomo_redis_up(const ngx_http_tomo_redis_t *redis);

/*
 * A reply was not what its command can answer: the order of replies can no
 * longer be trusted.  Drops the connection after the current handler; why is
 * static text for the log.
 */
void ngx_http_tomo_redis_surprise(ngx_http_tomo_redis_t *redis,
    const char *why);

/* a write succeeded: the next loss is followed by a quick reconnect again */
void ngx_http_tomo_redis_proved(ngx_http_tomo_redis_t *redis);

/*
 * Closes for good, calling the handlers still waiting with NULL; at the end
 * of the process.
 */
void ngx_http_tomo_redis_close(ngx_http_tomo_redis_t *redis);

const ngx_http_tomo_redis_stats_t *ngx_http_tomo_redis_stats(
    const ngx_http_tomo_redis_t *redis);


ngx_http_tomo_reply_e ngx_http_tomo_reply_kind(
    const ngx_http_tomo_reply_t *reply);
/* the bytes of a string, status or error; empty for other kinds */
tomo_str_t ngx_http_tomo_reply_str(const ngx_http_tomo_reply_t *reply);
int64_t ngx_http_tomo_reply_integer(const ngx_http_tomo_reply_t *reply);
/* elements of an array; NULL when i is out of range */
ngx_uint_t ngx_http_tomo_reply_n(const ngx_http_tomo_reply_t *reply);
const ngx_http_tomo_reply_t *ngx_http_tomo_reply_at(
    const ngx_http_tomo_reply_t *reply, ngx_uint_t i);
/* the first word of an error (LOADING, OOM, …), at most 32 bytes, for logs */
ngx_str_t ngx_http_tomo_reply_word(const ngx_http_tomo_reply_t *reply);
/* is it a status with that text? */
ngx_uint_t ngx_http_tomo_reply_is(const ngx_http_tomo_reply_t *reply,
    const char *status);

/* exponential from 50 ms to 5 s with jitter; *step counts the tries */
ngx_msec_t ngx_http_tomo_backoff(ngx_uint_t *step);

#endif
