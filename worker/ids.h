/*
 * ids: random numbers and ULIDs, from the kernel's generator.  Any thread.
 */

#ifndef IDS_H
#define IDS_H

#include "tomo_base.h"

#define IDS_ULID_LEN  26

/* cannot fail: ends the process when the kernel gives no randomness */
void ids_random(void *out, size_t len);
uint64_t ids_random64(void);
/* fast, for jitter and choices that nobody gains from guessing */
uint64_t ids_dice(void);

/* ULID: 48 bits of at_ms, 80 random bits; writes 26 characters and a NUL */
void ids_ulid(int64_t at_ms, char out[IDS_ULID_LEN + 1]);

#endif
