/*
 * channel: what dispatch knows about one account: its lease, open rows,
 * access token, rate buckets and pauses.
 */

#ifndef CHANNEL_H
#define CHANNEL_H

#include "access.h"
#include "lease.h"
#include "queue.h"
#include "quota.h"

#define CHANNEL_PACED  100      /* rates below: each call of a second counts */

typedef struct {
    const conf_account_t  *ac;
    lease_t                lease;
    bool                   owned;
    int64_t                ask_us;      /* next try of somebody else's lease */
    uint64_t               epoch;       /* grows when the lease may have been
                                           somebody else's meanwhile */
    bool                   unheard;     /* its last renewal was not answered */
    bool                   others;      /* it was somebody else's, and what
                                           stood then is not known yet */
    uint64_t               stood_ms;    /* rows up to this one stood when it */
    uint64_t               stood_seq;   /* came from somebody else; 0: none */
    uint64_t               fenced;      /* attempts held back, not told yet */
    queue_t                queue;
    access_t               access;
    bool                   loaded;      /* access token was looked up */
    row_flight_t           flight;      /* asking for one */
    quota_t                quota;
    row_flight_t           quota_flight;

    tomo_bucket_t          bucket[TOMO_VIA_END];
    int64_t                rate[TOMO_VIA_END];
    int64_t                spent[TOMO_VIA_END];     /* and not left yet */
    int64_t                slow_us[TOMO_VIA_END];   /* halved until then */
    int64_t                gather_us[TOMO_VIA_END]; /* dry: none before; 0 */
    uint64_t               accepted[TOMO_VIA_END];  /* so far */
    size_t                 left[TOMO_VIA_END];      /* a ring: when the last */
    int64_t                left_us[TOMO_VIA_END][CHANNEL_PACED];    /* left */

    int64_t                pause_ms;    /* sandbox clock; 0: none */
    bool                   pause_all;   /* token refused: not only counted */
    bool                   probing;     /* after a pause: one at a time */
    uint64_t               pauses;      /* so far */

    char                   last_id[ROW_ID_MAX];     /* read up to */
    bool                   asked;       /* the XREAD under way began there */
    bool                   passed;      /* counted rows were passed over */
    char                   out_key[TOMO_KEY_MAX];
    size_t                 out_key_len;
} channel_t;

void channel_init(channel_t *c, const conf_account_t *ac,
    const lease_self_t *self, int64_t rate_per_s, int64_t now_us);

void channel_free(channel_t *c);        /* rows in flight as well */

/* the lease is ours now, or not any more (drops the rows not in flight) */
void channel_own(channel_t *c, bool owned);

/* lease_take said so: what it means for what was begun before */
void channel_leased(channel_t *c, tomo_rc_e rc);
/* could another process have sent for the account since that epoch? */
bool channel_lapsed(const channel_t *c, uint64_t epoch);
/* could another process have sent this row? */
bool channel_shared(const channel_t *c, const row_t *row);

/* does nothing forbid that way out: no token, a pause, a doubt? */
bool channel_lets(const channel_t *c, tomo_via_e via, int64_t now_ms);
/* may a row of that way out go now? *wait_us: else, how long not (0: an
   event will tell) */
bool channel_open(channel_t *c, tomo_via_e via, int64_t now_ms,
    int64_t now_us, int64_t *wait_us);
/* it goes: takes a token of the bucket */
void channel_spend(channel_t *c, tomo_via_e via, int64_t now_us);
/*
 * One that went leaves now, or does not after all; until now it was held up,
 * and with it all that went and has not left.
 */
void channel_leave(channel_t *c, tomo_via_e via, int64_t now_us);

/* 429 by rate: empty the bucket, half the rate for 10 s */
void channel_slow(channel_t *c, tomo_via_e via, int64_t now_us);
/* The longer pause counts, and all is more.  True: tell it, it is new. */
bool channel_pause(channel_t *c, int64_t until_ms, bool all, int64_t now_ms);
/* ends pauses and slowness whose time is over */
void channel_tick(channel_t *c, int64_t now_ms, int64_t now_us);
/* a row was accepted: LINE lets us again */
void channel_flows(channel_t *c, tomo_via_e via);

#endif
