/*
 * tomo_tmpl: B62 (unknown inserts are refused with their place; the value of
 * an insert is data, never a template), limits, every prefix, full memory.
 */

#include "unit.h"
#include "tomo_tmpl.h"

#include <stdlib.h>


static uint8_t  memory[64 * 1024];


typedef struct {
    tomo_str_t  name;
    tomo_str_t  others;         /* of every field, link and survey */
} values_t;


static tomo_str_t
value_of(void *ctx, const tomo_part_t *part)
{
    values_t  *v = ctx;

    return part->kind == TOMO_PART_NAME ? v->name : v->others;
}


static tomo_rc_e
parse(const char *text, tomo_tmpl_t *t, size_t *at, const char **why)
{
    tomo_arena_t  a;

    tomo_arena_init(&a, memory, sizeof(memory));

    return tomo_tmpl_parse(tomo_str_c(text), &a, t, at, why);
}


static void
renders(const char *text, const char *name, const char *others,
    const char *want)
{
    size_t       at;
    values_t     v = { tomo_str_c(name), tomo_str_c(others) };
    uint8_t      out[1024];
    const char  *why;
    tomo_buf_t   b;
    tomo_tmpl_t  t;

    assert_int_equal(parse(text, &t, &at, &why), TOMO_OK);

    tomo_buf_init(&b, out, sizeof(out));
    tomo_tmpl_render(&t, value_of, &v, &b);
    assert_false(b.failed);
    unit_is_str(tomo_buf_str(&b), tomo_str_c(want));
}


static void
texts_with_inserts(void **state)
{
    (void) state;

    renders("", "A", "B", "");
    renders("plain } text {", "A", "B", "plain } text {");
    renders("{{name}}", "友", "B", "友");
    renders("{{name}}さん、{{link:catalog}}", "友", "http://t/",
            "友さん、http://t/");
    renders("{{survey:a.b-c_1}}", "A", "u", "u");
    renders("{{name|お客様}}さま", "", "", "お客様さま");
    renders("{{name|お客様}}さま", "友", "", "友さま");
    renders("{{field:birth|}}.", "A", "", ".");
    renders("{{field:birth}}.", "A", "", ".");
    renders("{{field:birth|a|b}}", "A", "", "a|b");
    renders("{{{{name}}", "A", "B", "{{name}}");
    renders("a{{{{{{name}}b", "A", "B", "a{{Ab");
    renders("{{{{", "A", "B", "{{");
    renders("{{{{{{{{", "A", "B", "{{{{");
    renders("}}{{name}}}}", "A", "B", "}}A}}");
}


/* whatever a friend calls himself, it is printed, not read */
static void
b62_values_are_data(void **state)
{
    size_t  i;

    static const char *const  values[] = {
        "{{name}}", "{{field:secret}}", "{{{{", "}}", "\"\\\n", "{{link:x",
        "%s%n", "<b>", "|", "{{name|x}}"
    };

    (void) state;

    for (i = 0; i < UNIT_N(values); i++) {
        renders("{{name}}", values[i], "", values[i]);
        renders("{{field:f|x}}", "", values[i], values[i]);
    }
}


static void
b62_unknown_inserts_are_refused(void **state)
{
    size_t       i, at;
    const char  *why;
    tomo_tmpl_t  t;

    static const struct {
        const char  *text;
        size_t       at;
    } cases[] = {
        { "{{nmae}}", 0 },              { "ab{{}}", 2 },
        { "ab{{ name }}", 2 },          { "{{name:x}}", 0 },
        { "{{env:HOME}}", 0 },          { "{{secret}}", 0 },
        { "{{field}}", 0 },             { "{{field:}}", 0 },
        { "{{field:A}}", 0 },           { "{{field:../x}}", 0 },
        { "{{field:a b}}", 0 },         { "{{link:}}", 0 },
        { "{{link:x|y}}", 0 },          { "{{survey:x|}}", 0 },
        { "友{{name", 3 },              { "{{name}", 0 },
        { "{{name}}{{", 8 },            { "{{{name}}}", 0 },
        { "{{name|{{name}}}}", 0 },     { "{{NAME}}", 0 },
    };

    (void) state;

    for (i = 0; i < UNIT_N(cases); i++) {
        at = 99;
        why = NULL;
        memset(&t, 0x5a, sizeof(t));

        assert_int_equal(parse(cases[i].text, &t, &at, &why), TOMO_INVALID);
        assert_int_equal(at, cases[i].at);
        assert_non_null(why);
        assert_int_equal(t.n, 0x5a5a5a5a5a5a5a5a);
    }
}


static void
personal_only_with_an_insert(void **state)
{
    size_t       at;
    const char  *why;
    tomo_tmpl_t  t;

    (void) state;

    assert_int_equal(parse("x{{{{name}}", &t, &at, &why), TOMO_OK);
    assert_false(t.personal);
    assert_int_equal(parse("x{{link:a}}", &t, &at, &why), TOMO_OK);
    assert_true(t.personal);
}


static void
parts_are_limited(void **state)
{
    size_t       i, at;
    char         text[(TOMO_TMPL_PARTS + 1) * 8 + 1];
    const char  *why;
    tomo_tmpl_t  t;

    (void) state;

    for (i = 0; i <= TOMO_TMPL_PARTS; i++) {
        memcpy(text + i * 8, "{{name}}", 9);
    }

    assert_int_equal(parse(text, &t, &at, &why), TOMO_LIMIT);

    text[TOMO_TMPL_PARTS * 8] = '\0';
    assert_int_equal(parse(text, &t, &at, &why), TOMO_OK);
    assert_int_equal(t.n, TOMO_TMPL_PARTS);
}


/* no prefix reads further than it is long */
static void
every_prefix(void **state)
{
    size_t        len, at;
    tomo_rc_e     rc;
    const char   *why;
    tomo_str_t    s;
    tomo_tmpl_t   t;
    tomo_arena_t  a;

    static const char  text[] = "a{{name|友}}{{{{b{{field:x|}}{{link:l}}}}";

    (void) state;

    for (len = 0; len < sizeof(text); len++) {
        s = unit_heap(text, len);
        tomo_arena_init(&a, memory, sizeof(memory));

        rc = tomo_tmpl_parse(s, &a, &t, &at, &why);
        assert_true(rc == TOMO_OK || rc == TOMO_INVALID);
        assert_true(rc == TOMO_OK || at < len);

        unit_free(s);
    }
}


static void
small_memory(void **state)
{
    size_t        cap, at;
    values_t      v = { tomo_str("name"), tomo_str("other") };
    uint8_t       out[32];
    tomo_rc_e     rc;
    const char   *why;
    tomo_buf_t    b;
    tomo_tmpl_t   t;
    tomo_arena_t  a;

    (void) state;

    for (cap = 0; cap < 512; cap += 8) {
        tomo_arena_init(&a, memory, cap);
        rc = tomo_tmpl_parse(tomo_str("a{{name}}b{{link:x}}c"), &a, &t, &at,
                             &why);
        assert_true(rc == TOMO_OK || rc == TOMO_FULL);

        if (rc == TOMO_OK) {
            break;
        }
    }

    assert_true(cap < 512);

    for (cap = 0; cap < sizeof("anamebotherc") - 1; cap++) {
        tomo_buf_init(&b, out, cap);
        tomo_tmpl_render(&t, value_of, &v, &b);
        assert_true(b.failed);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(texts_with_inserts),
        cmocka_unit_test(b62_values_are_data),
        cmocka_unit_test(b62_unknown_inserts_are_refused),
        cmocka_unit_test(personal_only_with_an_insert),
        cmocka_unit_test(parts_are_limited),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(small_memory),
    };

    return cmocka_run_group_tests_name("tmpl", tests, NULL, NULL);
}
