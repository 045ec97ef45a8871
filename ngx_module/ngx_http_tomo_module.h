/*
 * ngx_http_tomo_module: what all files of the edge share: configuration,
 * request context, the clock, and who calls whom.
 *
 * Directives and their manners are in ngx_http_tomo_conf.c, the life cycle
 * (postconfiguration, init_process, exit_process) in ngx_http_tomo_module.c.
 * Nothing here is static state: everything hangs off the cycle, so a reload
 * starts afresh (the zone and the journal's files go on).
 *
 * Thread rule: unless a header says otherwise all functions run in the event
 * loop of a worker.
 */

#ifndef NGX_HTTP_TOMO_MODULE_H
#define NGX_HTTP_TOMO_MODULE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "tomo_base.h"
#include "tomo_token.h"
#include "tomo_version.h"

#define NGX_HTTP_TOMO_KEEP_MIN_S  1800

typedef struct ngx_http_tomo_zone_s     ngx_http_tomo_zone_t;
typedef struct ngx_http_tomo_journal_s  ngx_http_tomo_journal_t;
typedef struct ngx_http_tomo_ship_s     ngx_http_tomo_ship_t;
typedef struct ngx_http_tomo_pages_s    ngx_http_tomo_pages_t;
typedef struct ngx_http_tomo_forms_s    ngx_http_tomo_forms_t;
typedef struct ngx_http_tomo_pace_s     ngx_http_tomo_pace_t;
typedef struct ngx_http_tomo_body_s     ngx_http_tomo_body_t;

/*
 * Where Redis is.  host is NUL-terminated: a path when port is 0, else a
 * numeric address ("127.0.0.1", "::1"): names were resolved by `nginx -t`.
 * Empty user and password: no AUTH.
 */
typedef struct {
    ngx_str_t   host;
    in_port_t   port;
    ngx_str_t   user;
    ngx_str_t   password;
    ngx_msec_t  connect_timeout;
    ngx_msec_t  timeout;            /* of the oldest command in flight */
    unsigned    relaxed:1;          /* durability=relaxed */
    unsigned    assumed:1;          /* assume_checked=on */
} ngx_http_tomo_redis_conf_t;

/* Keys of tomo_key_file; [0] issues and seals, all of n open. */
typedef struct {
    ngx_uint_t         n;
    tomo_token_keys_t  tokens;
    tomo_hash_t        hash;                /* for webhooks, prepared */
    u_char             seal[TOMO_TOKEN_KEYS][32];      /* label edge-seal */
    u_char             snapshot[TOMO_TOKEN_KEYS][32];  /* edge-snapshot */
} ngx_http_tomo_keys_t;

typedef struct {
    ngx_str_t   path;               /* NUL-terminated, no slash at the end */
    time_t      keep;               /* seconds a shipped segment is kept,
                                       NGX_HTTP_TOMO_KEEP_MIN_S or more */
    off_t       max;                /* bytes of all writers together */
    size_t      segment;            /* bytes of one segment file */
} ngx_http_tomo_journal_conf_t;

typedef struct {
    ngx_shm_zone_t                *shm_zone;    /* NULL: no tomo_zone */
    ngx_str_t                      snapshot;    /* NUL-terminated; may be "" */
    ngx_http_tomo_redis_conf_t    *redis;       /* NULL: not configured */
    ngx_http_tomo_journal_conf_t  *journal_conf;
    ngx_http_tomo_keys_t          *keys;
    ngx_str_t                      clock_file;
    volatile int64_t              *clock;       /* mapped offset, or NULL */
    time_t                         clock_tried;
    ngx_flag_t                     click_address;
    ngx_thread_pool_t             *thread_pool;
    ngx_uint_t                     locations;   /* of Tomo, all servers */

    ngx_http_request_body_filter_pt  body_next;     /* the filter after ours */
    ngx_http_log_handler_pt        log_next;    /* nginx's own log handler */
    time_t                         log_second;
    ngx_uint_t                     log_lines;   /* in that second */

    /* of this worker, set by init_process; NULL before and in other roles */
    ngx_http_tomo_zone_t          *zone;        /* also in the master */
    ngx_http_tomo_journal_t       *journal;
    ngx_http_tomo_ship_t          *ship;
    ngx_http_tomo_pages_t         *pages;       /* made by the first page */
    ngx_http_tomo_forms_t         *forms;       /* made by the first post */
    ngx_http_tomo_pace_t          *pace;        /* made by the first post */
} ngx_http_tomo_main_conf_t;        /* tmcf */

typedef struct {
    size_t        max_body;         /* bytes; merged per handler's default */
    ngx_str_t     name;             /* "webhook", "redirect" …; "" : not ours */
    ngx_http_handler_pt  handler;
} ngx_http_tomo_loc_conf_t;         /* tlcf */

/*
 * What a request turned out to be about; the variables $tomo_* read it.
 * Created on first use (ngx_http_tomo_ctx), lives in r->pool.  0 and "" mean
 * unknown.  verdict is a static word: "accepted", "signature_wrong",
 * "redirected", "preview", "unavailable" …
 */
typedef struct {
    ngx_str_t     account;
    uint32_t      friend;
    uint32_t      link;
    uint32_t      survey;
    uint32_t      events;
    ngx_str_t     verdict;
    void         *handler;          /* the handler's own state */
    ngx_http_tomo_body_t  *body;    /* NULL: not asked for */
} ngx_http_tomo_ctx_t;

extern ngx_module_t  ngx_http_tomo_module;

/* NULL: out of memory */
ngx_http_tomo_ctx_t *ngx_http_tomo_ctx(ngx_http_request_t *r);

/* sets ctx->verdict to a literal */
#define ngx_http_tomo_verdict(ctx, word)  ngx_str_set(&(ctx)->verdict, word)

/* Unix ms of the sandbox clock: ngx_timeofday() and the mapped offset */
int64_t ngx_http_tomo_now_ms(ngx_http_tomo_main_conf_t *tmcf);

static ngx_inline tomo_str_t
ngx_http_tomo_view(const ngx_str_t *s)
{
    return (tomo_str_t) { s->data, s->len };
}

/* the part of the path behind its last slash; may be empty */
ngx_str_t ngx_http_tomo_last_segment(ngx_http_request_t *r);

/*
 * Reads the body into memory alone (ngx_http_tomo_body.c), then calls
 * handler.  Returns what a content handler returns.
 */
ngx_int_t ngx_http_tomo_body_read(ngx_http_request_t *r,
    ngx_http_tomo_ctx_t *ctx, ngx_http_client_body_handler_pt handler);

/*
 * For that handler: the body in one piece, empty when there is none.  A view
 * that lives as long as the request.  NGX_OK, or NGX_HTTP_SERVICE_UNAVAILABLE.
 */
ngx_int_t ngx_http_tomo_body(ngx_http_request_t *r, ngx_http_tomo_ctx_t *ctx,
    tomo_str_t *whole);

/* in postconfiguration */
void ngx_http_tomo_body_init(ngx_http_tomo_main_conf_t *tmcf);

/* n random bytes, fit for nonces and ids; NGX_ERROR: the kernel gave none */
ngx_int_t ngx_http_tomo_random(void *data, size_t n);

/*
 * Answers with a body of the caller (static or in r->pool), its type, and
 * the headers every page of ours carries: Cache-Control: no-store,
 * X-Content-Type-Options: nosniff.  retry_after > 0 adds Retry-After.
 * Returns what a content handler returns (also fit for finalize).
 */
ngx_int_t ngx_http_tomo_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, tomo_str_t body, ngx_uint_t retry_after);

/*
 * A page for people, with what keeps it apart: TOMO_SURVEY_CSP, no frame, no
 * crawler, and referrer as its Referrer-Policy.  503 adds Retry-After.
 */
ngx_int_t ngx_http_tomo_send_page(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t referrer, tomo_str_t page);

/* adds a response header; key and value are borrowed for the request */
ngx_int_t ngx_http_tomo_header(ngx_http_request_t *r, const char *key,
    ngx_str_t value);

/*
 * How many headers of that name (lower case) the request has; *last is the
 * last of them, untouched when there is none.
 */
ngx_uint_t ngx_http_tomo_request_header(ngx_http_request_t *r,
    const char *name, ngx_table_elt_t **last);

/* Directive handlers and conf life cycle (ngx_http_tomo_conf.c) */
extern ngx_command_t  ngx_http_tomo_commands[];
void *ngx_http_tomo_create_main_conf(ngx_conf_t *cf);
char *ngx_http_tomo_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_tomo_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_tomo_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

/* $tomo_*; called in preconfiguration (ngx_http_tomo_variables.c) */
ngx_int_t ngx_http_tomo_add_variables(ngx_conf_t *cf);

/* Content handlers, one per file of that name */
ngx_int_t ngx_http_tomo_webhook_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tomo_redirect_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tomo_survey_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tomo_status_handler(ngx_http_request_t *r);

/*
 * Shipping, adopting, feed (ngx_http_tomo_ship.c).  init runs in
 * init_process of every worker, after zone and journal stand and only when
 * tomo_redis is configured; it sets tmcf->ship, starts its timers and
 * connects (never before).  NGX_ERROR: logged, the worker goes on without.
 * exit runs in exit_process before the journal closes: frees the Redis
 * contexts and closes their sockets.  tmcf->ship may be
 * NULL then.
 */
ngx_int_t ngx_http_tomo_ship_init(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf);
void ngx_http_tomo_ship_exit(ngx_cycle_t *cycle,
    ngx_http_tomo_main_conf_t *tmcf);

#endif
