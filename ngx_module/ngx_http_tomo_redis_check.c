#include "ngx_http_tomo_redis_check.h"
#include "ngx_http_tomo_zone.h"
#include "tomo_codec.h"
#include "tomo_doctor.h"


#define NGX_HTTP_TOMO_REDIS_CHECK    2000
#define NGX_HTTP_TOMO_REDIS_RECHECK  1000
#define NGX_HTTP_TOMO_REDIS_LEAST    (128 * 1024)   /* bytes between two */


struct ngx_http_tomo_redis_check_s {
    ngx_http_tomo_ship_t  *ship;
    ngx_event_t            timer;
    ngx_uint_t             asked;       /* answers to come */
    int64_t                asked_ms;    /* real time of the question */
    uint64_t               stops;       /* rows that were told */
    uint64_t               warns;
    uint64_t               until;       /* of the bytes sent: ask again then */
    tomo_doctor_facts_t    facts;
    unsigned               lost:1;      /* an answer did not come */
    unsigned               known:1;     /* looked at on this connection */
    unsigned               ok:1;
};


static void ngx_http_tomo_redis_check_ask(ngx_event_t *ev);


static int64_t
ngx_http_tomo_redis_check_now(void)
{
    ngx_time_t  *tp;

    ngx_time_update();
    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + (int64_t) tp->msec;
}


static void
ngx_http_tomo_redis_check_log(ngx_http_tomo_redis_check_t *check,
    uint64_t rows, ngx_uint_t level, const char *what)
{
    u_char      text[TOMO_DOCTOR_LINE];
    ngx_str_t   line;
    ngx_uint_t  i;
    tomo_buf_t  b;

    for (i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        if (!(rows & (uint64_t) 1 << i)) {
            continue;
        }

        tomo_buf_init(&b, text, sizeof(text));
        tomo_doctor_line(&b, (tomo_doctor_row_e) i, &check->facts);
        line.data = text;
        line.len = b.len;

        ngx_log_error(level, check->ship->log, 0, "tomo: redis %V %s%V",
                      &check->ship->tmcf->redis->host, what, &line);
    }
}


/*
 * How many bytes may be sent before memory is looked at again: a quarter of
 * what is left up to three quarters of maxmemory; others send as well.
 */

static void
ngx_http_tomo_redis_check_room(ngx_http_tomo_redis_check_t *check)
{
    uint64_t                    used, max, room;
    const tomo_doctor_value_t  *v = check->facts.values;

    check->until = UINT64_MAX;

    if (tomo_u64_get(tomo_str_c(v[TOMO_DOCTOR_ROW_MAXMEMORY].text), INT64_MAX,
                     &max) != TOMO_OK
        || tomo_u64_get(tomo_str_c(v[TOMO_DOCTOR_ROW_MEMORY].text), INT64_MAX,
                        &used) != TOMO_OK
        || max == 0)
    {
        return;
    }

    room = max / 4 * 3 > used ? (max / 4 * 3 - used) / 4 : 0;

    check->until = ngx_http_tomo_redis_stats(check->ship->redis)->bytes
                   + ngx_max(room, NGX_HTTP_TOMO_REDIS_LEAST);
}


/* all answers are here */

static void
ngx_http_tomo_redis_check_judge(ngx_http_tomo_redis_check_t *check)
{
    uint64_t               stops, warns;
    ngx_http_tomo_ship_t  *ship;
    ngx_http_tomo_slot_t  *slot;

    ship = check->ship;
    stops = tomo_doctor_stops(&check->facts, TOMO_DOCTOR_SHIP);
    warns = tomo_doctor_warns(&check->facts, TOMO_DOCTOR_SHIP);

    ngx_http_tomo_redis_check_log(check, stops & ~check->stops, NGX_LOG_ERR,
                                  "is refused: ");
    ngx_http_tomo_redis_check_log(check, warns & ~check->warns,
                                  NGX_LOG_NOTICE, "");

    if (check->stops && stops == 0) {
        ngx_log_error(NGX_LOG_NOTICE, ship->log, 0,
                      "tomo: redis %V is accepted again: shipping goes on",
                      &ship->tmcf->redis->host);
    }

    check->stops = stops;
    check->warns = warns;
    check->known = !check->facts.loading;
    check->ok = stops == 0;
    ngx_http_tomo_redis_check_room(check);

    slot = ship->tmcf->journal->slot;

    if (slot) {
        slot->refused = (ngx_atomic_uint_t) stops;
    }

    if (check->known && check->ok) {
        ngx_http_tomo_ship_wake(ship);
    }
}


static void
ngx_http_tomo_redis_check_answered(ngx_http_tomo_redis_check_t *check,
    const ngx_http_tomo_reply_t *reply)
{
    ngx_msec_t  wait;

    check->lost |= (reply == NULL);

    if (--check->asked) {
        return;
    }

    if (check->lost) {
        /* a new connection asks anew; on this one, a little later */
        if (ngx_http_tomo_redis_up(check->ship->redis)) {
            ngx_add_timer(&check->timer, NGX_HTTP_TOMO_REDIS_RECHECK);
        }

        return;
    }

    ngx_http_tomo_redis_check_judge(check);

    wait = check->known && check->ok ? NGX_HTTP_TOMO_REDIS_CHECK
                                     : NGX_HTTP_TOMO_REDIS_RECHECK;
    ngx_add_timer(&check->timer, wait);
}


static void
ngx_http_tomo_redis_check_time(const ngx_http_tomo_reply_t *reply,
    void *data)
{
    int64_t                       s, us;
    ngx_http_tomo_redis_check_t  *check = data;

    if (ngx_http_tomo_reply_n(reply) == 2
        && tomo_i64_get(ngx_http_tomo_reply_str(
                            ngx_http_tomo_reply_at(reply, 0)), &s) == TOMO_OK
        && tomo_i64_get(ngx_http_tomo_reply_str(
                            ngx_http_tomo_reply_at(reply, 1)), &us)
           == TOMO_OK)
    {
        tomo_doctor_clock(&check->facts, s, us, check->asked_ms,
                          ngx_http_tomo_redis_check_now());
    }

    ngx_http_tomo_redis_check_answered(check, reply);
}


/* what is not the wanted answer: refused, lost, or none that there can be */

static void
ngx_http_tomo_redis_check_other(ngx_http_tomo_redis_check_t *check,
    const ngx_http_tomo_reply_t *reply, const char *odd)
{
    ngx_str_t  word;

    switch (ngx_http_tomo_reply_kind(reply)) {

    case NGX_HTTP_TOMO_REPLY_ERROR:
        word = ngx_http_tomo_reply_word(reply);
        tomo_doctor_see(&check->facts, TOMO_DOCTOR_ROW_SETTINGS,
                        tomo_str_n(word.data, word.len));
        break;

    case NGX_HTTP_TOMO_REPLY_LOST:
        break;

    default:
        check->facts.loading = true;
        ngx_http_tomo_redis_surprise(check->ship->redis, odd);
        break;
    }
}


static void
ngx_http_tomo_redis_check_info(const ngx_http_tomo_reply_t *reply,
    void *data)
{
    ngx_str_t                     word;
    ngx_http_tomo_reply_e         kind;
    ngx_http_tomo_redis_check_t  *check = data;

    kind = ngx_http_tomo_reply_kind(reply);
    ngx_str_null(&word);

    if (kind == NGX_HTTP_TOMO_REPLY_ERROR) {
        word = ngx_http_tomo_reply_word(reply);
    }

    if (kind == NGX_HTTP_TOMO_REPLY_STRING) {
        tomo_doctor_info(&check->facts, ngx_http_tomo_reply_str(reply));

    } else if (kind == NGX_HTTP_TOMO_REPLY_ERROR
               && !tomo_str_eq(ngx_http_tomo_view(&word),
                               tomo_str("NOPERM")))
    {
        check->facts.loading = true;    /* later */

    } else {
        ngx_http_tomo_redis_check_other(check, reply, "INFO answered oddly");
    }

    ngx_http_tomo_redis_check_answered(check, reply);
}


static void
ngx_http_tomo_redis_check_config(const ngx_http_tomo_reply_t *reply,
    void *data)
{
    ngx_uint_t                    i;
    ngx_http_tomo_redis_check_t  *check = data;

    if (ngx_http_tomo_reply_kind(reply) == NGX_HTTP_TOMO_REPLY_ARRAY) {
        tomo_doctor_see(&check->facts, TOMO_DOCTOR_ROW_SETTINGS,
                        tomo_str("yes"));

        for (i = 0; i + 1 < ngx_http_tomo_reply_n(reply); i += 2) {
            tomo_doctor_config(&check->facts,
                ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply, i)),
                ngx_http_tomo_reply_str(ngx_http_tomo_reply_at(reply,
                                                               i + 1)));
        }

    } else {
        ngx_http_tomo_redis_check_other(check, reply,
                                        "CONFIG GET answered oddly");
    }

    ngx_http_tomo_redis_check_answered(check, reply);
}


static ngx_int_t
ngx_http_tomo_redis_check_send(ngx_http_tomo_redis_check_t *check,
    const tomo_str_t *argv, ngx_uint_t argc, ngx_http_tomo_reply_pt handler)
{
    ngx_int_t  rc;

    rc = ngx_http_tomo_redis_send(check->ship->redis, argv, argc, handler,
                                  check);

    if (rc == NGX_OK) {
        check->asked++;
    }

    return rc;
}


static void
ngx_http_tomo_redis_check_ask(ngx_event_t *ev)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, n;
    tomo_str_t                    argv[TOMO_DOCTOR_ROW_END + 2];
    const tomo_doctor_row_t      *row;
    ngx_http_tomo_redis_check_t  *check = ev->data;

    if (check->asked || !ngx_http_tomo_redis_up(check->ship->redis)) {
        return;
    }

    ngx_memzero(&check->facts, sizeof(tomo_doctor_facts_t));
    check->facts.relaxed = check->ship->tmcf->redis->relaxed;
    check->facts.assumed = check->ship->tmcf->redis->assumed;
    check->asked_ms = ngx_http_tomo_redis_check_now();
    check->lost = 0;

    argv[0] = tomo_str("TIME");
    rc = ngx_http_tomo_redis_check_send(check, argv, 1,
                                        ngx_http_tomo_redis_check_time);
    argv[0] = tomo_str("INFO");

    if (rc == NGX_OK) {
        rc = ngx_http_tomo_redis_check_send(check, argv, 1,
                                            ngx_http_tomo_redis_check_info);
    }

    argv[0] = tomo_str("CONFIG");
    argv[1] = tomo_str("GET");

    for (i = 0, n = 2; i < TOMO_DOCTOR_ROW_END; i++) {
        row = tomo_doctor_row((tomo_doctor_row_e) i);

        if (row->from == TOMO_DOCTOR_CONFIG
            && (row->stops & TOMO_DOCTOR_SHIP))
        {
            argv[n++] = tomo_str_c(row->name);
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_tomo_redis_check_send(check, argv, n,
                                            ngx_http_tomo_redis_check_config);
    }

    if (rc != NGX_OK) {
        check->lost = 1;
    }

    if (check->asked == 0) {
        ngx_add_timer(&check->timer, NGX_HTTP_TOMO_REDIS_RECHECK);
    }
}


void
ngx_http_tomo_redis_check_watch(ngx_http_tomo_ship_t *ship, ngx_uint_t up)
{
    ngx_http_tomo_redis_check_t  *check = ship->check;

    check->known = 0;

    if (check->timer.timer_set) {
        ngx_del_timer(&check->timer);
    }

    if (up) {
        ngx_http_tomo_redis_check_ask(&check->timer);
    }
}


ngx_uint_t
ngx_http_tomo_redis_check_ok(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_redis_check_t  *check = ship->check;

    if (check->known && check->ok && check->asked == 0
        && ngx_http_tomo_redis_stats(ship->redis)->bytes > check->until)
    {
        if (check->timer.timer_set) {
            ngx_del_timer(&check->timer);
        }

        check->known = 0;
        ngx_http_tomo_redis_check_ask(&check->timer);
    }

    return check->known && check->ok;
}


ngx_int_t
ngx_http_tomo_redis_check_start(ngx_http_tomo_ship_t *ship)
{
    ngx_http_tomo_redis_check_t  *check;

    check = ngx_pcalloc(ship->pool, sizeof(ngx_http_tomo_redis_check_t));
    if (check == NULL) {
        return NGX_ERROR;
    }

    check->ship = ship;
    check->timer.handler = ngx_http_tomo_redis_check_ask;
    check->timer.data = check;
    check->timer.log = ship->log;
    check->timer.cancelable = 1;
    ship->check = check;

    return NGX_OK;
}


void
ngx_http_tomo_redis_check_stop(ngx_http_tomo_ship_t *ship)
{
    if (ship->check && ship->check->timer.timer_set) {
        ngx_del_timer(&ship->check->timer);
    }
}


uint64_t
ngx_http_tomo_redis_check_stops(ngx_http_tomo_zone_t *tz)
{
    uint64_t    stops;
    ngx_uint_t  i;

    stops = 0;

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        if (tz->sh->slots[i].writer) {
            stops |= (uint64_t) tz->sh->slots[i].refused;
        }
    }

    return stops;
}


void
ngx_http_tomo_redis_check_put(tomo_buf_t *b, uint64_t stops)
{
    ngx_uint_t                i;
    const tomo_doctor_row_t  *row;

    for (i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        if (stops & (uint64_t) 1 << i) {
            row = tomo_doctor_row((tomo_doctor_row_e) i);
            tomo_buf_c(b, row->item);
            tomo_buf_c(b, ", wanted ");
            tomo_buf_c(b, row->wanted);
            tomo_buf_c(b, ": ");
            tomo_buf_c(b, row->advice);
            return;
        }
    }
}
