#include "gone.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tomo_codec.h"

#define GONE_UID_LEN  33


static size_t
gone_place(const gone_t *g, const uint8_t *mac)
{
    size_t  low = 0, high = g->n, middle;

    while (low < high) {
        middle = (low + high) / 2;

        if (memcmp(g->list[middle].mac, mac, GONE_MAC_BYTES) < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


const gone_stone_t *
gone_by_mac(const gone_t *g, const uint8_t *mac)
{
    size_t  i = gone_place(g, mac);

    return i < g->n && memcmp(g->list[i].mac, mac, GONE_MAC_BYTES) == 0
           ? &g->list[i] : NULL;
}


const gone_stone_t *
gone_by_serial(const gone_t *g, uint32_t serial)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->list[i].serial == serial) {
            return &g->list[i];
        }
    }

    return NULL;
}


tomo_rc_e
gone_add(gone_t *g, const gone_stone_t *stone)
{
    size_t         i = gone_place(g, stone->mac), cap;
    gone_stone_t  *more;

    if (i < g->n
        && memcmp(g->list[i].mac, stone->mac, GONE_MAC_BYTES) == 0)
    {
        g->list[i] = *stone;
        return TOMO_OK;
    }

    if (g->n == g->cap) {
        cap = 2 * g->cap + 16;
        more = realloc(g->list, cap * sizeof(*more));

        if (more == NULL) {
            return TOMO_ERROR;
        }

        g->list = more;
        g->cap = cap;
    }

    memmove(&g->list[i + 1], &g->list[i], (g->n - i) * sizeof(*g->list));
    g->list[i] = *stone;
    g->n++;

    return TOMO_OK;
}


void
gone_free(gone_t *g)
{
    free(g->list);
    *g = (gone_t) { .list = NULL };
}


static bool
gone_read(tomo_str_t name, tomo_str_t value, gone_stone_t *stone)
{
    uint8_t       bytes[512];
    uint64_t      serial;
    tomo_buf_t    mac;
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    tomo_buf_init(&mac, stone->mac, GONE_MAC_BYTES);
    tomo_arena_init(&arena, bytes, sizeof(bytes));

    if (tomo_hex_get(name, &mac) != TOMO_OK || mac.len != GONE_MAC_BYTES
        || tomo_rec_parse(value, &arena, &rec) != TOMO_OK
        || tomo_rec_get_i64(&rec, "at", &stone->at_ms) != TOMO_OK
        || tomo_rec_get_i64(&rec, "complete", &stone->complete_ms) != TOMO_OK
        || tomo_rec_get_u64(&rec, "friend", UINT32_MAX, &serial) != TOMO_OK)
    {
        return false;
    }

    stone->serial = (uint32_t) serial;

    return true;
}


tomo_rc_e
gone_load(gone_t *g, const char *account, const redisReply *pairs)
{
    size_t        odd = 0;
    gone_stone_t  stone;

    gone_free(g);

    for (size_t i = 0; i + 1 < redis_len(pairs); i += 2) {
        if (!gone_read(redis_str(redis_at(pairs, i)),
                       redis_str(redis_at(pairs, i + 1)), &stone))
        {
            odd++;

        } else if (gone_add(g, &stone) != TOMO_OK) {
            return TOMO_ERROR;
        }
    }

    if (odd > 0) {
        log_error(account, "%zu tombstones of deleted persons cannot be read: "
                  "old events of theirs would be taken; somebody wrote to the "
                  "key `gone`: restore it from a backup", odd);
    }

    return TOMO_OK;
}


void
gone_put(const gone_stone_t *stone, tomo_buf_t *name, tomo_buf_t *value)
{
    tomo_hex_put(name, tomo_str_n(stone->mac, GONE_MAC_BYTES));
    tomo_rec_put_u64(value, "friend", stone->serial);
    tomo_rec_put_i64(value, "at", stone->at_ms);
    tomo_rec_put_i64(value, "complete", stone->complete_ms);
}


tomo_rc_e
gone_mac(vault_t *v, tomo_str_t account, tomo_str_t uid,
    uint8_t mac[GONE_MAC_BYTES])
{
    uint8_t     about[TOMO_ACCOUNT_MAX + 1 + 80], full[TOMO_MAC_BYTES];
    tomo_rc_e   rc;
    tomo_buf_t  b;

    tomo_buf_init(&b, about, sizeof(about));
    tomo_buf_put(&b, account);
    tomo_buf_byte(&b, '|');
    tomo_buf_put(&b, uid);

    if (b.failed) {
        return TOMO_LIMIT;
    }

    rc = tomo_mac_sign(&v->tombstone, tomo_buf_str(&b), full);

    if (rc == TOMO_OK) {
        memcpy(mac, full, GONE_MAC_BYTES);
    }

    return rc;
}


/* the next LINE user id in a text of any form; false: none is left */

static bool
gone_next(tomo_str_t text, size_t *at, tomo_str_t *uid)
{
    const uint8_t  *p;

    while (*at + GONE_UID_LEN <= text.len) {
        p = memchr(text.data + *at, 'U', text.len - *at - GONE_UID_LEN + 1);

        if (p == NULL) {
            return false;
        }

        *uid = tomo_str_n(p, GONE_UID_LEN);
        *at = (size_t) (p - text.data) + 1;

        if (event_uid_ok(*uid)) {
            return true;
        }
    }

    return false;
}


bool
gone_named(const gone_stone_t *stone, vault_t *v, tomo_str_t account,
    tomo_str_t text)
{
    size_t      at = 0;
    uint8_t     mac[GONE_MAC_BYTES];
    tomo_str_t  uid;

    while (gone_next(text, &at, &uid)) {
        if (gone_mac(v, account, uid, mac) == TOMO_OK
            && memcmp(mac, stone->mac, GONE_MAC_BYTES) == 0)
        {
            return true;
        }
    }

    return false;
}


static bool
gone_before(const gone_stone_t *stone, int64_t at_ms)
{
    return stone != NULL && at_ms <= stone->at_ms;
}


bool
gone_drops(const gone_t *g, vault_t *v, tomo_str_t account,
    const event_t *ev)
{
    size_t      at = 0;
    uint8_t     mac[GONE_MAC_BYTES];
    int64_t     at_ms;
    tomo_str_t  uid;

    if (g->n == 0 || ev->lane == TOMO_LANE_LOCAL) {
        return false;
    }

    /* what is set aside may name no moment of its own that can be trusted */
    at_ms = ev->fault != NULL ? ev->received_ms : ev->at_ms;

    if (ev->kind == EVENT_CLICK || ev->kind == EVENT_ANSWER) {
        return gone_before(gone_by_serial(g, ev->serial), at_ms);
    }

    if (event_uid_ok(ev->uid)) {
        return gone_mac(v, account, ev->uid, mac) == TOMO_OK
               && gone_before(gone_by_mac(g, mac), at_ms);
    }

    while (ev->fault != NULL && gone_next(ev->raw, &at, &uid)) {
        if (gone_mac(v, account, uid, mac) == TOMO_OK
            && gone_before(gone_by_mac(g, mac), at_ms))
        {
            return true;
        }
    }

    return false;
}
