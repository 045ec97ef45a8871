/* tomo_sched: civil dates, due moments, late policies. */

#include "unit.h"
#include "tomo_sched.h"


#define JST  540

/* Unix ms of a local moment */
static int64_t
at(int32_t year, int32_t month, int32_t day, int hour, int minute, int zone)
{
    tomo_date_t  d = { year, month, day };

    return tomo_sched_days(d) * TOMO_DAY_MS
           + (hour * 60 + minute - zone) * TOMO_MIN_MS;
}


static void
every_day_of_8000_years(void **state)
{
    int64_t      day;
    tomo_date_t  d, next;

    static const int32_t  lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    (void) state;

    d.year = 1;
    d.month = 1;
    d.day = 1;
    assert_true(tomo_sched_days(d) == -719162);

    for (day = -719162; d.year < 8000; day++) {
        next = tomo_sched_date(day);

        if (next.year != d.year || next.month != d.month || next.day != d.day
            || tomo_sched_days(d) != day || !tomo_sched_date_ok(d))
        {
            fail_msg("%d-%d-%d", d.year, d.month, d.day);
        }

        d.day++;

        if (d.day > lengths[d.month - 1]
                    + (d.month == 2 && d.year % 4 == 0
                       && (d.year % 100 != 0 || d.year % 400 == 0)))
        {
            d.day = 1;
            d.month++;
        }

        if (d.month == 13) {
            d.month = 1;
            d.year++;
        }
    }
}


static void
dates_that_are_none(void **state)
{
    size_t  i;

    static const struct {
        tomo_date_t  d;
        bool         ok;
    } cases[] = {
        { { 2024, 2, 29 }, true }, { { 2023, 2, 29 }, false },
        { { 2000, 2, 29 }, true }, { { 1900, 2, 29 }, false },
        { { 2024, 2, 30 }, false }, { { 2024, 4, 31 }, false },
        { { 2024, 12, 31 }, true }, { { 2024, 13, 1 }, false },
        { { 2024, 0, 1 }, false }, { { 2024, 1, 0 }, false },
        { { 2024, 1, 32 }, false }, { { 0, 1, 1 }, false },
        { { 9999, 12, 31 }, true }, { { 10000, 1, 1 }, false },
        { { -1, 1, 1 }, false }, { { INT32_MAX, 1, 1 }, false },
        { { 2024, INT32_MIN, 1 }, false }, { { 2024, 1, INT32_MAX }, false },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        assert_int_equal(tomo_sched_date_ok(cases[i].d), cases[i].ok);
    }

    assert_true(tomo_sched_date(INT64_MAX).year > 1000000000);
    assert_true(tomo_sched_date(INT64_MIN).year < -1000000000);
}


static void
local_days(void **state)
{
    (void) state;

    assert_true(tomo_sched_day(0, 0) == 0);
    assert_true(tomo_sched_day(-1, 0) == -1);
    assert_true(tomo_sched_day(-TOMO_DAY_MS, 0) == -1);
    assert_true(tomo_sched_day(-TOMO_DAY_MS - 1, 0) == -2);
    /* midnight in Japan is 15:00 UTC */
    assert_true(tomo_sched_day(15 * TOMO_HOUR_MS - 1, JST) == 0);
    assert_true(tomo_sched_day(15 * TOMO_HOUR_MS, JST) == 1);
    assert_true(tomo_sched_day(0, -300) == -1);
    assert_true(tomo_sched_day(0, 345) == 0);
    assert_true(tomo_sched_day(INT64_MAX, 840) > 0);
    assert_true(tomo_sched_day(INT64_MIN, -720) < 0);
}


static void
ages(void **state)
{
    size_t  i;

    static const struct {
        tomo_date_t  b;
        tomo_date_t  today;
        int          age;
    } cases[] = {
        { { 1990, 5, 10 }, { 2025, 5, 9 }, 34 },
        { { 1990, 5, 10 }, { 2025, 5, 10 }, 35 },
        { { 1990, 5, 10 }, { 2025, 4, 30 }, 34 },
        { { 1990, 5, 10 }, { 2025, 6, 1 }, 35 },
        { { 2004, 2, 29 }, { 2025, 2, 28 }, 20 },
        { { 2004, 2, 29 }, { 2025, 3, 1 }, 21 },
        { { 2004, 2, 29 }, { 2024, 2, 29 }, 20 },
        { { 2030, 1, 1 }, { 2025, 1, 1 }, 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        assert_int_equal(tomo_sched_age(cases[i].b, cases[i].today),
                         cases[i].age);
    }
}


static void
due_by_the_clock(void **state)
{
    size_t   i;
    int64_t  start, want;

    static const struct {
        tomo_date_t  start;
        int          hour;
        int          minute;
        int          zone;
        uint32_t     day;
        uint32_t     due_minute;
        int          shift;
        tomo_date_t  due;
    } cases[] = {
        { { 2025, 3, 10 }, 9, 0, JST, 1, 600, 0, { 2025, 3, 11 } },
        { { 2025, 3, 10 }, 23, 59, JST, 1, 0, 0, { 2025, 3, 11 } },
        { { 2025, 3, 10 }, 0, 0, JST, 1, 1439, 0, { 2025, 3, 11 } },
        /* ends of months and years, leap day */
        { { 2025, 1, 31 }, 12, 0, JST, 1, 600, 0, { 2025, 2, 1 } },
        { { 2024, 2, 28 }, 12, 0, JST, 1, 600, 0, { 2024, 2, 29 } },
        { { 2025, 2, 28 }, 12, 0, JST, 1, 600, 0, { 2025, 3, 1 } },
        { { 2024, 2, 28 }, 12, 0, JST, 366, 600, 0, { 2025, 2, 28 } },
        { { 2024, 12, 31 }, 23, 0, JST, 1, 600, 0, { 2025, 1, 1 } },
        /* one day later after a shift */
        { { 2025, 3, 10 }, 9, 0, JST, 1, 600, 1, { 2025, 3, 12 } },
        { { 2025, 3, 10 }, 11, 0, JST, 0, 600, 1, { 2025, 3, 11 } },
        /* other zones; before 1970 */
        { { 2025, 3, 10 }, 20, 0, -480, 1, 600, 0, { 2025, 3, 11 } },
        { { 2025, 3, 10 }, 2, 0, 345, 3, 600, 0, { 2025, 3, 13 } },
        { { 1969, 12, 31 }, 23, 0, JST, 1, 600, 0, { 1970, 1, 1 } },
        { { 1960, 2, 28 }, 23, 0, JST, 2, 600, 0, { 1960, 3, 1 } },
        { { 2025, 3, 10 }, 9, 0, JST, 3650, 600, 0, { 2035, 3, 8 } },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        tomo_due_t  due = { TOMO_DUE_CLOCK, 0, cases[i].day,
                            cases[i].due_minute };

        start = at(cases[i].start.year, cases[i].start.month,
                   cases[i].start.day, cases[i].hour, cases[i].minute,
                   cases[i].zone);
        want = at(cases[i].due.year, cases[i].due.month, cases[i].due.day,
                  (int) cases[i].due_minute / 60,
                  (int) cases[i].due_minute % 60, cases[i].zone);
        assert_true(tomo_sched_due(&due, start, cases[i].shift, start,
                                   cases[i].zone) == want);
    }
}


static void
due_after_time_passed(void **state)
{
    int64_t     start;
    tomo_due_t  due = { TOMO_DUE_ELAPSED, 0, 0, 0 };

    (void) state;

    start = at(2025, 3, 10, 9, 30, JST);
    assert_true(tomo_sched_due(&due, start, 0, start, JST) == start);
    due.delay_ms = 3 * TOMO_DAY_MS + 90 * TOMO_MIN_MS;
    assert_true(tomo_sched_due(&due, start, 0, start, JST)
                == at(2025, 3, 13, 11, 0, JST));
    assert_true(tomo_sched_due(&due, start, 1, start, JST)
                == at(2025, 3, 14, 11, 0, JST));

    /* never before the step before */
    assert_true(tomo_sched_due(&due, start, 0, start + 9 * TOMO_DAY_MS, JST)
                == start + 9 * TOMO_DAY_MS);

    due.delay_ms = INT64_MAX;
    assert_true(tomo_sched_due(&due, start, 1, start, JST) == INT64_MAX);
    due.kind = TOMO_DUE_CLOCK;
    due.day = UINT32_MAX;
    assert_true(tomo_sched_due(&due, INT64_MAX, 1, 0, JST) == INT64_MAX);
    assert_true(tomo_sched_due(&due, INT64_MIN, 1, 5, -JST) == 5);
}


/* PRODUCT 5.7: day 0 whose time is gone: send, skip or shift */
static void
late_by_the_minute(void **state)
{
    int64_t     start;
    tomo_due_t  due = { TOMO_DUE_CLOCK, 0, 0, 600 };

    (void) state;

    start = at(2025, 3, 10, 10, 0, JST);
    assert_false(tomo_sched_late(&due, start - 1, JST));
    assert_false(tomo_sched_late(&due, start, JST));
    assert_false(tomo_sched_late(&due, start + 59999, JST));
    assert_true(tomo_sched_late(&due, start + 60000, JST));
    assert_true(tomo_sched_late(&due, at(2025, 3, 10, 23, 59, JST), JST));
    assert_false(tomo_sched_late(&due, at(2025, 3, 11, 0, 0, JST), JST));

    /* send: at once */
    start += TOMO_HOUR_MS;
    assert_true(tomo_sched_due(&due, start, 0, start, JST) == start);
    /* shift: the same time tomorrow */
    assert_true(tomo_sched_due(&due, start, 1, start, JST)
                == at(2025, 3, 11, 10, 0, JST));

    due.day = 1;
    assert_false(tomo_sched_late(&due, start, JST));
    due.day = 0;
    due.kind = TOMO_DUE_ELAPSED;
    assert_false(tomo_sched_late(&due, start, JST));
}


static void
minutes(void **state)
{
    size_t    i;
    uint32_t  m;

    static const struct {
        const char  *text;
        int          minute;
    } cases[] = {
        { "00:00", 0 }, { "10:00", 600 }, { "23:59", 1439 },
        { "09:05", 545 }, { "24:00", -1 }, { "23:60", -1 }, { "9:00", -1 },
        { "", -1 }, { "10:0", -1 }, { "10:000", -1 }, { "10-00", -1 },
        { "1a:00", -1 }, { "10:0 ", -1 }, { "-1:00", -1 }, { "::::::", -1 },
        { "/0:00", -1 }, { "0::00", -1 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        m = 12345;
        assert_int_equal(tomo_sched_minute(tomo_str_c(cases[i].text), &m),
                         cases[i].minute < 0 ? TOMO_INVALID : TOMO_OK);
        assert_int_equal(m, cases[i].minute < 0 ? 12345 : cases[i].minute);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_8000_years),
        cmocka_unit_test(dates_that_are_none),
        cmocka_unit_test(local_days),
        cmocka_unit_test(ages),
        cmocka_unit_test(due_by_the_clock),
        cmocka_unit_test(due_after_time_passed),
        cmocka_unit_test(late_by_the_minute),
        cmocka_unit_test(minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
