#include "redis_check.h"

#include <stdio.h>

#include "clock.h"
#include "doctor/ask.h"
#include "doctor/host.h"
#include "log.h"


bool
redis_check_due(const redis_t *r, const redis_check_t *c)
{
    return c->generation != r->generation || clock_mono_us() >= c->next_us;
}


static void
redis_check_tell(const redis_t *r, const tomo_doctor_facts_t *f,
    uint64_t rows, bool stops)
{
    uint8_t      text[TOMO_DOCTOR_LINE];
    tomo_buf_t   line;
    const char  *object = r->conf->redis_address;

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        if ((rows & UINT64_C(1) << i) == 0) {
            continue;
        }

        tomo_buf_init(&line, text, sizeof(text));
        tomo_doctor_line(&line, (tomo_doctor_row_e) i, f);

        if (stops) {
            log_error(object, "is refused: %.*s", (int) line.len,
                      (const char *) line.data);
        } else {
            log_warn(object, "%.*s", (int) line.len,
                     (const char *) line.data);
        }
    }
}


/* what was not told before; what was mended, once all of it is */

static void
redis_check_log(const redis_t *r, redis_check_t *c)
{
    uint64_t  stops = tomo_doctor_stops(&c->facts, c->whom);
    uint64_t  warns = tomo_doctor_warns(&c->facts, c->whom);

    redis_check_tell(r, &c->facts, stops & ~c->stops, true);
    redis_check_tell(r, &c->facts, warns & ~c->warns, false);

    if (c->stops != 0 && stops == 0) {
        log_info(r->conf->redis_address, "is accepted again: %s goes on",
                 r->name);
    }

    if (c->facts.relaxed && warns & ~c->warns
        & UINT64_C(1) << TOMO_DOCTOR_ROW_APPENDFSYNC)
    {
        log_warn(r->conf->redis_address, "runs with durability = relaxed: a "
                 "crash of it may lose what was just acknowledged");
    }

    c->stops = stops;
    c->warns = warns;
}


/* what does not change while we run is looked at once */

static void
redis_check_host(const redis_t *r, redis_check_t *c)
{
    tomo_doctor_value_t  seen = c->facts.values[TOMO_DOCTOR_ROW_JOURNAL];

    ask_begin(&c->facts, r->conf);

    if (seen.seen) {
        c->facts.values[TOMO_DOCTOR_ROW_JOURNAL] = seen;

    } else {
        host_journal(&c->facts, r->conf);
    }
}


tomo_rc_e
redis_check(redis_t *r, redis_check_t *c)
{
    tomo_rc_e  rc;

    if (redis_up(r) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    redis_check_host(r, c);
    rc = ask_settings(r, &c->facts);

    /* a write tells nothing new about a Redis that is refused anyway */
    if (rc == TOMO_OK && tomo_doctor_stops(&c->facts, c->whom) == 0) {
        rc = ask_probe(r, &c->facts);
    }

    if (rc == TOMO_AGAIN) {
        return TOMO_AGAIN;
    }

    redis_check_log(r, c);
    c->refused = c->stops != 0;
    c->generation = r->generation;
    c->next_us = clock_mono_us()
                 + (c->refused ? REDIS_RECHECK_MS : REDIS_CHECK_MS) * 1000;

    return c->refused ? TOMO_DENIED : TOMO_OK;
}


bool
redis_check_allows(redis_t *r, redis_check_t *c)
{
    if (redis_up(r) != TOMO_OK) {
        return false;
    }

    if (redis_check_due(r, c)) {
        (void) !redis_check(r, c);
    }

    return !c->refused;
}
