/*
 * tomo_survey_fold.c: numbers, telephone numbers and mail addresses.
 *
 * People type on a phone's Japanese keyboard: full-width digits, long vowel
 * signs for hyphens and spaces around are theirs to type and ours to fold.
 */

#include "tomo_survey_check.h"
#include "tomo_utf8.h"

#include <string.h>


#define FOLD_TEL_MIN     10             /* 0 and nine digits */
#define FOLD_TEL_MAX     11
#define FOLD_WORLD_MIN   8
#define FOLD_WORLD_MAX   15             /* E.164 */
#define FOLD_MAIL_LOCAL  64

static const char  fold_number[] = "整数を数字で入力してください（例：12）。";
static const char  fold_large[] = "数字が大きすぎます。もう一度ご確認ください。";
static const char  fold_tel[] =
    "電話番号を市外局番から数字で入力してください（例：09012345678）。";
static const char  fold_mail[] =
    "メールアドレスの形をご確認ください（例：name@example.jp）。";


size_t
tomo_survey_space(tomo_str_t s, size_t i)
{
    tomo_str_t  rest = tomo_str_n(s.data + i, s.len - i);

    if (rest.data[0] == ' ' || rest.data[0] == '\t' || rest.data[0] == '\n') {
        return 1;
    }

    if (tomo_str_starts(rest, tomo_str("\xc2\xa0"))) {
        return 2;
    }

    return tomo_str_starts(rest, tomo_str("\xe3\x80\x80")) ? 3 : 0;
}


/* the hyphens and bars that stand for '-' and that NFKC leaves alone */
static bool
fold_is_dash(int32_t cp)
{
    return (cp >= 0x2010 && cp <= 0x2015) || cp == 0x2212 || cp == 0x2500
           || cp == 0x30fc || cp == 0xff70;
}


bool
tomo_survey_fold(tomo_str_t s, tomo_buf_t *out)
{
    size_t      i, from;
    int32_t     cp;
    uint8_t     data[TOMO_SURVEY_FOLD_BYTES];
    tomo_buf_t  b;
    tomo_str_t  folded;

    tomo_buf_init(&b, data, sizeof(data));

    if (tomo_utf8_nfkc(s, &b) != TOMO_OK) {
        return false;
    }

    folded = tomo_buf_str(&b);

    for (i = 0; i < folded.len; /* void */ ) {
        from = i;

        if (tomo_survey_space(folded, i) > 0) {
            i += tomo_survey_space(folded, i);
            continue;
        }

        cp = tomo_utf8_next(folded, &i);

        if (fold_is_dash(cp)) {
            tomo_buf_byte(out, '-');

        } else {
            tomo_buf_bytes(out, folded.data + from, i - from);
        }
    }

    return !out->failed;
}


static bool
fold_digits(tomo_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }

    return s.len > 0;
}


/* "1,234" without its commas; false: they do not cut off thousands */
static bool
fold_commas(tomo_str_t s, tomo_buf_t *out)
{
    size_t  i, left;

    for (i = 0; i < s.len; i++) {
        left = s.len - i - 1;

        if (s.data[i] != ',') {
            tomo_buf_byte(out, s.data[i]);

        } else if (i == 0 || left % 4 != 3
                   || tomo_str_find(s, i + 1, ',') - i - 1 != 3)
        {
            return false;
        }
    }

    return true;
}


const char *
tomo_survey_number(tomo_str_t s, uint32_t max, tomo_str_t *value,
    tomo_arena_t *a)
{
    bool        minus;
    uint8_t     folded[TOMO_SURVEY_FOLD_BYTES], plain[TOMO_SURVEY_FOLD_BYTES];
    tomo_buf_t  b, n;
    tomo_str_t  v;

    tomo_buf_init(&b, folded, sizeof(folded));
    tomo_buf_init(&n, plain, sizeof(plain));

    if (!tomo_survey_fold(s, &b)) {
        return fold_number;
    }

    v = tomo_buf_str(&b);
    minus = tomo_str_starts(v, tomo_str("-"));

    if (minus || tomo_str_starts(v, tomo_str("+"))) {
        v = tomo_str_n(v.data + 1, v.len - 1);
    }

    if (!fold_commas(v, &n)) {
        return fold_number;
    }

    v = tomo_buf_str(&n);

    if (!fold_digits(v)) {
        return fold_number;
    }

    while (v.len > 1 && v.data[0] == '0') {
        v = tomo_str_n(v.data + 1, v.len - 1);
    }

    if (v.len + (minus ? 1 : 0) > max) {
        return fold_large;
    }

    tomo_buf_reset(&b);

    if (minus && v.data[0] != '0') {
        tomo_buf_byte(&b, '-');
    }

    tomo_buf_put(&b, v);
    *value = tomo_arena_dup(a, tomo_buf_str(&b));

    return NULL;
}


const char *
tomo_survey_tel(tomo_str_t s, tomo_str_t *value, tomo_arena_t *a)
{
    size_t      i, n;
    bool        world;
    uint8_t     folded[TOMO_SURVEY_FOLD_BYTES], c;
    tomo_buf_t  b;
    tomo_str_t  v;

    tomo_buf_init(&b, folded, sizeof(folded));

    if (!tomo_survey_fold(s, &b)) {
        return fold_tel;
    }

    /* in place: what is kept is never longer than what was read */

    v = tomo_buf_str(&b);
    tomo_buf_reset(&b);

    for (i = 0; i < v.len; i++) {
        c = v.data[i];

        if ((c >= '0' && c <= '9') || (c == '+' && b.len == 0)) {
            tomo_buf_byte(&b, c);

        } else if (c != '-' && c != '(' && c != ')' && c != '.') {
            return fold_tel;
        }
    }

    v = tomo_buf_str(&b);
    world = v.len > 0 && v.data[0] == '+';
    n = v.len - (world ? 1 : 0);

    if (world ? (n < FOLD_WORLD_MIN || n > FOLD_WORLD_MAX)
              : (n < FOLD_TEL_MIN || n > FOLD_TEL_MAX || v.data[0] != '0'))
    {
        return fold_tel;
    }

    *value = tomo_arena_dup(a, v);

    return NULL;
}


static bool
fold_domain(tomo_str_t s)
{
    size_t   i;
    bool     dot = false;
    uint8_t  c, last = '.';

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c == '.' || c == '-') {

            if (last == '.' || (c == '.' && last == '-')) {
                return false;
            }

            dot = dot || c == '.';

        } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9')))
        {
            return false;
        }

        last = c;
    }

    return dot && last != '.' && last != '-';
}


/*
 * Addresses with dots in a row or before the @ were sold by Japanese carriers
 * and still work, so they pass.
 */
const char *
tomo_survey_mail(tomo_str_t s)
{
    size_t  i, at;

    at = tomo_str_find(s, 0, '@');

    if (at == 0 || at > FOLD_MAIL_LOCAL || at == s.len
        || !fold_domain(tomo_str_n(s.data + at + 1, s.len - at - 1)))
    {
        return fold_mail;
    }

    for (i = 0; i < at; i++) {

        if (s.data[i] <= ' ' || s.data[i] >= 0x7f
            || memchr("\"(),:;<>[\\]", s.data[i], 11) != NULL)
        {
            return fold_mail;
        }
    }

    return NULL;
}
