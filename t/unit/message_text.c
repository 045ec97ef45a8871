/* message_text: what is blank, and where a text that is too long is cut */

#include <string.h>

#include "unit.h"
#include "worker/model/message.h"


static void
blank(void **state)
{
    size_t  i;

    static const char *const  yes[] = {
        "", " ", "\t\r\n ", "\xe3\x80\x80", "\xc2\xa0\xe2\x80\x8b",
        "\xef\xbb\xbf", " \xe2\x81\xa0 "
    };

    static const char *const  no[] = {
        "x", " . ", "\xe3\x80\x80\xe5\x8f\x8b", "\xf0\x9f\x8d\x8e", "0"
    };

    (void) state;

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(message_text_blank(tomo_str_c(yes[i])));
    }

    for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(message_text_blank(tomo_str_c(no[i])));
    }
}


static void
maybe_blank(void **state)
{
    size_t        i, at;
    uint8_t       memory[8192];
    const char   *why;
    tomo_arena_t  arena;
    tomo_tmpl_t   t;

    static const struct {
        const char  *text;
        bool         maybe;
    } cases[] = {
        { "{{name}}", true }, { " {{name}}\n{{field:x}} ", true },
        { "{{name| }}", true }, { "{{name|you}}", false },
        { "{{name}}!", false }, { "{{link:x}}", false },
        { "{{name}}{{survey:x}}", false }, { "{{{{", false }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tomo_arena_init(&arena, memory, sizeof(memory));
        assert_int_equal(tomo_tmpl_parse(tomo_str_c(cases[i].text), &arena,
                                         &t, &at, &why), TOMO_OK);
        assert_int_equal(message_text_maybe_blank(&t), cases[i].maybe);
    }
}


static void
is_cut(const char *text, size_t max, const char *left)
{
    tomo_str_t  s = tomo_str_c(text);

    s.len = message_text_cut(s, max);
    assert_int_equal(s.len, strlen(left));
    assert_memory_equal(s.data, left, s.len);
}


static void
cut(void **state)
{
    size_t  max;
    char    text[6000];

    (void) state;
    is_cut("abc", 3, "abc");
    is_cut("abcd", 3, "abc");
    is_cut("see https://x.example/abc", 25, "see https://x.example/abc");

    /* wherever it falls in the address, the address goes */
    for (max = 4; max < 25; max++) {
        is_cut("see https://x.example/abc", max, "see ");
        is_cut("see https://x.example/abc and", max, "see ");
    }

    is_cut("see https://x.example/abc and", 25, "see https://x.example/abc");
    is_cut("see https://x.example/abc and", 28,
           "see https://x.example/abc an");
    is_cut("\xe5\x8f\x8bhttp://x.example/abc", 10, "\xe5\x8f\x8b");
    is_cut("\xe5\x8f\x8bhttp://x.example/\xe5\x8f\x8b\xe5\x8f\x8b", 19,
           "\xe5\x8f\x8bhttp://x.example/\xe5\x8f\x8b");
    is_cut("http://a.example/http://b.example/", 30,
           "http://a.example/");

    /* longer than any address: text */
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "https://", 8);
    assert_int_equal(message_text_cut(tomo_str_c(text), 5000), 5000);
    assert_int_equal(message_text_cut(tomo_str_c(text), 10), 10);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(blank),
        cmocka_unit_test(maybe_blank),
        cmocka_unit_test(cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
