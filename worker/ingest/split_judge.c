/* split_judge: is what was read of an event enough, and of our time? */

#include "split.h"


/* what every event must have; the words LINE uses into our own */
void
split_finish(event_t *ev)
{
    size_t                    i;
    static const struct {
        const char    *type;
        event_kind_e   kind;
    } kinds[] = {
        { "follow", EVENT_FOLLOW },
        { "unfollow", EVENT_UNFOLLOW },
        { "message", EVENT_MESSAGE },
        { "postback", EVENT_POSTBACK },
        { "unsend", EVENT_UNSEND },
    };

    ev->kind = EVENT_OTHER;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (tomo_str_eq(ev->type, tomo_str_c(kinds[i].type))) {
            ev->kind = kinds[i].kind;
        }
    }

    /* it looks into the timeline, where the message's row must stand */
    ev->apart = ev->kind == EVENT_UNSEND;

    ev->standby = tomo_str_eq(ev->bot, tomo_str("standby"));

    if (tomo_str_eq(ev->origin, tomo_str("user"))) {
        ev->source = EVENT_SOURCE_USER;

    } else if (ev->origin.len > 0) {
        ev->source = EVENT_SOURCE_GROUP;
    }

    ev->bot = tomo_str_null;
    ev->origin = tomo_str_null;

    if (ev->fault != NULL) {
        return;
    }

    if (ev->type.len == 0) {
        ev->fault = "type_missing";

    } else if (!event_id_ok(ev->id)) {
        ev->fault = "event_id_odd";

    } else if (ev->at_ms <= 0) {
        ev->fault = "timestamp_odd";

    } else if (ev->uid.len > 0 && !event_uid_ok(ev->uid)) {
        ev->fault = "user_id_odd";
    }
}


void
split_judge(event_t *ev, int64_t received_ms)
{
    if (ev->fault != NULL) {
        return;
    }

    if (ev->at_ms > received_ms + SPLIT_FUTURE_MS) {
        ev->fault = "timestamp_odd";

    } else if (ev->at_ms < received_ms - SPLIT_OLD_MS) {
        ev->fault = "too_old";
    }
}
