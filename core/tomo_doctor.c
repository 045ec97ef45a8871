#include "tomo_doctor.h"
#include "tomo_doctor_rules.h"

#include <string.h>

#include "tomo_codec.h"


_Static_assert(TOMO_DOCTOR_ROW_END <= 64, "a bit for each row");


const tomo_doctor_row_t *
tomo_doctor_row(tomo_doctor_row_e id)
{
    return &tomo_doctor_rules[id].row;
}


void
tomo_doctor_see(tomo_doctor_facts_t *f, tomo_doctor_row_e id,
    tomo_str_t value)
{
    size_t                len = value.len;
    tomo_doctor_value_t  *v = &f->values[id];

    if (len > TOMO_DOCTOR_VALUE - 1) {
        len = TOMO_DOCTOR_VALUE - 1;
    }

    for (size_t i = 0; i < len; i++) {
        bool  plain = value.data[i] >= 0x20 && value.data[i] < 0x7f;

        v->text[i] = plain ? (char) value.data[i] : '?';
    }

    v->text[len] = '\0';
    v->len = (uint8_t) len;
    v->seen = true;
}


void
tomo_doctor_see_i64(tomo_doctor_facts_t *f, tomo_doctor_row_e id,
    int64_t value)
{
    uint8_t     text[24];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_i64(&b, value);
    tomo_doctor_see(f, id, tomo_buf_str(&b));
}


static int64_t
tomo_doctor_within(int64_t n, int64_t most)
{
    if (n < 0) {
        return 0;
    }

    return n < most ? n : most;
}


void
tomo_doctor_clock(tomo_doctor_facts_t *f, int64_t s, int64_t us,
    int64_t asked_ms, int64_t answered_ms)
{
    int64_t  theirs_ms, apart_ms = 0;

    /* whatever a broken server says, the sum stays a number */
    theirs_ms = tomo_doctor_within(s, INT64_MAX / 2000) * 1000
                + tomo_doctor_within(us, 999999) / 1000;

    if (theirs_ms < asked_ms) {
        apart_ms = asked_ms - theirs_ms;

    } else if (theirs_ms > answered_ms) {
        apart_ms = theirs_ms - answered_ms;
    }

    tomo_doctor_see_i64(f, TOMO_DOCTOR_ROW_CLOCK, apart_ms);
}


tomo_str_t
tomo_doctor_field(tomo_str_t info, const char *name)
{
    size_t      from = 0, end, len = tomo_str_c(name).len;
    tomo_str_t  line;

    while (from < info.len) {
        end = tomo_str_find(info, from, '\n');
        line = tomo_str_n(info.data + from, end - from);
        from = end + 1;

        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (line.len > len && memcmp(line.data, name, len) == 0
            && line.data[len] == ':')
        {
            return tomo_str_n(line.data + len + 1, line.len - len - 1);
        }
    }

    return tomo_str_null;
}


void
tomo_doctor_info(tomo_doctor_facts_t *f, tomo_str_t info)
{
    tomo_str_t  value;

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        const tomo_doctor_row_t  *row = &tomo_doctor_rules[i].row;

        if (row->from != TOMO_DOCTOR_INFO) {
            continue;
        }

        value = tomo_doctor_field(info, row->name);

        if (value.data != NULL) {
            tomo_doctor_see(f, (tomo_doctor_row_e) i, value);
        }
    }

    value = tomo_doctor_field(info, "total_system_memory");
    (void) !tomo_u64_get(value, UINT64_MAX, &f->memory);
    value = tomo_doctor_field(info, "connected_slaves");
    (void) !tomo_u64_get(value, UINT64_MAX, &f->replicas);

    f->loading = tomo_str_eq(tomo_doctor_field(info, "loading"),
                             tomo_str("1"));

    value = tomo_doctor_field(info, "run_id");

    if (value.len == sizeof(f->run_id) - 1) {
        memcpy(f->run_id, value.data, value.len);
        f->run_id[value.len] = '\0';
    }
}


void
tomo_doctor_config(tomo_doctor_facts_t *f, tomo_str_t name, tomo_str_t value)
{
    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        const tomo_doctor_row_t  *row = &tomo_doctor_rules[i].row;

        if (row->from == TOMO_DOCTOR_CONFIG
            && tomo_str_eq(name, tomo_str_c(row->name)))
        {
            tomo_doctor_see(f, (tomo_doctor_row_e) i, value);
            return;
        }
    }
}


tomo_doctor_e
tomo_doctor_judge(tomo_doctor_row_e id, const tomo_doctor_facts_t *f)
{
    const tomo_doctor_rule_t  *rule = &tomo_doctor_rules[id];

    if (!f->values[id].seen) {
        return TOMO_DOCTOR_NONE;
    }

    return rule->judge(f, tomo_str_n(f->values[id].text, f->values[id].len),
                       tomo_str_c(rule->row.wanted));
}


const char *
tomo_doctor_word(tomo_doctor_e verdict)
{
    static const char *const  words[] = { "-", "PASS", "WARN", "FAIL" };

    return words[verdict];
}


static uint64_t
tomo_doctor_rows(const tomo_doctor_facts_t *f, unsigned whom, bool stops)
{
    bool           hard;
    uint64_t       rows = 0;
    tomo_doctor_e  verdict;

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        verdict = tomo_doctor_judge((tomo_doctor_row_e) i, f);

        if (verdict < TOMO_DOCTOR_WARN) {
            continue;
        }

        hard = verdict == TOMO_DOCTOR_FAIL
               && (tomo_doctor_rules[i].row.stops & whom) != 0;

        if (hard == stops) {
            rows |= UINT64_C(1) << i;
        }
    }

    return rows;
}


uint64_t
tomo_doctor_stops(const tomo_doctor_facts_t *f, unsigned whom)
{
    return tomo_doctor_rows(f, whom, true);
}


uint64_t
tomo_doctor_warns(const tomo_doctor_facts_t *f, unsigned whom)
{
    return tomo_doctor_rows(f, whom, false);
}


void
tomo_doctor_line(tomo_buf_t *b, tomo_doctor_row_e id,
    const tomo_doctor_facts_t *f)
{
    const tomo_doctor_row_t    *row = &tomo_doctor_rules[id].row;
    const tomo_doctor_value_t  *v = &f->values[id];

    tomo_buf_c(b, row->item);
    tomo_buf_c(b, " is ");
    tomo_buf_c(b, v->len == 0 ? "empty" : v->text);
    tomo_buf_c(b, ", wanted ");
    tomo_buf_c(b, row->wanted);
    tomo_buf_c(b, ": ");
    tomo_buf_c(b, row->advice);
}
