/* zones: see zones.h */

#include "zones.h"

#include "tomo_sched.h"

#define ZONES_OFFSET_MAX  (14 * 60)


static const struct {
    const char  *name;
    int          minutes_east;
} zones[] = {
    { "Asia/Tokyo",       540 },
    { "Asia/Seoul",       540 },
    { "Asia/Taipei",      480 },
    { "Asia/Hong_Kong",   480 },
    { "Asia/Macau",       480 },
    { "Asia/Singapore",   480 },
    { "Asia/Manila",      480 },
    { "Asia/Bangkok",     420 },
    { "Asia/Jakarta",     420 },
    { "Asia/Ho_Chi_Minh", 420 },
    { "UTC",              0 }
};


tomo_rc_e
zones_parse(tomo_str_t name, int *minutes_east)
{
    uint32_t  minutes;

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (tomo_str_eq(name, tomo_str_c(zones[i].name))) {
            *minutes_east = zones[i].minutes_east;
            return TOMO_OK;
        }
    }

    if (name.len != 6 || (name.data[0] != '+' && name.data[0] != '-')
        || tomo_sched_minute(tomo_str_n(name.data + 1, 5), &minutes)
           != TOMO_OK
        || minutes > ZONES_OFFSET_MAX)
    {
        return TOMO_INVALID;
    }

    *minutes_east = name.data[0] == '-' ? -(int) minutes : (int) minutes;

    return TOMO_OK;
}
