/*
 * User agents: the table of letters finds what a plain search finds.  What
 * stands behind the first newline is the header that tells a prefetch.
 */

#include "fuzz.h"
#include "tomo_agent.h"


static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t) (c + 32) : c;
}


static bool
here(tomo_str_t s, size_t at, tomo_str_t word)
{
    size_t  i;

    if (at > s.len || s.len - at < word.len) {
        return false;
    }

    for (i = 0; i < word.len && lower(s.data[at + i]) == word.data[i]; i++) {
        /* compare on */
    }

    return i == word.len;
}


static bool
has(tomo_str_t s, const char *word)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (here(s, i, tomo_str_c(word))) {
            return true;
        }
    }

    return false;
}


/* "bot" at the end of a word that is not Cubot */
static bool
bot(tomo_str_t s)
{
    size_t   i;
    uint8_t  next;

    for (i = 0; i < s.len; i++) {
        next = i + 3 < s.len ? lower(s.data[i + 3]) : 0;

        if (here(s, i, tomo_str("bot")) && (next < 'a' || next > 'z')
            && (i < 2 || !here(s, i - 2, tomo_str("cu"))))
        {
            return true;
        }
    }

    return false;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        cut;
    tomo_str_t    all = tomo_str_n(data, size), ua, purpose;
    tomo_visit_e  want, visit;

    cut = tomo_str_find(all, 0, '\n');
    ua = tomo_str_n(data, cut);
    purpose = cut < size ? tomo_str_n(data + cut + 1, size - cut - 1)
                         : tomo_str_null;
    visit = tomo_agent_visit(false, ua, purpose);

    want = TOMO_VISIT_HUMAN;

    if (ua.len == 0 || bot(ua) || has(ua, "crawler") || has(ua, "preview")
        || has(ua, "facebookexternalhit") || has(ua, "line-poker")
        || has(ua, "spider"))
    {
        want = TOMO_VISIT_PREVIEW;
    }

    if (has(purpose, "prefetch") || has(purpose, "prerender")
        || has(purpose, "preview"))
    {
        want = TOMO_VISIT_PREFETCH;
    }

    FUZZ_HOLDS(visit == want);
    FUZZ_HOLDS(tomo_agent_visit(true, ua, purpose) == TOMO_VISIT_HEAD);

    return 0;
}
