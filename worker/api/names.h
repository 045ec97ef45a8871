/*
 * api/names: the ids behind an account's definition numbers, for answers:
 * tag 3 is "saw-catalog", field 2 is "birthday" and of type date.  Kept from
 * the `defs` hash and read again when its version moves.  Any thread.
 */

#ifndef TOMO_API_NAMES_H
#define TOMO_API_NAMES_H

#include "conf.h"
#include "redis.h"

typedef struct names_s  names_t;

typedef struct {
    char      kind[16];
    uint32_t  no;
    char      id[65];
    char      type[16];         /* of a field, else "" */
} name_t;

/* NULL: out of memory */
names_t *names_new(const conf_t *conf);
void names_free(names_t *n);

/*
 * Brings the account's names up to date over redis and holds them until
 * names_done.  TOMO_AGAIN: Redis failed (nothing is held).
 */
tomo_rc_e names_hold(names_t *n, redis_t *redis,
    const conf_account_t *account) TOMO_MUST_CHECK;
void names_done(names_t *n, const conf_account_t *account);

/* while held; NULL: no such definition (any more) */
const name_t *names_find(names_t *n, const conf_account_t *account,
    const char *kind, uint64_t no);

#endif
