/*
 * tomo_entry: stream entries, clicks and answers.
 */

#include "tomo_entry.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

#include <string.h>


#define ENTRY_UA_MAX     256
#define ENTRY_NONCE_LEN  22
#define ENTRY_NAME       12         /* room for "&delivery=" */
#define ENTRY_DIGITS     10         /* of 32 bits */

/* in the order of an entry's fields */
static const char  entry_fields[] = "vktob";

static const struct {
    tomo_entry_kind_e  kind;
    const char        *name;
} entry_kinds[] = {
#define ENTRY_ROW(name, number, ...)  { TOMO_ENTRY_##name, #name },
    TOMO_ENTRY_KINDS(ENTRY_ROW)
#undef ENTRY_ROW
};

/* indexed by tomo_visit_e */
static const char *const  entry_visits[] = {
    "human", "preview", "head", "prefetch"
};


const char *
tomo_entry_kind_name(unsigned kind)
{
    size_t  i;

    for (i = 0; i < sizeof(entry_kinds) / sizeof(entry_kinds[0]); i++) {
        if (entry_kinds[i].kind == kind) {
            return entry_kinds[i].name;
        }
    }

    return NULL;
}


tomo_entry_kind_e
tomo_entry_kind_parse(tomo_str_t name)
{
    size_t  i;

    for (i = 0; i < sizeof(entry_kinds) / sizeof(entry_kinds[0]); i++) {
        if (tomo_str_eq(name, tomo_str_c(entry_kinds[i].name))) {
            return entry_kinds[i].kind;
        }
    }

    return TOMO_ENTRY_NONE;
}


/* the bytes appended since `from` */
static tomo_str_t
entry_since(const tomo_buf_t *b, size_t from)
{
    return tomo_str_n(b->data + from, b->len - from);
}


tomo_rc_e
tomo_entry_encode(const tomo_entry_t *e, tomo_buf_t *text,
    tomo_str_t argv[2 * TOMO_ENTRY_FIELDS])
{
    size_t       i, from;
    tomo_str_t   values[TOMO_ENTRY_FIELDS];
    const char  *name;

    name = tomo_entry_kind_name(e->kind);

    if (name == NULL) {
        return TOMO_INVALID;
    }

    from = text->len;
    tomo_buf_u64(text, TOMO_ENTRY_VERSION);
    values[0] = entry_since(text, from);

    values[1] = tomo_str_c(name);

    from = text->len;
    tomo_buf_i64(text, e->at_ms);
    values[2] = entry_since(text, from);

    from = text->len;
    tomo_buf_hex64(text, e->writer);
    tomo_buf_byte(text, '-');
    tomo_buf_u64(text, e->seq);
    values[3] = entry_since(text, from);

    values[4] = e->body;

    if (text->failed) {
        return TOMO_FULL;
    }

    for (i = 0; i < TOMO_ENTRY_FIELDS; i++) {
        argv[2 * i] = tomo_str_n(entry_fields + i, 1);
        argv[2 * i + 1] = values[i];
    }

    return TOMO_OK;
}


static tomo_rc_e
entry_origin(tomo_str_t s, tomo_entry_t *e)
{
    if (s.len < 18 || s.data[16] != '-'
        || tomo_hex64_get(tomo_str_n(s.data, 16), &e->writer) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    return tomo_u64_get(tomo_str_n(s.data + 17, s.len - 17), UINT64_MAX,
                        &e->seq);
}


/* values: v k t o b, all present */
static tomo_rc_e
entry_values(const tomo_str_t *values, tomo_entry_t *e)
{
    uint64_t  version;

    if (tomo_u64_get(values[0], UINT64_MAX, &version) != TOMO_OK
        || version == 0)
    {
        return TOMO_INVALID;
    }

    if (version > TOMO_ENTRY_VERSION) {
        return TOMO_LIMIT;
    }

    e->kind = tomo_entry_kind_parse(values[1]);
    e->body = values[4];

    if (e->kind == TOMO_ENTRY_NONE
        || tomo_i64_get(values[2], &e->at_ms) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    return entry_origin(values[3], e);
}


tomo_rc_e
tomo_entry_decode(const tomo_str_t *pairs, size_t n, tomo_entry_t *e)
{
    bool          have[TOMO_ENTRY_FIELDS] = { false };
    size_t        i, at;
    tomo_rc_e     rc;
    tomo_str_t    values[TOMO_ENTRY_FIELDS];
    tomo_entry_t  entry;

    for (i = 0; i < n; i++) {
        if (pairs[2 * i].len != 1) {
            continue;
        }

        at = tomo_str_find(tomo_str_c(entry_fields), 0, pairs[2 * i].data[0]);

        if (at == TOMO_ENTRY_FIELDS) {
            continue;
        }

        if (have[at]) {
            return TOMO_INVALID;
        }

        have[at] = true;
        values[at] = pairs[2 * i + 1];
    }

    for (i = 0; i < TOMO_ENTRY_FIELDS; i++) {
        if (!have[i]) {
            return TOMO_INVALID;
        }
    }

    rc = entry_values(values, &entry);

    if (rc == TOMO_OK) {
        *e = entry;
    }

    return rc;
}


const char *
tomo_visit_name(tomo_visit_e v)
{
    return entry_visits[v];
}


tomo_visit_e
tomo_visit_parse(tomo_str_t name)
{
    size_t  i;

    for (i = 0; i < sizeof(entry_visits) / sizeof(entry_visits[0]); i++) {
        if (tomo_str_eq(name, tomo_str_c(entry_visits[i]))) {
            return (tomo_visit_e) i;
        }
    }

    return TOMO_VISIT_PREVIEW;
}


static tomo_str_t
entry_ua(tomo_str_t ua)
{
    return tomo_str_n(ua.data, tomo_utf8_cut_bytes(ua, ENTRY_UA_MAX));
}


static tomo_rc_e
entry_u32(const tomo_rec_t *rec, const char *name, uint32_t *out)
{
    uint64_t   n;
    tomo_rc_e  rc;

    rc = tomo_rec_get_u64(rec, name, UINT32_MAX, &n);

    if (rc != TOMO_OK) {
        return TOMO_INVALID;
    }

    *out = (uint32_t) n;

    return TOMO_OK;
}


static tomo_str_t
entry_text(const tomo_rec_t *rec, const char *name)
{
    const tomo_str_t  *value;

    value = tomo_rec_get(rec, name);

    return (value == NULL) ? tomo_str_null : *value;
}


/*
 * The numbers of a click, in one piece: there is one for each tap.  Names and
 * digits are copied by a fixed size, and as many bytes as count are kept.
 */
static void
entry_click_numbers(tomo_buf_t *b, const tomo_click_t *c)
{
    size_t    i, at;
    uint8_t   line[5 * (ENTRY_NAME + 2 * ENTRY_DIGITS)], *p;
    uint8_t   digits[2 * ENTRY_DIGITS] = { 0 };
    uint32_t  n, numbers[5];

    static const struct {
        char     text[ENTRY_NAME];
        uint8_t  len;
    } names[5] = {
        { "&link=", 6 }, { "&friend=", 8 }, { "&delivery=", 10 },
        { "&day=", 5 }, { "&check=", 7 }
    };

    numbers[0] = c->link;
    numbers[1] = c->friend;
    numbers[2] = c->delivery;
    numbers[3] = c->day;
    numbers[4] = c->check;
    p = line;

    for (i = 0; i < 5; i++) {
        memcpy(p, names[i].text, ENTRY_NAME);
        p += names[i].len;
        at = ENTRY_DIGITS;
        n = numbers[i];

        do {
            digits[--at] = (uint8_t) ('0' + n % 10);
            n /= 10;
        } while (n > 0);

        memcpy(p, digits + at, ENTRY_DIGITS);
        p += ENTRY_DIGITS - at;
    }

    tomo_buf_bytes(b, line, (size_t) (p - line));
}


void
tomo_click_put(tomo_buf_t *b, const tomo_click_t *c)
{
    tomo_rec_put_i64(b, "at", c->at_ms);
    entry_click_numbers(b, c);
    tomo_rec_put(b, "visit", tomo_str_c(tomo_visit_name(c->visit)));
    tomo_rec_put(b, "ua", entry_ua(c->ua));

    if (c->addr.len > 0) {
        tomo_rec_put(b, "addr", c->addr);
    }

    if (c->flood > 0) {
        tomo_rec_put_u64(b, "flood", c->flood);
    }

    tomo_rec_end(b);
}


tomo_rc_e
tomo_click_parse(tomo_str_t line, tomo_arena_t *a, tomo_click_t *c)
{
    tomo_rc_e     rc;
    tomo_rec_t    rec;
    tomo_click_t  click;

    rc = tomo_rec_parse(line, a, &rec);

    if (rc != TOMO_OK) {
        return rc;
    }

    if (tomo_rec_get_i64(&rec, "at", &click.at_ms) != TOMO_OK
        || entry_u32(&rec, "link", &click.link) != TOMO_OK
        || entry_u32(&rec, "friend", &click.friend) != TOMO_OK
        || entry_u32(&rec, "delivery", &click.delivery) != TOMO_OK
        || entry_u32(&rec, "day", &click.day) != TOMO_OK
        || entry_u32(&rec, "check", &click.check) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    click.visit = tomo_visit_parse(entry_text(&rec, "visit"));
    click.ua = entry_text(&rec, "ua");
    click.addr = entry_text(&rec, "addr");

    if (entry_u32(&rec, "flood", &click.flood) != TOMO_OK) {
        click.flood = 0;
    }

    *c = click;

    return TOMO_OK;
}


void
tomo_answer_put(tomo_buf_t *b, const tomo_answer_t *s)
{
    tomo_rec_put_i64(b, "at", s->at_ms);
    tomo_rec_put_u64(b, "survey", s->survey);
    tomo_rec_put_u64(b, "rev", s->rev);
    tomo_rec_put_u64(b, "friend", s->friend);
    tomo_rec_put_u64(b, "delivery", s->delivery);
    tomo_rec_put_u64(b, "day", s->day);
    tomo_rec_put_u64(b, "check", s->check);
    tomo_rec_put(b, "nonce", s->nonce);
    tomo_rec_put(b, "ua", entry_ua(s->ua));
}


tomo_rc_e
tomo_answer_parse(tomo_str_t line, tomo_arena_t *a, tomo_answer_t *s)
{
    tomo_rc_e      rc;
    tomo_answer_t  answer;

    rc = tomo_rec_parse(line, a, &answer.line);

    if (rc != TOMO_OK) {
        return rc;
    }

    if (tomo_rec_get_i64(&answer.line, "at", &answer.at_ms) != TOMO_OK
        || entry_u32(&answer.line, "survey", &answer.survey) != TOMO_OK
        || entry_u32(&answer.line, "rev", &answer.rev) != TOMO_OK
        || entry_u32(&answer.line, "friend", &answer.friend) != TOMO_OK
        || entry_u32(&answer.line, "delivery", &answer.delivery) != TOMO_OK
        || entry_u32(&answer.line, "day", &answer.day) != TOMO_OK
        || entry_u32(&answer.line, "check", &answer.check) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    answer.nonce = entry_text(&answer.line, "nonce");
    answer.ua = entry_text(&answer.line, "ua");

    if (answer.nonce.len != ENTRY_NONCE_LEN) {
        return TOMO_INVALID;
    }

    *s = answer;

    return TOMO_OK;
}
