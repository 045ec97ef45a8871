#include "dispatch.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "clock.h"
#include "doctor/history.h"
#include "doctor/hold.h"
#include "log.h"
#include "outbox.h"
#include "redis_check.h"
#include "ship.h"
#include "take.h"

#define DISPATCH_TURN_US    INT64_C(200000)     /* longest wait of a turn */
#define DISPATCH_TIDY_US    INT64_C(60000000)
#define DISPATCH_SHIP_US    INT64_C(5000)
#define DISPATCH_DRAIN_US   INT64_C(2000000)    /* in flight at SIGTERM */


typedef struct {
    role_t        *role;
    const conf_t  *conf;
    lease_self_t   self;
    vault_t        vault;
    redis_t        redis;
    uint64_t       generation;
    ship_t        *ship;
    outbox_t       outbox;
    sender_t       sender;
    int64_t        tidy_us;
    int64_t        ship_us;     /* last shipped */
    redis_check_t  check;       /* refused: nothing is sent */
    history_t      history;
    hold_t         hold;        /* Redis went back: nothing new is sent */
} dispatch_t;


/* waits for Redis; an exit code, 0 = its settings are fine */

static int
dispatch_check(dispatch_t *d)
{
    tomo_rc_e  rc;

    while (!role_stopping(d->role)) {
        role_alive(d->role);
        rc = redis_check(&d->redis, &d->check);

        if (rc == TOMO_OK) {
            return ROLE_EXIT_OK;
        }

        if (rc == TOMO_DENIED) {
            return ROLE_EXIT_CONF;
        }

        (void) role_poll(d->role, NULL, 0, 50 + redis_wait_ms(&d->redis));
    }

    return ROLE_EXIT_OK;
}


static int
dispatch_open(dispatch_t *d)
{
    sender_t  *s = &d->sender;

    s->conf = d->conf;
    s->vault = &d->vault;
    s->redis = &d->redis;

    d->check.whom = TOMO_DOCTOR_SEND;
    history_open(&d->history, d->conf);
    redis_init(&d->redis, d->conf, "dispatch", 2000);
    lease_scripts(&d->redis);
    take_script_add(&d->redis);
    outbox_init(&d->outbox, d->conf);
    lineapi_init(&s->lineapi);

    if (vault_open(&d->vault, d->conf) != TOMO_OK) {
        return ROLE_EXIT_CONF;
    }

    if (lease_self_open(&d->self, d->conf->run_dir, "dispatch") != TOMO_OK) {
        return ROLE_EXIT_FAIL;
    }

    s->journal = sendjournal_open(d->conf);
    s->wire = wire_new(d->conf, sender_done, s);
    s->channels = calloc(d->conf->n_accounts, sizeof(*s->channels));

    if (s->journal == NULL || s->wire == NULL || s->channels == NULL
        || hold_open(&d->hold, d->conf) != TOMO_OK)
    {
        return ROLE_EXIT_FAIL;
    }

    for (size_t i = 0; i < d->conf->n_accounts; i++) {
        channel_init(&s->channels[i], &d->conf->accounts[i], &d->self,
                     d->conf->line_rate_per_s, clock_mono_us());
        s->n_channels++;
    }

    d->ship = ship_new(sendjournal_journal(s->journal), &d->redis);

    return d->ship == NULL ? ROLE_EXIT_FAIL : dispatch_check(d);
}


static void
dispatch_close(dispatch_t *d)
{
    sender_t  *s = &d->sender;

    wire_free(s->wire);

    for (size_t i = 0; i < s->n_channels; i++) {
        channel_free(&s->channels[i]);
    }

    free(s->channels);
    free(s->line);
    edges_free(&s->edges);
    lineapi_free(&s->lineapi);
    ship_free(d->ship);
    sendjournal_close(s->journal);
    outbox_close(&d->outbox);
    redis_close(&d->redis);
    hold_close(&d->hold);
    vault_close(&d->vault);
    lease_self_close(&d->self);
}


static void
dispatch_lease(dispatch_t *d, channel_t *c)
{
    char       object[64];
    int64_t    now_us = clock_mono_us();
    tomo_rc_e  rc;

    if (!lease_due(&c->lease) || now_us < c->ask_us) {
        return;
    }

    snprintf(object, sizeof(object), "account %s", c->ac->id);
    rc = lease_take(&c->lease, &d->redis);

    if (rc != TOMO_AGAIN && c->fenced > 0) {
        log_warn(object, "%llu attempts were held back: the lease had run out",
                 (unsigned long long) c->fenced);
        c->fenced = 0;
    }

    if (rc == TOMO_OK && !c->owned) {
        log_info(object, "is ours to send for");
        channel_own(c, true);
    }

    if (rc == TOMO_DENIED) {
        c->ask_us = now_us + 1000 * (c->lease.wait_ms < 1000
                                     ? c->lease.wait_ms : 1000);

        if (c->owned) {
            log_warn(object, "is sent for by another process now");
        }

        channel_own(c, false);
    }

    if (rc == TOMO_AGAIN) {
        c->ask_us = now_us + 200000;
    }
}


static void
dispatch_leases(dispatch_t *d)
{
    bool  again = d->generation != d->redis.generation;

    if (redis_up(&d->redis) != TOMO_OK) {
        return;
    }

    if (again) {
        /* Redis may have gone back in time: ask and read everything anew */
        d->generation = d->redis.generation;
        outbox_rewind(&d->sender);
    }

    for (size_t i = 0; i < d->sender.n_channels; i++) {
        channel_t  *c = &d->sender.channels[i];

        if (again) {
            c->lease.held = false;
            c->ask_us = 0;
        }

        dispatch_lease(d, c);
    }
}


/*
 * Settings can change under us: look again, and rest while they are wrong.
 * Redis can come back as it was some time ago: then rest, too.
 */

static void
dispatch_look(dispatch_t *d)
{
    history_e  what = HISTORY_GOES_ON;

    if (redis_check_allows(&d->redis, &d->check)
        && history_turn(&d->history, &d->redis, &what) == TOMO_OK
        && (what == HISTORY_BACK || what == HISTORY_LOST
            || (what == HISTORY_RESTARTED && d->check.facts.relaxed)))
    {
        hold_begin(&d->hold);
    }

    if (redis_up(&d->redis) == TOMO_OK) {
        hold_turn(&d->hold, &d->redis);
    }

    d->sender.held = d->hold.held;
}


/*
 * What was appended becomes durable, then goes to Redis.  Under load the way
 * to Redis waits a little, so that one of its syncs serves many verdicts.
 */

static bool
dispatch_settle(dispatch_t *d, int64_t *wait_us)
{
    int64_t  now_us;

    if (d->sender.failed || sendjournal_sync(d->sender.journal) != TOMO_OK) {
        return false;
    }

    now_us = clock_mono_us();

    if (wire_flying(d->sender.wire) > 0 && ship_waiting(d->ship) > 0
        && now_us - d->ship_us < DISPATCH_SHIP_US)
    {
        if (*wait_us > DISPATCH_SHIP_US) {
            *wait_us = DISPATCH_SHIP_US;
        }

    } else {
        /* down or full: the records stay on disk, the next turn tries again */
        (void) !ship_run(d->ship, 0);
        d->ship_us = clock_mono_us();
    }

    if (now_us - d->tidy_us > DISPATCH_TIDY_US) {
        d->tidy_us = now_us;
        sendjournal_tidy(d->sender.journal);
    }

    return true;
}


static bool
dispatch_turn(dispatch_t *d, bool reading)
{
    int                  fd = -1;
    int64_t              wait_us = DISPATCH_TURN_US;
    struct curl_waitfd   fds[2];

    dispatch_leases(d);
    dispatch_look(d);

    if (reading && !d->check.refused) {
        fd = outbox_ask(&d->outbox, &d->sender);
    }

    d->sender.stopping = !reading || d->check.refused;
    sender_turn(&d->sender, &wait_us);

    if (!dispatch_settle(d, &wait_us)) {
        return false;
    }

    fds[0] = (struct curl_waitfd) { .fd = d->role->stop_fd,
                                    .events = CURL_WAIT_POLLIN };
    fds[1] = (struct curl_waitfd) { .fd = fd, .events = CURL_WAIT_POLLIN };

    /* the stop event stays readable: while draining it must not spin */
    wire_turn(d->sender.wire, reading ? fds : fds + 1,
              (reading ? 1u : 0u) + (fd >= 0 ? 1u : 0u),
              (int) ((wait_us + 999) / 1000));

    if (fd >= 0 && fds[1].revents != 0) {
        outbox_read(&d->outbox, &d->sender);
    }

    return true;
}


/* What is in flight may answer; the rest is in the journal for the next. */

static bool
dispatch_drain(dispatch_t *d)
{
    bool     ok = true;
    int64_t  end_us = clock_mono_us() + DISPATCH_DRAIN_US;

    while (ok && wire_flying(d->sender.wire) > 0
           && clock_mono_us() < end_us)
    {
        role_alive(d->role);
        ok = dispatch_turn(d, false);
    }

    /* nothing is started any more: the last verdicts go out */
    d->ship_us = 0;
    ok = ok && dispatch_settle(d, &end_us);

    for (size_t i = 0; i < d->sender.n_channels; i++) {
        lease_release(&d->sender.channels[i].lease, &d->redis);
    }

    return ok;
}


int
dispatch_main(role_t *role)
{
    int          code;
    bool         ok = true;
    dispatch_t  *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        return ROLE_EXIT_FAIL;
    }

    d->role = role;
    d->conf = role->conf;
    d->self.fd = -1;
    code = dispatch_open(d);

    if (code == ROLE_EXIT_OK) {
        dispatch_leases(d);
        role_ready(role);

        while (ok && !role_stopping(role)) {
            role_alive(role);
            ok = dispatch_turn(d, true);
        }

        ok = ok && dispatch_drain(d);
        code = ok ? ROLE_EXIT_OK : ROLE_EXIT_FAIL;
    }

    dispatch_close(d);
    free(d);

    return code;
}
