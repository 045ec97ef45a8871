/* decide_friend: what people do in LINE: follow, block, write, tap buttons */

#include "erase.h"
#include "greeting.h"
#include "kinds.h"
#include "outrow.h"
#include "scenario.h"


static void
decide_count_skip(decision_t *d)
{
    d->o->state.counters[OWNER_SKIPPED]++;
    d->silent = true;
}


tomo_rc_e
decide_follow(decision_t *d)
{
    bool        first, away;
    trigger_e   trigger;
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || decision_friend(d) == NULL) {
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

    decision_fx(d, "status", friend_get_c(d->f, "st"));
    scenario_end_paused(d);

    if (d->ev->standby) {
        return TOMO_OK;
    }

    trigger = first ? TRIGGER_FRIEND_ADDED : TRIGGER_FRIEND_RETURNED;

    if (friend_get_c(d->f, "name").len == 0) {
        greeting_wait(d, trigger);

    } else {
        decision_raise(d, trigger, 0);
    }

    return TOMO_OK;
}


tomo_rc_e
decide_unfollow(decision_t *d)
{
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || decision_friend(d) == NULL) {
        decide_count_skip(d);
        return TOMO_OK;
    }

    if (friend_follow(d->f, 'u', d->ev->at_ms, &before)) {
        decision_fx(d, "status", friend_get_c(d->f, "st"));
    }

    if (tomo_str_eq(friend_get_c(d->f, "st"), tomo_str("blocked"))) {
        scenario_pause_all(d);

        greeting_drop(d);
    }

    return TOMO_OK;
}


/*
 * A sign of life in the one-to-one chat.  Who is not known yet was a friend
 * before we were installed: a record, but no greeting (PRODUCT 5.2).
 */
static bool
decide_alive(decision_t *d)
{
    bool        known;
    tomo_str_t  before;

    if (d->ev->source != EVENT_SOURCE_USER || d->ev->uid.len == 0) {
        decide_count_skip(d);
        return false;
    }

    known = view_friend_uid(d->view, d->ev->uid) != NULL;

    if (decision_friend(d) == NULL) {
        return false;
    }

    if (friend_follow(d->f, 'l', d->ev->at_ms, &before)) {
        decision_fx(d, "status", friend_get_c(d->f, "st"));

        if (before.len > 0) {
            scenario_end_paused(d);
        }
    }

    if (!known) {
        decision_fx(d, "friend.known", tomo_str_null);

        if (!d->ev->standby) {
            outrow_profile(d);
        }
    }

    return true;
}


tomo_rc_e
decide_message(decision_t *d)
{
    if (!decide_alive(d)) {
        return TOMO_OK;
    }

    if (erase_unsent(d, d->ev->ref)) {
        decision_fx(d, "unsent", tomo_str_null);

    } else {
        d->text = d->ev->text;
    }

    if (tomo_str_eq(d->ev->what, tomo_str("text"))) {
        d->kind = "text";

    } else {
        decision_why(d, d->ev->what.len > 0 ? d->ev->what : tomo_str("?"));
    }

    if (d->ev->standby) {
        decision_why(d, tomo_str("standby"));
    }

    return TOMO_OK;
}


/* the data is the friend's word, never a command of ours (B26) */
tomo_rc_e
decide_postback(decision_t *d)
{
    if (decide_alive(d)) {
        d->text = d->ev->text;
    }

    return TOMO_OK;
}


tomo_rc_e
decide_unsend(decision_t *d)
{
    if (decide_alive(d)) {
        decision_why(d, d->ev->ref);
        erase_text(d, d->ev->ref);
    }

    return TOMO_OK;
}


/* kinds we have no use for yet: kept where there is a friend, else counted */
tomo_rc_e
decide_other(decision_t *d)
{
    if (d->ev->source != EVENT_SOURCE_USER
        || view_friend_uid(d->view, d->ev->uid) == NULL)
    {
        decide_count_skip(d);
        return TOMO_OK;
    }

    (void) decision_friend(d);
    decision_why(d, d->ev->type);

    return TOMO_OK;
}
