/*
 * commit: a key has one number, and a commit that cannot hold something says
 * so until it is begun anew (DESIGN.md, decision 4).
 */

#include "unit.h"
#include "tomo_codec.h"
#include "worker/ingest/commit.h"

#define BYTES  (1u << 20)


static commit_t *
begin(size_t bytes)
{
    commit_t  *c = commit_create(bytes);

    assert_non_null(c);
    commit_reset(c, tomo_str("lease"), tomo_str("cursor"));

    return c;
}


/* operation, count of what follows, key, one argument */
static void
operation(commit_t *c, unsigned n)
{
    char  key[16];

    (void) snprintf(key, sizeof(key), "key:%u", n);
    commit_op(c, 'd', tomo_str_c(key));
    commit_arg_c(c, "x");
    commit_end(c);
}


/* what failed stays so, whatever comes; begun anew it is as good as ever */
static void
is_over(commit_t *c)
{
    assert_true(c->failed);
    assert_false(commit_room(c, 0, 0));
    operation(c, 0);
    assert_true(c->failed);

    commit_reset(c, tomo_str("lease"), tomo_str("cursor"));
    assert_true(commit_room(c, 4, 0));
    operation(c, 0);
    assert_false(c->failed);
    assert_int_equal(c->n_keys, 3);
    assert_int_equal(c->n_args, 4);
    unit_is_str(c->args[0], tomo_str("d"));
    unit_is_str(c->args[1], tomo_str("2"));
    unit_is_str(c->args[2], tomo_str("3"));
    unit_is_str(c->args[3], tomo_str("x"));
    commit_free(c);
}


static void
one_number_a_key(void **state)
{
    size_t     i;
    uint64_t   no;
    commit_t  *c = begin(BYTES);

    (void) state;

    for (i = 0; i < 1500; i++) {
        operation(c, (unsigned) (i % 500));
    }

    assert_false(c->failed);
    assert_int_equal(c->n_keys, 2 + 500);

    for (i = 0; i < 1500; i++) {
        assert_int_equal(tomo_u64_get(c->args[4 * i + 2], 9999, &no), TOMO_OK);
        assert_int_equal(no, 3 + i % 500);
    }

    commit_free(c);
}


static void
too_many_keys(void **state)
{
    unsigned   i;
    commit_t  *c = begin(BYTES);

    (void) state;

    for (i = 2; i < COMMIT_KEYS_MAX; i++) {
        assert_int_equal(commit_room(c, 0, 0),
                         i + COMMIT_KEYS_ROOM <= COMMIT_KEYS_MAX);
        commit_op(c, 'u', tomo_str_n(&i, sizeof(i)));
        c->n_args = 0;                  /* of these there is room for less */
    }

    assert_false(c->failed);
    commit_op(c, 'u', tomo_str_n(&i, sizeof(i)));
    is_over(c);
}


static void
too_many_arguments(void **state)
{
    size_t     i, max;
    commit_t  *c = begin(BYTES);

    (void) state;
    max = UNIT_N(c->args);

    for (i = 0; i < max; i++) {
        assert_int_equal(commit_room(c, 1, 0), i < COMMIT_ARGS_MAX);
        commit_arg_c(c, "");
    }

    assert_false(c->failed);
    commit_arg_c(c, "");
    assert_int_equal(c->n_args, max);
    is_over(c);
}


static void
too_much_text(void **state)
{
    char       text[64] = { 0 };
    commit_t  *c = begin(64);

    (void) state;
    assert_true(commit_room(c, 0, 64 - strlen("leasecursor")));
    assert_false(commit_room(c, 0, 65 - strlen("leasecursor")));
    commit_op(c, 'd', tomo_str("k"));
    commit_arg(c, tomo_str_n(text, sizeof(text)));
    commit_end(c);
    is_over(c);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number_a_key),
        cmocka_unit_test(too_many_keys),
        cmocka_unit_test(too_many_arguments),
        cmocka_unit_test(too_much_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
