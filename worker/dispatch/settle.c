#include "settle.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "ids.h"
#include "log.h"

#define SETTLE_LINE  (64 * 1024)


static void
settle_line(sender_t *s, tomo_buf_t *b)
{
    if (s->line == NULL) {
        s->line = malloc(SETTLE_LINE);
    }

    if (s->line == NULL) {
        abort();
    }

    tomo_buf_init(b, s->line, SETTLE_LINE);
}


static void
settle_row(sender_t *s, channel_t *c, row_t *row, const verdict_t *v)
{
    char        object[64];
    tomo_buf_t  line;

    settle_line(s, &line);
    verdict_put(&line, row, v, clock_now_ms());

    if (line.failed
        || sendjournal_verdict(s->journal, c->ac, row, v->send, v->status,
                               tomo_buf_str(&line)) != TOMO_OK)
    {
        s->failed = true;
        return;
    }

    if (v->send == TOMO_SEND_PARKED || (v->send == TOMO_SEND_REFUSED
                                        && row->via != TOMO_VIA_PROFILE))
    {
        snprintf(object, sizeof(object), "account %s", c->ac->id);
        log_warn(object, "row %s (%s, friend %u) was %s with status %d",
                 row->id, tomo_via_word(row->via), row->friend,
                 tomo_send_word(v->send), v->status);
    }

    queue_drop(&c->queue, row);
}


void
settle_untried(sender_t *s, channel_t *c, row_t *row, tomo_send_e send,
    const char *why)
{
    verdict_t  v = { .send = send, .message = tomo_str_c(why) };

    settle_row(s, c, row, &v);
}


void
settle_again(sender_t *s, channel_t *c, row_t *row,
    const sendjournal_life_t *life)
{
    verdict_t  v = {
        .send = life->send,
        .status = life->status,
        .message = tomo_str("settled before"),
        .frozen = life->to,
        .has_frozen = life->to.len > 0,
    };

    settle_row(s, c, row, &v);
}


void
settle_broken(sender_t *s, channel_t *c, tomo_str_t id, uint64_t id_ms,
    uint64_t id_seq, const char *why)
{
    char        object[64];
    tomo_buf_t  line;

    settle_line(s, &line);
    verdict_broken_put(&line, id, why, clock_now_ms());
    snprintf(object, sizeof(object), "account %s", c->ac->id);
    log_error(object, "row %.*s of the outbox cannot be sent: %s",
              (int) id.len, (const char *) id.data, why);

    if (sendjournal_broken(s->journal, c->ac, id_ms, id_seq,
                           tomo_buf_str(&line)) != TOMO_OK)
    {
        s->failed = true;
    }
}


/* Could LINE have taken it all the same?  As in core/tomo_send. */

static bool
settle_unknown(const wire_answer_t *a)
{
    if (a->status == 0) {
        return !a->unsent;
    }

    return a->status < 200 || (a->status >= 300 && a->status < 400)
           || a->status == 408 || a->status >= 500;
}


/*
 * After a certain refusal that is not the end, a row is as good as untried.
 * That must survive too: a reply's later 400 would be read as "probably sent",
 * and a push that waits for quota for days would be parked after a restart.
 */

static void
settle_void(sender_t *s, channel_t *c, row_t *row, const wire_answer_t *a)
{
    if (settle_unknown(a)) {
        row->unknown_before = true;
        return;
    }

    if (row->unknown_before) {
        return;
    }

    row->first_ms = row_counted(row) ? 0 : row->first_ms;

    if (row->journalled) {
        row->journalled = false;
        s->failed = sendjournal_void(s->journal, c->ac, row) != TOMO_OK
                    || s->failed;
    }
}


static void
settle_pause(sender_t *s, channel_t *c, bool access, int64_t until_ms)
{
    char        object[64];
    tomo_buf_t  line;

    if (!channel_pause(c, until_ms, access, clock_now_ms())) {
        return;
    }

    settle_line(s, &line);
    verdict_pause_put(&line, access ? "access" : "quota", until_ms,
                      clock_now_ms());
    snprintf(object, sizeof(object), "account %s", c->ac->id);

    if (access) {
        log_error(object, "does not send: LINE refuses new access tokens "
                  "(401); check the channel in LINE's console");
    } else {
        log_error(object, "does not push: the month's quota is used up or "
                  "reserved (429); replies go on");
    }

    if (sendjournal_event(s->journal, c->ac, tomo_buf_str(&line)) != TOMO_OK)
    {
        s->failed = true;
    }
}


/*
 * "Too many messages to one user" is a 429 as well, and no reason to slow the
 * others: it is one when others were accepted since the row's last 429.
 */

static bool
settle_alone(const channel_t *c, const row_t *row)
{
    return row->limited && c->accepted[row->via] != row->limited_at;
}


static void
settle_limited(channel_t *c, row_t *row, int64_t now_us)
{
    if (!settle_alone(c, row)) {
        channel_slow(c, row->via, now_us);
    }

    row->limited = true;
    row->limited_at = c->accepted[row->via];
}


/*
 * A 429 to this row alone starts no clock of its key, so nothing else ends it:
 * as long as an unknown outcome is repeated, and no longer.  Time with a pause
 * does not count: what waits for the month's quota waits.
 */

static bool
settle_worn(const channel_t *c, row_t *row, int64_t now_ms)
{
    if (!row->limited || row->limited_pauses != c->pauses) {
        row->limited_ms = now_ms;
        row->limited_pauses = c->pauses;
    }

    return settle_alone(c, row)
           && now_ms - row->limited_ms >= TOMO_SEND_GIVE_UP_MS;
}


static void
settle_later(sender_t *s, channel_t *c, row_t *row, const wire_answer_t *a,
    const tomo_send_plan_t *plan, int64_t now_ms)
{
    int64_t  now_us = clock_mono_us();

    settle_void(s, c, row, a);
    row->renewals = a->status == 401 ? row->renewals : 0;

    switch (plan->next) {

    case TOMO_SEND_RENEW:
        row->renewals++;
        access_reject(&c->access, row->access_used);
        queue_wait(&c->queue, row, now_us);
        return;

    case TOMO_SEND_PAUSE:
        if (a->status == 401) {
            /* the probe after the pause may ask for a token again */
            access_reject(&c->access, row->access_used);
            row->renewals = 0;
        }

        settle_pause(s, c, a->status == 401, plan->at_ms);
        queue_wait(&c->queue, row, now_us);
        return;

    default:
        if (a->status == 429) {
            settle_limited(c, row, now_us);
        }

        queue_wait(&c->queue, row, now_us + (plan->at_ms - now_ms) * 1000);
        return;
    }
}


/*
 * Another process may have sent the row too.  A reply has no key that LINE
 * could answer 409 to: what is refused now may be what it used already.
 */

static tomo_send_e
settle_final(const channel_t *c, const row_t *row, tomo_send_e send)
{
    return send == TOMO_SEND_UNUSABLE && channel_shared(c, row)
           ? TOMO_SEND_PROBABLY : send;
}


static void
settle_answer(sender_t *s, channel_t *c, row_t *row, const wire_answer_t *a)
{
    verdict_t                  v;
    tomo_429_e                 why = TOMO_429_RATE;
    tomo_send_plan_t           plan;
    tomo_send_result_t         r;
    const sendjournal_life_t  *life;

    lineapi_answer(&s->lineapi, row, a, &v);

    if (a->status == 429 && row_counted(row)) {
        why = quota_doubt(&c->quota, row_people(row), clock_mono_us());
    }

    r = (tomo_send_result_t) {
        .via = row->via,
        .status = a->status,
        .unsent = a->unsent,
        .why = why,
        .attempt = row->attempt,
        .unknown_before = row->unknown_before,
        .first_ms = row->first_ms,
        .token_ms = row->token_ms,
        .now_ms = clock_now_ms(),
        .renewals = row->renewals,
        .dice = ids_dice(),
    };

    plan = tomo_send_decide(&r);

    if (a->status == 429 && plan.next == TOMO_SEND_LATER && row_counted(row)
        && settle_worn(c, row, r.now_ms) && !row->unknown_before)
    {
        plan.next = TOMO_SEND_REFUSED;
    }

    v.send = settle_final(c, row, plan.next);

    if (plan.next == TOMO_SEND_LATER || plan.next == TOMO_SEND_RENEW
        || plan.next == TOMO_SEND_PAUSE)
    {
        settle_later(s, c, row, a, &plan, r.now_ms);
        return;
    }

    if (plan.next == TOMO_SEND_ACCEPTED) {
        channel_flows(c, row->via);
    }

    if (row->via == TOMO_VIA_MULTICAST) {
        life = sendjournal_find(s->journal, row->name);
        v.has_frozen = life != NULL && life->to.len > 0;
        v.frozen = v.has_frozen ? life->to : tomo_str_null;
    }

    settle_row(s, c, row, &v);
}


void
sender_done(void *data, void *subject, const wire_answer_t *answer)
{
    sender_t      *s = data;
    channel_t     *c;
    row_flight_t  *flight = subject;

    c = flight->channel;

    if (s->ending && flight->row == NULL) {
        return;                 /* the next life asks again */
    }

    if (flight == &c->quota_flight) {
        if (quota_answer(&c->quota, answer, clock_mono_us())) {
            settle_pause(s, c, false, clock_now_ms() + TOMO_SEND_PROBE_MS);
        }

        return;
    }

    if (flight->row == NULL) {
        access_answer(&c->access, c->ac, answer);
        return;
    }

    settle_answer(s, c, flight->row, answer);
}
