/*
 * tomo_survey_read: B44 (names), B45 (encodings and writing), B46 (what does
 * not answer the question), B47 (altered hidden fields), B48 (another
 * revision), B52 (trap), B53 (nothing posted), every prefix, small memory.
 */

#include "survey.h"
#include "tomo_utf8.h"


static tomo_survey_t  form;


static int
with_form(void **state)
{
    (void) state;

    return survey_parse(survey_all, &form) == TOMO_OK ? 0 : -1;
}


/* one answer besides the consent; error NULL: normalised to want */
static void
answers(const char *field, const char *want, const char *error)
{
    uint8_t         out[4096], body[4096];
    tomo_buf_t      b;
    tomo_answers_t  got;

    tomo_buf_init(&b, body, sizeof(body));
    tomo_buf_c(&b, SURVEY_HEAD "&q.ok=1&");
    tomo_buf_c(&b, field);
    assert_false(b.failed);

    assert_int_equal(survey_read(&form, tomo_buf_str(&b), &got), TOMO_OK);
    assert_int_equal(got.errors, error == NULL ? 0 : 1);

    tomo_buf_init(&b, out, sizeof(out));
    tomo_survey_answers_put(&b, &form, &got);
    tomo_buf_byte(&b, '\0');
    assert_false(b.failed);

    if (error == NULL) {
        assert_string_equal(out, want);
        return;
    }

    for (size_t i = 0; i < got.n; i++) {

        if (got.given[i].error != NULL) {
            assert_non_null(strstr(got.given[i].error, error));
        }
    }
}


static void
refuses(const char *body, tomo_rc_e want)
{
    tomo_answers_t  got;

    memset(&got, 0x5a, sizeof(got));
    assert_int_equal(survey_read(&form, tomo_str_c(body), &got), want);
    assert_int_equal(got.errors, 0x5a5a5a5a5a5a5a5a);
}


static void
plain_answers(void **state)
{
    (void) state;

    answers("", "q.ok=1", NULL);
    answers("q.name=Taro", "q.name=Taro&q.ok=1", NULL);
    answers("q.long=a%0D%0Ab%0Dc%0Ad", "q.long=a%0Ab%0Ac%0Ad&q.ok=1", NULL);
    answers("q.one=b", "q.one=b&q.ok=1", NULL);
    answers("q.one=", "q.ok=1", NULL);
    answers("q.sel=x", "q.sel=x&q.ok=1", NULL);
    answers("q.many=r&q.many=p", "q.many=r&q.many=p&q.ok=1", NULL);
    answers("q.day.d=9&q.day.y=2024&q.day.m=2", "q.day=2024-02-09&q.ok=1",
            NULL);
    answers("q.day.y=&q.day.m=&q.day.d=", "q.ok=1", NULL);
    answers("q.mail=a..b.%40docomo.example.jp",
            "q.mail=a..b.%40docomo.example.jp&q.ok=1", NULL);
}


/* B44: unknown names do nothing, one name twice is no form of ours */
static void
b44_names(void **state)
{
    size_t       i;
    tomo_buf_t   b;
    uint8_t     *body;
    const size_t size = 2 * 1024 * 1024;
    tomo_answers_t  got;

    (void) state;

    answers("=x&__proto__=1&constructor=2&q.=3&q.nobody=4&q=5&Q.name=6",
            "q.ok=1", NULL);
    answers("q.name[]=x&q.name.y=x&q.day=2024-01-01&q.day.z=1&q.head=x",
            "q.ok=1", NULL);
    answers("&&&q.name&&", "q.ok=1", NULL);

    refuses(SURVEY_HEAD "&q.name=a&q.name=b", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=&q.name=", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.one=a&q.one=b", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.one=a&q.one=", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.ok=1&q.ok=1", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.many=p&q.many=p", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.day.y=1&q.day.y=1", TOMO_INVALID);
    refuses(SURVEY_HEAD "&nonce=" SURVEY_NONCE, TOMO_INVALID);
    refuses(SURVEY_HEAD "&rev=2", TOMO_INVALID);
    refuses(SURVEY_HEAD "&hp=", TOMO_INVALID);

    body = malloc(size);
    assert_non_null(body);

    tomo_buf_init(&b, body, size);
    tomo_buf_c(&b, SURVEY_HEAD "&q.ok=1&");
    memset(tomo_buf_take(&b, 65536), 'n', 65536);
    tomo_buf_c(&b, "=x");
    assert_int_equal(survey_read(&form, tomo_buf_str(&b), &got), TOMO_OK);

    for (i = 0; i < 100000; i++) {
        tomo_buf_c(&b, "&a=1");
    }

    assert_false(b.failed);
    assert_int_equal(survey_read(&form, tomo_buf_str(&b), &got), TOMO_LIMIT);
    free(body);
}


/* B45: strict encodings; text stays as written, numbers are folded */
static void
b45_encodings(void **state)
{
    (void) state;

    refuses(SURVEY_HEAD "&q.name=%zz", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=%", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=a%4", TOMO_INVALID);
    refuses(SURVEY_HEAD "&%zz=1", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=%C0%AF", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=%ED%A0%80", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=%F4%90%80%80", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=%83%65%83%58", TOMO_INVALID);
    refuses(SURVEY_HEAD "&q.name=\x83\x65", TOMO_INVALID);
    refuses(SURVEY_HEAD "&x%FF=1", TOMO_INVALID);

    answers("q.name=a+b", "q.name=a%20b&q.ok=1", NULL);
    answers("q.name=+%E3%80%80%C2%A0a%09", "q.name=a&q.ok=1", NULL);
    answers("q.name=+%E3%80%80", "q.ok=1", NULL);
    answers("q.name=a%00b", NULL, "使えない文字");
    answers("q.name=a%E2%80%AEb", NULL, "使えない文字");
    answers("q.name=a%1Bb", NULL, "使えない文字");
    answers("q.name=a%C2%85b", NULL, "使えない文字");
    answers("q.long=a%0Bb", NULL, "使えない文字");

    /* NFD kana, full-width letters and a ZWJ family stay what they are */
    answers("q.name=%E3%81%8B%E3%82%99",
            "q.name=%E3%81%8B%E3%82%99&q.ok=1", NULL);
    answers("q.name=%EF%BC%A1", "q.name=%EF%BC%A1&q.ok=1", NULL);
    answers("q.name=%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7",
            "q.name=%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7"
            "&q.ok=1", NULL);

    /* full-width digits, minus, comma; a long vowel sign as a hyphen */
    answers("q.num=%EF%BC%8D%EF%BC%91%EF%BC%8C%EF%BC%90%EF%BC%90%EF%BC%92",
            "q.num=-1002&q.ok=1", NULL);
    answers("q.tel=%EF%BC%90%EF%BC%99%EF%BC%90%E3%83%BC1234%E2%88%925678",
            "q.tel=09012345678&q.ok=1", NULL);
    answers("q.day.y=%EF%BC%92%EF%BC%90%EF%BC%90%EF%BC%90&q.day.m=02"
            "&q.day.d=29", "q.day=2000-02-29&q.ok=1", NULL);
}


/* B45, B46: lengths are code points, told with the number there is */
static void
b46_lengths(void **state)
{
    (void) state;

    answers("q.name=%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%81%82",
            "q.name=%E3%81%82%E3%81%82%E3%81%82%E3%81%82%E3%81%82&q.ok=1",
            NULL);
    answers("q.name=%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80"
            "%F0%9F%98%80%F0%9F%98%80", NULL,
            "5文字以内で入力してください（今は6文字です）");
    answers("q.long=12345%0D%0A78901", NULL, "10文字以内");
    answers("q.long=12345%0D%0A7890", "q.long=12345%0A7890&q.ok=1", NULL);
}


/* B46: what was not offered, does not exist, or is missing */
static void
b46_answers_that_are_none(void **state)
{
    size_t  i;

    static const struct {
        const char  *field;
        const char  *error;
    } cases[] = {
        { "q.one=c", "選択肢" },            { "q.one=A", "選択肢" },
        { "q.sel=a", "選択肢" },            { "q.many=p&q.many=s", "選択肢" },
        { "q.num=1e309", "整数" },          { "q.num=NaN", "整数" },
        { "q.num=0x10", "整数" },           { "q.num=1.5", "整数" },
        { "q.num=1%2C23", "整数" },         { "q.num=%2C123", "整数" },
        { "q.num=-", "整数" },              { "q.num=--1", "整数" },
        { "q.num=1234567890123456789", "大きすぎ" },
        { "q.day.y=2026&q.day.m=2&q.day.d=30", "暦" },
        { "q.day.y=2100&q.day.m=2&q.day.d=29", "暦" },
        { "q.day.y=2026&q.day.m=13&q.day.d=1", "暦" },
        { "q.day.y=2026&q.day.m=0&q.day.d=1", "暦" },
        { "q.day.y=0&q.day.m=1&q.day.d=1", "暦" },
        { "q.day.y=2026&q.day.m=4&q.day.d=31", "暦" },
        { "q.day.y=20260&q.day.m=4&q.day.d=3", "暦" },
        { "q.day.y=2026", "すべて" },
        { "q.day.m=2&q.day.d=3", "すべて" },
        { "q.tel=12345", "電話" },          { "q.tel=1234567890", "電話" },
        { "q.tel=090123456789", "電話" },   { "q.tel=0901234567a", "電話" },
        { "q.tel=%2B1", "電話" },           { "q.mail=a", "メール" },
        { "q.mail=%40b.jp", "メール" },     { "q.mail=a%40b", "メール" },
        { "q.mail=a%40b..jp", "メール" },   { "q.mail=a%40-b.jp", "メール" },
        { "q.mail=a%40b.jp.", "メール" },   { "q.mail=a+b%40c.jp", "メール" },
        { "q.mail=a%40b%40c.jp", "メール" },
        { "q.mail=%E3%81%82%40c.jp", "メール" },
        { "q.mail=a%2Cb%40c.jp", "メール" },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        answers(cases[i].field, NULL, cases[i].error);
    }

    answers("q.num=%2B007", "q.num=7&q.ok=1", NULL);
    answers("q.num=-0", "q.num=0&q.ok=1", NULL);
    answers("q.num=-00000000000000000000000012", "q.num=-12&q.ok=1", NULL);
    answers("q.num=1%2C234%2C567", "q.num=1234567&q.ok=1", NULL);
    answers("q.tel=%2B81+90-1234-5678", "q.tel=%2B819012345678&q.ok=1", NULL);
    answers("q.tel=%2803%291234-5678", "q.tel=0312345678&q.ok=1", NULL);
}


static void
b46_required(void **state)
{
    size_t          i, wrong;
    tomo_survey_t   s;
    tomo_answers_t  got;

    static const char *const  kinds[] = {
        "text", "long_text", "number", "date", "tel", "mail", "consent"
    };

    (void) state;

    for (i = 0; i < UNIT_N(kinds); i++) {
        char  text[256];

        snprintf(text, sizeof(text), "survey no=1&rev=2&id=s\n"
                 "q id=a&kind=%s&label=L&required=1\n", kinds[i]);

        assert_int_equal(survey_parse(text, &s), TOMO_OK);
        assert_int_equal(survey_read(&s, tomo_str(SURVEY_HEAD), &got),
                         TOMO_OK);
        assert_int_equal(got.errors, 1);
        assert_non_null(got.given[0].error);
    }

    assert_int_equal(survey_parse("survey no=1&rev=2&id=s\n"
                                  "q id=a&kind=single&label=L&required=1\n"
                                  "o id=a&label=A\n"
                                  "q id=b&kind=select&label=L&required=1\n"
                                  "o id=a&label=A\n"
                                  "q id=c&kind=multi&label=L&required=1\n"
                                  "o id=a&label=A\n", &s), TOMO_OK);
    assert_int_equal(survey_read(&s, tomo_str(SURVEY_HEAD "&q.a=&q.b="),
                                 &got), TOMO_OK);

    for (i = 0, wrong = 0; i < got.n; i++) {
        wrong += got.given[i].error != NULL;
    }

    assert_int_equal(wrong, 3);
    assert_int_equal(got.errors, 3);

    assert_int_equal(with_form(state), 0);
    assert_int_equal(survey_read(&form, tomo_str(SURVEY_HEAD "&q.ok=0"),
                                 &got), TOMO_OK);
    assert_int_equal(got.errors, 1);
}


/* B47: hidden fields decide nothing but which page this was */
static void
b47_hidden_fields(void **state)
{
    (void) state;

    answers("score=100&tags=vip&return=https%3A%2F%2Fevil%2F&q.name.max=99",
            "q.ok=1", NULL);

    refuses("rev=2&hp=", TOMO_INVALID);
    refuses("nonce=&rev=2", TOMO_INVALID);
    refuses("nonce=AAECAwQFBgcICQoLDA0ODx&rev=2", TOMO_INVALID);
    refuses("nonce=AAECAwQFBgcICQoLDA0OD&rev=2", TOMO_INVALID);
    refuses("nonce=AAECAwQFBgcICQoLDA0O%2F%2F&rev=2", TOMO_INVALID);
    refuses("nonce=" SURVEY_NONCE, TOMO_INVALID);
    refuses("nonce=" SURVEY_NONCE "&rev=", TOMO_INVALID);
    refuses("nonce=" SURVEY_NONCE "&rev=-1", TOMO_INVALID);
    refuses("nonce=" SURVEY_NONCE "&rev=4294967296", TOMO_INVALID);
    refuses("nonce=" SURVEY_NONCE "&rev=02", TOMO_INVALID);
}


static void
b48_b52_revision_and_trap(void **state)
{
    tomo_answers_t  got;

    (void) state;

    assert_int_equal(survey_read(&form, tomo_str("nonce=" SURVEY_NONCE
                                                 "&rev=1&q.ok=1"), &got),
                     TOMO_OK);
    assert_int_equal(got.rev, 1);
    assert_false(got.trapped);
    assert_int_equal(got.nonce.len, TOMO_SURVEY_NONCE_LEN);

    assert_int_equal(survey_read(&form, tomo_str("nonce=" SURVEY_NONCE
                                                 "&rev=2&hp=+&q.ok=1"), &got),
                     TOMO_OK);
    assert_true(got.trapped);
}


static void
b53_nothing_posted(void **state)
{
    (void) state;

    refuses("", TOMO_INVALID);
    refuses("&", TOMO_INVALID);
    refuses("=", TOMO_INVALID);
}


static const char  full_post[] =
    SURVEY_HEAD "&q.name=%E3%81%82&q.long=a%0D%0Ab&q.num=%EF%BC%91"
    "&q.day.y=2024&q.day.m=2&q.day.d=29&q.tel=090-1234-5678&q.mail=a%40b.jp"
    "&q.one=a&q.sel=x&q.many=p&q.many=q&q.ok=1";


static void
every_prefix(void **state)
{
    size_t          len;
    tomo_rc_e       rc;
    tomo_answers_t  got;

    (void) state;

    for (len = 0; len <= sizeof(full_post) - 1; len++) {
        rc = survey_read(&form, tomo_str_n(full_post, len), &got);
        assert_true(rc == TOMO_OK || rc == TOMO_INVALID);
    }

    assert_int_equal(rc, TOMO_OK);
    assert_int_equal(got.errors, 0);
}


/* a failed allocation anywhere is TOMO_FULL, never half an answer */
static void
small_memory(void **state)
{
    size_t          cap;
    tomo_rc_e       rc;
    tomo_arena_t    a;
    tomo_answers_t  got;

    (void) state;

    for (cap = 0; cap < 65536; cap += 8) {
        tomo_arena_init(&a, survey_post_memory, cap);
        rc = tomo_survey_read(&form, tomo_str_c(full_post), &a, &got);

        if (rc == TOMO_OK) {
            break;
        }

        assert_int_equal(rc, TOMO_FULL);
    }

    assert_true(cap < 65536);
    assert_int_equal(got.errors, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(plain_answers),
        cmocka_unit_test(b44_names),
        cmocka_unit_test(b45_encodings),
        cmocka_unit_test(b46_lengths),
        cmocka_unit_test(b46_answers_that_are_none),
        cmocka_unit_test(b46_required),
        cmocka_unit_test(b47_hidden_fields),
        cmocka_unit_test(b48_b52_revision_and_trap),
        cmocka_unit_test(b53_nothing_posted),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(small_memory),
    };

    return cmocka_run_group_tests(tests, with_form, NULL);
}
