/* scenario: the next step and its moment, for every place a friend can have */

#include <string.h>

#include "unit.h"
#include "worker/ingest/scenario.h"

#define JST  540
#define T(day, hour, min)                                                     \
    ((day) * TOMO_DAY_MS + (hour) * TOMO_HOUR_MS + (min) * TOMO_MIN_MS)
/* a moment by Tokyo's clock */
#define J(day, hour, min)  (T(day, hour, min) - 9 * TOMO_HOUR_MS)

#define ELAPSED(name, ms)                                                     \
    { .id = { (const uint8_t *) name, sizeof(name) - 1 },                     \
      .due = { .kind = TOMO_DUE_ELAPSED, .delay_ms = (ms) } }
#define CLOCK(name, d, hour, min)                                             \
    { .id = { (const uint8_t *) name, sizeof(name) - 1 },                     \
      .due = { .kind = TOMO_DUE_CLOCK, .day = (d),                            \
               .minute = (hour) * 60 + (min) } }

static def_step_t  steps[] = {
    ELAPSED("hello", 0), CLOCK("day1", 1, 10, 0),
    ELAPSED("day3", 3 * TOMO_DAY_MS)
};

static const def_scenario_t  welcome = { .steps = steps, .n_steps = 3 };


static friend_scenario_t
at(const char *step, int64_t start_ms, int64_t prev_ms)
{
    return (friend_scenario_t) {
        .gen = 1, .step = tomo_str_c(step), .start_ms = start_ms,
        .prev_ms = prev_ms
    };
}


static void
is_next(const def_scenario_t *def, friend_scenario_t s, const char *id,
    int64_t due_ms)
{
    int64_t            due = 0;
    const def_step_t  *step;

    step = scenario_next(def, &s, JST, &due);

    if (id == NULL) {
        assert_null(step);
        return;
    }

    assert_non_null(step);
    assert_true(tomo_str_eq(step->id, tomo_str_c(id)));
    assert_int_equal(due, due_ms);
}


static void
every_place(void **state)
{
    int64_t  start;

    (void) state;

    /* every minute of a day: the clock step is the next local day's */
    for (start = J(100, 0, 0); start < J(101, 0, 0); start += TOMO_MIN_MS) {
        is_next(&welcome, at("", start, start), "hello", start);
        is_next(&welcome, at("hello", start, start), "day1", J(101, 10, 0));
        is_next(&welcome, at("day1", start, J(101, 10, 0)), "day3",
                start + 3 * TOMO_DAY_MS);
        is_next(&welcome, at("day3", start, start + 3 * TOMO_DAY_MS), NULL,
                0);
    }
}


/* steps never overtake each other */
static void
order(void **state)
{
    def_step_t      mixed[] = {
        ELAPSED("late", 10 * TOMO_DAY_MS), CLOCK("early", 1, 9, 0),
        ELAPSED("zero", 0)
    };
    def_scenario_t  def = { .steps = mixed, .n_steps = 3 };
    int64_t         start = J(50, 12, 0), late = start + 10 * TOMO_DAY_MS;

    (void) state;
    is_next(&def, at("", start, start), "late", late);
    is_next(&def, at("late", start, late), "early", late);
    is_next(&def, at("early", start, late), "zero", late);
    is_next(&def, at("zero", start, late), NULL, 0);
}


static void
late_on_day_0(void **state)
{
    def_step_t      today[] = {
        CLOCK("noon", 0, 12, 0), CLOCK("evening", 0, 20, 0),
        CLOCK("next", 1, 8, 0)
    };
    def_scenario_t  def = { .steps = today, .n_steps = 3 };
    int64_t         start = J(7, 15, 30);
    friend_scenario_t  s;

    (void) state;
    is_next(&def, at("", J(7, 11, 0), J(7, 11, 0)), "noon", J(7, 12, 0));
    def.late = TOMO_LATE_SEND;
    is_next(&def, at("", start, start), "noon", start);
    is_next(&def, at("noon", start, start), "evening", J(7, 20, 0));
    def.late = TOMO_LATE_SKIP;
    is_next(&def, at("", start, start), "evening", J(7, 20, 0));
    def.late = TOMO_LATE_SHIFT;
    s = at("", start, start);
    s.shift = 1;
    is_next(&def, s, "noon", J(8, 12, 0));
    s.step = tomo_str("evening");
    s.prev_ms = J(8, 20, 0);
    is_next(&def, s, "next", J(9, 8, 0));
}


/* the step a friend stands on was removed: what is due later comes next */
static void
removed_step(void **state)
{
    int64_t  start = J(20, 9, 0);

    (void) state;
    is_next(&welcome, at("gone", start, start + TOMO_HOUR_MS), "day1",
            J(21, 10, 0));
    is_next(&welcome, at("gone", start, J(21, 11, 0)), "day3",
            start + 3 * TOMO_DAY_MS);
    is_next(&welcome, at("gone", start, start + 4 * TOMO_DAY_MS), NULL, 0);
}


/* steps that change places under a friend's feet */
static void
moved_steps(void **state)
{
    size_t             i, k, n;
    int64_t            due, start = J(20, 9, 0);
    uint8_t            memory[4096];
    tomo_arena_t       arena;
    def_step_t         order[3];
    def_scenario_t     def = { .steps = order, .n_steps = 3 };
    friend_scenario_t  s;
    const def_step_t  *step;
    unsigned           times[3];

    static const unsigned  all[6][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
        { 2, 1, 0 }
    };

    (void) state;

    /* whatever the order becomes after each step, none is decided twice; if
       it changes only once, each is decided */
    for (i = 0; i < 6 * 6 * 6; i++) {
        tomo_arena_init(&arena, memory, sizeof(memory));
        s = at("", start, start);
        s.past = tomo_str("~");
        memset(times, 0, sizeof(times));

        for (n = 0; n < 4; n++) {
            for (k = 0; k < 3; k++) {
                order[k] = steps[all[(n == 0 ? 0 : n == 1 ? i : n == 2 ? i / 6
                                      : i / 36) % 6][k]];
            }

            step = scenario_next(&def, &s, JST, &due);

            if (step == NULL) {
                break;
            }

            for (k = 0; k < 3; k++) {
                times[k] += tomo_str_eq(step->id, steps[k].id);
            }

            scenario_pass(&def, &s, step, due, &arena);
        }

        assert_false(arena.failed);
        assert_int_equal(times[0] | times[1] | times[2], 1);
        assert_int_equal(times[0] + times[1] + times[2], n);
        assert_true(n == 3 || i % 6 != i / 6 % 6 || i % 6 != i / 36);
    }

    /* a record that an older Tomo wrote: what stands before is passed */
    memcpy(order, steps, sizeof(order));
    s = at("day1", start, J(21, 10, 0));
    step = scenario_next(&def, &s, JST, &due);
    scenario_pass(&def, &s, step, due, &arena);
    assert_true(tomo_str_eq(s.past, tomo_str("~hello~day1")));

    /* one that is put in before where the friend stands is not caught up */
    s = at("day1", start, J(21, 10, 0));
    s.past = tomo_str("~hello");
    order[0] = (def_step_t) ELAPSED("new", TOMO_HOUR_MS);
    is_next(&def, s, "day3", start + 3 * TOMO_DAY_MS);
}


static void
branches(void **state)
{
    static uint8_t  memory[65536];
    cond_t          tag = { .kind = COND_TAG, .no = 1 };
    cond_t          two = { .kind = COND_TAG, .no = 2 };
    def_branch_t    list[] = { { .when = &tag }, { .when = &two },
                               { .when = NULL } };
    def_step_t      step = { .branches = list, .n_branches = 3 };
    friend_t        f;
    tomo_arena_t    a;

    (void) state;
    tomo_arena_init(&a, memory, sizeof(memory));
    friend_init(&f, &a, 1, NULL, 0);
    assert_ptr_equal(scenario_branch(&step, &f), &list[2]);
    (void) friend_tag_add(&f, 2);
    assert_ptr_equal(scenario_branch(&step, &f), &list[1]);
    (void) friend_tag_add(&f, 1);
    assert_ptr_equal(scenario_branch(&step, &f), &list[0]);
    step.n_branches = 1;
    (void) friend_tag_remove(&f, 1);
    assert_null(scenario_branch(&step, &f));
    step.n_branches = 0;
    assert_null(scenario_branch(&step, &f));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place),
        cmocka_unit_test(order),
        cmocka_unit_test(late_on_day_0),
        cmocka_unit_test(removed_step),
        cmocka_unit_test(moved_steps),
        cmocka_unit_test(branches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
