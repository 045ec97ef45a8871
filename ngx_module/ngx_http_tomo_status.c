/*
 * ngx_http_tomo_status: the state of the edge for people (HTML), programs
 * (?format=json) and Prometheus (?format=prometheus).  Who may see it is a
 * matter of allow and deny.
 */

#include "ngx_http_tomo_version.h"
#include "ngx_http_tomo_redis_check.h"
#include "ngx_http_tomo_zone.h"

#define NGX_HTTP_TOMO_STATUS_ROOM  32768
#define NGX_HTTP_TOMO_STATUS_SLOT  160      /* bytes of one writer's row */

typedef struct {
    ngx_http_tomo_zone_t     *tz;
    ngx_http_tomo_balance_t   balance;
    ngx_http_tomo_version_t   module;
    uint64_t                  max;          /* bytes of the journal, 0: none */
    ngx_uint_t                slots;        /* in use */
    ngx_uint_t                up;           /* Redis answers one of us */
    ngx_uint_t                down;         /* … or does not */
    uint64_t                  stops;        /* rows it is refused for */
    uint64_t                  held;         /* accounts, by journal */
} ngx_http_tomo_status_t;

static const struct {
    const char  *name;
    const char  *help;
} ngx_http_tomo_status_counters[] = {
#define NGX_HTTP_TOMO_STATUS_ROW_(name, help)  { #name, help },
    NGX_HTTP_TOMO_COUNTERS(NGX_HTTP_TOMO_STATUS_ROW_)
#undef NGX_HTTP_TOMO_STATUS_ROW_
};


static void ngx_http_tomo_status_read(ngx_http_tomo_status_t *st);
static void ngx_http_tomo_status_json(tomo_buf_t *b,
    ngx_http_tomo_status_t *st);
static void ngx_http_tomo_status_writers(tomo_buf_t *b,
    ngx_http_tomo_zone_t *tz);
static void ngx_http_tomo_status_prometheus(tomo_buf_t *b,
    ngx_http_tomo_status_t *st);
static void ngx_http_tomo_status_metric(tomo_buf_t *b, const char *name,
    const char *type, const char *help, uint64_t value);
static void ngx_http_tomo_status_html(tomo_buf_t *b,
    ngx_http_tomo_status_t *st);
static void ngx_http_tomo_status_row(tomo_buf_t *b, const char *name,
    const char *help, uint64_t value);
static void ngx_http_tomo_status_pair(tomo_buf_t *b, const char *name,
    uint64_t value);
static const char *ngx_http_tomo_status_redis(ngx_http_tomo_status_t *st);


ngx_int_t
ngx_http_tomo_status_handler(ngx_http_request_t *r)
{
    size_t                      room;
    u_char                     *p;
    ngx_str_t                   format, allow = ngx_string("GET, HEAD");
    tomo_buf_t                  b;
    const char                 *type;
    ngx_http_tomo_status_t      st;
    ngx_http_tomo_main_conf_t  *tmcf;

    (void) ngx_http_discard_request_body(r);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_tomo_header(r, "Allow", allow) == NGX_OK
               ? NGX_HTTP_NOT_ALLOWED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tomo_module);
    st.tz = tmcf->zone;
    ngx_http_tomo_status_read(&st);
    ngx_http_tomo_version_look(r->pool, &st.module);
    st.max = tmcf->journal_conf ? (uint64_t) tmcf->journal_conf->max : 0;

    room = NGX_HTTP_TOMO_STATUS_ROOM + st.slots * NGX_HTTP_TOMO_STATUS_SLOT;
    p = ngx_pnalloc(r->pool, room);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tomo_buf_init(&b, p, room);

    if (ngx_http_arg(r, (u_char *) "format", 6, &format) != NGX_OK) {
        format.len = 0;
    }

    if (format.len == 4 && ngx_strncmp(format.data, "json", 4) == 0) {
        type = "application/json";
        ngx_http_tomo_status_json(&b, &st);

    } else if (format.len == 10
               && ngx_strncmp(format.data, "prometheus", 10) == 0)
    {
        type = "text/plain; version=0.0.4; charset=utf-8";
        ngx_http_tomo_status_prometheus(&b, &st);

    } else {
        type = "text/html; charset=utf-8";
        ngx_http_tomo_status_html(&b, &st);
    }

    if (b.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tomo_send(r, NGX_HTTP_OK, type, tomo_buf_str(&b), 0);
}


static void
ngx_http_tomo_status_read(ngx_http_tomo_status_t *st)
{
    ngx_uint_t             i;
    ngx_http_tomo_slot_t  *slot;

    ngx_http_tomo_zone_balance(st->tz, &st->balance);

    st->slots = 0;
    st->up = 0;
    st->down = 0;
    st->held = 0;
    st->stops = ngx_http_tomo_redis_check_stops(st->tz);

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &st->tz->sh->slots[i];

        if (slot->writer == 0) {
            continue;
        }

        st->slots++;
        st->up += slot->redis == NGX_HTTP_TOMO_REDIS_UP;
        st->down += slot->redis == NGX_HTTP_TOMO_REDIS_DOWN;
        st->held += slot->held;
    }
}


/* one worker without Redis is enough: its journal waits */

static const char *
ngx_http_tomo_status_redis(ngx_http_tomo_status_t *st)
{
    if (!st->up || st->down) {
        return "down";
    }

    return st->stops ? "refused" : "up";
}


static void
ngx_http_tomo_status_json(tomo_buf_t *b, ngx_http_tomo_status_t *st)
{
    ngx_uint_t              i;
    ngx_http_tomo_shctx_t  *sh = st->tz->sh;

    tomo_buf_c(b, "{\"version\":\"" TOMO_VERSION
                  "\",\"version_on_disk\":\"");
    tomo_buf_c(b, (const char *) st->module.on_disk);
    tomo_buf_c(b, "\",\"restart_needed\":");
    tomo_buf_c(b, st->module.replaced ? "true" : "false");
    tomo_buf_c(b, ",\"nginx\":\"" NGINX_VERSION "\",\"edge\":\"");
    tomo_buf_hex64(b, sh->edge_id);
    tomo_buf_c(b, "\"");
    ngx_http_tomo_status_pair(b, "generation", sh->generation);
    tomo_buf_c(b, ",\"durability\":\"fsync\",\"redis\":\"");
    tomo_buf_c(b, ngx_http_tomo_status_redis(st));
    tomo_buf_c(b, "\",\"redis_refused\":\"");
    ngx_http_tomo_redis_check_put(b, st->stops);
    tomo_buf_c(b, "\",\"counters\":{");

    for (i = 0; i < NGX_HTTP_TOMO_COUNTER_END; i++) {
        tomo_buf_c(b, i ? ",\"" : "\"");
        tomo_buf_c(b, ngx_http_tomo_status_counters[i].name);
        tomo_buf_c(b, "\":");
        tomo_buf_u64(b, sh->counters[i]);
    }

    tomo_buf_c(b, "},\"journal\":{\"bytes\":");
    tomo_buf_u64(b, st->balance.bytes);
    tomo_buf_c(b, ",\"writers\":[");
    ngx_http_tomo_status_writers(b, st->tz);
    tomo_buf_c(b, "]}");

    ngx_http_tomo_status_pair(b, "received", st->balance.received);
    ngx_http_tomo_status_pair(b, "shipped", st->balance.shipped);
    ngx_http_tomo_status_pair(b, "waiting", st->balance.waiting);
    ngx_http_tomo_status_pair(b, "quarantined", st->balance.quarantined);
    ngx_http_tomo_status_pair(b, "held", st->held);
    tomo_buf_c(b, "}\n");
}


static void
ngx_http_tomo_status_writers(tomo_buf_t *b, ngx_http_tomo_zone_t *tz)
{
    ngx_uint_t             i, n;
    ngx_http_tomo_slot_t  *slot;

    for (i = 0, n = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &tz->sh->slots[i];

        if (slot->writer == 0) {
            continue;
        }

        tomo_buf_c(b, n++ ? ",{\"id\":\"" : "{\"id\":\"");
        tomo_buf_hex64(b, slot->writer);
        tomo_buf_c(b, "\"");
        ngx_http_tomo_status_pair(b, "pid", slot->pid);
        ngx_http_tomo_status_pair(b, "last_seq", slot->last_seq);
        ngx_http_tomo_status_pair(b, "passed_seq", slot->passed_seq);
        tomo_buf_c(b, "}");
    }
}


static void
ngx_http_tomo_status_pair(tomo_buf_t *b, const char *name, uint64_t value)
{
    tomo_buf_c(b, ",\"");
    tomo_buf_c(b, name);
    tomo_buf_c(b, "\":");
    tomo_buf_u64(b, value);
}


static void
ngx_http_tomo_status_prometheus(tomo_buf_t *b, ngx_http_tomo_status_t *st)
{
    char         name[80];
    ngx_uint_t   i;

    tomo_buf_c(b, "# HELP tomo_build_info Version of the module and of nginx\n"
                  "# TYPE tomo_build_info gauge\n"
                  "tomo_build_info{version=\"" TOMO_VERSION
                  "\",nginx=\"" NGINX_VERSION "\"} 1\n");

    for (i = 0; i < NGX_HTTP_TOMO_COUNTER_END; i++) {
        *ngx_snprintf((u_char *) name, sizeof(name) - 1, "tomo_%s_total",
                      ngx_http_tomo_status_counters[i].name) = '\0';
        ngx_http_tomo_status_metric(b, name, "counter",
                                    ngx_http_tomo_status_counters[i].help,
                                    st->tz->sh->counters[i]);
    }

    ngx_http_tomo_status_metric(b, "tomo_records_received_total", "counter",
        "Journal records: shipped, waiting and quarantined together",
        st->balance.received);
    ngx_http_tomo_status_metric(b, "tomo_records_shipped_total", "counter",
        "Journal records that Redis holds", st->balance.shipped);
    ngx_http_tomo_status_metric(b, "tomo_records_quarantined_total",
        "counter", "Journal records set aside", st->balance.quarantined);
    ngx_http_tomo_status_metric(b, "tomo_records_waiting", "gauge",
        "Journal records not yet in Redis", st->balance.waiting);
    ngx_http_tomo_status_metric(b, "tomo_accounts_held", "gauge",
        "Accounts whose keys Redis refuses, in each journal", st->held);
    ngx_http_tomo_status_metric(b, "tomo_journal_bytes", "gauge",
        "Bytes in the journals' segments", st->balance.bytes);
    ngx_http_tomo_status_metric(b, "tomo_journal_max_bytes", "gauge",
        "Bytes they may take: max= of tomo_journal", st->max);
    ngx_http_tomo_status_metric(b, "tomo_journal_writers", "gauge",
        "Journals written or shipped now", st->slots);
    ngx_http_tomo_status_metric(b, "tomo_table_generation", "gauge",
        "Changes of the edge's table since start", st->tz->sh->generation);
    ngx_http_tomo_status_metric(b, "tomo_redis_up", "gauge",
        "1 when every worker's connection to Redis stands",
        st->up && !st->down);
    ngx_http_tomo_status_metric(b, "tomo_redis_refused", "gauge",
        "1 while Redis would not keep what it takes: nothing is shipped",
        st->stops != 0);
    ngx_http_tomo_status_metric(b, "tomo_module_replaced", "gauge",
        "1 when the module's file is not the one that runs: restart nginx",
        st->module.replaced);
}


static void
ngx_http_tomo_status_metric(tomo_buf_t *b, const char *name,
    const char *type, const char *help, uint64_t value)
{
    tomo_buf_c(b, "# HELP ");
    tomo_buf_c(b, name);
    tomo_buf_c(b, " ");
    tomo_buf_c(b, help);
    tomo_buf_c(b, "\n# TYPE ");
    tomo_buf_c(b, name);
    tomo_buf_c(b, " ");
    tomo_buf_c(b, type);
    tomo_buf_c(b, "\n");
    tomo_buf_c(b, name);
    tomo_buf_c(b, " ");
    tomo_buf_u64(b, value);
    tomo_buf_c(b, "\n");
}


static void
ngx_http_tomo_status_html(tomo_buf_t *b, ngx_http_tomo_status_t *st)
{
    ngx_uint_t  i;

    tomo_buf_c(b, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
                  "<meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\">"
                  "<title>Tomo: edge</title><style>"
                  "body{font:15px/1.5 sans-serif;margin:2em auto;"
                  "max-width:50em;padding:0 1em}"
                  "table{border-collapse:collapse;width:100%}"
                  "td{border-top:1px solid #ddd;padding:.2em .6em .2em 0}"
                  "td:nth-child(2){text-align:right;"
                  "font-variant-numeric:tabular-nums}"
                  "</style></head><body><h1>Tomo " TOMO_VERSION
                  " on nginx " NGINX_VERSION "</h1><p>Redis is ");
    tomo_buf_c(b, ngx_http_tomo_status_redis(st));

    if (st->stops) {
        tomo_buf_c(b, ": ");
        ngx_http_tomo_redis_check_put(b, st->stops);
    }

    tomo_buf_c(b, "; edge ");
    tomo_buf_hex64(b, st->tz->sh->edge_id);

    if (st->module.replaced) {
        tomo_buf_c(b, "</p><p><strong>The module's file is another one now, "
                      "version ");
        tomo_buf_c(b, (const char *) st->module.on_disk);
        tomo_buf_c(b, ": restart nginx, a reload keeps the old one."
                      "</strong>");
    }

    tomo_buf_c(b, "</p><h2>Records</h2><table>");

    ngx_http_tomo_status_row(b, "received", "Shipped, waiting, quarantined",
                             st->balance.received);
    ngx_http_tomo_status_row(b, "shipped", "In Redis", st->balance.shipped);
    ngx_http_tomo_status_row(b, "waiting", "On disk, not yet in Redis",
                             st->balance.waiting);
    ngx_http_tomo_status_row(b, "quarantined", "Set aside",
                             st->balance.quarantined);
    ngx_http_tomo_status_row(b, "held", "Accounts held", st->held);
    ngx_http_tomo_status_row(b, "bytes", "In the journals' segments",
                             st->balance.bytes);
    ngx_http_tomo_status_row(b, "writers", "Journals in use", st->slots);
    ngx_http_tomo_status_row(b, "generation", "Changes of the table",
                             st->tz->sh->generation);

    tomo_buf_c(b, "</table><h2>Counters</h2><table>");

    for (i = 0; i < NGX_HTTP_TOMO_COUNTER_END; i++) {
        ngx_http_tomo_status_row(b, ngx_http_tomo_status_counters[i].name,
                                 ngx_http_tomo_status_counters[i].help,
                                 st->tz->sh->counters[i]);
    }

    tomo_buf_c(b, "</table><p><a href=\"?format=json\">JSON</a> "
                  "<a href=\"?format=prometheus\">Prometheus</a></p>"
                  "</body></html>\n");
}


static void
ngx_http_tomo_status_row(tomo_buf_t *b, const char *name, const char *help,
    uint64_t value)
{
    tomo_buf_c(b, "<tr><td>");
    tomo_buf_c(b, name);
    tomo_buf_c(b, "</td><td>");
    tomo_buf_u64(b, value);
    tomo_buf_c(b, "</td><td>");
    tomo_buf_c(b, help);
    tomo_buf_c(b, "</td></tr>\n");
}
