/* split: webhook bodies at the parser, whole and byte by byte (B14-B24). */

#include "unit.h"
#include "worker/ingest/split.h"

#define UID   "U00000000000000000000000000000007"
#define ID    "01JABCDEFGHJKMNPQRSTVWXYZ0"
#define HEAD  "{\"destination\":\"U1\",\"events\":["
#define EVENT "{\"type\":\"message\",\"mode\":\"active\",\"timestamp\":5," \
              "\"source\":{\"type\":\"user\",\"userId\":\"" UID "\"}," \
              "\"webhookEventId\":\"" ID "\",\"replyToken\":\"r\"," \
              "\"message\":{\"type\":\"text\",\"id\":\"9\"," \
              "\"text\":\"a\\u0000b\\ud83c\\udf4e\"}}"

static uint8_t  memory[64 << 20];


/* with a body that ends exactly where its memory does */
static const char *
run(const char *body, size_t len, size_t step, split_t *out)
{
    tomo_str_t     s;
    const char    *why;
    tomo_arena_t   arena;

    s = unit_heap(body, len);
    tomo_arena_init(&arena, memory, sizeof(memory));
    why = split_body(s, step, &arena, out);

    /* raw points into the body, which goes away now */
    for (size_t i = 0; why == NULL && i < out->n; i++) {
        out->events[i].raw = tomo_arena_dup(&arena, out->events[i].raw);
    }

    unit_free(s);

    return why;
}


static void
one_event(void **state)
{
    size_t      step;
    event_t    *ev;
    split_t     out;
    const char  body[] = HEAD EVENT "]}";

    (void) state;

    for (step = 0; step < sizeof(body); step++) {
        assert_null(run(body, sizeof(body) - 1, step, &out));
        assert_int_equal(out.n, 1);
        ev = &out.events[0];
        assert_null(ev->fault);
        assert_int_equal(ev->kind, EVENT_MESSAGE);
        assert_int_equal(ev->source, EVENT_SOURCE_USER);
        assert_int_equal(ev->at_ms, 5);
        assert_false(ev->standby);
        assert_true(tomo_str_eq(ev->uid, tomo_str(UID)));
        assert_true(tomo_str_eq(ev->id, tomo_str(ID)));
        assert_true(tomo_str_eq(ev->reply, tomo_str("r")));
        assert_true(tomo_str_eq(ev->raw, tomo_str(EVENT)));
        assert_int_equal(ev->text.len, 3 + 4);
    }
}


/* where the part of an event stands that a copy may change */
static void
context(void **state)
{
    size_t       step;
    event_t     *ev;
    split_t      out;
    const char   value[] = "{\"a\":[{\"b\":{}}],\"isRedelivery\":true}";
    const char   body[] = HEAD "{\"x\":{\"deliveryContext\":{\"y\":1}},"
                          "\"deliveryContext\":{\"a\":[{\"b\":{}}],"
                          "\"isRedelivery\":true},\"z\":[]}," EVENT "]}";

    (void) state;

    for (step = 0; step < sizeof(body); step++) {
        assert_null(run(body, sizeof(body) - 1, step, &out));
        assert_int_equal(out.n, 2);
        ev = &out.events[0];
        assert_int_equal(ev->context_end - ev->context, sizeof(value) - 1);
        assert_memory_equal(ev->raw.data + ev->context, value,
                            sizeof(value) - 1);
        assert_int_equal(out.events[1].context_end, 0);
    }
}


static void
bodies(void **state)
{
    size_t   i;
    split_t  out;

    static const struct {
        const char  *body;
        const char  *why;
        size_t       n;
    } cases[] = {
        { "", "not_json", 0 },
        { HEAD "]}", NULL, 0 },
        { HEAD EVENT "," EVENT "]}", NULL, 2 },
        { HEAD EVENT "]} x", "not_json", 0 },
        { HEAD EVENT "]}" HEAD "]}", "not_json", 0 },
        { HEAD EVENT, "not_json", 0 },
        { HEAD EVENT ",]}", "not_json", 0 },
        { "[]", "not_an_object", 0 },
        { "null", "not_a_webhook", 0 },
        { "true", "not_an_object", 0 },
        { "{}", "not_a_webhook", 0 },
        { "{\"events\":[]}", "not_a_webhook", 0 },
        { "{\"destination\":\"U1\"}", "not_a_webhook", 0 },
        { "{\"destination\":1,\"events\":[]}", "destination_odd", 0 },
        { "{\"destination\":null,\"events\":[]}", "not_a_webhook", 0 },
        { "{\"destination\":\"a\",\"destination\":\"b\",\"events\":[]}",
          "destination_odd", 0 },
        { "{\"destination\":\"U1\",\"events\":{}}", "events_not_an_array",
          0 },
        { "{\"destination\":\"U1\",\"events\":1}", "events_not_an_array", 0 },
        { "{\"destination\":\"U1\",\"events\":null}", "not_a_webhook", 0 },
        { HEAD "1]}", "event_not_an_object", 0 },
        { HEAD "[]]}", "event_not_an_object", 0 },
        { HEAD "],\"events\":[]}", "events_not_an_array", 0 },
        { "{\"other\":{\"events\":[{\"type\":\"x\"}]},"
          "\"destination\":\"U1\",\"events\":[]}", NULL, 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        const char  *why;

        for (size_t step = 0; step < 3; step++) {
            why = run(cases[i].body, strlen(cases[i].body), step, &out);

            if (cases[i].why == NULL) {
                assert_null(why);
                assert_int_equal(out.n, cases[i].n);

            } else {
                assert_non_null(why);
                assert_string_equal(why, cases[i].why);
            }
        }
    }
}


/* every prefix of a good body is refused, whatever it ends in */
static void
B14_truncated(void **state)
{
    size_t      len;
    split_t     out;
    const char  body[] = HEAD EVENT "," EVENT "]}";

    (void) state;

    for (len = 0; len < sizeof(body) - 1; len++) {
        assert_non_null(run(body, len, 0, &out));
    }
}


/* every single byte changed: never more than a fault */
static void
any_byte(void **state)
{
    char        body[] = HEAD EVENT "]}";
    size_t      i;
    split_t     out;

    (void) state;

    for (i = 0; i < sizeof(body) - 1; i++) {
        for (int flip = 1; flip < 256; flip <<= 1) {
            body[i] = (char) (body[i] ^ flip);
            (void) run(body, sizeof(body) - 1, 0, &out);
            body[i] = (char) (body[i] ^ flip);
        }
    }
}


static void
B15_depth(void **state)
{
    char        *body;
    size_t       n = 1000000;
    split_t      out;
    const char  *why;

    (void) state;
    body = malloc(n + 64);
    assert_non_null(body);
    memset(body, '[', n);
    memcpy(body, "{\"x\":", 5);
    why = run(body, n, 0, &out);
    assert_string_equal(why, "too_deep");
    free(body);
}


static void
faults_of_one(void **state)
{
    size_t        i;
    split_t       out;
    const char   *why;

    static const struct {
        const char  *event;
        const char  *fault;
    } cases[] = {
        { "{}", "type_missing" },
        { "{\"type\":1}", "member_of_other_kind" },
        { "{\"type\":{}}", "member_of_other_kind" },
        { "{\"type\":\"follow\",\"timestamp\":5}", "event_id_odd" },
        { "{\"type\":\"follow\",\"webhookEventId\":\"" ID "\"}",
          "timestamp_odd" },
        { "{\"type\":\"follow\",\"timestamp\":1.5}", "timestamp_odd" },
        { "{\"type\":\"follow\",\"timestamp\":-1}", "timestamp_odd" },
        { "{\"type\":\"follow\",\"timestamp\":\"5\"}",
          "member_of_other_kind" },
        { "{\"type\":\"follow\",\"type\":\"follow\"}", "duplicate_member" },
        { "{\"type\":\"follow\",\"source\":{\"userId\":\"a\",\"userId\":"
          "\"a\"}}", "duplicate_member" },
        { "{\"type\":\"follow\",\"source\":{\"userId\":\"a\"},\"source\":"
          "{\"userId\":\"b\"}}", "duplicate_member" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        char  body[1024];

        (void) snprintf(body, sizeof(body), HEAD "%s," EVENT "]}",
                        cases[i].event);
        why = run(body, strlen(body), 0, &out);
        assert_null(why);
        assert_int_equal(out.n, 2);
        assert_non_null(out.events[0].fault);
        assert_string_equal(out.events[0].fault, cases[i].fault);
        assert_null(out.events[1].fault);
    }
}


/* names that only look like ours are not taken for them */
static void
paths(void **state)
{
    split_t      out;
    const char   body[] = HEAD
        "{\"type\":\"beacon\",\"timestamp\":5,\"webhookEventId\":\"" ID "\","
        "\"x\":{\"type\":\"follow\",\"source\":{\"userId\":\"evil\"}},"
        "\"source/userId\":\"evil\",\"l\":[{\"type\":\"follow\"}],"
        "\"source\":{\"type\":\"user\",\"userId\":\"" UID "\"}}]}";

    (void) state;
    assert_null(run(body, sizeof(body) - 1, 0, &out));
    assert_null(out.events[0].fault);
    assert_int_equal(out.events[0].kind, EVENT_OTHER);
    assert_true(tomo_str_eq(out.events[0].type, tomo_str("beacon")));
    assert_true(tomo_str_eq(out.events[0].uid, tomo_str(UID)));
}


static void
B18_judged_by_the_clock(void **state)
{
    event_t  ev;
    int64_t  now = 100 * TOMO_DAY_MS;

    (void) state;
    memset(&ev, 0, sizeof(ev));
    ev.at_ms = now;
    split_judge(&ev, now);
    assert_null(ev.fault);
    ev.at_ms = now + SPLIT_FUTURE_MS;
    split_judge(&ev, now);
    assert_null(ev.fault);
    ev.at_ms++;
    split_judge(&ev, now);
    assert_string_equal(ev.fault, "timestamp_odd");
    ev.fault = NULL;
    ev.at_ms = now - SPLIT_OLD_MS;
    split_judge(&ev, now);
    assert_null(ev.fault);
    ev.at_ms--;
    split_judge(&ev, now);
    assert_string_equal(ev.fault, "too_old");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event),
        cmocka_unit_test(context),
        cmocka_unit_test(bodies),
        cmocka_unit_test(B14_truncated),
        cmocka_unit_test(any_byte),
        cmocka_unit_test(B15_depth),
        cmocka_unit_test(faults_of_one),
        cmocka_unit_test(paths),
        cmocka_unit_test(B18_judged_by_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
