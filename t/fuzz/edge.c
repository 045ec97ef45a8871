/*
 * What Redis answers the edge: whatever it says, a feed's items are those that
 * came, its table finds each of them, and what INFO, CONFIG GET and TIME said
 * is judged and told in one clean line (B98, B102, B106).  The first byte
 * chooses how the bytes arrive.
 */

#include "fuzz.h"
#include "replies.h"
#include "tomo_codec.h"
#include "tomo_doctor.h"
#include "tomo_fresh.h"
#include "tomo_keys.h"
#include "tomo_mac.h"

#define DEPTH   8
#define PAIRS   512
#define SEALED  (16384 + TOMO_SEAL_OVERHEAD)


static const uint8_t  seal[2][32] = { { 1 }, { 2 } };

static uint8_t  scratch[1 << 20], table[1 << 20], sealed[SEALED];


/* a secret in clear behind "!" is sealed here: no fuzzer forges a seal */

static tomo_str_t
secret(tomo_str_t account, tomo_str_t field, tomo_str_t value)
{
    uint8_t           nonce[12] = { 3 }, aads[80];
    uint32_t          number;
    tomo_buf_t        aad, out;
    tomo_item_kind_e  kind;

    if (tomo_feed_field_parse(field, &kind, &number) != TOMO_OK
        || kind != TOMO_ITEM_SECRET || value.len == 0
        || value.data[0] != '!')
    {
        return value;
    }

    tomo_buf_init(&aad, aads, sizeof(aads));
    tomo_buf_c(&aad, "secret|");
    tomo_buf_put(&aad, account);
    tomo_buf_byte(&aad, '|');
    tomo_buf_u64(&aad, number);
    tomo_buf_init(&out, sealed, sizeof(sealed));
    FUZZ_HOLDS(tomo_seal(seal[number & 1], nonce, tomo_buf_str(&aad),
                         tomo_str_n(value.data + 1, value.len - 1), &out)
               == TOMO_OK);

    return tomo_buf_str(&out);
}


/* the items are, in order, the pairs that are items and can be opened */

static void
items(const tomo_fresh_t *f, const redisReply *r)
{
    size_t             at = 0;
    uint32_t           number;
    tomo_str_t         value;
    tomo_item_kind_e   kind;

    for (size_t i = 0; i + 1 < redis_len(r) && at < f->n_items; i += 2) {
        const tomo_table_item_t  *item = &f->items[at];

        if (tomo_feed_field_parse(redis_str(redis_at(r, i)), &kind, &number)
            != TOMO_OK)
        {
            continue;
        }

        value = redis_str(redis_at(r, i + 1));

        if (kind == TOMO_ITEM_SECRET) {
            if (value.len == 0 || value.data[0] != '!') {
                continue;
            }

            value = tomo_str_n(value.data + 1, value.len - 1);
        }

        FUZZ_HOLDS(item->kind == kind && item->number == number);
        FUZZ_HOLDS(tomo_str_eq(item->value, value));
        at++;
    }

    FUZZ_HOLDS(at == f->n_items);
}


static bool
twice(const tomo_fresh_t *f)
{
    for (size_t i = 0; i < f->n_items; i++) {
        for (size_t k = 0; k < i; k++) {
            if (f->items[i].kind == f->items[k].kind
                && f->items[i].number == f->items[k].number)
            {
                return true;
            }
        }
    }

    return false;
}


static void
build(const tomo_fresh_t *f)
{
    tomo_rc_e     rc;
    tomo_buf_t    out;
    tomo_str_t    value;
    tomo_arena_t  a;

    tomo_arena_init(&a, scratch, sizeof(scratch));
    tomo_buf_init(&out, table, sizeof(table));
    rc = tomo_table_build(1, &f->account, 1, f->items, f->n_items, &a, &out);
    FUZZ_HOLDS((rc == TOMO_INVALID) == twice(f));

    if (rc == TOMO_INVALID) {
        return;
    }

    FUZZ_HOLDS(rc == TOMO_OK);
    FUZZ_HOLDS(tomo_table_check(tomo_buf_str(&out)) == TOMO_OK);

    for (size_t i = 0; i < f->n_items; i++) {
        FUZZ_HOLDS(tomo_table_find(tomo_buf_str(&out), f->account.id,
                                   f->items[i].kind, f->items[i].number,
                                   &value));
        FUZZ_HOLDS(tomo_str_eq(value, f->items[i].value));
    }
}


static void
feed(const redisReply *r)
{
    void              *memory;
    size_t             n = redis_len(r) / 2, bytes = 0;
    tomo_rc_e          rc;
    tomo_str_t         id = tomo_str("demo"), value;
    tomo_fresh_t       f;
    tomo_arena_t       a;
    tomo_fresh_keys_t  keys = { seal, 2 };

    for (size_t i = 0; i < n; i++) {
        value = redis_str(redis_at(r, 2 * i + 1));
        bytes += secret(id, redis_str(redis_at(r, 2 * i)), value).len;
    }

    bytes = tomo_fresh_bytes(id, n, bytes);
    memory = malloc(bytes);
    FUZZ_HOLDS(memory != NULL);
    tomo_arena_init(&a, memory, bytes);
    FUZZ_HOLDS(tomo_fresh_begin(&f, id, n, &a) == TOMO_OK);

    for (size_t i = 0; i < n; i++) {
        value = secret(id, redis_str(redis_at(r, 2 * i)),
                       redis_str(redis_at(r, 2 * i + 1)));
        tomo_fresh_pair(&f, &keys, redis_str(redis_at(r, 2 * i)), value);
    }

    rc = tomo_fresh_end(&f);
    FUZZ_HOLDS(rc == TOMO_OK || rc == TOMO_INVALID);
    FUZZ_HOLDS(f.n_items + f.left_out <= n);
    items(&f, r);

    if (n <= PAIRS) {
        build(&f);
    }

    free(memory);
}


static void
judge(const tomo_doctor_facts_t *f)
{
    uint8_t     text[TOMO_DOCTOR_LINE];
    uint64_t    stops, warns;
    tomo_buf_t  b;

    stops = tomo_doctor_stops(f, TOMO_DOCTOR_SHIP);
    warns = tomo_doctor_warns(f, TOMO_DOCTOR_SHIP);
    FUZZ_HOLDS((stops & warns) == 0);

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_doctor_line(&b, (tomo_doctor_row_e) i, f);
        FUZZ_HOLDS(!b.failed && strlen(f->values[i].text)
                                == f->values[i].len);

        for (size_t k = 0; k < b.len; k++) {
            FUZZ_HOLDS(b.data[k] >= 0x20 && b.data[k] < 0x7f);
        }
    }
}


static void
settings(tomo_doctor_facts_t *f, const redisReply *r)
{
    int64_t  s, us;

    for (size_t i = 0; i + 1 < redis_len(r); i += 2) {
        tomo_doctor_config(f, redis_str(redis_at(r, i)),
                           redis_str(redis_at(r, i + 1)));
    }

    if (redis_len(r) == 2 && redis_int(redis_at(r, 0), &s) == TOMO_OK
        && redis_int(redis_at(r, 1), &us) == TOMO_OK)
    {
        tomo_doctor_clock(f, s, us, 1700000000000, 1700000000002);
        FUZZ_HOLDS(f->values[TOMO_DOCTOR_ROW_CLOCK].text[0] != '-');
    }
}


static void
accounts(const redisReply *r)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  key;
    tomo_str_t  id;

    for (size_t i = 0; i < redis_len(r); i++) {
        id = redis_str(redis_at(r, i));

        if (tomo_keys_account_ok(id)) {
            FUZZ_HOLDS(id.len > 0 && id.len <= TOMO_ACCOUNT_MAX);
            tomo_buf_init(&key, text, sizeof(text));
            tomo_key_feed(&key, id);
            FUZZ_HOLDS(!key.failed);
        }
    }
}


static void
reply(tomo_doctor_facts_t *f, const redisReply *r, int depth)
{
    if (redis_str(r).len > 0) {
        tomo_doctor_info(f, redis_str(r));
    }

    accounts(r);
    settings(f, r);
    judge(f);

    if (redis_len(r) > 0) {
        feed(r);
    }

    for (size_t i = 0; i < redis_len(r) && depth < DEPTH; i++) {
        if (redis_len(redis_at(r, i)) > 0) {
            reply(f, redis_at(r, i), depth + 1);
        }
    }
}


static void
take(void *facts, const redisReply *r)
{
    reply(facts, r, 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tomo_doctor_facts_t  facts;

    if (size < 1 || size > 16384) {
        return 0;
    }

    memset(&facts, 0, sizeof(facts));
    fuzz_replies(data, size, take, &facts);

    return 0;
}
