/*
 * tomo_send: decisions after LINE's answer, backoff, token bucket, retry key.
 */

#include "tomo_send.h"
#include "tomo_codec.h"

#include <string.h>


#define SEND_BACKOFF_MS      500
#define SEND_BACKOFF_MAX_MS  (5 * TOMO_MIN_MS)
#define SEND_MILLI           1000

static const char *const  send_vias[] = {
#define SEND_WORD(name, word)  word,
    TOMO_VIAS(SEND_WORD)
};

static const char *const  send_words[] = {
    TOMO_SENDS(SEND_WORD)
#undef SEND_WORD
};

/* what a status says about the message, whatever the way out */
typedef enum {
    SEND_GOT_ACCEPTED = 0,
    SEND_GOT_REPEATED,          /* 409: the key was accepted before */
    SEND_GOT_NOTHING,           /* it may have gone out, or not */
    SEND_GOT_UNSENT,            /* it surely did not */
    SEND_GOT_RATE,
    SEND_GOT_MONTH,
    SEND_GOT_TOKEN,             /* 401 */
    SEND_GOT_REFUSED
} send_got_e;


const char *
tomo_via_word(tomo_via_e via)
{
    return send_vias[via];
}


tomo_rc_e
tomo_via_parse(tomo_str_t word, tomo_via_e *via)
{
    size_t  i;

    for (i = 0; i < TOMO_VIA_END; i++) {
        if (tomo_str_eq(word, tomo_str_c(send_vias[i]))) {
            *via = (tomo_via_e) i;
            return TOMO_OK;
        }
    }

    return TOMO_INVALID;
}


const char *
tomo_send_word(tomo_send_e s)
{
    return send_words[s];
}


tomo_rc_e
tomo_send_parse(tomo_str_t word, tomo_send_e *s)
{
    size_t  i;

    for (i = 0; i < TOMO_SEND_END; i++) {
        if (tomo_str_eq(word, tomo_str_c(send_words[i]))) {
            *s = (tomo_send_e) i;
            return TOMO_OK;
        }
    }

    return TOMO_INVALID;
}


/*
 * 408 comes from machines in between that gave up waiting; 1xx and 3xx are
 * no answers of LINE: none of them says that nothing was sent.
 */
static send_got_e
send_got(const tomo_send_result_t *r)
{
    if (r->status >= 200 && r->status <= 299) {
        return SEND_GOT_ACCEPTED;
    }

    switch (r->status) {

    case 0:
        return r->unsent ? SEND_GOT_UNSENT : SEND_GOT_NOTHING;

    case 401:
        return SEND_GOT_TOKEN;

    case 408:
        return SEND_GOT_NOTHING;

    case 409:
        return SEND_GOT_REPEATED;

    case 429:
        return (r->why == TOMO_429_MONTH) ? SEND_GOT_MONTH : SEND_GOT_RATE;

    default:
        return (r->status >= 400 && r->status <= 499) ? SEND_GOT_REFUSED
                                                      : SEND_GOT_NOTHING;
    }
}


static tomo_send_plan_t
send_plan(tomo_send_e next, int64_t at_ms)
{
    tomo_send_plan_t  plan;

    plan.next = next;
    plan.at_ms = at_ms;

    return plan;
}


/* a rate limit asks for a second's rest at least (LINE.md 12) */
static int64_t
send_next_ms(const tomo_send_result_t *r, send_got_e got)
{
    int64_t  wait;

    wait = tomo_send_backoff_ms(r->attempt, r->dice);

    if (got == SEND_GOT_RATE) {
        wait += TOMO_SEC_MS;
    }

    return r->now_ms + wait;
}


static tomo_send_plan_t
send_reply(const tomo_send_result_t *r, send_got_e got)
{
    int64_t           at, token;
    tomo_send_plan_t  over;

    /* after an unknown outcome a push might say the same again */
    over = send_plan(r->unknown_before ? TOMO_SEND_PROBABLY
                                       : TOMO_SEND_UNUSABLE, 0);
    at = send_next_ms(r, got);
    token = (r->token_ms != 0) ? r->token_ms : r->first_ms;

    switch (got) {

    case SEND_GOT_ACCEPTED:
        return send_plan(TOMO_SEND_ACCEPTED, 0);

    case SEND_GOT_REPEATED:
        return send_plan(r->unknown_before ? TOMO_SEND_PROBABLY
                                           : TOMO_SEND_REFUSED, 0);

    case SEND_GOT_NOTHING:
        return r->unknown_before ? over : send_plan(TOMO_SEND_LATER, at);

    case SEND_GOT_UNSENT:
    case SEND_GOT_RATE:
        return (at - token < TOMO_SEND_TOKEN_MS)
               ? send_plan(TOMO_SEND_LATER, at) : over;

    case SEND_GOT_TOKEN:
        return (r->renewals == 0)
               ? send_plan(TOMO_SEND_RENEW, 0)
               : send_plan(TOMO_SEND_PAUSE, r->now_ms + TOMO_SEND_PROBE_MS);

    default:
        return over;
    }
}


/* may the same key go out once more at that time? */
static tomo_send_plan_t
send_again(const tomo_send_result_t *r, tomo_send_e next, int64_t at_ms)
{
    if (at_ms - r->first_ms >= TOMO_SEND_GIVE_UP_MS) {
        return send_plan(TOMO_SEND_PARKED, 0);
    }

    return send_plan(next, (next == TOMO_SEND_RENEW) ? 0 : at_ms);
}


/*
 * A certain refusal that only asks to wait or for a new access token starts
 * no clock; but what went before may have.
 */
static tomo_send_plan_t
send_hold(const tomo_send_result_t *r, tomo_send_e next, int64_t at_ms)
{
    if (r->unknown_before) {
        return send_again(r, next, at_ms);
    }

    return send_plan(next, (next == TOMO_SEND_RENEW) ? 0 : at_ms);
}


static tomo_send_plan_t
send_keyed(const tomo_send_result_t *r, send_got_e got)
{
    int64_t  pause;

    pause = r->now_ms + TOMO_SEND_PROBE_MS;

    switch (got) {

    case SEND_GOT_ACCEPTED:
        return send_plan(TOMO_SEND_ACCEPTED, 0);

    case SEND_GOT_REPEATED:
        /* a profile is asked for without a key */
        return send_plan(r->via == TOMO_VIA_PROFILE ? TOMO_SEND_REFUSED
                                                    : TOMO_SEND_ACCEPTED, 0);

    case SEND_GOT_MONTH:
        return send_hold(r, TOMO_SEND_PAUSE, pause);

    case SEND_GOT_TOKEN:
        return (r->renewals == 0) ? send_hold(r, TOMO_SEND_RENEW, r->now_ms)
                                  : send_hold(r, TOMO_SEND_PAUSE, pause);

    case SEND_GOT_REFUSED:
        return send_plan(TOMO_SEND_REFUSED, 0);

    default:
        return send_again(r, TOMO_SEND_LATER, send_next_ms(r, got));
    }
}


tomo_send_plan_t
tomo_send_decide(const tomo_send_result_t *r)
{
    send_got_e  got;

    got = send_got(r);

    return (r->via == TOMO_VIA_REPLY) ? send_reply(r, got)
                                      : send_keyed(r, got);
}


tomo_429_e
tomo_send_429(int64_t quota, int64_t used, int64_t people)
{
    return (quota >= 0 && people > quota - used) ? TOMO_429_MONTH
                                                 : TOMO_429_RATE;
}


int64_t
tomo_send_backoff_ms(uint32_t attempt, uint64_t dice)
{
    int64_t   most;
    uint32_t  i;

    most = SEND_BACKOFF_MS;

    for (i = 1; i < attempt && most < SEND_BACKOFF_MAX_MS; i++) {
        most *= 2;
    }

    if (most > SEND_BACKOFF_MAX_MS) {
        most = SEND_BACKOFF_MAX_MS;
    }

    return (int64_t) (dice % ((uint64_t) most + 1));
}


void
tomo_bucket_init(tomo_bucket_t *b, int64_t rate_per_s, int64_t burst,
    int64_t now_us)
{
    b->rate_per_s = (rate_per_s < 1) ? 1 : rate_per_s;
    b->burst = (burst < 1) ? 1 : burst;
    b->milli = b->burst * SEND_MILLI;
    b->rest = 0;
    b->last_us = now_us;
}


/* µs until the bucket holds so many thousandths, from last_us */
static int64_t
send_fill_us(const tomo_bucket_t *b, int64_t milli)
{
    return ((milli - b->milli) * 1000 - b->rest + b->rate_per_s - 1)
           / b->rate_per_s;
}


static void
send_fill(tomo_bucket_t *b, int64_t now_us)
{
    int64_t  passed, gain;

    passed = now_us - b->last_us;

    if (passed >= send_fill_us(b, b->burst * SEND_MILLI)) {
        b->milli = b->burst * SEND_MILLI;
        b->rest = 0;
        b->last_us = now_us;

    } else if (passed > 0) {
        /* what gives no whole thousandth stays in the account */
        gain = passed * b->rate_per_s + b->rest;
        b->milli += gain / 1000;
        b->rest = gain % 1000;
        b->last_us = now_us;
    }
}


bool
tomo_bucket_take(tomo_bucket_t *b, int64_t now_us)
{
    send_fill(b, now_us);

    if (b->milli < SEND_MILLI) {
        return false;
    }

    b->milli -= SEND_MILLI;

    return true;
}


void
tomo_bucket_late(tomo_bucket_t *b, int64_t n, int64_t now_us)
{
    int64_t  most;

    send_fill(b, now_us);
    most = (n < b->burst) ? (b->burst - n) * SEND_MILLI : 0;
    b->milli = (b->milli < most) ? b->milli : most;
}


int64_t
tomo_bucket_wait_us(const tomo_bucket_t *b, int64_t now_us)
{
    int64_t  at;

    if (b->milli >= SEND_MILLI) {
        return 0;
    }

    at = b->last_us + send_fill_us(b, SEND_MILLI);

    return (at > now_us) ? at - now_us : 0;
}


void
tomo_bucket_drain(tomo_bucket_t *b, int64_t now_us)
{
    b->milli = 0;
    b->rest = 0;
    b->last_us = now_us;
    b->rate_per_s = (b->rate_per_s > 1) ? b->rate_per_s / 2 : 1;
}


void
tomo_send_uuid(const uint8_t *mac16, tomo_buf_t *out)
{
    size_t   i;
    uint8_t  id[16];

    static const uint8_t  groups[] = { 0, 4, 6, 8, 10, 16 };

    memcpy(id, mac16, sizeof(id));
    id[6] = (uint8_t) ((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t) ((id[8] & 0x3f) | 0x80);

    for (i = 0; i + 1 < sizeof(groups); i++) {
        if (i > 0) {
            tomo_buf_byte(out, '-');
        }

        tomo_hex_put(out, tomo_str_n(id + groups[i],
                                     (size_t) (groups[i + 1] - groups[i])));
    }
}
