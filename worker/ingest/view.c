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


/* the slot of id, or the empty one it would take */
static size_t
view_slot_id(const view_t *v, tomo_str_t id)
{
    size_t  slot;

    for (slot = view_slot_str(id);
         v->ids[slot].len > 0 && !tomo_str_eq(v->ids[slot], id);
         slot = (slot + 1) & (VIEW_SLOTS - 1))
    {
        /* next */
    }

    return slot;
}


tomo_str_t
view_met(const view_t *v, tomo_str_t id)
{
    return v->digests[view_slot_id(v, id)];
}


void
view_remember(view_t *v, tomo_str_t id, tomo_str_t digest)
{
    size_t  slot = view_slot_id(v, id);

    v->ids[slot] = id;
    v->digests[slot] = digest;
}
