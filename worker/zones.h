/*
 * zones: the time zones an account may live in: names of zones without
 * daylight saving time (LINE's main countries), or an offset such as +09:00.
 * The list is shipped, so that no name ever becomes a path (B68).
 */

#ifndef ZONES_H
#define ZONES_H

#include "tomo_base.h"

#define ZONES_NAME_MAX  24

/* TOMO_INVALID: neither a name of the list nor ±HH:MM up to 14:00 */
tomo_rc_e zones_parse(tomo_str_t name, int *minutes_east) TOMO_MUST_CHECK;

#endif
