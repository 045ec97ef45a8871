/*
 * tomo_survey: the compiled form (round trip, what is refused, every prefix),
 * the page (B38, B48, errors beside their fields) and its security policy.
 */

#include "survey.h"
#include "tomo_codec.h"

#include <openssl/evp.h>


static void
form_round_trip(void **state)
{
    uint8_t        text[4096], again[4096];
    tomo_buf_t     a, b;
    tomo_survey_t  s;

    (void) state;

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    assert_int_equal(s.no, 3);
    assert_int_equal(s.rev, 2);
    assert_true(s.open);
    assert_int_equal(s.n_questions, 11);
    assert_int_equal(s.questions[1].max, 5);
    assert_int_equal(s.questions[9].n_options, 3);
    unit_is_str(s.questions[9].options[2].id, tomo_str("r"));

    tomo_buf_init(&a, text, sizeof(text));
    tomo_survey_put(&a, &s);
    tomo_buf_byte(&a, '\0');
    assert_false(a.failed);

    assert_int_equal(survey_parse((const char *) text, &s), TOMO_OK);

    tomo_buf_init(&b, again, sizeof(again));
    tomo_survey_put(&b, &s);
    tomo_buf_byte(&b, '\0');
    unit_is_str(tomo_buf_str(&a), tomo_buf_str(&b));

    /* what an editor leaves in a text does not get into the form */

    s.intro = tomo_str("\xe2\x80\xae" "a\r\nb\x01");
    tomo_buf_init(&b, again, sizeof(again));
    tomo_survey_put(&b, &s);
    tomo_buf_byte(&b, '\0');
    assert_int_equal(survey_parse((const char *) again, &s), TOMO_OK);
    unit_is_str(s.intro, tomo_str("a\nb"));
}


static void
broken_forms(void **state)
{
    size_t         i;
    char           text[512];
    tomo_survey_t  s;

    static const char *const  tails[] = {
        "",
        "q id=a&kind=text\n",
        "q id=a&label=L\n",
        "q kind=text&label=L\n",
        "q id=a.y&kind=text&label=L\n",
        "q id=A&kind=text&label=L\n",
        "q id=a&kind=file&label=L\n",
        "q id=a&kind=text&label=L\nq id=a&kind=text&label=L\n",
        "q id=a&kind=text&label=L&max=0\n",
        "q id=a&kind=text&label=L&max=x\n",
        "q id=a&kind=text&label=L&max=4294967296\n",
        "q id=a&kind=text&label=L&required=2\n",
        "q id=a&kind=text&label=%00\n",
        "q id=a&kind=text&label=%E2%80%AE\n",
        "q id=a&kind=text&label=%C0%AF\n",
        "q id=a&kind=text&label=%zz\n",
        "q id=a&kind=single&label=L\n",
        "q id=a&kind=text&label=L\no id=x&label=X\n",
        "o id=x&label=X\n",
        "q id=a&kind=single&label=L\no id=x\n",
        "q id=a&kind=single&label=L\no id=x&label=X\no id=x&label=Y\n",
        "q id=a&kind=text&label=L\nsurvey no=1&rev=1&id=s\n",
        "q id=a&kind=text&label=L\nnonsense\n",
    };
    static const char *const  whole[] = {
        "", "\n", "q id=a&kind=text&label=L\n",
        "survey rev=1&id=s\nq id=a&kind=text&label=L\n",
        "survey no=1&id=s\nq id=a&kind=text&label=L\n",
        "survey no=1&rev=1\nq id=a&kind=text&label=L\n",
        "survey no=4294967296&rev=1&id=s\nq id=a&kind=text&label=L\n",
        "survey no=1&rev=1&id=s&open=yes\nq id=a&kind=text&label=L\n",
    };

    (void) state;

    for (i = 0; i < UNIT_N(tails); i++) {
        memset(&s, 0x5a, sizeof(s));
        snprintf(text, sizeof(text), "survey no=1&rev=1&id=s\n%s", tails[i]);
        assert_int_equal(survey_parse(text, &s), TOMO_INVALID);
        assert_int_equal(s.no, 0x5a5a5a5a);
    }

    for (i = 0; i < UNIT_N(whole); i++) {
        assert_int_equal(survey_parse(whole[i], &s), TOMO_INVALID);
    }
}


static void
max_is_cut_to_what_a_kind_holds(void **state)
{
    tomo_survey_t  s;

    (void) state;

    assert_int_equal(survey_parse("survey no=1&rev=1&id=s\n"
                                  "q id=a&kind=number&label=L&max=5000\n"
                                  "q id=b&kind=text&label=L&max=5001\n"
                                  "q id=c&kind=tel&label=L&max=12\n", &s),
                     TOMO_OK);
    assert_int_equal(s.questions[0].max, 18);
    assert_int_equal(s.questions[1].max, TOMO_SURVEY_TEXT_MAX);
    assert_int_equal(s.questions[2].max, 12);
}


/* a form is refused when it is saved, not when it is answered */
static void
forms_over_limits(void **state)
{
    size_t         i, k;
    tomo_buf_t     b;
    tomo_survey_t  s;
    static char    text[256 * 1024];

    (void) state;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "survey no=1&rev=1&id=s\n");

    for (i = 0; i <= TOMO_SURVEY_QUESTIONS; i++) {
        tomo_buf_c(&b, "q kind=text&label=L&id=a");
        tomo_buf_u64(&b, i);
        tomo_buf_byte(&b, '\n');
    }

    tomo_buf_byte(&b, '\0');
    assert_int_equal(survey_parse(text, &s), TOMO_LIMIT);

    for (k = 5; k > 3; k--) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_c(&b, "survey no=1&rev=1&id=s\n");

        for (i = 0; i < k * TOMO_SURVEY_OPTIONS; i++) {

            if (i % TOMO_SURVEY_OPTIONS == 0) {
                tomo_buf_c(&b, "q kind=multi&label=L&id=q");
                tomo_buf_u64(&b, i);
                tomo_buf_byte(&b, '\n');
            }

            tomo_buf_c(&b, "o label=L&id=o");
            tomo_buf_u64(&b, i);
            tomo_buf_byte(&b, '\n');
        }

        tomo_buf_byte(&b, '\0');
        assert_int_equal(survey_parse(text, &s),
                         k == 5 ? TOMO_LIMIT : TOMO_OK);
    }
}


static void
every_prefix(void **state)
{
    size_t         len, cap;
    tomo_rc_e      rc;
    tomo_str_t     text;
    tomo_arena_t   a;
    tomo_survey_t  s;

    (void) state;

    for (len = 0; len < sizeof(survey_all); len++) {
        text = unit_heap(survey_all, len);
        tomo_arena_init(&a, survey_form_memory, sizeof(survey_form_memory));
        rc = tomo_survey_parse(text, &a, &s);
        assert_true(rc == TOMO_OK || rc == TOMO_INVALID);
        unit_free(text);
    }

    for (cap = 0, rc = TOMO_FULL; rc != TOMO_OK && cap < 65536; cap += 8) {
        tomo_arena_init(&a, survey_form_memory, cap);
        rc = tomo_survey_parse(tomo_str_c(survey_all), &a, &s);
        assert_true(rc == TOMO_OK || rc == TOMO_FULL);
    }

    assert_int_equal(rc, TOMO_OK);
}


static void
page_has_what_it_needs(void **state)
{
    size_t         i;
    const char    *p;
    tomo_survey_t  s;

    static const char *const  parts[] = {
        "<html lang=\"ja\">", "name=\"viewport\"", "noindex",
        "<form method=\"post\" action=\"" SURVEY_ACTION "\"",
        "name=\"nonce\" value=\"" SURVEY_NONCE "\"",
        "name=\"rev\" value=\"2\"", "name=\"hp\"", "aria-hidden=\"true\"",
        "inputmode=\"numeric\"", "autocomplete=\"tel\"",
        "autocomplete=\"email\"", "<fieldset role=\"radiogroup\"",
        "value=\"2026\">2026年（令和8年）", "2019年（平成31年・令和元年）",
        "1989年（昭和64年・平成元年）", "1926年（大正15年・昭和元年）",
        "1990年（平成2年）", "1900年（明治33年）", "必須", "任意"
    };
    static const char *const  never[] = {
        "<script", "placeholder", "disabled", "http://", "<img", "<link",
        " onload", "aria-invalid=\""
    };

    (void) state;

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    p = survey_page(&s, NULL);

    for (i = 0; i < UNIT_N(parts); i++) {
        assert_non_null(strstr(p, parts[i]));
    }

    for (i = 0; i < UNIT_N(never); i++) {
        assert_null(strstr(p, never[i]));
    }

    assert_true(strlen(p) < 30 * 1000);
}


/* "no answer" is offered once, whoever thought of it */
static void
optional_radios_can_be_let_go(void **state)
{
    tomo_survey_t  s;

    (void) state;

    assert_int_equal(survey_parse("survey no=1&rev=1&id=s\n"
                                  "q id=a&kind=single&label=L\n"
                                  "o id=x&label=X\n", &s), TOMO_OK);
    assert_int_equal(survey_count(survey_page(&s, NULL), "回答しない"), 1);
    assert_int_equal(survey_count(survey_page(&s, NULL), "value=\"\""), 1);

    s.questions[0].options[0].label = tomo_str("回答しない");
    assert_int_equal(survey_count(survey_page(&s, NULL), "回答しない"), 1);
    assert_int_equal(survey_count(survey_page(&s, NULL), "value=\"\""), 0);

    s.questions[0].required = true;
    s.questions[0].options[0].label = tomo_str("X");
    assert_int_equal(survey_count(survey_page(&s, NULL), "回答しない"), 0);
}


static void
errors_beside_fields_and_above(void **state)
{
    const char      *p;
    tomo_survey_t    s;
    tomo_answers_t   got;

    (void) state;

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    assert_int_equal(survey_read(&s, tomo_str(SURVEY_HEAD
                     "&q.name=abcdef&q.day.y=1990&q.day.m=2&q.day.d=30"
                     "&q.one=b&q.many=q&q.sel=x&q.num=12"), &got), TOMO_OK);
    assert_int_equal(got.errors, 3);

    p = survey_page(&s, &got);

    assert_non_null(strstr(p, "<title>エラー："));
    assert_non_null(strstr(p, "role=\"alert\""));
    assert_int_equal(survey_count(p, "<li><a href=\"#q"), 3);
    assert_non_null(strstr(p, "href=\"#q4-y\""));
    assert_non_null(strstr(p, "id=\"q4-y\""));
    assert_int_equal(survey_count(p, "<p class=\"e\""), 3);
    assert_non_null(strstr(p, "aria-describedby=\"q1-e\""));
    assert_non_null(strstr(p, "value=\"abcdef\""));
    assert_non_null(strstr(p, "<option value=\"1990\" selected>"));
    assert_non_null(strstr(p, "<option value=\"2\" selected>"));
    assert_non_null(strstr(p, "<option value=\"30\" selected>"));
    assert_non_null(strstr(p, "value=\"b\" checked"));
    assert_non_null(strstr(p, "value=\"q\" checked"));
    assert_non_null(strstr(p, "<option value=\"x\" selected>"));
    assert_non_null(strstr(p, "value=\"12\""));
    assert_int_equal(survey_count(p, " checked"), 2);
}


/* B48: the answers that still fit are kept, and nobody is told off */
static void
b48_page_of_a_changed_form(void **state)
{
    const char      *p;
    tomo_survey_t    s;
    tomo_answers_t   got;

    (void) state;

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    assert_int_equal(survey_read(&s, tomo_str("nonce=" SURVEY_NONCE "&rev=1"
                     "&q.name=Taro&q.one=gone&q.old=1"), &got), TOMO_OK);

    p = survey_page(&s, &got);

    assert_non_null(strstr(p, "新しくなりました"));
    assert_non_null(strstr(p, "value=\"Taro\""));
    assert_non_null(strstr(p, "name=\"rev\" value=\"2\""));
    assert_null(strstr(p, "role=\"alert\""));
    assert_null(strstr(p, "gone"));
}


/* a buffer too small is told, at every size */
static void
small_buffer(void **state)
{
    size_t         cap, whole;
    tomo_buf_t     b;
    tomo_survey_t  s;

    (void) state;

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    whole = strlen(survey_page(&s, NULL));

    for (cap = 0; cap < whole; cap += 7) {
        tomo_buf_init(&b, survey_page_memory, cap);
        tomo_survey_page(&b, &s, NULL, tomo_str(SURVEY_NONCE),
                         tomo_str(SURVEY_ACTION), 2026);
        assert_true(b.failed);
    }
}


/* the hash in the policy is that of the style in the page */
static void
policy_names_the_style(void **state)
{
    char           want[96];
    uint8_t        digest[32];
    unsigned       n;
    tomo_buf_t     b;
    const char    *p;
    tomo_survey_t  s;

    (void) state;

    assert_int_equal(EVP_Digest(tomo_survey_style, strlen(tomo_survey_style),
                                digest, &n, EVP_sha256(), NULL), 1);

    tomo_buf_init(&b, want, sizeof(want));
    tomo_buf_c(&b, "style-src 'sha256-");
    tomo_b64_put(&b, tomo_str_n(digest, sizeof(digest)));
    tomo_buf_c(&b, "';");
    tomo_buf_byte(&b, '\0');
    assert_false(b.failed);

    if (strstr(TOMO_SURVEY_CSP, want) == NULL) {
        fail_msg("TOMO_SURVEY_CSP must say %s", want);
    }

    assert_int_equal(survey_parse(survey_all, &s), TOMO_OK);
    p = strstr(survey_page(&s, NULL), "<style>");
    assert_non_null(p);
    assert_memory_equal(p + 7, tomo_survey_style, strlen(tomo_survey_style));
    assert_memory_equal(p + 7 + strlen(tomo_survey_style), "</style>", 8);
    assert_int_equal(survey_count(survey_page(&s, NULL), " style="), 0);
}


/* B38: nothing in these pages tells which survey it was */
static void
b38_pages_of_one_sentence(void **state)
{
    const char  *p = (const char *) survey_page_memory;
    tomo_buf_t   b;

    (void) state;

    tomo_buf_init(&b, survey_page_memory, TOMO_SURVEY_NOTE_MAX);
    tomo_survey_busy(&b);
    assert_false(b.failed);
    tomo_buf_init(&b, survey_page_memory, TOMO_SURVEY_NOTE_MAX);
    tomo_survey_refused(&b);
    assert_false(b.failed);
    tomo_buf_init(&b, survey_page_memory, TOMO_SURVEY_NOTE_MAX);
    tomo_survey_link_busy(&b);
    assert_false(b.failed);
    tomo_buf_init(&b, survey_page_memory, TOMO_SURVEY_NOTE_MAX);
    tomo_survey_link_gone(&b);
    assert_false(b.failed);
    tomo_buf_init(&b, survey_page_memory, TOMO_SURVEY_NOTE_MAX);
    tomo_survey_gone(&b);
    tomo_buf_byte(&b, '\0');
    assert_false(b.failed);
    assert_int_equal(survey_count(p, "<!DOCTYPE html>"), 1);
    assert_int_equal(survey_count(p, "<h1>"), 1);
    assert_int_equal(survey_count(p, "<form"), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(form_round_trip),
        cmocka_unit_test(broken_forms),
        cmocka_unit_test(max_is_cut_to_what_a_kind_holds),
        cmocka_unit_test(forms_over_limits),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(page_has_what_it_needs),
        cmocka_unit_test(optional_radios_can_be_let_go),
        cmocka_unit_test(errors_beside_fields_and_above),
        cmocka_unit_test(b48_page_of_a_changed_form),
        cmocka_unit_test(small_buffer),
        cmocka_unit_test(policy_names_the_style),
        cmocka_unit_test(b38_pages_of_one_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
