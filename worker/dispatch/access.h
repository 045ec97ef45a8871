/*
 * access: an account's channel access token: stateless tokens of 15 minutes
 * by channel id and secret (LINE.md 20), asked for ahead of their end, one
 * request at a time, kept sealed in the `access` hash so that a restart goes
 * on with the same one.
 *
 * Lives are counted by the sandbox clock, waits by the monotonic one.
 */

#ifndef ACCESS_H
#define ACCESS_H

#include "redis.h"
#include "vault.h"
#include "wire.h"

#define ACCESS_TOKEN_MAX  2048

typedef struct {
    char      token[ACCESS_TOKEN_MAX];
    size_t    len;
    int64_t   until_ms;
    uint64_t  generation;       /* grows with each token */
    bool      asking;
    int64_t   retry_us;
    uint32_t  failures;
    bool      unkept;           /* the next life does not know it yet */
} access_t;

/* reads what a former process left; nothing there is no fault */
void access_load(access_t *a, const conf_account_t *ac, vault_t *v,
    redis_t *r);

/* may it be used now? */
bool access_usable(const access_t *a, int64_t now_ms);
/* should a new one be asked for? */
bool access_due(const access_t *a, int64_t now_ms, int64_t now_us);
/* LINE said 401 to the token of that generation */
void access_reject(access_t *a, uint64_t generation);

/* starts the request; its answer goes to access_answer */
tomo_rc_e access_ask(access_t *a, const conf_account_t *ac, wire_t *w,
    void *subject) TOMO_MUST_CHECK;
void access_answer(access_t *a, const conf_account_t *ac,
    const wire_answer_t *answer);
/* unkept: into Redis with it, for a restart and for monitoring */
void access_keep(access_t *a, const conf_account_t *ac, vault_t *v,
    redis_t *r);

#endif
