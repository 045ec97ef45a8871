/* api/metrics: see metrics.h */

#include "metrics.h"

#include <stdlib.h>

#include "clock.h"
#include "tomo_version.h"

#define METRICS_ROOM_EACH  4096     /* bytes of one account's samples */
#define METRICS_ROOM       16384

typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
    const char  *tail;
} metrics_row_t;

static const metrics_row_t  metrics_worker_rows[] = {
#define METRICS_ROW_(name, type, help)  { #name, type, help, "" },
    METRICS_WORKER(METRICS_ROW_)
};

/* in the order of metrics_account_e */
static const metrics_row_t  metrics_account_rows[] = {
    METRICS_ACCOUNT(METRICS_ROW_)
#undef METRICS_ROW_
#define METRICS_ROW_(name, help)  { #name, "counter", help, "_total" },
    METRICS_COUNTERS(METRICS_ROW_)
#undef METRICS_ROW_
};


static void
metrics_name(tomo_buf_t *b, const char *head, const metrics_row_t *row)
{
    tomo_buf_c(b, head);
    tomo_buf_c(b, row->name);
    tomo_buf_c(b, row->tail);
}


static void
metrics_head(tomo_buf_t *b, const char *head, const metrics_row_t *row)
{
    tomo_buf_c(b, "# HELP ");
    metrics_name(b, head, row);
    tomo_buf_c(b, " ");
    tomo_buf_c(b, row->help);
    tomo_buf_c(b, "\n# TYPE ");
    metrics_name(b, head, row);
    tomo_buf_c(b, " ");
    tomo_buf_c(b, row->type);
    tomo_buf_c(b, "\n");
}


static void
metrics_print_worker(tomo_buf_t *b, const int64_t *values, bool redis)
{
    tomo_buf_c(b, "# HELP tomo_worker_build_info Version of tomo-worker\n"
                  "# TYPE tomo_worker_build_info gauge\n"
                  "tomo_worker_build_info{version=\"" TOMO_VERSION "\"} 1\n");

    for (size_t i = 0; i < METRICS_WORKER_END; i++) {
        /* what only Redis knows is left out, not told as 0 */
        if (!redis && i >= METRICS_W_redis_memory_bytes
            && i <= METRICS_W_edges_living)
        {
            continue;
        }

        metrics_head(b, "tomo_worker_", &metrics_worker_rows[i]);
        metrics_name(b, "tomo_worker_", &metrics_worker_rows[i]);
        tomo_buf_c(b, " ");
        tomo_buf_i64(b, values[i]);
        tomo_buf_c(b, "\n");
    }
}


static void
metrics_print_accounts(tomo_buf_t *b, const conf_t *conf,
    const metrics_account_t *accounts)
{
    for (size_t i = 0; i < METRICS_ACCOUNT_END; i++) {
        metrics_head(b, "tomo_account_", &metrics_account_rows[i]);

        for (size_t k = 0; k < conf->n_accounts; k++) {
            if (!accounts[k].known) {
                continue;
            }

            metrics_name(b, "tomo_account_", &metrics_account_rows[i]);
            tomo_buf_c(b, "{account=\"");
            tomo_buf_c(b, conf->accounts[k].id);
            tomo_buf_c(b, "\"} ");
            tomo_buf_i64(b, accounts[k].values[i]);
            tomo_buf_c(b, "\n");
        }
    }
}


void
metrics_handle(routes_t *routes, request_t *r)
{
    bool                up = false;
    int64_t             values[METRICS_WORKER_END] = { 0 };
    redis_t            *redis;
    const conf_t       *conf = routes->ctx->conf;
    metrics_account_t  *accounts;

    accounts = calloc(conf->n_accounts + 1, sizeof(*accounts));

    if (accounts == NULL) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                   "no memory; ask again");
        return;
    }

    values[METRICS_W_start_seconds] = routes->start_ms / 1000;
    metrics_read_journals(conf, values);
    redis = context_redis(routes->ctx, r);

    if (redis) {
        up = metrics_read_redis(redis, values);

        for (size_t i = 0; up && i < conf->n_accounts; i++) {
            metrics_read_account(redis, tomo_str_c(conf->accounts[i].id),
                                 &accounts[i]);
        }

        context_redis_done(routes->ctx, redis);
    }

    values[METRICS_W_redis_up] = up;

    /* without Redis, too, this is an answer: it says so */
    tomo_buf_reset(&r->out);
    r->status = MHD_HTTP_OK;
    r->type = "text/plain; version=0.0.4; charset=utf-8";
    http_room(r, METRICS_ROOM + conf->n_accounts * METRICS_ROOM_EACH);
    metrics_print_worker(&r->out, values, up);
    metrics_print_accounts(&r->out, conf, accounts);
    free(accounts);
}
