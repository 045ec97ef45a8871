#include "ids.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "log.h"


void
ids_random(void *out, size_t len)
{
    ssize_t   n;
    uint8_t  *p = out;

    while (len > 0) {
        n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            log_error("kernel", "gave no random bytes: getrandom failed");
            abort();
        }

        p += n;
        len -= (size_t) n;
    }
}


uint64_t
ids_random64(void)
{
    uint64_t  n;

    ids_random(&n, sizeof(n));

    return n;
}


/* splitmix64 over a start from the kernel, one per thread */

uint64_t
ids_dice(void)
{
    static _Thread_local uint64_t  state;

    uint64_t  x;

    if (state == 0) {
        state = ids_random64() | 1;
    }

    x = state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);

    return x ^ x >> 31;
}


void
ids_ulid(int64_t at_ms, char out[IDS_ULID_LEN + 1])
{
    static const char  alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    uint8_t   random[10];
    uint64_t  time = (uint64_t) at_ms & 0xffffffffffffULL;

    ids_random(random, sizeof(random));

    for (int i = 9; i >= 0; i--) {
        out[i] = alphabet[time & 31];
        time >>= 5;
    }

    /* 80 bits in 16 groups of 5: two halves of 40 bits each */
    for (int half = 0; half < 2; half++) {
        uint64_t  bits = 0;

        for (int i = 0; i < 5; i++) {
            bits = bits << 8 | random[half * 5 + i];
        }

        for (int i = 7; i >= 0; i--) {
            out[10 + half * 8 + i] = alphabet[bits & 31];
            bits >>= 5;
        }
    }

    out[IDS_ULID_LEN] = '\0';
}
