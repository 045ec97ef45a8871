/*
 * tomo_sched: civil dates and due moments.
 */

#include "tomo_sched.h"


#define SCHED_ERA_DAYS   146097     /* 400 years */
#define SCHED_EPOCH      719468     /* 0000-03-01 to 1970-01-01 */
#define SCHED_DAYS_MAX   INT64_C(700000000000)


static int64_t
sched_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}


static int64_t
sched_add(int64_t a, int64_t b)
{
    int64_t  sum;

    if (__builtin_add_overflow(a, b, &sum)) {
        return (b > 0) ? INT64_MAX : INT64_MIN;
    }

    return sum;
}


int64_t
tomo_sched_day(int64_t at_ms, int zone_min)
{
    return sched_floor(sched_add(at_ms, zone_min * TOMO_MIN_MS), TOMO_DAY_MS);
}


/*
 * Years are counted from 1 March: the leap day is the last of its year, and
 * the lengths of the months before it follow (153 m + 2) / 5.
 */
int64_t
tomo_sched_days(tomo_date_t d)
{
    int64_t  year, era, of_era, day;

    year = (int64_t) d.year - (d.month <= 2);
    era = sched_floor(year, 400);
    of_era = year - era * 400;
    day = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;

    return era * SCHED_ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100
           + day - SCHED_EPOCH;
}


tomo_date_t
tomo_sched_date(int64_t days)
{
    int64_t      era, day, year, month;
    tomo_date_t  d;

    if (days > SCHED_DAYS_MAX) {
        days = SCHED_DAYS_MAX;

    } else if (days < -SCHED_DAYS_MAX) {
        days = -SCHED_DAYS_MAX;
    }

    days += SCHED_EPOCH;
    era = sched_floor(days, SCHED_ERA_DAYS);
    day = days - era * SCHED_ERA_DAYS;

    /* leap days passed so far: one in 1,461 days, but not in 36,524 … */
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= year * 365 + year / 4 - year / 100;
    month = (5 * day + 2) / 153;

    d.day = (int32_t) (day - (153 * month + 2) / 5 + 1);
    d.month = (int32_t) (month < 10 ? month + 3 : month - 9);
    d.year = (int32_t) (era * 400 + year + (month >= 10));

    return d;
}


bool
tomo_sched_date_ok(tomo_date_t d)
{
    tomo_date_t  same;

    if (d.year < 1 || d.year > 9999 || d.month < 1 || d.month > 12
        || d.day < 1 || d.day > 31)
    {
        return false;
    }

    same = tomo_sched_date(tomo_sched_days(d));

    return same.month == d.month && same.day == d.day;
}


int
tomo_sched_age(tomo_date_t b, tomo_date_t today)
{
    int  years;

    years = today.year - b.year;

    if (today.month < b.month
        || (today.month == b.month && today.day < b.day))
    {
        years--;
    }

    return (years < 0) ? 0 : years;
}


static int64_t
sched_clock(const tomo_due_t *due, int64_t start_ms, int shift_days,
    int zone_min)
{
    int64_t  day, ms;

    day = sched_add(tomo_sched_day(start_ms, zone_min),
                    (int64_t) due->day + shift_days);
    ms = due->minute * TOMO_MIN_MS - zone_min * TOMO_MIN_MS;

    if (day > INT64_MAX / TOMO_DAY_MS) {
        return INT64_MAX;
    }

    if (day < INT64_MIN / TOMO_DAY_MS) {
        return INT64_MIN;
    }

    return sched_add(day * TOMO_DAY_MS, ms);
}


int64_t
tomo_sched_due(const tomo_due_t *due, int64_t start_ms, int shift_days,
    int64_t prev_ms, int zone_min)
{
    int64_t  at;

    if (due->kind == TOMO_DUE_CLOCK) {
        at = sched_clock(due, start_ms, shift_days, zone_min);

    } else {
        at = sched_add(sched_add(start_ms, due->delay_ms),
                       shift_days * TOMO_DAY_MS);
    }

    return (at < prev_ms) ? prev_ms : at;
}


bool
tomo_sched_late(const tomo_due_t *due, int64_t start_ms, int zone_min)
{
    int64_t  at;

    if (due->kind != TOMO_DUE_CLOCK || due->day != 0) {
        return false;
    }

    at = sched_clock(due, start_ms, 0, zone_min);

    return start_ms >= sched_add(at, TOMO_MIN_MS);
}


tomo_rc_e
tomo_sched_minute(tomo_str_t hhmm, uint32_t *minute)
{
    size_t    i;
    uint32_t  digits[5], hours, minutes;

    if (hhmm.len != 5 || hhmm.data[2] != ':') {
        return TOMO_INVALID;
    }

    for (i = 0; i < 5; i++) {
        digits[i] = (uint32_t) hhmm.data[i] - '0';

        if (i != 2 && digits[i] > 9) {
            return TOMO_INVALID;
        }
    }

    hours = digits[0] * 10 + digits[1];
    minutes = digits[3] * 10 + digits[4];

    if (hours > 23 || minutes > 59) {
        return TOMO_INVALID;
    }

    *minute = hours * 60 + minutes;

    return TOMO_OK;
}
