#include "edges.h"

#include "beat.h"
#include "clock.h"
#include "tomo_codec.h"

#define EDGES_FRESH_US  INT64_C(100000)
#define EDGES_LIVE_MS   5000


void
edges_free(edges_t *e)
{
    freeReplyObject(e->all);
    e->all = NULL;
}


void
edges_refresh(edges_t *e, redis_t *r)
{
    int64_t  now_us = clock_mono_us();

    if (e->all != NULL && now_us - e->read_us < EDGES_FRESH_US) {
        return;
    }

    edges_free(e);
    e->read_us = now_us;
    e->all = redis_call_c(r, "HGETALL", TOMO_KEY_EDGES, NULL);
}


/* "demo:12,shop:3": the version of one account, 0: not in the list */

static uint64_t
edges_version(tomo_str_t list, tomo_str_t account)
{
    size_t      at = 0, end, colon;
    uint64_t    version;
    tomo_str_t  item;

    while (at < list.len) {
        end = tomo_str_find(list, at, ',');
        item = tomo_str_n(list.data + at, end - at);
        colon = tomo_str_find(item, 0, ':');

        if (colon < item.len
            && tomo_str_eq(tomo_str_n(item.data, colon), account)
            && tomo_u64_get(tomo_str_n(item.data + colon + 1,
                                       item.len - colon - 1), UINT64_MAX,
                            &version) == TOMO_OK)
        {
            return version;
        }

        at = end + 1;
    }

    return 0;
}


static bool
edges_one_has(tomo_str_t heartbeat, tomo_str_t account, uint64_t version)
{
    int64_t            at_ms;
    uint8_t            data[16384];
    tomo_rec_t         rec;
    tomo_arena_t       arena;
    const tomo_str_t  *list;

    tomo_arena_init(&arena, data, sizeof(data));

    if (beat_parse(heartbeat, &arena, &rec) != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &at_ms) != TOMO_OK
        || clock_real_ms() - at_ms > EDGES_LIVE_MS)
    {
        return true;            /* dead, or none of ours: nobody waits */
    }

    list = tomo_rec_get(&rec, "versions");

    return list != NULL && edges_version(*list, account) >= version;
}


bool
edges_have(const edges_t *e, tomo_str_t account, uint64_t version)
{
    if (!redis_is(e->all, REDIS_REPLY_ARRAY)) {
        return false;           /* nobody can say who is alive */
    }

    for (size_t i = 1; i < redis_len(e->all); i += 2) {
        if (!edges_one_has(redis_str(redis_at(e->all, i)), account, version))
        {
            return false;
        }
    }

    return true;
}
