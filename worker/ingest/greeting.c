#include "greeting.h"

#include "due.h"
#include "outrow.h"
#include "schedule.h"

#define GREETING_WAIT_MS  3000          /* for a profile */


void
greeting_wait(decision_t *d, trigger_e trigger)
{
    uint8_t     text[1024];
    int64_t     until_ms;
    tomo_buf_t  b;

    until_ms = d->now_ms + GREETING_WAIT_MS;
    tomo_buf_init(&b, text, sizeof(text));
    tomo_rec_put_i64(&b, "until", until_ms);
    tomo_rec_put(&b, "kind", tomo_str_c(trigger_word(trigger)));
    tomo_rec_put(&b, "event", d->ev->id);
    tomo_rec_put_i64(&b, "at", d->ev->at_ms);

    if (d->reply.len > 0) {
        tomo_rec_put(&b, "reply", d->reply);
        tomo_rec_put_i64(&b, "reply_at", d->reply_at_ms);
    }

    friend_set_c(d->f, "wait", tomo_buf_str(&b));
    schedule_put(d, TIMER_PROFILE, 0, until_ms);
    decision_fx(d, "profile.ask", tomo_str_null);
    outrow_profile(d);
}


void
greeting_resume(decision_t *d)
{
    uint8_t            id[96];
    tomo_buf_t         b;
    tomo_rec_t         rec;
    tomo_str_t         wait;
    const tomo_str_t  *event, *kind, *reply;

    wait = friend_get_c(d->f, "wait");
    schedule_drop(d, TIMER_PROFILE, 0);

    if (wait.len == 0 || tomo_rec_parse(wait, d->arena, &rec) != TOMO_OK) {
        d->silent = true;
        return;
    }

    friend_drop(d->f, tomo_str("wait"));
    event = tomo_rec_get(&rec, "event");
    kind = tomo_rec_get(&rec, "kind");
    reply = tomo_rec_get(&rec, "reply");

    if (event == NULL || kind == NULL
        || tomo_rec_get_i64(&rec, "at", &d->ev->at_ms) != TOMO_OK)
    {
        return;
    }

    /* from here on the row tells of the follow, not of the verdict */
    tomo_buf_init(&b, id, sizeof(id));
    tomo_buf_put(&b, *event);
    tomo_buf_c(&b, ".1");
    d->ev->id = tomo_arena_dup(d->arena, tomo_buf_str(&b));
    d->due_ms = d->ev->at_ms;
    d->silent = false;
    decision_why(d, *event);

    if (reply != NULL
        && tomo_rec_get_i64(&rec, "reply_at", &d->reply_at_ms) == TOMO_OK)
    {
        d->reply = *reply;
    }

    if (tomo_str_eq(*kind, tomo_str_c(trigger_word(TRIGGER_FRIEND_ADDED)))) {
        d->kind = trigger_word(TRIGGER_FRIEND_ADDED);
        decision_raise(d, TRIGGER_FRIEND_ADDED, 0);

    } else {
        d->kind = trigger_word(TRIGGER_FRIEND_RETURNED);
        decision_raise(d, TRIGGER_FRIEND_RETURNED, 0);
    }
}


void
greeting_due(decision_t *d, uint32_t no)
{
    (void) no;
    greeting_resume(d);                 /* with the fallback text */
}


void
greeting_drop(decision_t *d)
{
    if (friend_get_c(d->f, "wait").len == 0) {
        return;
    }

    friend_drop(d->f, tomo_str("wait"));
    schedule_drop(d, TIMER_PROFILE, 0);
}
