/* Records: what is parsed, written and parsed again, is the same. */

#include "fuzz.h"
#include "tomo_codec.h"
#include "tomo_rec.h"


/* names are ours in the writer: only plain ones can be written again */
static bool
plain(tomo_str_t name)
{
    size_t  i;

    for (i = 0; i < name.len; i++) {
        if (name.data[i] <= ' ' || name.data[i] >= 0x7f) {
            return false;
        }
    }

    return name.len < 64;
}


static void
again(const tomo_rec_t *rec)
{
    size_t         i;
    char           name[64];
    tomo_buf_t     b;
    tomo_rec_t     back;
    tomo_arena_t   a;

    static uint8_t  text[1 << 20], memory[1 << 20];

    tomo_buf_init(&b, text, sizeof(text));

    for (i = 0; i < rec->n; i++) {
        if (!plain(rec->fields[i].name)) {
            return;
        }

        memcpy(name, rec->fields[i].name.data, rec->fields[i].name.len);
        name[rec->fields[i].name.len] = '\0';
        tomo_rec_put(&b, name, rec->fields[i].value);
    }

    if (b.failed) {
        return;
    }

    tomo_arena_init(&a, memory, sizeof(memory));
    FUZZ_HOLDS(tomo_rec_parse(tomo_buf_str(&b), &a, &back) == TOMO_OK);
    FUZZ_HOLDS(back.n == rec->n);

    for (i = 0; i < rec->n; i++) {
        FUZZ_HOLDS(tomo_str_eq(back.fields[i].name, rec->fields[i].name));
        FUZZ_HOLDS(tomo_str_eq(back.fields[i].value, rec->fields[i].value));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        i, read;
    int64_t       n;
    uint64_t      u;
    tomo_rec_t    rec;
    tomo_str_t    rest = tomo_str_n(data, size), line;
    tomo_arena_t  a;

    static uint8_t  memory[1 << 20];

    read = 0;

    while (tomo_rec_line(&rest, &line)) {
        read += line.len + 1;
        FUZZ_HOLDS(tomo_str_find(line, 0, '\n') == line.len);
        tomo_arena_init(&a, memory, sizeof(memory));

        if (tomo_rec_parse(line, &a, &rec) != TOMO_OK) {
            continue;
        }

        for (i = 0; i < rec.n; i++) {
            fuzz_touch(rec.fields[i].name);
            fuzz_touch(rec.fields[i].value);
        }

        FUZZ_HOLDS(tomo_rec_get_u64(&rec, "n", 9, &u) != TOMO_OK || u <= 9);

        if (tomo_rec_get_i64(&rec, "n", &n) == TOMO_OK) {
            uint8_t     digits[24];
            tomo_buf_t  b;

            tomo_buf_init(&b, digits, sizeof(digits));
            tomo_buf_i64(&b, n);
            FUZZ_HOLDS(tomo_str_eq(tomo_buf_str(&b),
                                   *tomo_rec_get(&rec, "n")));
        }

        again(&rec);
    }

    FUZZ_HOLDS(read == size || read == size + 1);

    return 0;
}
