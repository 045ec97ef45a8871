#include "view.h"

#include <string.h>


void
view_reset(view_t *v, tomo_str_t account, tomo_arena_t *arena)
{
    memset(v, 0, sizeof(view_t));
    v->account = account;
    v->arena = arena;
}


uint64_t
view_day(int64_t at_ms)
{
    return at_ms > 0 ? (uint64_t) (at_ms / TOMO_DAY_MS) : 0;
}


uint64_t
view_bucket(tomo_str_t uid)
{
    return tomo_crc32c(0, uid.data, uid.len) & 0xffff;
}


static size_t
view_slot_serial(uint32_t serial)
{
    return (serial * UINT32_C(2654435761)) & (VIEW_SLOTS - 1);
}


static size_t
view_slot_str(tomo_str_t s)
{
    return tomo_crc32c(0, s.data, s.len) & (VIEW_SLOTS - 1);
}


friend_t *
view_friend(view_t *v, uint32_t serial)
{
    size_t  slot;

    for (slot = view_slot_serial(serial); v->friends[slot] != NULL;
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        if (v->friends[slot]->serial == serial) {
            return v->friends[slot];
        }
    }

    return NULL;
}


friend_t *
view_friend_uid(view_t *v, tomo_str_t uid)
{
    size_t  slot;

    for (slot = view_slot_str(uid); v->uids[slot] != NULL;
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        if (tomo_str_eq(friend_get_c(v->uids[slot], "uid"), uid)) {
            return v->uids[slot];
        }
    }

    return NULL;
}


void
view_add(view_t *v, friend_t *f, tomo_str_t uid)
{
    size_t  slot;

    if (++v->n > VIEW_SLOTS / 2) {
        v->arena->failed = true;
        return;
    }

    for (slot = view_slot_serial(f->serial); v->friends[slot] != NULL;
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        /* next */
    }

    v->friends[slot] = f;

    if (uid.len == 0) {
        return;
    }

    for (slot = view_slot_str(uid); v->uids[slot] != NULL;
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        /* next */
    }

    v->uids[slot] = f;
}


/* Where the value of "isRedelivery" stands; NULL: nowhere */
static const uint8_t *
view_redelivery(tomo_str_t raw)
{
    static const char  name[] = "\"isRedelivery\"";

    const uint8_t  *p = raw.data, *end = raw.data + raw.len;

    while ((p = memmem(p, (size_t) (end - p), name, sizeof(name) - 1))
           != NULL)
    {
        p += sizeof(name) - 1;

        while (p < end && (*p == ' ' || *p == ':')) {
            p++;
        }

        if (p < end && p[-1] != '"' && (*p == 't' || *p == 'f')) {
            return p;
        }
    }

    return NULL;
}


/* LINE says of a copy that it is one; nothing else of it may differ */
static bool
view_same(tomo_str_t a, tomo_str_t b)
{
    size_t          at;
    const uint8_t  *pa, *pb;

    if (tomo_str_eq(a, b)) {
        return true;
    }

    pa = view_redelivery(a);
    pb = view_redelivery(b);

    if (pa == NULL || pb == NULL || pa - a.data != pb - b.data) {
        return false;
    }

    at = (size_t) (pa - a.data);
    pa = memchr(pa, 'e', a.len - at);
    pb = memchr(pb, 'e', b.len - at);

    return pa != NULL && pb != NULL && memcmp(a.data, b.data, at) == 0
           && tomo_str_eq(tomo_str_n(pa, a.len - (size_t) (pa - a.data)),
                          tomo_str_n(pb, b.len - (size_t) (pb - b.data)));
}


bool
view_met(view_t *v, tomo_str_t id, tomo_str_t raw, bool *same)
{
    size_t  slot;

    for (slot = view_slot_str(id); v->ids[slot].len > 0;
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        if (tomo_str_eq(v->ids[slot], id)) {
            *same = view_same(v->raws[slot], raw);
            return true;
        }
    }

    v->ids[slot] = id;
    v->raws[slot] = raw;

    return false;
}
