/* friend: the record's mirror, tags, typed records, W8 for all orders. */

#include "unit.h"
#include "worker/model/cond.h"
#include "worker/model/friend.h"

static uint8_t  memory[16 << 20];


static tomo_arena_t *
arena(void)
{
    static tomo_arena_t  a;

    tomo_arena_init(&a, memory, sizeof(memory));

    return &a;
}


static void
fields(void **state)
{
    friend_t    f;
    tomo_str_t  pairs[] = {
        tomo_str("uid"), tomo_str("U1"), tomo_str("tags"),
        tomo_str("2,5,9"), tomo_str("d:3"), tomo_str("gold")
    };

    (void) state;
    friend_init(&f, arena(), 7, pairs, UNIT_N(pairs));
    assert_false(f.fresh);
    assert_true(tomo_str_eq(friend_get_no(&f, 'd', 3), tomo_str("gold")));
    assert_int_equal(friend_get_c(&f, "name").len, 0);
    friend_set_c(&f, "uid", tomo_str("U1"));
    assert_false(f.fields[0].dirty);
    friend_set_c(&f, "name", tomo_str("n"));
    assert_true(f.fields[3].dirty);
    friend_drop(&f, tomo_str("name"));
    assert_int_equal(friend_get_c(&f, "name").len, 0);
    assert_true(f.fields[3].gone);
    friend_set_i64(&f, "st_at", -5);
    assert_int_equal(friend_get_i64(&f, "st_at"), -5);
    assert_int_equal(friend_get_i64(&f, "uid"), 0);

    for (uint32_t i = 0; i < 300; i++) {
        friend_set_no(&f, 'd', i, tomo_str("x"));
    }

    assert_true(tomo_str_eq(friend_get_no(&f, 'd', 299), tomo_str("x")));
}


static void
tags(void **state)
{
    friend_t    f;
    tomo_str_t  pairs[] = { tomo_str("tags"), tomo_str("2,5,9") };

    (void) state;
    friend_init(&f, arena(), 7, pairs, 2);
    assert_true(friend_has_tag(&f, 5));
    assert_false(friend_has_tag(&f, 4));
    assert_false(friend_tag_add(&f, 5));
    assert_true(friend_tag_add(&f, 4));
    assert_true(friend_tag_add(&f, 1));
    assert_true(friend_tag_add(&f, 4000000000u));
    assert_true(tomo_str_eq(friend_get_c(&f, "tags"),
                            tomo_str("1,2,4,5,9,4000000000")));
    assert_false(friend_tag_remove(&f, 3));
    assert_true(friend_tag_remove(&f, 1));
    assert_true(friend_tag_remove(&f, 4000000000u));
    assert_true(tomo_str_eq(friend_get_c(&f, "tags"), tomo_str("2,4,5,9")));

    for (uint32_t i = 100; i < 400; i++) {
        assert_true(friend_tag_add(&f, i));
    }

    for (uint32_t i = 0; i < 400; i++) {
        (void) friend_tag_remove(&f, i);
    }

    assert_int_equal(f.n_tags, 0);
    assert_int_equal(friend_get_c(&f, "tags").len, 0);
}


static void
records(void **state)
{
    friend_t           f;
    friend_scenario_t  s = {
        .gen = 3, .step = tomo_str("a.b-c"), .done = false, .paused = true,
        .start_ms = 5, .shift = 1, .due_ms = 9, .prev_ms = 8
    }, t;

    (void) state;
    friend_init(&f, arena(), 7, NULL, 0);
    assert_true(f.fresh);
    assert_false(friend_scenario(&f, 1, &t));
    friend_scenario_set(&f, 1, &s);
    assert_true(friend_scenario(&f, 1, &t));
    assert_int_equal(t.gen, 3);
    assert_true(tomo_str_eq(t.step, s.step));
    assert_true(t.paused);
    assert_int_equal(t.shift, 1);
    assert_int_equal(t.due_ms, 9);
    friend_set_no(&f, 's', 2, tomo_str("%zz"));
    assert_false(friend_scenario(&f, 2, &t));
}


/* all orders of n events give one state */
static void
permute(friend_t *f, const char *kinds, size_t *order, size_t n, size_t k,
    tomo_str_t *st, int64_t *at)
{
    size_t      i, swap;
    tomo_str_t  before;

    if (k == n) {
        friend_init(f, arena(), 1, NULL, 0);

        for (i = 0; i < n; i++) {
            (void) friend_follow(f, kinds[order[i]],
                                 (int64_t) order[i] * 10, &before);
        }

        if (st->data == NULL) {
            *st = friend_get_c(f, "st");
            st->data = (const uint8_t *) strndup((const char *) st->data,
                                                 st->len);
            *at = friend_get_i64(f, "st_at");
        }

        assert_true(tomo_str_eq(friend_get_c(f, "st"), *st));
        assert_int_equal(friend_get_i64(f, "st_at"), *at);
        return;
    }

    for (i = k; i < n; i++) {
        swap = order[k], order[k] = order[i], order[i] = swap;
        permute(f, kinds, order, n, k + 1, st, at);
        swap = order[k], order[k] = order[i], order[i] = swap;
    }
}


static void
W8_any_order(void **state)
{
    static const struct {
        const char  *kinds;
        const char  *st;
    } cases[] = {
        { "flufl", "following" }, { "flulfu", "blocked" },
        { "lu", "blocked" }, { "ul", "following" }, { "ll", "unknown" },
        { "fuful", "following" }, { "llfu", "blocked" },
    };

    (void) state;

    for (size_t i = 0; i < UNIT_N(cases); i++) {
        int64_t     at = 0;
        size_t      order[] = { 0, 1, 2, 3, 4, 5 };
        friend_t    f;
        tomo_str_t  st = tomo_str_null;

        permute(&f, cases[i].kinds, order, strlen(cases[i].kinds), 0, &st,
                &at);
        assert_true(tomo_str_eq(st, tomo_str_c(cases[i].st)));
        free((void *) (uintptr_t) st.data);
    }
}


static void
conditions(void **state)
{
    friend_t    f;
    tomo_str_t  pairs[] = {
        tomo_str("tags"), tomo_str("2"),
        tomo_str("k:1"), tomo_str("n=1&first=1&last=1"),
        tomo_str("k:2"), tomo_str("n=0&first=0&last=0"),
        tomo_str("a:1"), tomo_str("n=2&last=1&rev=1"),
        tomo_str("d:1"), tomo_str("tea\ncoffee")
    };
    cond_t      tag = { .kind = COND_TAG, .no = 2 };
    cond_t      other = { .kind = COND_TAG, .no = 3 };
    cond_t      clicked = { .kind = COND_CLICKED, .no = 1 };
    cond_t      seen = { .kind = COND_CLICKED, .no = 2 };
    cond_t      answered = { .kind = COND_ANSWERED, .no = 1 };
    cond_t      field = { .kind = COND_FIELD, .no = 1,
                          .value = tomo_str("coffee") };
    cond_t      half = { .kind = COND_FIELD, .no = 1,
                         .value = tomo_str("coff") };
    cond_t     *both[] = { &tag, &other };
    cond_t     *good[] = { &tag, &clicked, &answered, &field };
    cond_t      all = { .kind = COND_ALL, .items = both, .n = 2 };
    cond_t      any = { .kind = COND_ANY, .items = both, .n = 2 };
    cond_t      four = { .kind = COND_ALL, .items = good, .n = 4 };
    cond_t     *inner[] = { &all };
    cond_t      not = { .kind = COND_NOT, .items = inner, .n = 1 };

    (void) state;
    friend_init(&f, arena(), 7, pairs, UNIT_N(pairs));
    assert_true(cond_eval(NULL, &f));
    assert_true(cond_eval(&tag, &f));
    assert_false(cond_eval(&other, &f));
    assert_true(cond_eval(&clicked, &f));
    assert_false(cond_eval(&seen, &f));
    assert_true(cond_eval(&answered, &f));
    assert_true(cond_eval(&field, &f));
    assert_false(cond_eval(&half, &f));
    assert_false(cond_eval(&all, &f));
    assert_true(cond_eval(&any, &f));
    assert_true(cond_eval(&four, &f));
    assert_true(cond_eval(&not, &f));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(tags),
        cmocka_unit_test(records),
        cmocka_unit_test(W8_any_order),
        cmocka_unit_test(conditions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
