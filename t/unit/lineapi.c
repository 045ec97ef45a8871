/*
 * dispatch/lineapi: LINE's answers as verdicts (B87, B88, B89, B90, B95), and
 * rows as requests.
 */

#include "unit.h"
#include "worker/dispatch/lineapi.h"


static lineapi_t  api;


static void
answered(tomo_via_e via, int status, const char *body, verdict_t *v)
{
    row_t          row = { .via = via };
    wire_answer_t  answer = { .status = status, .cause = "timeout" };

    answer.body = tomo_str_c(body);
    lineapi_answer(&api, &row, &answer, v);
    assert_int_equal(v->status, status);
}


/* B87: a body that cannot be read changes nothing */
static void
bodies(void **state)
{
    size_t              i;
    verdict_t           v;
    static const char  *broken[] = {
        "", "<html>502</html>", "{\"sentMessages\":[{\"id\":\"46", "[]", "7",
        "null", "{\"sentMessages\":7}", "{\"sentMessages\":[7,null,{}]}",
        "{\"a\":1,\"a\":2}", "\xc0\xaf"
    };

    (void) state;

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        answered(TOMO_VIA_PUSH, 200, broken[i], &v);
        assert_int_equal(v.n_sent, 0);
        assert_int_equal(v.message.len, 0);
        answered(TOMO_VIA_PROFILE, 200, broken[i], &v);
        assert_int_equal(v.name.len, 0);
        answered(TOMO_VIA_PUSH, 400, broken[i], &v);
        assert_int_equal(v.message.len, 0);
        answered(TOMO_VIA_PUSH, 429, broken[i], &v);
        assert_int_equal(v.message.len, 0);
    }

    answered(TOMO_VIA_PUSH, 0, "{\"message\":\"x\"}", &v);
    unit_is_str(v.message, tomo_str("timeout"));
}


/* B88: as a string, as a number, longer than any number holds */
static void
ids(void **state)
{
    verdict_t   v;

    (void) state;
    answered(TOMO_VIA_PUSH, 200, "{\"sentMessages\":[{\"id\":\"461\"},"
             "{\"id\":9007199254740993},{\"id\":18446744073709551616},"
             "{\"id\":1e9},{\"id\":true},{\"id\":\"\"},{\"id\":\""
             "01234567890123456789012345678901234567890\"}]}", &v);
    unit_is_str(v.sent[0], tomo_str("461"));
    unit_is_str(v.sent[1], tomo_str("9007199254740993"));
    unit_is_str(v.sent[2], tomo_str("18446744073709551616"));
    assert_true(v.n_sent <= VERDICT_SENT_MAX);

    answered(TOMO_VIA_PUSH, 200, "{\"sentMessages\":[{\"id\":1},{\"id\":2},"
             "{\"id\":3},{\"id\":4},{\"id\":5},{\"id\":6}]}", &v);
    assert_int_equal(v.n_sent, VERDICT_SENT_MAX);
}


/* B89: the request that was accepted before is the one to ask LINE about */
static void
conflicts(void **state)
{
    row_t          row = { .via = TOMO_VIA_PUSH };
    verdict_t      v;
    wire_answer_t  answer = { .status = 409 };

    (void) state;
    memcpy(answer.request_id, "second", 7);
    lineapi_answer(&api, &row, &answer, &v);
    unit_is_str(v.request, tomo_str("second"));
    memcpy(answer.accepted_id, "first", 6);
    lineapi_answer(&api, &row, &answer, &v);
    unit_is_str(v.request, tomo_str("first"));
    answer.status = 200;
    lineapi_answer(&api, &row, &answer, &v);
    unit_is_str(v.request, tomo_str("second"));
}


/* B90: the text of a 429 is told, and nothing is read out of it */
static void
limits(void **state)
{
    verdict_t  v;

    (void) state;
    answered(TOMO_VIA_PUSH, 429, "{\"message\":\"You have reached your monthly"
             " limit.\"}", &v);
    unit_is_str(v.message, tomo_str("You have reached your monthly limit."));
}


/* B95: a name may be nothing, or anything; a picture leads to https alone */
static void
profiles(void **state)
{
    size_t              i;
    verdict_t           v;
    static const char  *pictures[] = {
        "javascript:alert(1)", "http://e.example/a", "//e.example/a", "",
        "https://e.example/\\u0000", "https://e.example/\\n",
        " https://e.example/"
    };
    char                body[256];

    (void) state;
    answered(TOMO_VIA_PROFILE, 200, "{\"displayName\":null,\"language\":7,"
             "\"pictureUrl\":[]}", &v);
    assert_int_equal(v.name.len + v.language.len + v.picture.len, 0);
    answered(TOMO_VIA_PROFILE, 200, "{\"displayName\":\"\\u202ea\\u0001\","
             "\"pictureUrl\":\"https://e.example/a\"}", &v);
    unit_is_str(v.name, tomo_str("a"));
    unit_is_str(v.picture, tomo_str("https://e.example/a"));

    for (i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        snprintf(body, sizeof(body), "{\"displayName\":\"a\",\"pictureUrl\":"
                 "\"%s\"}", pictures[i]);
        answered(TOMO_VIA_PROFILE, 200, body, &v);
        unit_is_str(v.name, tomo_str("a"));
        assert_int_equal(v.picture.len, 0);
    }
}


/* what LINE would refuse never leaves: ids that are none, too many of them */
static void
requests(void **state)
{
    row_t           row = { .via = TOMO_VIA_PUSH };
    tomo_buf_t      b;
    wire_request_t  r;
    static uint8_t  to[16384];

    (void) state;
    row.body = tomo_str("[{\"type\":\"text\",\"text\":\"x\"}]");
    row.to = tomo_str("U1");
    row.key = tomo_str("key");
    assert_null(lineapi_request(&api, &row, tomo_str_null, &r));
    assert_string_equal(r.path, "/v2/bot/message/push");
    unit_is_str(r.retry_key, row.key);
    unit_is_str(r.body, tomo_str("{\"to\":\"U1\",\"messages\":"
                                 "[{\"type\":\"text\",\"text\":\"x\"}]}"));
    row.to = tomo_str("U1\",\"x\":\"");
    assert_non_null(lineapi_request(&api, &row, tomo_str_null, &r));

    row.via = TOMO_VIA_REPLY;
    row.token = tomo_str("a\"b");
    assert_null(lineapi_request(&api, &row, tomo_str_null, &r));
    assert_true(r.once && r.retry_key.len == 0);
    row.token = tomo_str("\xff");
    assert_non_null(lineapi_request(&api, &row, tomo_str_null, &r));

    row.via = TOMO_VIA_PROFILE;
    row.to = tomo_str("U1");
    assert_null(lineapi_request(&api, &row, tomo_str_null, &r));
    assert_string_equal(r.path, "/v2/bot/profile/U1");
    assert_false(r.post);
    row.to = tomo_str("../U1");
    assert_non_null(lineapi_request(&api, &row, tomo_str_null, &r));

    row.via = TOMO_VIA_MULTICAST;
    assert_null(lineapi_request(&api, &row, tomo_str("U1,U2"), &r));
    assert_non_null(lineapi_request(&api, &row, tomo_str_null, &r));
    assert_non_null(lineapi_request(&api, &row, tomo_str("U1,,U2"), &r));
    tomo_buf_init(&b, to, sizeof(to));

    for (int i = 0; i < 501; i++) {
        tomo_buf_c(&b, i > 0 ? ",U" : "U");
        tomo_buf_u64(&b, (uint64_t) i);
    }

    assert_non_null(lineapi_request(&api, &row, tomo_buf_str(&b), &r));
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(ids),
        cmocka_unit_test(conflicts),
        cmocka_unit_test(limits),
        cmocka_unit_test(profiles),
        cmocka_unit_test(requests),
    };
    int  failed;

    lineapi_init(&api);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lineapi_free(&api);

    return failed;
}
