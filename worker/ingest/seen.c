#include "seen.h"

#include "tomo_keys.h"
#include "tomo_sched.h"

#define SEEN_BACK_DAYS  400         /* looked at after a start */


void
seen_clean(owner_t *o, redis_t *r, int64_t now_ms)
{
    char          key[TOMO_KEY_MAX];
    int64_t       day, last;
    tomo_buf_t    b;
    redisReply   *reply;

    last = tomo_sched_day(now_ms, 0) - SEEN_KEEP_DAYS;

    if (o->seen_day >= last) {
        return;
    }

    day = o->seen_day + 1 > last - SEEN_BACK_DAYS ? o->seen_day + 1
                                                  : last - SEEN_BACK_DAYS;

    for ( /* void */ ; day <= last; day++) {
        if (day < 0) {
            continue;
        }

        tomo_buf_init(&b, key, sizeof(key) - 1);
        tomo_key_seen(&b, o->id, (uint64_t) day);
        key[b.len] = '\0';

        reply = redis_call_c(r, "UNLINK", key, NULL);

        if (!redis_is(reply, REDIS_REPLY_INTEGER)) {
            freeReplyObject(reply);
            break;
        }

        freeReplyObject(reply);
        o->seen_day = day;
    }
}
