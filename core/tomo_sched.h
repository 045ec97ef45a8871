/*
 * tomo_sched: arithmetic of due moments.  Time is Unix ms, an argument; a
 * zone is minutes east of UTC (Japan 540) until an account needs more.
 */

#ifndef TOMO_SCHED_H
#define TOMO_SCHED_H

#include "tomo_base.h"

typedef enum {
    TOMO_DUE_ELAPSED = 0,       /* start + delay_ms */
    TOMO_DUE_CLOCK              /* day N after the start's local day, HH:MM */
} tomo_due_e;

/* day 0 whose time has passed when the scenario starts (PRODUCT 5.7) */
typedef enum {
    TOMO_LATE_SEND = 0,         /* at once */
    TOMO_LATE_SKIP,             /* leave this step out */
    TOMO_LATE_SHIFT             /* the whole scenario one day later */
} tomo_late_e;

typedef struct {
    tomo_due_e  kind;
    int64_t     delay_ms;       /* ELAPSED: ≥ 0 */
    uint32_t    day;            /* CLOCK: 0 .. 3,650 */
    uint32_t    minute;         /* CLOCK: of the local day, 0 .. 1439 */
} tomo_due_t;

/* civil date of a local day, and back; proleptic Gregorian */
typedef struct {
    int32_t  year;
    int32_t  month;             /* 1..12 */
    int32_t  day;               /* 1..31 */
} tomo_date_t;

/* days since 1970-01-01 of the local day that holds at_ms */
int64_t tomo_sched_day(int64_t at_ms, int zone_min);
int64_t tomo_sched_days(tomo_date_t d);
tomo_date_t tomo_sched_date(int64_t days);
/* does the date exist?  Years 1..9999 */
bool tomo_sched_date_ok(tomo_date_t d);
/*
 * Age in whole years of somebody born on b, on the day today; born on 29
 * February: a year older on 1 March of common years.  0 before the birth.
 */
int tomo_sched_age(tomo_date_t b, tomo_date_t today);

/*
 * tomo_sched_due: when a step is due.
 *   start_ms   when the friend entered the scenario
 *   shift_days 0, or 1 after TOMO_LATE_SHIFT (both kinds of step move)
 *   prev_ms    due moment of the step before, or start_ms: never earlier
 * Returns Unix ms; cannot fail (absurd sums are held at the ends of int64).
 */
int64_t tomo_sched_due(const tomo_due_t *due, int64_t start_ms,
    int shift_days, int64_t prev_ms, int zone_min);

/* CLOCK with day 0 and its minute gone at start_ms (one minute late is late) */
bool tomo_sched_late(const tomo_due_t *due, int64_t start_ms, int zone_min);

/* "HH:MM" → minute of the day; TOMO_INVALID */
tomo_rc_e tomo_sched_minute(tomo_str_t hhmm, uint32_t *minute)
    TOMO_MUST_CHECK;

#endif
