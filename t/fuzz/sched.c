/*
 * Due moments: whatever the numbers, nothing overflows, no step is due before
 * the one ahead of it, and a step by the clock is at its minute.
 */

#include "fuzz.h"
#include "tomo_sched.h"


static int64_t
number(const uint8_t *p)
{
    return (int64_t) tomo_get_le(p, 8);
}


static void
dates(int64_t at_ms, int zone)
{
    int64_t      day;
    tomo_date_t  d;

    day = tomo_sched_day(at_ms, zone);
    d = tomo_sched_date(day);

    if (d.year >= 1 && d.year <= 9999) {
        FUZZ_HOLDS(tomo_sched_date_ok(d));
        FUZZ_HOLDS(tomo_sched_days(d) == day);
        FUZZ_HOLDS(tomo_sched_age(d, d) == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int         zone, shift;
    int64_t     start, prev, at;
    uint32_t    minute;
    tomo_due_t  due;

    if (size < 32) {
        return 0;
    }

    start = number(data);
    prev = number(data + 8);
    due.kind = (data[16] & 1) != 0 ? TOMO_DUE_CLOCK : TOMO_DUE_ELAPSED;
    shift = (data[16] & 2) != 0;
    zone = (int) (tomo_get_le(data + 17, 2) % 1681) - 840;
    due.day = (uint32_t) tomo_get_le(data + 19, 2) % 3651;
    due.minute = (uint32_t) tomo_get_le(data + 21, 2) % 1440;
    due.delay_ms = number(data + 23) & INT64_MAX;

    at = tomo_sched_due(&due, start, shift, prev, zone);
    FUZZ_HOLDS(at >= prev);
    (void) tomo_sched_late(&due, start, zone);
    dates(at, zone);

    if (due.kind == TOMO_DUE_CLOCK && at > prev && at < INT64_MAX / 2
        && at > INT64_MIN / 2)
    {
        FUZZ_HOLDS((at + zone * TOMO_MIN_MS - due.minute * TOMO_MIN_MS)
                   % TOMO_DAY_MS == 0);
        FUZZ_HOLDS(tomo_sched_day(at, zone)
                   == tomo_sched_day(start, zone) + due.day + shift);
    }

    if (tomo_sched_minute(tomo_str_n(data + 31, size - 31), &minute)
        == TOMO_OK)
    {
        FUZZ_HOLDS(size - 31 == 5 && minute < 1440);
    }

    return 0;
}
