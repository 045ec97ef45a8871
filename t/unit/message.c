/*
 * model/message: messages as LINE would take or refuse them (B63), and texts
 * with inserts filled in (B62).
 */

#include "unit.h"
#include "worker/model/defs.h"
#include "worker/model/def_field.h"
#include "worker/model/message.h"


#define ACT     "{\"type\":\"message\",\"label\":\"a\",\"text\":\"b\"}"
#define COLUMN(n)  "{\"text\":\"t\",\"actions\":[" n "]}"
#define TEMPLATE(t)                                                           \
    "{\"type\":\"template\",\"altText\":\"a\",\"template\":" t "}"
#define FLEX(t)  "{\"type\":\"flex\",\"altText\":\"a\",\"contents\":" t "}"
#define QUICK(t)  "{\"type\":\"text\",\"text\":\"q\",\"quickReply\":" t "}"
#define URL     "\"https://e.example/a\""

static _Alignas(16) uint8_t  memory[2][4 << 20];


typedef struct {
    const char  *message;
    const char  *fault;         /* NULL: taken */
} case_t;


static messages_t *
compiled(tomo_str_t list, check_t *c)
{
    json_t         *root;
    defs_t         *none;
    tomo_buf_t      b;
    messages_t     *m;
    tomo_arena_t    tree, arena;
    static uint8_t  text[1 << 20];

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_c(&b, "{\"messages\":");
    tomo_buf_put(&b, list);
    tomo_buf_c(&b, "}");
    tomo_arena_init(&tree, memory[0], sizeof(memory[0]));
    tomo_arena_init(&arena, memory[1], sizeof(memory[1]));
    assert_int_equal(json_parse(tomo_buf_str(&b), NULL, &tree, &root, NULL),
                     TOMO_OK);
    none = defs_create();
    assert_non_null(none);
    check_init(c, none, &arena);
    m = messages_compile(c, root, "messages");
    defs_free(none);

    return m;
}


static void
each(const case_t *cases, size_t n)
{
    size_t      i;
    char        list[8192];
    check_t     c;

    for (i = 0; i < n; i++) {
        snprintf(list, sizeof(list), "[%s]", cases[i].message);
        (void) compiled(tomo_str_c(list), &c);

        if (cases[i].fault == NULL) {
            if (c.failed) {
                fail_msg("%s: %s %s", cases[i].message, c.fault, c.why);
            }

        } else if (!c.failed || strcmp(c.fault, cases[i].fault) != 0) {
            fail_msg("%s: %s instead of %s", cases[i].message,
                     c.failed ? c.fault : "taken", cases[i].fault);
        }
    }
}


static void
kinds(void **state)
{
    static const case_t  cases[] = {
        { "{\"type\":\"text\",\"text\":\"x\"}", NULL },
        { "{\"type\":\"text\"}", "/messages/0/text" },
        { "{\"type\":\"text\",\"text\":7}", "/messages/0/text" },
        { "{\"type\":\"letter\",\"text\":\"x\"}", "/messages/0/type" },
        { "{}", "/messages/0/type" },
        { "7", "/messages/0" },
        { "{\"type\":\"sticker\",\"packageId\":\"1\",\"stickerId\":\"2\"}",
          NULL },
        { "{\"type\":\"sticker\",\"packageId\":\"1\"}",
          "/messages/0/stickerId" },
        { "{\"type\":\"image\",\"originalContentUrl\":" URL
          ",\"previewImageUrl\":" URL "}", NULL },
        { "{\"type\":\"image\",\"originalContentUrl\":" URL
          ",\"previewImageUrl\":\"http://e.example/a\"}",
          "/messages/0/previewImageUrl" },
        { "{\"type\":\"audio\",\"originalContentUrl\":" URL
          ",\"duration\":60000}", NULL },
        { "{\"type\":\"audio\",\"originalContentUrl\":" URL "}",
          "/messages/0/duration" },
        { "{\"type\":\"audio\",\"originalContentUrl\":" URL
          ",\"duration\":0}", "/messages/0/duration" },
        { "{\"type\":\"location\",\"title\":\"t\",\"address\":\"a\","
          "\"latitude\":35.6,\"longitude\":139.7}", NULL },
        { "{\"type\":\"location\",\"title\":\"t\",\"address\":\"a\","
          "\"latitude\":\"35\",\"longitude\":1}", "/messages/0/latitude" },
        { "{\"type\":\"imagemap\",\"baseUrl\":" URL ",\"altText\":\"a\","
          "\"baseSize\":{\"width\":1040,\"height\":1040},\"actions\":[]}",
          "/messages/0/actions" },
        { "{\"type\":\"imagemap\",\"baseUrl\":" URL ",\"altText\":\"a\","
          "\"baseSize\":7,\"actions\":[{}]}", "/messages/0/baseSize" },
    };

    (void) state;
    each(cases, UNIT_N(cases));
}


static void
templates(void **state)
{
    static const case_t  cases[] = {
        { TEMPLATE("{\"type\":\"buttons\",\"text\":\"t\",\"actions\":[" ACT
                   "]}"), NULL },
        { TEMPLATE("{\"type\":\"buttons\",\"title\":\"t\",\"text\":\"t\","
                   "\"actions\":[" ACT "," ACT "," ACT "," ACT "," ACT "]}"),
          "/messages/0/template/actions" },
        { TEMPLATE("{\"type\":\"buttons\",\"text\":\"t\",\"actions\":[7]}"),
          "/messages/0/template/actions/0" },
        { TEMPLATE("{\"type\":\"confirm\",\"text\":\"t\",\"actions\":[" ACT
                   "," ACT "]}"), NULL },
        { TEMPLATE("{\"type\":\"confirm\",\"text\":\"t\",\"actions\":[" ACT
                   "]}"), "/messages/0/template/actions" },
        { TEMPLATE("{\"type\":\"carousel\",\"columns\":[" COLUMN(ACT) ","
                   COLUMN(ACT) "]}"), NULL },
        { TEMPLATE("{\"type\":\"carousel\",\"columns\":[" COLUMN(ACT) ","
                   COLUMN(ACT "," ACT) "]}"),
          "/messages/0/template/columns/1/actions" },
        { TEMPLATE("{\"type\":\"carousel\",\"columns\":[7]}"),
          "/messages/0/template/columns/0" },
        { TEMPLATE("{\"type\":\"carousel\"}"),
          "/messages/0/template/columns" },
        { TEMPLATE("{\"type\":\"image_carousel\",\"columns\":[{\"imageUrl\":"
                   URL ",\"action\":" ACT "}]}"), NULL },
        { TEMPLATE("{\"type\":\"image_carousel\",\"columns\":[{\"imageUrl\":"
                   URL "}]}"), "/messages/0/template/columns/0/action" },
        { TEMPLATE("{\"type\":\"poem\"}"), "/messages/0/template/type" },
        { TEMPLATE("7"), "/messages/0/template" },
    };

    (void) state;
    each(cases, UNIT_N(cases));
}


static void
actions(void **state)
{
    static const case_t  cases[] = {
        { FLEX("{\"type\":\"bubble\"}"), NULL },
        { FLEX("{\"type\":\"box\"}"), "/messages/0/contents/type" },
        { FLEX("{\"type\":\"carousel\",\"contents\":[{\"type\":\"bubble\"}"
               "]}"), NULL },
        { FLEX("{\"type\":\"carousel\"}"), "/messages/0/contents/contents" },
        { FLEX("{\"type\":\"bubble\",\"body\":{\"contents\":[7,{\"action\":"
               "{\"type\":\"uri\",\"uri\":\"tel:1\"}}]}}"), NULL },
        { FLEX("{\"type\":\"bubble\",\"body\":{\"contents\":[{\"action\":"
               "{\"type\":\"uri\",\"uri\":\"javascript:alert(1)\"}}]}}"),
          "/messages/0/contents/body/contents/0/action/uri" },
        { FLEX("{\"type\":\"bubble\",\"body\":{\"action\":{\"type\":"
               "\"dance\"}}}"), "/messages/0/contents/body/action/type" },
        { QUICK("{\"items\":[{\"type\":\"action\",\"action\":" ACT "}]}"),
          NULL },
        { QUICK("{\"items\":[{\"action\":{\"type\":\"camera\",\"label\":\"c\""
                "}},{\"action\":{\"type\":\"clipboard\",\"label\":\"c\","
                "\"clipboardText\":\"x\"}}]}"), NULL },
        { QUICK("{\"items\":[{\"type\":\"action\"}]}"),
          "/messages/0/quickReply/items/0/action" },
        { QUICK("{\"items\":[{\"action\":{\"type\":\"postback\",\"label\":"
                "\"a\"}}]}"),
          "/messages/0/quickReply/items/0/action/data" },
        { QUICK("{\"items\":[{\"action\":{\"type\":\"message\",\"text\":\"a\""
                "}}]}"), "/messages/0/quickReply/items/0/action/label" },
        { QUICK("{\"items\":[]}"), "/messages/0/quickReply/items" },
        { QUICK("7"), "/messages/0/quickReply" },
    };

    (void) state;
    each(cases, UNIT_N(cases));
}


/* B63: one unit of UTF-16 beyond what LINE takes; six messages */
static void
limits(void **state)
{
    size_t          i, n;
    check_t         c;
    tomo_buf_t      b;
    static uint8_t  text[256 * 1024];

    (void) state;

    for (n = MESSAGE_TEXT_MAX; n <= MESSAGE_TEXT_MAX + 2; n += 2) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_buf_c(&b, "[{\"type\":\"text\",\"text\":\"");

        for (i = 0; i < n / 2; i++) {
            tomo_buf_c(&b, "\xf0\x9f\x98\x80");     /* two units */
        }

        tomo_buf_c(&b, "\"}]");
        (void) compiled(tomo_buf_str(&b), &c);
        assert_int_equal(c.failed, n > MESSAGE_TEXT_MAX);
    }

    for (n = MESSAGE_BUBBLES_MAX; n <= MESSAGE_BUBBLES_MAX + 1; n++) {
        tomo_buf_reset(&b);

        for (i = 0; i < n; i++) {
            tomo_buf_c(&b, i > 0 ? "," : "[");
            tomo_buf_c(&b, "{\"type\":\"text\",\"text\":\"x\"}");
        }

        tomo_buf_c(&b, "]");
        (void) compiled(tomo_buf_str(&b), &c);
        assert_int_equal(c.failed, n > MESSAGE_BUBBLES_MAX);
    }

    /* a bubble of 31 KB */
    tomo_buf_reset(&b);
    tomo_buf_c(&b, "[{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{"
               "\"type\":\"bubble\",\"x\":\"");

    for (i = 0; i < 31 * 1024; i++) {
        tomo_buf_byte(&b, 'x');
    }

    tomo_buf_c(&b, "\"}}]");
    (void) compiled(tomo_buf_str(&b), &c);
    assert_true(c.failed);
    assert_string_equal(c.fault, "/messages/0/contents");
}


static tomo_str_t
named(void *ctx, const tomo_part_t *part)
{
    (void) part;

    return *(tomo_str_t *) ctx;
}


/* B62: a value is the inside of a string, and cut where LINE would refuse */
static void
renders(void **state)
{
    check_t         c;
    tomo_buf_t      b, name;
    tomo_str_t      s;
    messages_t     *m;
    static uint8_t  out[256 * 1024], long_name[20000];

    (void) state;
    m = compiled(tomo_str("[{\"type\":\"text\",\"text\":\"Hi {{name|you}}!\"}"
                          "]"), &c);
    assert_false(c.failed);
    assert_true(m->personal);
    s = tomo_str("\"},{\"x\":\"\\{{name}}\n");
    tomo_buf_init(&b, out, sizeof(out));
    assert_int_equal(message_render(&m->items[0], named, &s, &b),
                     MESSAGE_WHOLE);
    unit_is_str(tomo_buf_str(&b), tomo_str(
        "{\"type\":\"text\",\"text\":\"Hi \\\"},{\\\"x\\\":\\\"\\\\{{name}}"
        "\\n!\"}"));
    tomo_buf_reset(&b);
    s = tomo_str_null;
    assert_int_equal(message_render(&m->items[0], named, &s, &b),
                     MESSAGE_WHOLE);
    unit_is_str(tomo_buf_str(&b),
                tomo_str("{\"type\":\"text\",\"text\":\"Hi you!\"}"));

    tomo_buf_init(&name, long_name, sizeof(long_name));

    while (!name.failed) {
        tomo_buf_c(&name, "\xf0\x9f\x98\x80");
    }

    s = tomo_buf_str(&name);
    tomo_buf_reset(&b);
    assert_int_equal(message_render(&m->items[0], named, &s, &b),
                     MESSAGE_CUT);
    assert_false(b.failed);
    assert_true(b.len > 4 * (MESSAGE_TEXT_MAX / 2 - 4)
                && b.len < 4 * (MESSAGE_TEXT_MAX / 2) + 64);
}


/* what a friend reads of a field: labels, not the ids that are stored */
static void
shows(void **state)
{
    defs_t             *none, *set;
    uint8_t             text[128];
    def_edit_t          edit;
    tomo_buf_t          b;
    def_fault_t         fault;
    const def_field_t  *field;

    (void) state;
    edit.kind = tomo_str("field");
    edit.id = tomo_str("f");
    edit.document = tomo_str("{\"kind\":\"field\",\"id\":\"f\",\"name\":\"F\","
                             "\"type\":\"multi\",\"options\":[{\"id\":\"a\","
                             "\"label\":\"Aa\"},{\"id\":\"b\",\"label\":"
                             "\"Bb\"}]}");
    none = defs_create();
    set = defs_change(none, &edit, 1, &fault);
    assert_non_null(set);
    field = defs_at(set, 0)->compiled;
    tomo_buf_init(&b, text, sizeof(text));
    def_field_show(field, tomo_str("b\na\ngone"), &b);
    unit_is_str(tomo_buf_str(&b), tomo_str("Bb、Aa、gone"));
    tomo_buf_reset(&b);
    def_field_show(field, tomo_str_null, &b);
    assert_int_equal(b.len, 0);
    defs_free(set);

    edit.document = tomo_str("{\"kind\":\"field\",\"id\":\"f\",\"name\":\"F\","
                             "\"type\":\"text\"}");
    set = defs_change(none, &edit, 1, &fault);
    assert_non_null(set);
    def_field_show(defs_at(set, 0)->compiled, tomo_str("a\nb"), &b);
    unit_is_str(tomo_buf_str(&b), tomo_str("a\nb"));
    defs_free(set);
    defs_free(none);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(templates),
        cmocka_unit_test(actions),
        cmocka_unit_test(limits),
        cmocka_unit_test(renders),
        cmocka_unit_test(shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
