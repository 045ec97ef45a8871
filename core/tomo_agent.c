/*
 * tomo_agent: telling a person's tap from machines (LINE.md 25).
 */

#include "tomo_agent.h"


static uint8_t
agent_at(tomo_str_t s, size_t i)
{
    uint8_t  c;

    c = (i < s.len) ? s.data[i] : 0;

    return (c >= 'A' && c <= 'Z') ? (uint8_t) (c | 0x20) : c;
}


/* where the lower-case word stands at or after from; s.len: nowhere */
static size_t
agent_find(tomo_str_t s, size_t from, tomo_str_t word)
{
    size_t  i, k;

    for (i = from; i + word.len <= s.len; i++) {
        for (k = 0; k < word.len && agent_at(s, i + k) == word.data[k]; k++) {
            /* as far as it fits */
        }

        if (k == word.len) {
            return i;
        }
    }

    return s.len;
}


/* "bot" as the end of a word; Cubot is a make of phone */
static bool
agent_bot(tomo_str_t ua)
{
    size_t   i;
    uint8_t  next;

    for (i = agent_find(ua, 0, tomo_str("bot")); i < ua.len;
         i = agent_find(ua, i + 3, tomo_str("bot")))
    {
        next = agent_at(ua, i + 3);

        if (next >= 'a' && next <= 'z') {
            continue;
        }

        if (i < 2 || agent_at(ua, i - 2) != 'c'
            || agent_at(ua, i - 1) != 'u')
        {
            return true;
        }
    }

    return false;
}


tomo_visit_e
tomo_agent_visit(bool head, tomo_str_t ua, tomo_str_t purpose)
{
    size_t  i;

    static const char *const  marks[] = {
        "line-poker", "facebookexternalhit", "linespider", "crawler",
        "spider", "preview"
    };

    if (head) {
        return TOMO_VISIT_HEAD;
    }

    if (agent_find(purpose, 0, tomo_str("prefetch")) < purpose.len
        || agent_find(purpose, 0, tomo_str("prerender")) < purpose.len
        || agent_find(purpose, 0, tomo_str("preview")) < purpose.len)
    {
        return TOMO_VISIT_PREFETCH;
    }

    if (ua.len == 0) {
        return TOMO_VISIT_PREVIEW;
    }

    for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (agent_find(ua, 0, tomo_str_c(marks[i])) < ua.len) {
            return TOMO_VISIT_PREVIEW;
        }
    }

    return agent_bot(ua) ? TOMO_VISIT_PREVIEW : TOMO_VISIT_HUMAN;
}
