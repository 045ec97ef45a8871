#include "quota.h"

#include "json.h"

#define QUOTA_UNKNOWN    INT64_C(-2)
#define QUOTA_FRESH_US   INT64_C(1000000)
#define QUOTA_STREAK_US  INT64_C(60000000)


tomo_429_e
quota_doubt(quota_t *q, int64_t people, int64_t now_us)
{
    if (q->streak_us == 0) {
        q->streak_us = now_us;
    }

    if (q->told_us != 0 && now_us - q->told_us < QUOTA_FRESH_US) {
        return q->spent ? TOMO_429_MONTH : TOMO_429_RATE;
    }

    if (!q->wanted && !q->asking) {
        q->wanted = true;
        q->value = QUOTA_UNKNOWN;
        q->people = people;
    }

    q->people = people < q->people ? people : q->people;

    return TOMO_429_RATE;
}


void
quota_flows(quota_t *q)
{
    q->streak_us = 0;
    q->spent = false;
}


bool
quota_waits(const quota_t *q)
{
    return q->wanted || q->asking;
}


void
quota_ask(quota_t *q, const access_t *a, wire_t *w, void *subject)
{
    wire_request_t  r = {
        .path = q->value == QUOTA_UNKNOWN ? "/v2/bot/message/quota"
                                          : "/v2/bot/message/quota/consumption",
        .bearer = tomo_str_n(a->token, a->len),
    };

    /* refused: the next turn tries again */
    if (q->wanted && !q->asking) {
        q->asking = wire_start(w, &r, subject) == TOMO_OK;
    }
}


/* {"type":"none"} or {"type":"limited","value":N}; {"totalUsage":N} */

static bool
quota_read(const wire_answer_t *answer, const char *name, int64_t *n)
{
    json_t        *root;
    uint8_t        data[8192];
    tomo_str_t     type;
    tomo_arena_t   arena;

    tomo_arena_init(&arena, data, sizeof(data));

    if (answer->status != 200
        || json_parse(answer->body, NULL, &arena, &root, NULL) != TOMO_OK)
    {
        return false;
    }

    if (json_str(root, "type", &type) == TOMO_OK
        && tomo_str_eq(type, tomo_str("none")))
    {
        *n = -1;
        return true;
    }

    return json_i64(root, name, 0, INT64_MAX, n) == TOMO_OK;
}


/*
 * LINE calls its count approximate, and a narrowcast reserves quota that the
 * count does not show: a minute of nothing but 429 is taken for the month's.
 */

static bool
quota_told(quota_t *q, bool spent, int64_t now_us)
{
    q->wanted = false;
    q->told_us = now_us;
    q->spent = spent || (q->streak_us != 0
                         && now_us - q->streak_us > QUOTA_STREAK_US);

    return q->spent;
}


bool
quota_answer(quota_t *q, const wire_answer_t *answer, int64_t now_us)
{
    int64_t  used;

    q->asking = false;

    if (q->value == QUOTA_UNKNOWN) {
        if (quota_read(answer, "value", &q->value) && q->value >= 0) {
            return false;               /* and now: how many were reached? */
        }

        return quota_told(q, false, now_us);
    }

    return quota_told(q, quota_read(answer, "totalUsage", &used)
                         && tomo_send_429(q->value, used, q->people)
                            == TOMO_429_MONTH, now_us);
}
