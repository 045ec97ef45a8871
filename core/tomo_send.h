/*
 * tomo_send: what to do after LINE's answer to a send: pure decisions on
 * status codes (LINE.md 10, 12, 13, 15), backoff, and the token bucket.
 */

#ifndef TOMO_SEND_H
#define TOMO_SEND_H

#include "tomo_base.h"

#define TOMO_SEND_GIVE_UP_MS   (23 * TOMO_HOUR_MS)
#define TOMO_SEND_TOKEN_MS     (50 * TOMO_SEC_MS)   /* a reply token's life */
#define TOMO_SEND_PROBE_MS     (15 * TOMO_MIN_MS)   /* try again after PAUSE */

/* X(name, word): the ways out to LINE; numbers are for ever */
#define TOMO_VIAS(X)                                                          \
    X(REPLY,     "reply")                                                     \
    X(PUSH,      "push")                                                      \
    X(MULTICAST, "multicast")                                                 \
    X(PROFILE,   "profile")

typedef enum {
#define TOMO_VIA_ENUM_(name, word)  TOMO_VIA_##name,
    TOMO_VIAS(TOMO_VIA_ENUM_)
#undef TOMO_VIA_ENUM_
    TOMO_VIA_END
} tomo_via_e;

const char *tomo_via_word(tomo_via_e via);
tomo_rc_e tomo_via_parse(tomo_str_t word, tomo_via_e *via) TOMO_MUST_CHECK;

typedef enum {
    TOMO_429_RATE = 0,
    TOMO_429_MONTH
} tomo_429_e;

/* X(name, word): how an outbox row ends, or what happens next */
#define TOMO_SENDS(X)                                                         \
    X(ACCEPTED,  "accepted")      /* 2xx, or 409: accepted before */          \
    X(LATER,     "later")         /* again at at_ms, same key */              \
    X(REFUSED,   "refused")       /* permanent */                             \
    X(UNUSABLE,  "unusable")      /* reply: token surely unused: push it */   \
    X(PROBABLY,  "probably")      /* reply: 400 on the repeat: it went out */ \
    X(PARKED,    "parked")        /* outcome unknown for too long: a person */\
    X(RENEW,     "renew")         /* 401: new access token, once */           \
    X(PAUSE,     "pause")         /* month's quota: channel waits */          \
    X(CANCELLED, "cancelled")     /* not tried: friend blocked us, stopped */

typedef enum {
#define TOMO_SEND_ENUM_(name, word)  TOMO_SEND_##name,
    TOMO_SENDS(TOMO_SEND_ENUM_)
#undef TOMO_SEND_ENUM_
    TOMO_SEND_END
} tomo_send_e;

const char *tomo_send_word(tomo_send_e s);
tomo_rc_e tomo_send_parse(tomo_str_t word, tomo_send_e *s) TOMO_MUST_CHECK;

typedef struct {
    tomo_via_e  via;
    int         status;         /* HTTP status; 0: no answer at all */
    bool        unsent;         /* status 0 and surely never reached LINE */
    tomo_429_e  why;            /* of a 429 */
    uint32_t    attempt;        /* 1 = this was the first */
    bool        unknown_before; /* an earlier attempt's outcome is unknown */
    int64_t     first_ms;       /* of the first attempt */
    int64_t     token_ms;       /* reply: its event; 0: first_ms */
    int64_t     now_ms;
    uint32_t    renewals;       /* 401s already answered by a new token */
    uint64_t    dice;
} tomo_send_result_t;

typedef struct {
    tomo_send_e  next;
    int64_t      at_ms;         /* LATER, PAUSE */
} tomo_send_plan_t;

/*
 * Push and multicast: an unknown outcome (no answer, 5xx) and a 429 rate are
 * repeated with the same key, and parked when this or the next attempt would
 * be TOMO_SEND_GIVE_UP_MS after the first.  Reply: an unknown outcome is
 * repeated once with the same token; what follows an unknown outcome is never
 * UNUSABLE, so nothing goes out twice.  Profile: as push; 404 is REFUSED.
 * The cases are a table in t/unit/send.c.
 */
tomo_send_plan_t tomo_send_decide(const tomo_send_result_t *r);

/*
 * Which 429 was it?  By what the quota calls say (LINE.md 15), never by the
 * text: so many people may be reached this month (negative: no limit), so
 * many were, and the refused call was about so many more.
 */
tomo_429_e tomo_send_429(int64_t quota, int64_t used, int64_t people);

/* full jitter: 500 ms · 2^(attempt-1), at most 5 min; dice: 64 random bits */
int64_t tomo_send_backoff_ms(uint32_t attempt, uint64_t dice);

/*
 * Token bucket on a monotonic clock, in thousandths of a token.
 */
typedef struct {
    int64_t  milli;             /* tokens × 1,000 */
    int64_t  rest;              /* of a thousandth, 0..999 */
    int64_t  last_us;
    int64_t  rate_per_s;
    int64_t  burst;
} tomo_bucket_t;

void tomo_bucket_init(tomo_bucket_t *b, int64_t rate_per_s, int64_t burst,
    int64_t now_us);
/* takes one token if there is one */
bool tomo_bucket_take(tomo_bucket_t *b, int64_t now_us);
/* µs until one is there, 0 = now */
int64_t tomo_bucket_wait_us(const tomo_bucket_t *b, int64_t now_us);
/* n tokens taken before go only now: nothing beyond a burst goes with them */
void tomo_bucket_late(tomo_bucket_t *b, int64_t n, int64_t now_us);
/* after a 429: empty, and half the rate for a while (caller restores) */
void tomo_bucket_drain(tomo_bucket_t *b, int64_t now_us);

/*
 * The retry key of a delivery: a UUID (version 4 form, 36 characters) from
 * the first 16 bytes of a MAC the caller computed over what the row is about.
 */
void tomo_send_uuid(const uint8_t *mac16, tomo_buf_t *out);

#endif
