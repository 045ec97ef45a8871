/*
 * Replies of Redis: whatever shape they have, whoever reads one takes it or
 * says why not (B98, B99, B102, B103, B106).  The first byte chooses how the
 * bytes arrive; every reply goes to everybody: streams and their entries, rows
 * of the outbox, pairs, numbers, errors.
 */

#include "fuzz.h"
#include "replies.h"
#include "worker/dispatch/row.h"
#include "worker/ingest/entries.h"

#define DEPTH  16


static uint8_t  memory[16 << 20];


static void
events(owner_t *o, const redisReply *entry, tomo_lane_e lane)
{
    size_t        i;
    entries_t     list;
    tomo_arena_t  a;

    memset(&list, 0, sizeof(list));
    tomo_arena_init(&a, memory, sizeof(memory));

    if (entries_read(&list, o, entry, lane, 0, &a) != TOMO_OK) {
        return;
    }

    FUZZ_HOLDS(list.n > 0 && list.events[list.n - 1].last);

    for (i = 0; i < list.n; i++) {
        fuzz_touch(list.events[i].id);
        fuzz_touch(list.events[i].raw);
        FUZZ_HOLDS(list.events[i].kind < EVENT_KIND_END);
        FUZZ_HOLDS(list.events[i].index == i || list.events[i].fault != NULL
                   || list.n == 1);
    }

    entries_sort(&list);
    FUZZ_HOLDS(entries_cut(&list, 0) > 0);
    (void) !entries_timer(&list, redis_str(redis_at(entry, 0)), 1, &a);
}


static void
row(const redisReply *entry)
{
    row_t         *made;
    uint64_t       ms, seq;
    tomo_str_t     id = redis_str(redis_at(entry, 0));
    const char    *why = NULL;

    if (!row_id_parse(id, &ms, &seq)) {
        return;
    }

    made = row_new(id, redis_at(entry, 1), &why);
    FUZZ_HOLDS(made != NULL || why != NULL);

    if (made != NULL) {
        fuzz_touch(made->body);
        fuzz_touch(made->to);
        row_free(made);
    }
}


static void
reply(owner_t *o, const redisReply *r, int depth)
{
    size_t   i;
    int64_t  n;

    fuzz_touch(redis_str(r));
    (void) !redis_int(r, &n);
    (void) redis_is_ok(r);
    (void) redis_error_of(r);
    FUZZ_HOLDS(redis_error_word(r) != NULL);
    fuzz_touch(redis_pair(r, "key"));
    FUZZ_HOLDS(redis_at(r, redis_len(r)) == NULL);

    if (redis_len(r) >= 2) {
        events(o, r, TOMO_LANE_IN);
        row(r);
    }

    for (i = 0; i < redis_len(r) && depth < DEPTH; i++) {
        reply(o, redis_at(r, i), depth + 1);
    }
}


static void
take(void *owner, const redisReply *r)
{
    reply(owner, r, 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    owner_t         o;
    conf_account_t  account;

    if (size < 1 || size > 16384) {
        return 0;
    }

    memset(&o, 0, sizeof(o));
    memset(&account, 0, sizeof(account));
    o.account = &account;
    fuzz_replies(data, size, take, &o);

    return 0;
}
