/* decide_friend: what people do in LINE: follow, block, write, tap buttons */

#include "decide.h"
#include "effects.h"
#include "erase.h"
#include "scenario.h"
#include "tomo_keys.h"

#define DECIDE_WAIT_MS  3000            /* for a profile, before a greeting */


static void
decide_count_skip(decide_t *d)
{
    d->o->state.counters[OWNER_SKIPPED]++;
    d->silent = true;
}


static tomo_str_t
decide_wait_member(decide_t *d)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_u64(&b, d->f->serial);
    tomo_buf_c(&b, ":p:0");

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


/* the greeting waits for the profile, with all it needs later */
static void
decide_wait(decide_t *d, trigger_e trigger)
{
    uint8_t     text[1024];
    int64_t     until_ms;
    tomo_buf_t  b;

    until_ms = d->now_ms + DECIDE_WAIT_MS;
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
    commit_op(d->c, 'z', decide_key(d, tomo_key_sched));
    commit_arg_i64(d->c, until_ms);
    commit_arg(d->c, decide_wait_member(d));
    commit_end(d->c);
    decide_fx(d, "profile.ask", tomo_str_null);
    outrow_profile(d);
}


void
decide_resume(decide_t *d)
{
    uint8_t            id[96];
    tomo_buf_t         b;
    tomo_rec_t         rec;
    tomo_str_t         wait;
    const tomo_str_t  *event, *kind, *reply;

    wait = friend_get_c(d->f, "wait");
    commit_op(d->c, 'y', decide_key(d, tomo_key_sched));
    commit_arg(d->c, decide_wait_member(d));
    commit_end(d->c);

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
    decide_why(d, *event);

    if (reply != NULL
        && tomo_rec_get_i64(&rec, "reply_at", &d->reply_at_ms) == TOMO_OK)
    {
        d->reply = *reply;
    }

    if (tomo_str_eq(*kind, tomo_str_c(trigger_word(TRIGGER_FRIEND_ADDED)))) {
        d->kind = trigger_word(TRIGGER_FRIEND_ADDED);
        decide_raise(d, TRIGGER_FRIEND_ADDED, 0);

    } else {
        d->kind = trigger_word(TRIGGER_FRIEND_RETURNED);
        decide_raise(d, TRIGGER_FRIEND_RETURNED, 0);
    }
}


tomo_rc_e
decide_follow(decide_t *d)
{
    bool        first, away;
    trigger_e   trigger;
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || decide_friend(d) == NULL) {
        decide_count_skip(d);
        return TOMO_OK;
    }

    first = friend_get_c(d->f, "fu").len == 0;
    friend_set_i64(d->f, "add_n", friend_get_i64(d->f, "add_n") + 1);

    away = tomo_str_eq(friend_get_c(d->f, "fu"), tomo_str("u"));

    /* who came back and wrote at once may be `following` already */
    if (!friend_follow(d->f, 'f', d->ev->at_ms, &before)
        && !(away && tomo_str_eq(friend_get_c(d->f, "fu"), tomo_str("f"))))
    {
        return TOMO_OK;                 /* older than what we know, or twice */
    }

    decide_fx(d, "status", friend_get_c(d->f, "st"));
    scenario_end_paused(d);

    if (d->ev->standby) {
        return TOMO_OK;
    }

    trigger = first ? TRIGGER_FRIEND_ADDED : TRIGGER_FRIEND_RETURNED;

    if (friend_get_c(d->f, "name").len == 0) {
        decide_wait(d, trigger);

    } else {
        decide_raise(d, trigger, 0);
    }

    return TOMO_OK;
}


tomo_rc_e
decide_unfollow(decide_t *d)
{
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || decide_friend(d) == NULL) {
        decide_count_skip(d);
        return TOMO_OK;
    }

    if (friend_follow(d->f, 'u', d->ev->at_ms, &before)) {
        decide_fx(d, "status", friend_get_c(d->f, "st"));
    }

    if (tomo_str_eq(friend_get_c(d->f, "st"), tomo_str("blocked"))) {
        scenario_pause_all(d);

        if (friend_get_c(d->f, "wait").len > 0) {
            /* nobody is greeted who has left already */
            friend_drop(d->f, tomo_str("wait"));
            commit_op(d->c, 'y', decide_key(d, tomo_key_sched));
            commit_arg(d->c, decide_wait_member(d));
            commit_end(d->c);
        }
    }

    return TOMO_OK;
}


/*
 * A sign of life in the one-to-one chat.  Who is not known yet was a friend
 * before we were installed: a record, but no greeting (PRODUCT 5.2).
 */
static bool
decide_alive(decide_t *d)
{
    bool        known;
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || d->ev->uid.len == 0) {
        decide_count_skip(d);
        return false;
    }

    known = view_friend_uid(d->view, d->ev->uid) != NULL;

    if (decide_friend(d) == NULL) {
        return false;
    }

    if (friend_follow(d->f, 'l', d->ev->at_ms, &before)) {
        decide_fx(d, "status", friend_get_c(d->f, "st"));

        if (before.len > 0) {
            scenario_end_paused(d);
        }
    }

    if (!known) {
        decide_fx(d, "friend.known", tomo_str_null);

        if (!d->ev->standby) {
            outrow_profile(d);
        }
    }

    return true;
}


tomo_rc_e
decide_message(decide_t *d)
{
    if (!decide_alive(d)) {
        return TOMO_OK;
    }

    if (erase_unsent(d, d->ev->ref)) {
        decide_fx(d, "unsent", tomo_str_null);

    } else {
        d->text = d->ev->text;
    }

    if (tomo_str_eq(d->ev->what, tomo_str("text"))) {
        d->kind = "text";

    } else {
        decide_why(d, d->ev->what.len > 0 ? d->ev->what : tomo_str("?"));
    }

    if (d->ev->standby) {
        decide_why(d, tomo_str("standby"));
    }

    return TOMO_OK;
}


/* the data is the friend's word, never a command of ours (B26) */
tomo_rc_e
decide_postback(decide_t *d)
{
    if (decide_alive(d)) {
        d->text = d->ev->text;
    }

    return TOMO_OK;
}


tomo_rc_e
decide_unsend(decide_t *d)
{
    if (decide_alive(d)) {
        decide_why(d, d->ev->ref);
        erase_text(d, d->ev->ref);
    }

    return TOMO_OK;
}


/* kinds we have no use for yet: kept where there is a friend, else counted */
tomo_rc_e
decide_other(decide_t *d)
{
    if (d->ev->source != EVENT_SOURCE_USER
        || view_friend_uid(d->view, d->ev->uid) == NULL)
    {
        decide_count_skip(d);
        return TOMO_OK;
    }

    (void) decide_friend(d);
    decide_why(d, d->ev->type);

    return TOMO_OK;
}
