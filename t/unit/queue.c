/* worker/dispatch/queue: which row of a friend may go now. */

#include "unit.h"
#include "worker/dispatch/queue.h"


static row_t *
row(queue_t *q, uint64_t seq, tomo_via_e via, uint32_t friend)
{
    row_t  *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->id_ms = 1;
    r->id_seq = seq;
    r->via = via;
    r->friend = friend;
    queue_add(q, r);

    return r;
}


static void
one_in_flight_in_order(void **state)
{
    row_t    *a, *b, *other;
    queue_t   q;

    (void) state;

    queue_init(&q);
    a = row(&q, 1, TOMO_VIA_PUSH, 7);
    b = row(&q, 2, TOMO_VIA_PUSH, 7);
    other = row(&q, 3, TOMO_VIA_PUSH, 8);
    assert_true(queue_has(&q, 1, 2));
    assert_false(queue_has(&q, 1, 4));

    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), a);
    queue_fly(&q, a);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), other);
    queue_fly(&q, other);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    assert_int_equal(q.away_counted, 2);

    queue_drop(&q, a);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), b);
    queue_drop(&q, b);
    queue_drop(&q, other);
    assert_int_equal(q.n + q.flying, 0);
    assert_false(queue_has(&q, 1, 2));
    queue_free(&q);
}


static void
backoff_holds_back_what_is_behind(void **state)
{
    row_t    *a, *b, *reply;
    int64_t   next;
    queue_t   q;

    (void) state;

    queue_init(&q);
    a = row(&q, 1, TOMO_VIA_PUSH, 7);
    b = row(&q, 2, TOMO_VIA_PUSH, 7);
    reply = row(&q, 3, TOMO_VIA_REPLY, 7);

    assert_null(queue_choose(&q, TOMO_VIA_REPLY));
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), a);
    queue_wait(&q, a, 100);

    /* the reply's token lives a minute: it does not wait */
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_REPLY), reply);
    queue_fly(&q, reply);

    queue_tick(&q, 100, &next);
    assert_true(next == INT64_MAX);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_drop(&q, reply);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), a);
    queue_drop(&q, a);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), b);
    queue_drop(&q, b);
    queue_free(&q);
}


static void
a_waiting_reply_is_waited_for(void **state)
{
    row_t    *push, *reply;
    int64_t   next;
    queue_t   q;

    (void) state;

    queue_init(&q);
    reply = row(&q, 1, TOMO_VIA_REPLY, 7);
    push = row(&q, 2, TOMO_VIA_PUSH, 7);

    assert_ptr_equal(queue_choose(&q, TOMO_VIA_REPLY), reply);
    queue_wait(&q, reply, 50);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_tick(&q, 49, &next);
    assert_true(next == 50);
    queue_tick(&q, 50, &next);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_REPLY), reply);
    queue_drop(&q, reply);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), push);
    queue_drop(&q, push);
    queue_free(&q);
}


static void
a_pause_stops_counted_rows_alone(void **state)
{
    row_t    *push, *reply, *multi;
    queue_t   q;

    (void) state;

    queue_init(&q);
    push = row(&q, 1, TOMO_VIA_PUSH, 7);
    reply = row(&q, 2, TOMO_VIA_REPLY, 7);
    multi = row(&q, 3, TOMO_VIA_MULTICAST, 0);
    queue_pause(&q, true);

    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    assert_null(queue_choose(&q, TOMO_VIA_MULTICAST));
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_REPLY), reply);
    queue_drop(&q, reply);

    queue_pause(&q, false);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), push);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_MULTICAST), multi);
    queue_drop(&q, push);
    queue_drop(&q, multi);
    queue_free(&q);
}


static void
timers_come_in_order(void **state)
{
    size_t    i, n = 500, seen = 0;
    row_t    *r;
    int64_t   now, next, last = 0;
    queue_t   q;

    (void) state;

    queue_init(&q);

    for (i = 0; i < n; i++) {
        row(&q, i, TOMO_VIA_PUSH, (uint32_t) i + 1);
        r = queue_choose(&q, TOMO_VIA_PUSH);
        queue_wait(&q, r, (int64_t) (i * 7919 % 1000));
    }

    for (now = 0; now < 1000; now++) {
        queue_tick(&q, now, &next);

        while ((r = queue_choose(&q, TOMO_VIA_PUSH)) != NULL) {
            assert_true(r->due_us <= now && r->due_us >= last);
            last = r->due_us;
            seen++;
            queue_drop(&q, r);
        }

        assert_true(next > now);
    }

    assert_int_equal(seen, n);
    assert_int_equal(q.n, 0);
    queue_free(&q);
}


static void
clear_keeps_what_flies(void **state)
{
    row_t    *flies;
    queue_t   q;

    (void) state;

    queue_init(&q);
    flies = row(&q, 1, TOMO_VIA_PUSH, 7);
    row(&q, 2, TOMO_VIA_PUSH, 7);
    row(&q, 3, TOMO_VIA_PUSH, 8);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), flies);
    queue_fly(&q, flies);
    queue_clear(&q);
    assert_int_equal(q.n, 1);
    assert_true(queue_has(&q, 1, 1));
    assert_false(queue_has(&q, 1, 2));

    row(&q, 2, TOMO_VIA_PUSH, 7);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_drop(&q, flies);
    assert_non_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_free(&q);
}


/* it is in a batch that an errand reads */

static void
clear_keeps_what_is_chosen(void **state)
{
    row_t    *chosen;
    queue_t   q;

    (void) state;

    queue_init(&q);
    chosen = row(&q, 1, TOMO_VIA_PUSH, 7);
    row(&q, 2, TOMO_VIA_PUSH, 7);
    assert_ptr_equal(queue_choose(&q, TOMO_VIA_PUSH), chosen);
    assert_int_equal(q.away_counted, 1);
    queue_clear(&q);
    assert_int_equal(q.n, 1);
    assert_true(queue_has(&q, 1, 1));

    row(&q, 2, TOMO_VIA_PUSH, 7);
    assert_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_drop(&q, chosen);
    assert_int_equal(q.away_counted, 0);
    assert_non_null(queue_choose(&q, TOMO_VIA_PUSH));
    queue_free(&q);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_in_flight_in_order),
        cmocka_unit_test(backoff_holds_back_what_is_behind),
        cmocka_unit_test(a_waiting_reply_is_waited_for),
        cmocka_unit_test(a_pause_stops_counted_rows_alone),
        cmocka_unit_test(timers_come_in_order),
        cmocka_unit_test(clear_keeps_what_flies),
        cmocka_unit_test(clear_keeps_what_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
