/*
 * clock: the three clocks of docs/formats.md, Time.
 *   now   real time + the sandbox offset: event times, due moments, schedules
 *   real  real time: heartbeats between processes, leases' keys in Redis
 *   mono  monotonic: timeouts, backoff, rate buckets; never the sandbox
 *
 * The offset is an 8-byte little-endian file, mapped once; without a file the
 * offset is 0.  All functions may be called from any thread after clock_open.
 */

#ifndef CLOCK_H
#define CLOCK_H

#include "tomo_base.h"

/*
 * path: the sandbox clock file, or NULL.  The file is made with offset 0 when
 * it is missing.  TOMO_ERROR: cannot be opened or mapped (logged).
 */
tomo_rc_e clock_open(const char *path) TOMO_MUST_CHECK;

int64_t clock_now_ms(void);
int64_t clock_real_ms(void);
int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);

/* the sandbox offset; setting it is the api role's alone */
int64_t clock_offset_ms(void);
void clock_offset_set(int64_t offset_ms);

#endif
