#include "dispatch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
    int            event_fd;    /* an errand is over */
    errand_t      *syncs;       /* of the send journal */
    ship_t        *ship;
    tomo_rc_e      ship_rc;     /* what the last shipping ended with */
    bool           shipping;    /* the errand under way is one */
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

    d->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    d->syncs = errand_new(d->event_fd, "journal's disk");
    s->errand = errand_new(d->event_fd, "Redis");

    if (d->syncs == NULL || s->errand == NULL) {
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

    sendsync_init(&s->sync, sendjournal_journal(s->journal), d->syncs);

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

    errand_free(s->errand);
    errand_free(d->syncs);
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

    if (d->event_fd >= 0) {
        close(d->event_fd);
    }
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
    channel_leased(c, rc);

    if (rc != TOMO_AGAIN && c->fenced > 0) {
        log_warn(object, "%llu attempts were held back: the lease had run out",
                 (unsigned long long) c->fenced);
        c->fenced = 0;
    }

    if (rc == TOMO_OK && c->others) {
        outbox_stood(c, &d->redis);
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

    /* up, and looked at above: never one that came back since */
    if (redis_fd(&d->redis) >= 0) {
        hold_turn(&d->hold, &d->redis);
    }

    d->sender.held = d->hold.held;
}


static void
dispatch_ship_batch(void *data)
{
    dispatch_t  *d = data;

    d->ship_rc = ship_send(d->ship, 1);
}


/*
 * What is durable goes to Redis.  Under load it waits a little, so that one of
 * Redis's syncs serves many verdicts; what was refused stays on disk and rests.
 */

static void
dispatch_ship(dispatch_t *d, int64_t *wait_us)
{
    int64_t  now_us = clock_mono_us(), rest_us = 0;

    if (d->shipping) {
        d->shipping = false;
        d->ship_us = now_us;
        ship_tidy(d->ship);
    }

    if (redis_fd(&d->redis) < 0 || !ship_due(d->ship)) {
        return;
    }

    if (d->ship_rc == TOMO_AGAIN) {
        rest_us = d->ship_us + DISPATCH_TURN_US - now_us;

    } else if (wire_flying(d->sender.wire) > 0) {
        rest_us = d->ship_us + DISPATCH_SHIP_US - now_us;
    }

    if (rest_us > 0) {
        *wait_us = rest_us < *wait_us ? rest_us : *wait_us;
        return;
    }

    d->shipping = true;
    errand_start(d->sender.errand, dispatch_ship_batch, d);
}


/* an errand, unless there is nothing to go on with meanwhile */

static bool
dispatch_sync(dispatch_t *d)
{
    sender_t  *s = &d->sender;

    return (wire_flying(s->wire) > 0 ? sendsync_turn(&s->sync)
                                     : sendjournal_sync(s->journal))
           == TOMO_OK;
}


static void
dispatch_tidy(dispatch_t *d)
{
    int64_t  now_us = clock_mono_us();

    if (now_us - d->tidy_us > DISPATCH_TIDY_US) {
        d->tidy_us = now_us;
        sendjournal_tidy(d->sender.journal);
    }
}


/* Waits for what can be gone on with, and moves requests and answers on. */

static void
dispatch_wait(dispatch_t *d, bool reading, int outbox_fd, int64_t wait_us)
{
    unsigned             n = 0;
    uint64_t             over;
    struct curl_waitfd   fds[3] = { 0 };

    fds[n++] = (struct curl_waitfd) { .fd = d->event_fd,
                                      .events = CURL_WAIT_POLLIN };

    if (outbox_fd >= 0) {
        fds[n++] = (struct curl_waitfd) { .fd = outbox_fd,
                                          .events = CURL_WAIT_POLLIN };
    }

    /* the stop event stays readable: while draining it must not spin */
    if (reading) {
        fds[n++] = (struct curl_waitfd) { .fd = d->role->stop_fd,
                                          .events = CURL_WAIT_POLLIN };
    }

    wire_turn(d->sender.wire, fds, n, (int) ((wait_us + 999) / 1000));

    if (fds[0].revents != 0
        && read(d->event_fd, &over, sizeof(over)) < 0)
    {
        log_debug("eventfd", "was read by nobody else, and is empty");
    }

    if (outbox_fd >= 0 && fds[1].revents != 0) {
        outbox_read(&d->outbox, &d->sender);
    }
}


/* the loop turns beside an errand that never ends, and nothing goes out */

static void
dispatch_alive(dispatch_t *d)
{
    if (!errand_stuck(d->syncs) && !errand_stuck(d->sender.errand)) {
        role_alive(d->role);
    }
}


static bool
dispatch_turn(dispatch_t *d, bool reading)
{
    int        fd = -1;
    bool       idle;
    int64_t    wait_us = DISPATCH_TURN_US;
    sender_t  *s = &d->sender;

    idle = !errand_busy(s->errand);
    sender_collect(s);

    if (idle) {
        /* nobody else uses the connection */
        dispatch_leases(d);
        dispatch_look(d);
        dispatch_ship(d, &wait_us);
    }

    if (reading && !d->check.refused) {
        fd = outbox_ask(&d->outbox, s);
    }

    s->stopping = !reading || d->check.refused;
    sender_turn(s, &wait_us);
    sender_collect(s);

    if (s->failed || !dispatch_sync(d)) {
        return false;
    }

    sender_collect(s);

    if (!errand_busy(s->errand)) {
        dispatch_ship(d, &wait_us);
    }

    dispatch_tidy(d);
    dispatch_wait(d, reading, fd, wait_us);

    return true;
}


/* What is in flight may answer; the rest is in the journal for the next. */

static bool
dispatch_drain(dispatch_t *d)
{
    bool       ok = true;
    int64_t    end_us = clock_mono_us() + DISPATCH_DRAIN_US;
    sender_t  *s = &d->sender;

    while (ok && wire_flying(s->wire) + sender_preparing(s) > 0
           && clock_mono_us() < end_us)
    {
        role_alive(d->role);
        ok = dispatch_turn(d, false);
    }

    /* nothing is started any more: the last verdicts go out */
    errand_wait(s->errand);
    sender_end(s);
    ok = ok && !s->failed && sendjournal_sync(s->journal) == TOMO_OK;

    if (ok) {
        /* down or full: the records stay on disk for the next process */
        (void) !ship_run(d->ship, 0);
    }

    for (size_t i = 0; i < s->n_channels; i++) {
        lease_release(&s->channels[i].lease, &d->redis);
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
    d->event_fd = -1;
    code = dispatch_open(d);

    if (code == ROLE_EXIT_OK) {
        dispatch_leases(d);
        role_ready(role);

        while (ok && !role_stopping(role)) {
            dispatch_alive(d);
            ok = dispatch_turn(d, true);
        }

        ok = ok && dispatch_drain(d);
        code = ok ? ROLE_EXIT_OK : ROLE_EXIT_FAIL;
    }

    dispatch_close(d);
    free(d);

    return code;
}
