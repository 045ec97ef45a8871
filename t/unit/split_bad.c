/*
 * ingest/split: webhook bodies into events (B6, B13..B26), each body whole and
 * byte by byte.
 */

#include "unit.h"
#include "ingest/split.h"


#define ID      "01JTEST0000000000000000001"
#define USER    "U00000000000000000000000000000001"
#define BOT     "\"destination\":\"U00000000000000000000000000000009\""
#define AT      "\"timestamp\":1700000000000"
#define SOURCE  "\"source\":{\"type\":\"user\",\"userId\":\"" USER "\"}"
#define REST    "\"mode\":\"active\"," AT "," SOURCE                          \
                ",\"webhookEventId\":\"" ID "\""
#define BODY(events)  "{" BOT ",\"events\":[" events "]}"
#define EVENT(rest)   BODY("{\"type\":\"follow\"," rest "}")

#define MEMORY    (16u * 1024 * 1024)
#define RECEIVED  INT64_C(1700000001000)

static _Alignas(16) uint8_t  memory[MEMORY];


static const char *
split(tomo_str_t body, size_t step, split_t *out)
{
    tomo_str_t     heap = unit_heap(body.data, body.len);
    const char    *fault;
    tomo_arena_t   a;

    tomo_arena_init(&a, memory, sizeof(memory));
    fault = split_body(heap, step, &a, out);

    if (fault == NULL) {
        for (size_t i = 0; i < out->n; i++) {
            split_judge(&out->events[i], RECEIVED);
        }
    }

    unit_free(heap);

    return fault;
}


/* the whole body is refused, or (of: NULL) its only event has this fault */

static void
expect(const char *name, tomo_str_t body, const char *of, const char *fault)
{
    size_t       steps[] = { 0, 1 };
    split_t      out;
    const char  *got;

    for (size_t i = 0; i < 2; i++) {
        memset(&out, 0, sizeof(out));
        got = split(body, steps[i], &out);

        if (of != NULL) {
            if (got == NULL || strcmp(got, of) != 0) {
                fail_msg("%s, step %zu: %s", name, steps[i],
                         got == NULL ? "taken" : got);
            }

            continue;
        }

        if (got != NULL || out.n != 1) {
            fail_msg("%s, step %zu: %s", name, steps[i],
                     got == NULL ? "other events" : got);
        }

        got = out.events[0].fault;

        if ((got == NULL) != (fault == NULL)
            || (got != NULL && strcmp(got, fault) != 0))
        {
            fail_msg("%s, step %zu: %s", name, steps[i],
                     got == NULL ? "taken" : got);
        }
    }
}


/* B13 to B17: what no JSON reader should take, or not as a webhook */

static void
bodies(void **state)
{
    static const struct {
        const char  *name, *body, *fault;
    } cases[] = {
        { "B13 a byte order mark", "\xef\xbb\xbf{}", "not_json" },
        { "B14 empty", "", "not_json" },
        { "B14 truncated", "{" BOT ",\"events\":[", "not_json" },
        { "B14 two documents", BODY("") BODY(""), "not_json" },
        { "B14 behind the end", BODY("") "x", "not_json" },
        { "B14 an array", "[]", "not_an_object" },
        { "B14 a string", "\"x\"", "not_an_object" },
        { "B14 a number", "1", "not_an_object" },
        { "B14 no events", "{" BOT "}", "not_a_webhook" },
        { "B14 nothing", "{}", "not_a_webhook" },
        { "B14 events is no array", "{" BOT ",\"events\":{}}",
          "events_not_an_array" },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(cases[i].name, tomo_str_c(cases[i].body), cases[i].fault,
               NULL);
    }
}


/* B15: a million brackets end at the limit, not on the stack */

static void
brackets(void **state)
{
    size_t    len = 900 * 1024;
    uint8_t  *body;
    split_t   out;

    (void) state;
    body = malloc(len);
    assert_non_null(body);
    memset(body, '[', len);
    memcpy(body, "{\"x\":", 5);
    assert_string_equal(split(tomo_str_n(body, len), 0, &out), "too_deep");
    free(body);
}


/* B16 to B26: one event each */

static void
events(void **state)
{
    static const struct {
        const char  *name, *body, *fault;
    } cases[] = {
        { "a good one", EVENT(REST), NULL },
        { "B16 type twice", EVENT("\"type\":\"follow\"," REST),
          "duplicate_member" },
        { "B16 timestamp twice", EVENT(REST "," AT), "duplicate_member" },
        { "B18 text", EVENT("\"timestamp\":\"1\"," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "member_of_other_kind" },
        { "B18 negative", EVENT("\"timestamp\":-1," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "timestamp_odd" },
        { "B18 1e999", EVENT("\"timestamp\":1e999," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "timestamp_odd" },
        { "B18 2^63", EVENT("\"timestamp\":9223372036854775808," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "timestamp_odd" },
        { "B18 2^53 + 1", EVENT("\"timestamp\":9007199254740993," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "timestamp_odd" },
        { "B18 the year 2200", EVENT("\"timestamp\":7258118400000," SOURCE
          ",\"webhookEventId\":\"" ID "\""), "timestamp_odd" },
        { "B19 none", EVENT(AT "," SOURCE), "event_id_odd" },
        { "B19 short", EVENT(AT "," SOURCE ",\"webhookEventId\":\"01J\""),
          "event_id_odd" },
        { "B19 CRLF", EVENT(AT "," SOURCE ",\"webhookEventId\":"
          "\"01JTEST\\r\\n00000000000000001\""), "event_id_odd" },
        { "B17 NUL in the id", EVENT(AT "," SOURCE ",\"webhookEventId\":"
          "\"01JTEST\\u0000000000000000000001\""), "event_id_odd" },
        { "B17 NUL in the user id", EVENT(AT ",\"source\":{\"type\":\"user\","
          "\"userId\":\"U\\u00000000000000000000000000000001\"},"
          "\"webhookEventId\":\"" ID "\""), "user_id_odd" },
        { "B21 a redelivery", EVENT(REST
          ",\"deliveryContext\":{\"isRedelivery\":true}"), NULL },
        { "B23 an unknown kind", BODY("{\"type\":\"shiny\",\"x\":[1,{}],"
          REST "}"), NULL },
        { "B23 no source", EVENT(AT ",\"webhookEventId\":\"" ID "\""), NULL },
        { "B25 unsend", BODY("{\"type\":\"unsend\",\"unsend\":{\"messageId\":"
          "\"9\"}," REST "}"), NULL },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(cases[i].name, tomo_str_c(cases[i].body), NULL,
               cases[i].fault);
    }
}


/* B17: bytes that are no UTF-8 are a fault of the body or of the event */

static void
utf8(void **state)
{
    static const char *const  texts[] = {
        "\xc0\xaf", "\xed\xa0\x80", "\xe3\x81", "\xf4\x90\x80\x80"
    };

    split_t  out;

    (void) state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char         body[512];
        const char  *fault;

        snprintf(body, sizeof(body), BODY("{\"type\":\"message\","
                 "\"message\":{\"type\":\"text\",\"text\":\"%s\"}," REST "}"),
                 texts[i]);
        fault = split(tomo_str_c(body), 0, &out);

        if (fault == NULL) {
            assert_int_equal(out.n, 1);
            fault = out.events[0].fault;
        }

        assert_non_null(fault);
    }
}


/* B20: two events of one id are two events here; ingest's view drops one */

static void
same_id(void **state)
{
    split_t  out;

    (void) state;
    assert_null(split(tomo_str(BODY("{\"type\":\"follow\"," REST "},"
                                    "{\"type\":\"unfollow\"," REST "}")), 0,
                      &out));
    assert_int_equal(out.n, 2);
    assert_int_equal(out.destination.len, 33);          /* B6 */
    assert_int_equal(out.events[0].kind, EVENT_FOLLOW);
    assert_int_equal(out.events[1].kind, EVENT_UNFOLLOW);
}


/* B22: 10,000 events fit, one more does not */

static void
many(void **state)
{
    char        *text, *p;
    size_t       n;
    split_t      out;

    (void) state;
    text = malloc(SPLIT_BODY_MAX);
    assert_non_null(text);

    for (n = SPLIT_EVENTS_MAX; n <= SPLIT_EVENTS_MAX + 1; n++) {
        const char  *fault;

        p = stpcpy(text, "{" BOT ",\"events\":[{}");

        for (size_t i = 1; i < n; i++) {
            p = stpcpy(p, ",{}");
        }

        p = stpcpy(p, "]}");
        fault = split(tomo_str_n(text, (size_t) (p - text)), 0, &out);

        if (n > SPLIT_EVENTS_MAX) {
            assert_string_equal(fault, "too_many_events");
        } else {
            assert_null(fault);
            assert_int_equal(out.n, n);
        }
    }

    free(text);
}


/* B24: standby is told; B26: postback data is text, whatever it says */

static void
told(void **state)
{
    split_t  out;

    (void) state;
    assert_null(split(tomo_str(BODY("{\"type\":\"follow\",\"mode\":"
                                    "\"standby\"," AT "," SOURCE
                                    ",\"webhookEventId\":\"" ID "\"}")), 0,
                      &out));
    assert_true(out.events[0].standby);

    assert_null(split(tomo_str(BODY("{\"type\":\"postback\",\"postback\":"
                                    "{\"data\":\"{\\\"do\\\":\\\"tag.add\\\"}"
                                    "\"}," REST "}")), 0, &out));
    assert_int_equal(out.events[0].kind, EVENT_POSTBACK);
    assert_null(out.events[0].command);
    unit_is_str(out.events[0].text, tomo_str("{\"do\":\"tag.add\"}"));
}


/* what lies under a name we do not follow is never the event's own */

static void
spoofed(void **state)
{
    size_t              i, k;
    split_t             out;
    static const char  *bodies[] = {
        EVENT(REST ",\"a/b\":{\"replyToken\":\"x\",\"type\":\"unfollow\"}"),
        EVENT(REST ",\"a\":[{\"b\":{\"replyToken\":\"x\"}}]"),
        EVENT(REST ",\"message\":[{\"b\":{\"text\":\"x\"}}],"
              "\"postback\":[[{\"c\":{\"data\":\"x\"}}]]"),
        EVENT(REST ",\"a/b\":{\"source\":{\"userId\":\"x\"}},"
              "\"a/c\":[{\"message\":{\"text\":\"x\"}}]"),
    };

    (void) state;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (k = 0; k < 3; k++) {
            assert_null(split(tomo_str_c(bodies[i]), k, &out));
            assert_int_equal(out.n, 1);
            assert_null(out.events[0].fault);
            assert_int_equal(out.events[0].kind, EVENT_FOLLOW);
            assert_int_equal(out.events[0].reply.len, 0);
            assert_int_equal(out.events[0].text.len, 0);
            unit_is_str(out.events[0].uid, tomo_str(USER));
        }
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(brackets),
        cmocka_unit_test(events),
        cmocka_unit_test(utf8),
        cmocka_unit_test(same_id),
        cmocka_unit_test(many),
        cmocka_unit_test(told),
        cmocka_unit_test(spoofed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
