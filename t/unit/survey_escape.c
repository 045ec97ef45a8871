/*
 * tomo_survey: B39 and F3: no text that was posted or defined runs on a page,
 * whatever field it came through.
 */

#include "survey.h"
#include "tomo_codec.h"


static const char *const  payloads[] = {
    "<script>alert(1)</script>", "\"><svg onload=alert(1)>",
    "'><img src=x onerror=alert(1)>", "</textarea><script>x</script>",
    "</title><script>x</script>", "</style><script>x</script>",
    "</option></select><b>", "</legend><i>", "</label><b>", "<!--", "-->",
    "<![CDATA[x]]>", "javascript:alert(1)", "data:text/html,<b>", "&lt;b&gt;",
    "&#60;b&#62;", "\" onfocus=alert(1) autofocus x=\"",
    "' onmouseover='alert(1)", "` onclick=`x`", "\"/><iframe src=//evil>",
    "<a href=\"javascript:x\">y</a>", "<math><mtext></mtext></math>",
    "<base href=//evil/>", "<meta http-equiv=refresh content=0>",
    "<form action=//evil>", "<input name=nonce value=x>", "<svg/onload=x>",
    "<object data=x>", "<embed src=x>", "<link rel=stylesheet href=x>",
    "<style>*{}</style>", "<body onload=x>", "<details open ontoggle=x>",
    "<video><source onerror=x>", "<marquee onstart=x>", "\\\"><b>",
    "\"\"><b>", "<b/x='", "<B>", "<ScRiPt>", ("<\xe3\x80\x80" "b>"),
    "{{name}}<b>", "%3Cscript%3E<b>", "+ADw-script+AD4-<b>",
    "https://x/\"><b>", "https://x/'onclick='y<b>", "HTTPS://x<b>",
    "=cmd|'/c calc'!A1<b>", "1;<b>", "a\"b'c<d>e&f",
};


/* the payload is there only escaped: no byte of it can open or end anything */
static void
never_raw(const char *p, const char *payload, size_t tags)
{
    if (strpbrk(payload, "<>\"'") != NULL) {
        assert_null(strstr(p, payload));
    }

    assert_int_equal(survey_count(p, "<"), tags);
    assert_int_equal(survey_count(p, "\"") % 2, 0);
}


/* F3, B39: through every field that takes text, back onto the page */
static void
f3_posted_payloads(void **state)
{
    size_t          i, k, tags;
    char            text[1024];
    uint8_t         body[4096];
    tomo_buf_t      b;
    tomo_survey_t   s;
    tomo_answers_t  got;

    static const char *const  kinds[] = {
        "text", "long_text", "number", "date", "tel", "mail", "single",
        "select", "multi", "consent"
    };
    static const char *const  names[] = { "q.a", "q.a.y", "q.a.m", "q.a.d" };

    (void) state;

    for (k = 0; k < UNIT_N(kinds); k++) {
        snprintf(text, sizeof(text), "survey no=1&rev=2&id=s\n"
                 "q id=a&kind=%s&label=L&max=1\n%sq id=z&kind=text&label=Z&"
                 "required=1\n", kinds[k], strchr("sm", kinds[k][0]) != NULL
                 && strcmp(kinds[k], "mail") != 0 ? "o id=o&label=O\n" : "");
        assert_int_equal(survey_parse(text, &s), TOMO_OK);

        for (i = 0; i < UNIT_N(payloads); i++) {
            size_t  n;

            tomo_buf_init(&b, body, sizeof(body));
            tomo_buf_c(&b, SURVEY_HEAD);

            for (n = 0; n < UNIT_N(names); n++) {
                tomo_buf_byte(&b, '&');
                tomo_buf_c(&b, names[n]);
                tomo_buf_byte(&b, '=');
                tomo_percent_put(&b, tomo_str_c(payloads[i]));
            }

            assert_false(b.failed);
            assert_int_equal(survey_read(&s, tomo_buf_str(&b), &got),
                             TOMO_OK);
            assert_true(got.errors >= 1);

            /* the same page with nothing to escape has as many tags */
            survey_page(&s, &got);
            tags = survey_count((const char *) survey_page_memory, "<");

            for (n = 0; n < got.given[0].n_values; n++) {
                got.given[0].values[n] = tomo_str("plain");
            }

            assert_int_equal(tags, survey_count(survey_page(&s, &got), "<"));

            assert_int_equal(survey_read(&s, tomo_buf_str(&b), &got),
                             TOMO_OK);
            never_raw(survey_page(&s, &got), payloads[i], tags);
        }
    }
}


static void
defined_page(tomo_survey_t *s, const char *payload)
{
    tomo_str_t       t = tomo_str_c(payload);
    tomo_option_t    o[] = { { tomo_str("o"), t } };
    tomo_question_t  q[] = {
        { tomo_str("a"), TOMO_QUESTION_HEADING, t, t, false, 0, NULL, 0 },
        { tomo_str("b"), TOMO_QUESTION_TEXT, t, t, true, 9, NULL, 0 },
        { tomo_str("c"), TOMO_QUESTION_MULTI, t, t, false, 0, o, 1 },
        { tomo_str("d"), TOMO_QUESTION_SELECT, t, t, false, 0, o, 1 },
        { tomo_str("e"), TOMO_QUESTION_CONSENT, t, t, true, 0, NULL, 0 },
    };

    s->title = t;
    s->intro = t;
    s->submit = t;
    s->thanks = t;
    s->questions = q;
    s->n_questions = UNIT_N(q);

    (void) survey_page(s, NULL);
}


/* F3: and what a definition says is text as well */
static void
f3_defined_payloads(void **state)
{
    size_t         i, tags, links;
    tomo_buf_t     b;
    const char    *p = (const char *) survey_page_memory;
    tomo_survey_t  s;

    (void) state;

    memset(&s, 0, sizeof(s));

    defined_page(&s, "plain");
    tags = survey_count(p, "<");

    for (i = 0; i < UNIT_N(payloads); i++) {
        defined_page(&s, payloads[i]);

        links = survey_count(p, "<a href=\"https://x/");
        assert_int_equal(links, survey_count(p, "<a "));
        never_raw(p, payloads[i], tags + 2 * links);

        tomo_buf_init(&b, survey_page_memory, sizeof(survey_page_memory));
        tomo_survey_thanks(&b, &s);
        tomo_buf_byte(&b, '\0');
        assert_false(b.failed);

        if (strpbrk(payloads[i], "<>\"'") != NULL) {
            assert_null(strstr(p, payloads[i]));
        }
    }
}


static void
addresses_become_links(void **state)
{
    tomo_survey_t  s;

    (void) state;

    memset(&s, 0, sizeof(s));

    defined_page(&s, "（https://a.example/p?q=1&r=2、https://b.example/。）");
    assert_non_null(strstr((char *) survey_page_memory,
                    "（<a href=\"https://a.example/p?q=1&amp;r=2\""));
    assert_non_null(strstr((char *) survey_page_memory,
                    "<a href=\"https://b.example/\" target=\"_blank\" "
                    "rel=\"noopener noreferrer\">https://b.example/</a>。"));

    defined_page(&s, "https:// http://a.example javascript:x ahttps//b");
    assert_null(strstr((char *) survey_page_memory, "<a "));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(f3_posted_payloads),
        cmocka_unit_test(f3_defined_payloads),
        cmocka_unit_test(addresses_become_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
