/*
 * decide_verdict: what LINE said to a row of the outbox.  The row goes away
 * in the same commit; a verdict whose row is gone was decided before.
 */

#include <string.h>

#include "greeting.h"
#include "kinds.h"
#include "many.h"
#include "tomo_codec.h"
#include "tomo_keys.h"
#include "tomo_send.h"


static tomo_str_t
verdict_row(const decision_t *d, const char *name)
{
    size_t  i;

    for (i = 0; i + 1 < d->ev->n_row; i += 2) {
        if (tomo_str_eq(d->ev->row[i], tomo_str_c(name))) {
            return d->ev->row[i + 1];
        }
    }

    return tomo_str_null;
}


static tomo_str_t
verdict_line(const decision_t *d, const char *name)
{
    const tomo_str_t  *s;

    s = tomo_rec_get(&d->ev->line, name);

    return s != NULL ? *s : tomo_str_null;
}


static outrow_about_t
verdict_about(const decision_t *d)
{
    uint64_t  serial = 0;

    if (tomo_u64_get(verdict_row(d, "friend"), UINT32_MAX, &serial)
        != TOMO_OK)
    {
        serial = 0;
    }

    return (outrow_about_t) {
        .serial = (uint32_t) serial,
        .uid = verdict_row(d, "to"),
        .def = verdict_row(d, "def"),
        .step = verdict_row(d, "step"),
        .gen = verdict_row(d, "gen"),
        .due = verdict_row(d, "due"),
        .delivery = verdict_row(d, "delivery"),
        .links = verdict_row(d, "links"),
        .event = verdict_row(d, "event")
    };
}


static void
verdict_count(decision_t *d, tomo_send_e send)
{
    static const struct {
        tomo_send_e      send;
        owner_counter_e  counter;
    } counters[] = {
        { TOMO_SEND_ACCEPTED, OWNER_ACCEPTED },
        { TOMO_SEND_PROBABLY, OWNER_PROBABLY },
        { TOMO_SEND_UNUSABLE, OWNER_UNUSABLE },
        { TOMO_SEND_REFUSED, OWNER_REFUSED },
        { TOMO_SEND_PARKED, OWNER_PARKED },
        { TOMO_SEND_CANCELLED, OWNER_CANCELLED },
    };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        if (counters[i].send == send) {
            d->o->state.counters[counters[i].counter]++;
        }
    }
}


/* why, for the next row of this verdict: event -> definition -> step */
static void
verdict_why(decision_t *d, tomo_str_t event)
{
    tomo_buf_reset(&d->why);
    decision_why(d, event);
    decision_why(d, verdict_row(d, "def"));
    decision_why(d, verdict_row(d, "step"));
}


static void
verdict_one(decision_t *d, tomo_send_e send)
{
    bool            reply;
    unsigned        part = 0;
    tomo_str_t      text = tomo_str_null;
    outrow_about_t  about = verdict_about(d);

    reply = tomo_str_eq(verdict_row(d, "via"), tomo_str("reply"));
    verdict_why(d, about.event);
    decision_fx(d, tomo_send_word(send), verdict_row(d, "via"));

    if (about.serial != 0) {
        if (send != TOMO_SEND_UNUSABLE) {
            text = many_text(d, verdict_row(d, "body"));
        }

        decision_row(d, about.serial, d->ev->id, d->ev->at_ms, "send", text);
    }

    if (!reply || send == TOMO_SEND_CANCELLED) {
        return;
    }

    if (send == TOMO_SEND_UNUSABLE) {
        /* the token was surely not used: the same bubbles as a push */
        part = outrow_push(d, &about, verdict_row(d, "body"), 0);

    } else {
        part = 1;
    }

    (void) outrow_push(d, &about, verdict_row(d, "next"), part);
}


static void
verdict_many(decision_t *d, tomo_send_e send)
{
    many_t  m = {
        .send = send,
        .id = d->ev->id,
        .at_ms = d->ev->at_ms,
        .about = verdict_about(d),
        .body = verdict_row(d, "body"),
        .to = verdict_row(d, "to"),
        .serials = verdict_row(d, "serials"),
        .events = verdict_row(d, "event"),
        .line = &d->ev->line
    };

    many_decide(d, &m);
}


static void
verdict_profile(decision_t *d, tomo_send_e send)
{
    size_t             i;
    tomo_str_t         value;
    static const struct {
        const char  *from;
        const char  *to;
        size_t       max;
    } members[] = {
        { "name", "name", 400 },
        { "picture", "pic", 2000 },
        { "language", "lang", 40 },
    };

    d->f = view_friend(d->view, verdict_about(d).serial);

    if (d->f == NULL) {
        return;
    }

    for (i = 0; send == TOMO_SEND_ACCEPTED
                && i < sizeof(members) / sizeof(members[0]); i++)
    {
        value = verdict_line(d, members[i].from);

        if (value.len > 0 && value.len <= members[i].max) {
            friend_set_c(d->f, members[i].to, value);
        }
    }

    d->kind = "profile";
    greeting_resume(d);
}


/*
 * Not about a row: dispatch cannot send for a while (LINE.md 15: the month's
 * quota).  Every first attempt looks at `meta pause`.
 */
static tomo_rc_e
verdict_pause(decision_t *d)
{
    int64_t  until_ms;

    commit_op(d->c, 'x', decision_key(d, tomo_key_audit));
    commit_pair_i64(d->c, "at", d->ev->at_ms);
    commit_pair(d->c, "actor", tomo_str("dispatch"));
    commit_pair(d->c, "do", tomo_str("send.pause"));
    commit_pair(d->c, "what", verdict_line(d, "why"));
    commit_end(d->c);

    if (tomo_rec_get_i64(&d->ev->line, "until", &until_ms) == TOMO_OK
        && tomo_str_eq(verdict_line(d, "why"), tomo_str("quota")))
    {
        commit_op(d->c, 'h', decision_key(d, tomo_key_meta));
        commit_pair_i64(d->c, "pause", until_ms);
        commit_end(d->c);
    }

    return TOMO_OK;
}


tomo_rc_e
decide_verdict(decision_t *d)
{
    tomo_via_e   via;
    tomo_send_e  send;

    d->f = NULL;

    if (tomo_send_parse(verdict_line(d, "send"), &send) != TOMO_OK) {
        d->ev->fault = "verdict_odd";
        return TOMO_INVALID;
    }

    if (send == TOMO_SEND_PAUSE) {
        return verdict_pause(d);
    }

    if (d->ev->n_row == 0) {
        d->o->state.counters[OWNER_DUPLICATES]++;
        return TOMO_OK;
    }

    if (tomo_via_parse(verdict_row(d, "via"), &via) != TOMO_OK) {
        via = TOMO_VIA_PUSH;            /* dispatch could not read it either */
    }

    commit_op(d->c, 'q', decision_key(d, tomo_key_out));
    commit_arg(d->c, verdict_line(d, "row"));
    commit_end(d->c);

    if (via == TOMO_VIA_PROFILE) {
        verdict_profile(d, send);
        return TOMO_OK;
    }

    verdict_count(d, send);

    if (via == TOMO_VIA_MULTICAST) {
        verdict_many(d, send);

    } else {
        verdict_one(d, send);
    }

    return TOMO_OK;
}
