/* api/sandbox: see sandbox.h */

#include "sandbox.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "log.h"
#include "routes.h"
#include "settled.h"
#include "tomo_codec.h"

#define SANDBOX_ADVANCE_MAX_S  INT64_C(315360000)
#define SANDBOX_SETTLE_MS      60000
#define SANDBOX_POLL_MS        2


struct sandbox_s {
    const conf_t     *conf;
    settled_t        *settled;
    pthread_t         thread;
    pthread_mutex_t   lock;
    pthread_cond_t    filled;
    bool              stopping;
    request_t        *r;            /* being served; NULL: idle */
    int64_t           advance_ms;
};


void
sandbox_put(const conf_t *conf, request_t *r)
{
    r->status = MHD_HTTP_OK;
    json_open(&r->out, NULL, '{');
    json_put_i64(&r->out, "now_ms", clock_now_ms());
    json_put_c(&r->out, "zone", conf->n_accounts ? conf->accounts[0].zone
                                                 : "UTC");
    json_close(&r->out, '}');
}


static bool
sandbox_stopping(sandbox_t *s)
{
    bool  stopping;

    (void) pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    (void) pthread_mutex_unlock(&s->lock);

    return stopping;
}


/* waits until nothing is left to do at the present now; the next due moment */
static bool
sandbox_settle(sandbox_t *s, bool with_edges, int64_t *due_ms,
    const char **why)
{
    int64_t  start_ms, until_us;

    start_ms = clock_real_ms();
    until_us = clock_mono_us() + SANDBOX_SETTLE_MS * 1000;

    while (!settled_now(s->settled, with_edges ? start_ms : 0, due_ms, why)) {
        if (sandbox_stopping(s)) {
            *why = "the worker is stopping";
            return false;
        }

        if (clock_mono_us() > until_us) {
            return false;
        }

        (void) poll(NULL, 0, SANDBOX_POLL_MS);
    }

    return true;
}


static void
sandbox_set(int64_t now_ms)
{
    int64_t  ahead;

    ahead = now_ms - clock_now_ms();

    if (ahead > 0) {
        clock_offset_set(clock_offset_ms() + ahead);
    }
}


static bool
sandbox_walk(sandbox_t *s, int64_t advance_ms, const char **why)
{
    bool     edges = true;
    int64_t  target_ms, due_ms;

    target_ms = clock_now_ms() + advance_ms;

    for ( ;; ) {
        if (!sandbox_settle(s, edges, &due_ms, why)) {
            return false;
        }

        edges = false;

        if (due_ms > target_ms) {
            break;
        }

        sandbox_set(due_ms);
    }

    sandbox_set(target_ms);

    return sandbox_settle(s, false, &due_ms, why);
}


static void
sandbox_serve(sandbox_t *s, request_t *r, int64_t advance_ms)
{
    const char  *why = "";

    if (sandbox_walk(s, advance_ms, &why)) {
        sandbox_put(s->conf, r);
        return;
    }

    log_warn("sandbox clock", "stopped on its way: %s", why);
    http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "not_settled", why);
}


static void *
sandbox_main(void *data)
{
    int64_t     advance_ms;
    request_t  *r;
    sandbox_t  *s = data;

    for ( ;; ) {
        (void) pthread_mutex_lock(&s->lock);

        while (s->r == NULL && !s->stopping) {
            (void) pthread_cond_wait(&s->filled, &s->lock);
        }

        r = s->r;
        advance_ms = s->advance_ms;
        (void) pthread_mutex_unlock(&s->lock);

        if (r == NULL) {
            return NULL;
        }

        sandbox_serve(s, r, advance_ms);

        (void) pthread_mutex_lock(&s->lock);
        s->r = NULL;
        (void) pthread_mutex_unlock(&s->lock);

        http_resume(r);
    }
}


tomo_rc_e
sandbox_start(const conf_t *conf, sandbox_t **sandbox)
{
    sandbox_t  *s;

    s = calloc(1, sizeof(sandbox_t));
    if (s == NULL) {
        return TOMO_ERROR;
    }

    s->conf = conf;
    s->settled = settled_new(conf);
    (void) pthread_mutex_init(&s->lock, NULL);
    (void) pthread_cond_init(&s->filled, NULL);

    if (s->settled == NULL
        || pthread_create(&s->thread, NULL, sandbox_main, s) != 0)
    {
        log_error("sandbox clock", "no thread for it: raise the limit of "
                  "tasks");
        sandbox_free(s);
        return TOMO_ERROR;
    }

    *sandbox = s;

    return TOMO_OK;
}


void
sandbox_stop(sandbox_t *s)
{
    (void) pthread_mutex_lock(&s->lock);
    s->stopping = true;
    (void) pthread_cond_signal(&s->filled);
    (void) pthread_mutex_unlock(&s->lock);

    (void) pthread_join(s->thread, NULL);
}


void
sandbox_free(sandbox_t *s)
{
    settled_free(s->settled);
    free(s);
}


bool
sandbox_advance(sandbox_t *s, request_t *r, int64_t advance_ms)
{
    bool  taken;

    (void) pthread_mutex_lock(&s->lock);
    taken = s->r == NULL && !s->stopping;

    if (taken) {
        http_suspend(r);
        s->r = r;
        s->advance_ms = advance_ms;
        (void) pthread_cond_signal(&s->filled);
    }

    (void) pthread_mutex_unlock(&s->lock);

    return taken;
}


http_rc_e
sandbox_clock_get(routes_t *routes, request_t *r, const route_match_t *m)
{
    (void) m;

    sandbox_put(routes->ctx->conf, r);

    return HTTP_ANSWERED;
}


http_rc_e
sandbox_clock_post(routes_t *routes, request_t *r, const route_match_t *m)
{
    json_t        *root;
    int64_t        advance_s;
    uint8_t        memory[4096];
    tomo_arena_t   arena;

    (void) m;

    tomo_arena_init(&arena, memory, sizeof(memory));

    if (json_parse(r->body, NULL, &arena, &root, NULL) != TOMO_OK
        || json_i64(root, "advance_s", 0, SANDBOX_ADVANCE_MAX_S, &advance_s)
           != TOMO_OK)
    {
        http_error(r, MHD_HTTP_BAD_REQUEST, "bad_advance",
                   "send {\"advance_s\":N}, N seconds from 0 to 315360000");
        return HTTP_ANSWERED;
    }

    if (!sandbox_advance(routes->ctx->sandbox, r, advance_s * 1000)) {
        http_error(r, MHD_HTTP_CONFLICT, "clock_busy",
                   "the clock is being moved already; wait for that call");
        return HTTP_ANSWERED;
    }

    return HTTP_SUSPENDED;
}
