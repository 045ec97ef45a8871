/*
 * tomo_send: what follows each answer of LINE (LINE.md 12; B89, B90, B92),
 * backoff, bucket, retry key.
 */

#include "unit.h"
#include "tomo_send.h"


#define NOW    INT64_C(1700000000000)
#define HOURS  TOMO_HOUR_MS

/* words of the table below */
#define UNSENT  true
#define SENT    false
#define AFTER   true            /* an earlier outcome is unknown */
#define CLEAN   false
#define REPLY   TOMO_VIA_REPLY
#define PUSH    TOMO_VIA_PUSH
#define MULTI   TOMO_VIA_MULTICAST
#define PROF    TOMO_VIA_PROFILE
#define RATE    TOMO_429_RATE
#define MONTH   TOMO_429_MONTH

typedef struct {
    tomo_via_e   via;
    int          status;
    bool         unsent;
    tomo_429_e   why;
    bool         unknown_before;
    uint32_t     renewals;
    int64_t      age_ms;        /* of the first attempt; reply: its token */
    tomo_send_e  next;
} case_t;

static const case_t  cases[] = {
    /* keyed: done */
    { PUSH,  200, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_ACCEPTED },
    { PUSH,  202, SENT, RATE, AFTER, 1, 0, TOMO_SEND_ACCEPTED },
    { PUSH,  409, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_ACCEPTED },
    { PUSH,  409, SENT, RATE, AFTER, 0, 0, TOMO_SEND_ACCEPTED },
    { MULTI, 200, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_ACCEPTED },
    { MULTI, 409, SENT, RATE, AFTER, 0, 0, TOMO_SEND_ACCEPTED },
    { PUSH,  200, SENT, RATE, AFTER, 0, 24 * HOURS, TOMO_SEND_ACCEPTED },
    { PUSH,  409, SENT, RATE, AFTER, 0, 24 * HOURS, TOMO_SEND_ACCEPTED },
    /* keyed: outcome unknown, or a rate: the same key again */
    { PUSH,    0, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,    0, UNSENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,    0, SENT, RATE, AFTER, 0, 22 * HOURS, TOMO_SEND_LATER },
    { PUSH,  500, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,  502, SENT, RATE, AFTER, 0, 0, TOMO_SEND_LATER },
    { PUSH,  599, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,  408, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,  302, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,  429, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PUSH,  429, SENT, RATE, AFTER, 0, 0, TOMO_SEND_LATER },
    { MULTI, 503, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { MULTI, 429, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    /* keyed: too long */
    { PUSH,    0, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    { PUSH,  500, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    { PUSH,  500, SENT, RATE, AFTER, 0, 100 * HOURS, TOMO_SEND_PARKED },
    { PUSH,  500, SENT, RATE, AFTER, 0, 23 * HOURS - 1, TOMO_SEND_PARKED },
    { PUSH,  429, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    { MULTI,   0, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    /* keyed: quota of the month */
    { PUSH,  429, SENT, MONTH, CLEAN, 0, 0, TOMO_SEND_PAUSE },
    { MULTI, 429, SENT, MONTH, CLEAN, 0, 0, TOMO_SEND_PAUSE },
    { PUSH,  429, SENT, MONTH, CLEAN, 0, 300 * HOURS, TOMO_SEND_PAUSE },
    { PUSH,  429, SENT, MONTH, AFTER, 0, 1 * HOURS, TOMO_SEND_PAUSE },
    { PUSH,  429, SENT, MONTH, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    /* access token */
    { PUSH,  401, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_RENEW },
    { PUSH,  401, SENT, RATE, CLEAN, 1, 0, TOMO_SEND_PAUSE },
    { PUSH,  401, SENT, RATE, AFTER, 0, 1 * HOURS, TOMO_SEND_RENEW },
    { PUSH,  401, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
    { PUSH,  401, SENT, RATE, AFTER, 1, 23 * HOURS, TOMO_SEND_PARKED },
    { MULTI, 401, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_RENEW },
    { REPLY, 401, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_RENEW },
    { REPLY, 401, SENT, RATE, CLEAN, 1, 0, TOMO_SEND_PAUSE },
    { PROF,  401, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_RENEW },
    { PROF,  401, SENT, RATE, CLEAN, 1, 0, TOMO_SEND_PAUSE },
    /* keyed: refused for good */
    { PUSH,  400, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PUSH,  400, SENT, RATE, AFTER, 0, 0, TOMO_SEND_REFUSED },
    { PUSH,  403, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PUSH,  404, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PUSH,  410, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PUSH,  413, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { MULTI, 400, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    /* reply: certain */
    { REPLY, 200, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_ACCEPTED },
    { REPLY, 200, SENT, RATE, AFTER, 0, 0, TOMO_SEND_ACCEPTED },
    { REPLY, 400, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_UNUSABLE },
    { REPLY, 403, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_UNUSABLE },
    { REPLY, 413, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_UNUSABLE },
    { REPLY, 429, SENT, MONTH, CLEAN, 0, 0, TOMO_SEND_UNUSABLE },
    { REPLY, 409, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    /* reply: unknown: once more with the same token, then never a push */
    { REPLY,   0, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { REPLY, 500, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { REPLY, 504, SENT, RATE, CLEAN, 0, 55000, TOMO_SEND_LATER },
    { REPLY, 408, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { REPLY, 400, SENT, RATE, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    { REPLY, 404, SENT, RATE, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    { REPLY, 409, SENT, RATE, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    { REPLY,   0, SENT, RATE, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    { REPLY, 500, SENT, RATE, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    { REPLY, 429, SENT, MONTH, AFTER, 0, 0, TOMO_SEND_PROBABLY },
    /* reply: surely not taken: while the token lives */
    { REPLY, 429, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { REPLY, 429, SENT, RATE, CLEAN, 0, 50000, TOMO_SEND_UNUSABLE },
    { REPLY, 429, SENT, RATE, CLEAN, 0, 49000, TOMO_SEND_UNUSABLE },
    { REPLY, 429, SENT, RATE, AFTER, 0, 0, TOMO_SEND_LATER },
    { REPLY, 429, SENT, RATE, AFTER, 0, 50000, TOMO_SEND_PROBABLY },
    { REPLY,   0, UNSENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { REPLY,   0, UNSENT, RATE, CLEAN, 0, 50000, TOMO_SEND_UNUSABLE },
    { REPLY,   0, UNSENT, RATE, AFTER, 0, 0, TOMO_SEND_LATER },
    { REPLY,   0, UNSENT, RATE, AFTER, 0, 50000, TOMO_SEND_PROBABLY },
    /* profile: a question, no message */
    { PROF,  200, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_ACCEPTED },
    { PROF,  404, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PROF,  400, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PROF,  409, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_REFUSED },
    { PROF,  500, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PROF,    0, SENT, RATE, AFTER, 0, 0, TOMO_SEND_LATER },
    { PROF,  429, SENT, RATE, CLEAN, 0, 0, TOMO_SEND_LATER },
    { PROF,  500, SENT, RATE, AFTER, 0, 23 * HOURS, TOMO_SEND_PARKED },
};


static tomo_send_result_t
result(const case_t *c)
{
    tomo_send_result_t  r;

    memset(&r, 0, sizeof(r));
    r.via = c->via;
    r.status = c->status;
    r.unsent = c->unsent;
    r.why = c->why;
    r.attempt = 1;
    r.unknown_before = c->unknown_before;
    r.renewals = c->renewals;
    r.now_ms = NOW;
    r.first_ms = (c->via == TOMO_VIA_REPLY) ? NOW : NOW - c->age_ms;
    r.token_ms = (c->via == TOMO_VIA_REPLY) ? NOW - c->age_ms : 0;
    r.dice = 400;

    return r;
}


static void
what_follows_each_answer(void **state)
{
    size_t               i;
    tomo_send_plan_t     plan;
    tomo_send_result_t   r;

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        r = result(&cases[i]);
        plan = tomo_send_decide(&r);

        if (plan.next != cases[i].next) {
            fail_msg("case %u: %s %d: %s, not %s", (unsigned) i,
                     tomo_via_word(cases[i].via), cases[i].status,
                     tomo_send_word(plan.next),
                     tomo_send_word(cases[i].next));
        }

        if (plan.next == TOMO_SEND_LATER) {
            assert_true(plan.at_ms == NOW + 400
                                      + (cases[i].status == 429 ? 1000 : 0));
        } else if (plan.next == TOMO_SEND_PAUSE) {
            assert_true(plan.at_ms == NOW + TOMO_SEND_PROBE_MS);
        }
    }
}


/* whatever comes, in any state: the promises of DESIGN.md 4.6 */
static void
promises_hold_for_every_status(void **state)
{
    int                 status;
    size_t              i;
    tomo_send_plan_t    plan;
    tomo_send_result_t  r;

    static const int64_t  ages[] = { 0, 49999, 22 * HOURS, 23 * HOURS };

    (void) state;

    for (status = 0; status < 1000; status += (status == 0) ? 100 : 1) {
        for (i = 0; i < 64 * UNIT_N(ages); i++) {
            memset(&r, 0, sizeof(r));
            r.via = (tomo_via_e) (i % 4);
            r.unsent = i & 4;
            r.unknown_before = i & 8;
            r.why = (i & 16) ? TOMO_429_MONTH : TOMO_429_RATE;
            r.renewals = (i & 32) ? 1 : 0;
            r.attempt = 1 + (uint32_t) i;
            r.status = status;
            r.now_ms = NOW;
            r.first_ms = NOW - ages[i / 64];
            r.dice = i * 977;
            plan = tomo_send_decide(&r);

            /* nothing is pushed that may have gone out */
            if (r.unknown_before) {
                assert_int_not_equal(plan.next, TOMO_SEND_UNUSABLE);
            }

            /* a key is never used when LINE may have forgotten it */
            if (plan.next == TOMO_SEND_LATER && r.via != TOMO_VIA_REPLY) {
                assert_true(plan.at_ms - r.first_ms < TOMO_SEND_GIVE_UP_MS);
            }

            /* words of one way out do not come up for another */
            if (r.via != TOMO_VIA_REPLY) {
                assert_int_not_equal(plan.next, TOMO_SEND_UNUSABLE);
                assert_int_not_equal(plan.next, TOMO_SEND_PROBABLY);
            }

            assert_int_not_equal(plan.next, TOMO_SEND_CANCELLED);
            assert_int_equal(plan.next == TOMO_SEND_ACCEPTED,
                             (status >= 200 && status <= 299)
                             || (status == 409
                                 && (r.via == TOMO_VIA_PUSH
                                     || r.via == TOMO_VIA_MULTICAST)));
        }
    }
}


static void
quota_tells_a_429(void **state)
{
    (void) state;

    assert_int_equal(tomo_send_429(1000, 999, 1), TOMO_429_RATE);
    assert_int_equal(tomo_send_429(1000, 1000, 1), TOMO_429_MONTH);
    assert_int_equal(tomo_send_429(1000, 1200, 1), TOMO_429_MONTH);
    assert_int_equal(tomo_send_429(1000, 600, 400), TOMO_429_RATE);
    assert_int_equal(tomo_send_429(1000, 600, 401), TOMO_429_MONTH);
    assert_int_equal(tomo_send_429(0, 0, 1), TOMO_429_MONTH);
    assert_int_equal(tomo_send_429(-1, 1000000, 500), TOMO_429_RATE);
}


static void
backoff_doubles_with_full_jitter(void **state)
{
    uint32_t  attempt;
    int64_t   most, ms;
    uint64_t  dice;

    (void) state;

    most = 500;

    for (attempt = 1; attempt < 40; attempt++) {
        assert_true(tomo_send_backoff_ms(attempt, 0) == 0);
        assert_true(tomo_send_backoff_ms(attempt, (uint64_t) most) == most);

        for (dice = 1; dice < 100; dice++) {
            ms = tomo_send_backoff_ms(attempt,
                                      dice * UINT64_C(0x9e3779b97f4a7c15));
            assert_true(ms >= 0 && ms <= most);
        }

        most = (most * 2 > 300000) ? 300000 : most * 2;
    }

    assert_true(tomo_send_backoff_ms(0, 500) == 500);
    assert_true(tomo_send_backoff_ms(UINT32_MAX, 300000) == 300000);
}


static void
bucket_gives_its_rate(void **state)
{
    size_t         i;
    int64_t        now, taken, wait;
    tomo_bucket_t  b;

    static const int64_t  rates[] = { 1, 3, 7, 60, 1999, 2000 };

    (void) state;

    for (i = 0; i < UNIT_N(rates); i++) {
        tomo_bucket_init(&b, rates[i], 10, 0);
        taken = 0;

        /* waiting as told, for ten seconds: burst + rate × time, exactly */
        for (now = 0; now <= 10 * 1000000; now += wait) {
            wait = tomo_bucket_wait_us(&b, now);

            if (wait == 0) {
                assert_true(tomo_bucket_take(&b, now));
                taken++;
            } else if (wait > 1) {
                assert_false(tomo_bucket_take(&b, now + wait - 1));
            }
        }

        assert_true(taken == 10 + rates[i] * 10);
    }
}


static void
bucket_edges(void **state)
{
    int64_t        i;
    tomo_bucket_t  b;

    (void) state;

    tomo_bucket_init(&b, 1000, 5, INT64_C(1) << 50);

    for (i = 0; i < 5; i++) {
        assert_true(tomo_bucket_take(&b, INT64_C(1) << 50));
    }

    assert_false(tomo_bucket_take(&b, INT64_C(1) << 50));
    /* a clock that goes back gives nothing and takes nothing */
    assert_false(tomo_bucket_take(&b, 0));
    assert_true(tomo_bucket_take(&b, (INT64_C(1) << 50) + 1000));
    /* a long sleep fills to the burst, no more */
    assert_true(tomo_bucket_take(&b, INT64_MAX / 2));
    assert_int_equal(b.milli, 4000);

    tomo_bucket_drain(&b, INT64_MAX / 2);
    assert_true(b.rate_per_s == 500);
    assert_true(tomo_bucket_wait_us(&b, INT64_MAX / 2) == 2000);
    assert_false(tomo_bucket_take(&b, INT64_MAX / 2 + 1999));
    assert_true(tomo_bucket_take(&b, INT64_MAX / 2 + 2000));

    /* five of ten wait 20 ms: what came in meanwhile makes no more than ten */
    tomo_bucket_init(&b, 1000, 10, 0);

    for (i = 0; i < 5; i++) {
        assert_true(tomo_bucket_take(&b, 0));
    }

    tomo_bucket_late(&b, 5, 20000);

    for (i = 0; i < 5; i++) {
        assert_true(tomo_bucket_take(&b, 20000));
    }

    assert_false(tomo_bucket_take(&b, 20000));
    tomo_bucket_late(&b, 20, 40000);
    assert_false(tomo_bucket_take(&b, 40000));

    tomo_bucket_init(&b, 0, 0, 0);
    assert_true(b.rate_per_s == 1 && b.burst == 1);
    assert_true(tomo_bucket_take(&b, 0));
    assert_true(tomo_bucket_wait_us(&b, 0) == 1000000);
}


static void
words_and_retry_key(void **state)
{
    size_t       i;
    uint8_t      text[36];
    tomo_buf_t   b;
    tomo_via_e   via;
    tomo_send_e  s;

    (void) state;

    for (i = 0; i < TOMO_VIA_END; i++) {
        assert_int_equal(tomo_via_parse(
            tomo_str_c(tomo_via_word((tomo_via_e) i)), &via), TOMO_OK);
        assert_int_equal(via, i);
    }

    for (i = 0; i < TOMO_SEND_END; i++) {
        assert_int_equal(tomo_send_parse(
            tomo_str_c(tomo_send_word((tomo_send_e) i)), &s), TOMO_OK);
        assert_int_equal(s, i);
    }

    assert_int_equal(tomo_via_parse(tomo_str("fax"), &via), TOMO_INVALID);
    assert_int_equal(tomo_send_parse(tomo_str(""), &s), TOMO_INVALID);

    tomo_buf_init(&b, text, sizeof(text));
    tomo_send_uuid((const uint8_t *) "\x00\x11\x22\x33\x44\x55\xf6\x77"
                                     "\x08\x99\xaa\xbb\xcc\xdd\xee\xff", &b);
    unit_is_str(tomo_buf_str(&b),
                tomo_str("00112233-4455-4677-8899-aabbccddeeff"));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_each_answer),
        cmocka_unit_test(promises_hold_for_every_status),
        cmocka_unit_test(quota_tells_a_429),
        cmocka_unit_test(backoff_doubles_with_full_jitter),
        cmocka_unit_test(bucket_gives_its_rate),
        cmocka_unit_test(bucket_edges),
        cmocka_unit_test(words_and_retry_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
