/*
 * lease: one process owns an account's ingest, one its dispatch (DESIGN.md,
 * decision 3).  The lease is a string key holding the owner's nonce, 15 s of
 * real time, renewed every 3 s; scripts that write compare the string.
 *
 * Who we are: `ID.GENERATION`.  ID is random and kept in RUN_DIR/ROLE.lock
 * with the boot's id; the role holds that file by flock as long as it lives,
 * and counts GENERATION up at each start.  Whoever has the flock knows that
 * every process with the same ID and a lower generation is dead, so its
 * leases are taken over at once.  After a reboot, or in another run_dir, the
 * ID is new and a lease of somebody else has to run out.
 *
 * Not for threads: one role, one thread.
 */

#ifndef LEASE_H
#define LEASE_H

#include "redis.h"

#define LEASE_MS         15000
#define LEASE_RENEW_MS   3000
#define LEASE_NONCE_MAX  40

typedef struct {
    int   fd;                           /* RUN_DIR/ROLE.lock, flocked */
    char  nonce[LEASE_NONCE_MAX];       /* "0123456789abcdef.17" */
} lease_self_t;

/*
 * Waits up to 10 s for the lock (a predecessor that is just ending).
 * TOMO_DENIED: another process has it; TOMO_ERROR: files; both logged.
 */
tomo_rc_e lease_self_open(lease_self_t *self, const char *run_dir,
    const char *role) TOMO_MUST_CHECK;
void lease_self_close(lease_self_t *self);

typedef struct {
    const lease_self_t  *self;
    char                 key[TOMO_KEY_MAX];
    size_t               key_len;
    bool                 held;
    bool                 fresh;         /* nobody held it before this take */
    int64_t              asked_us;      /* monotonic: sent the last take or
                                           renewal that succeeded */
    int64_t              wait_ms;       /* of the other's, after TOMO_DENIED */
    int64_t              told_us;       /* monotonic: that it is not ours */
} lease_t;

/* key: from tomo_key_lease_ingest or tomo_key_lease_dispatch; copied */
void lease_init(lease_t *l, const lease_self_t *self, tomo_str_t key);

/* registers the scripts on a connection; before its first redis_up */
void lease_scripts(redis_t *r);

/*
 * Takes the lease, or renews it when it is ours.  TOMO_OK: held;
 * TOMO_DENIED: somebody else's (l->wait_ms: ms it still has);
 * TOMO_AGAIN: Redis does not answer, `held` stays as lease_valid() says.
 */
tomo_rc_e lease_take(lease_t *l, redis_t *r) TOMO_MUST_CHECK;
/* gives it up, if it is ours */
void lease_release(lease_t *l, redis_t *r);

/* is it time to renew? */
bool lease_due(const lease_t *l);
/*
 * Held, and certainly not run out by our monotonic clock (margin 1 s).  Only
 * a hint that saves work: what counts is the comparison in the scripts.
 */
bool lease_valid(const lease_t *l);

#endif
