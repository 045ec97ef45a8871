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


static bool
agent_here(tomo_str_t s, size_t i, const char *word)
{
    while (*word != '\0' && agent_at(s, i) == (uint8_t) *word) {
        i++;
        word++;
    }

    return *word == '\0';
}


static bool
agent_has(tomo_str_t s, const char *word)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (agent_here(s, i, word)) {
            return true;
        }
    }

    return false;
}


/* "bot" as the end of a word; Cubot is a make of phone */
static bool
agent_bot(tomo_str_t ua, size_t i)
{
    uint8_t  next;

    next = agent_at(ua, i + 3);

    if (!agent_here(ua, i, "bot") || (next >= 'a' && next <= 'z')) {
        return false;
    }

    return i < 2 || !agent_here(ua, i - 2, "cu");
}


/* words of machines; "spider" is in Linespider too */
static const char *const  agent_words[] = {
    "bot", "crawler", "facebookexternalhit", "line-poker", "preview", "spider"
};

/* which of the words have this letter first, and (<< 8) which second */
static const uint16_t  agent_letters[256] = {
    ['b'] = 1, ['c'] = 2, ['f'] = 4, ['l'] = 8, ['p'] = 16 | 32 << 8,
    ['s'] = 32, ['o'] = 1 << 8, ['r'] = (2 | 16) << 8, ['a'] = 4 << 8,
    ['i'] = 8 << 8,
    ['B'] = 1, ['C'] = 2, ['F'] = 4, ['L'] = 8, ['P'] = 16 | 32 << 8,
    ['S'] = 32, ['O'] = 1 << 8, ['R'] = (2 | 16) << 8, ['A'] = 4 << 8,
    ['I'] = 8 << 8
};


static bool
agent_word(tomo_str_t ua, size_t i, unsigned words)
{
    size_t  k;

    for (k = 0; (words >> k & 1) == 0; k++) { /* one bit is set */ }

    return (k == 0) ? agent_bot(ua, i) : agent_here(ua, i, agent_words[k]);
}


/* one pass: a user agent is looked at on every tap */
static bool
agent_machine(tomo_str_t ua)
{
    size_t    i;
    unsigned  before, letter;

    before = 0;

    for (i = 0; i < ua.len; i++) {
        letter = agent_letters[ua.data[i]];

        if ((before & letter >> 8) != 0
            && agent_word(ua, i - 1, before & letter >> 8))
        {
            return true;
        }

        before = letter;
    }

    return false;
}


tomo_visit_e
tomo_agent_visit(bool head, tomo_str_t ua, tomo_str_t purpose)
{
    if (head) {
        return TOMO_VISIT_HEAD;
    }

    if (agent_has(purpose, "prefetch") || agent_has(purpose, "prerender")
        || agent_has(purpose, "preview"))
    {
        return TOMO_VISIT_PREFETCH;
    }

    return (ua.len == 0 || agent_machine(ua)) ? TOMO_VISIT_PREVIEW
                                              : TOMO_VISIT_HUMAN;
}
