#include "channel.h"

#include <string.h>

#include "tomo_keys.h"

#define CHANNEL_SLOW_US  INT64_C(10000000)
#define CHANNEL_BURSTS   40     /* a burst is a fortieth of the rate */

/* a second, and what may come later on its way to LINE than the next ones */
#define CHANNEL_SECOND_US  INT64_C(1050000)

/* at the cap rows go in groups: each pays a script, a sync and a turn */
#define CHANNEL_GATHER_US  INT64_C(10000)


static void
channel_bucket(channel_t *c, tomo_via_e via, int64_t now_us)
{
    int64_t  rate = c->rate[via];
    int64_t  burst = rate < CHANNEL_BURSTS ? 1 : rate / CHANNEL_BURSTS;

    if (rate < CHANNEL_PACED) {
        /* spread a little; what a second may have channel_rest_us says */
        tomo_bucket_init(&c->bucket[via], rate + (rate + 3) / 4, burst,
                         now_us);
        c->bucket[via].milli = 0;
        return;
    }

    /*
     * Rate and two bursts together: no second sees more than the rate, not
     * even one that begins with a burst which was held up on its way.  Empty
     * at first: a former process may just have spent what we would have.
     */
    tomo_bucket_init(&c->bucket[via], rate - 2 * burst, burst, now_us);
    c->bucket[via].milli = 0;
}


void
channel_init(channel_t *c, const conf_account_t *ac,
    const lease_self_t *self, int64_t rate_per_s, int64_t now_us)
{
    uint8_t     data[TOMO_KEY_MAX];
    tomo_buf_t  key;
    tomo_str_t  id = tomo_str_c(ac->id);

    memset(c, 0, sizeof(*c));
    c->ac = ac;
    c->flight.channel = c;
    c->quota_flight.channel = c;
    queue_init(&c->queue);

    tomo_buf_init(&key, data, sizeof(data));
    tomo_key_lease_dispatch(&key, id);
    lease_init(&c->lease, self, tomo_buf_str(&key));

    tomo_buf_init(&key, c->out_key, sizeof(c->out_key));
    tomo_key_out(&key, id);
    c->out_key_len = key.len;
    memcpy(c->last_id, "0", 2);

    for (int via = 0; via < TOMO_VIA_END; via++) {
        c->rate[via] = via == TOMO_VIA_MULTICAST ? (rate_per_s + 9) / 10
                                                 : rate_per_s;
        channel_bucket(c, (tomo_via_e) via, now_us);

        for (size_t i = 0; i < CHANNEL_PACED; i++) {
            c->left_us[via][i] = now_us;    /* of a former process, perhaps */
        }
    }
}


void
channel_free(channel_t *c)
{
    queue_free(&c->queue);
    tomo_mac_wipe(&c->access, sizeof(c->access));
}


void
channel_own(channel_t *c, bool owned)
{
    if (c->owned == owned) {
        return;
    }

    c->owned = owned;
    c->asked = false;
    memcpy(c->last_id, "0", 2);

    if (!owned) {
        queue_clear(&c->queue);
        c->loaded = false;
    }
}


void
channel_leased(channel_t *c, tomo_rc_e rc)
{
    /* an answer that did not come may have been that nobody held it */
    if (rc == TOMO_OK && (c->lease.fresh || c->unheard)) {
        c->epoch++;
    }

    c->unheard = rc == TOMO_AGAIN || (c->unheard && rc != TOMO_OK);
    c->others = c->others || rc == TOMO_DENIED;
}


bool
channel_lapsed(const channel_t *c, uint64_t epoch)
{
    return !c->owned || c->epoch != epoch || !lease_valid(&c->lease);
}


bool
channel_shared(const channel_t *c, const row_t *row)
{
    bool  stood = row->id_ms < c->stood_ms
                  || (row->id_ms == c->stood_ms
                      && row->id_seq <= c->stood_seq);

    return stood || c->others || channel_lapsed(c, row->epoch);
}


bool
channel_lets(const channel_t *c, tomo_via_e via, int64_t now_ms)
{
    bool  counted = via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST;

    return access_usable(&c->access, now_ms)
           && !(c->pause_ms != 0 && (c->pause_all || counted))
           && !(counted && quota_waits(&c->quota));
}


/*
 * Of a small rate two bursts would be much: so each call of the last second is
 * known.  µs until there is room for one more; INT64_MAX: once one has left.
 */

static int64_t
channel_rest_us(const channel_t *c, tomo_via_e via, int64_t now_us)
{
    size_t   oldest;
    int64_t  most = c->rate[via];

    if (most >= CHANNEL_PACED) {
        return 0;
    }

    most = c->slow_us[via] == 0 ? most : (most + 1) / 2;

    if (c->spent[via] >= most) {
        return INT64_MAX;
    }

    oldest = c->left[via] + CHANNEL_PACED - (size_t) (most - c->spent[via]);

    return c->left_us[via][oldest % CHANNEL_PACED] + CHANNEL_SECOND_US
           - now_us;
}


bool
channel_open(channel_t *c, tomo_via_e via, int64_t now_ms, int64_t now_us,
    int64_t *wait_us)
{
    bool     counted = via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST;
    int64_t  rest_us;

    *wait_us = 0;

    if (c->queue.ready[via].n == 0 || !channel_lets(c, via, now_ms)) {
        return false;
    }

    if (c->probing && c->queue.away_counted > 0
        && (counted || c->pause_all))
    {
        return false;
    }

    *wait_us = tomo_bucket_wait_us(&c->bucket[via], now_us);
    rest_us = channel_rest_us(c, via, now_us);
    *wait_us = rest_us > *wait_us ? rest_us : *wait_us;

    if (*wait_us > 0 && c->gather_us[via] == 0) {
        c->gather_us[via] = now_us + CHANNEL_GATHER_US;
    }

    if (c->gather_us[via] - now_us > *wait_us) {
        *wait_us = c->gather_us[via] - now_us;
    }

    if (*wait_us > 0) {
        return false;
    }

    c->gather_us[via] = 0;

    return true;
}


void
channel_spend(channel_t *c, tomo_via_e via, int64_t now_us)
{
    (void) tomo_bucket_take(&c->bucket[via], now_us);
    c->spent[via]++;
}


void
channel_leave(channel_t *c, tomo_via_e via, int64_t now_us)
{
    if (c->rate[via] >= CHANNEL_PACED) {
        tomo_bucket_late(&c->bucket[via], c->spent[via], now_us);

    } else {
        c->left_us[via][c->left[via]++ % CHANNEL_PACED] = now_us;
    }

    c->spent[via]--;
}


void
channel_slow(channel_t *c, tomo_via_e via, int64_t now_us)
{
    /* many answers may say so at once: it is one event */
    if (now_us < c->slow_us[via] - CHANNEL_SLOW_US / 2) {
        return;
    }

    tomo_bucket_drain(&c->bucket[via], now_us);
    c->slow_us[via] = now_us + CHANNEL_SLOW_US;
}


bool
channel_pause(channel_t *c, int64_t until_ms, bool all, int64_t now_ms)
{
    bool  paused = c->pause_ms != 0;
    bool  fresh = !paused || (all && !c->pause_all);

    if (until_ms <= now_ms) {
        return false;
    }

    c->pauses++;
    c->pause_ms = until_ms > c->pause_ms ? until_ms : c->pause_ms;
    c->pause_all = all || (paused && c->pause_all);
    queue_pause(&c->queue, true);

    return fresh;
}


void
channel_tick(channel_t *c, int64_t now_ms, int64_t now_us)
{
    if (c->pause_ms != 0 && now_ms >= c->pause_ms) {
        c->pause_ms = 0;
        c->probing = true;
        queue_pause(&c->queue, false);
    }

    for (int via = 0; via < TOMO_VIA_END; via++) {
        if (c->slow_us[via] != 0 && now_us >= c->slow_us[via]) {
            c->slow_us[via] = 0;
            channel_bucket(c, (tomo_via_e) via, now_us);
        }
    }
}


void
channel_flows(channel_t *c, tomo_via_e via)
{
    bool  counted = via == TOMO_VIA_PUSH || via == TOMO_VIA_MULTICAST;

    c->accepted[via]++;

    if (counted) {
        quota_flows(&c->quota);
    }

    /* what was under way before the pause says nothing about it */
    if (c->pause_ms == 0 && (counted || c->pause_all)) {
        c->probing = false;
        c->pause_all = false;
    }
}
