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


/* the letters that a machine's word may begin with, in either case */
static const uint8_t  agent_first[256] = {
    ['b'] = 1, ['c'] = 1, ['f'] = 1, ['l'] = 1, ['p'] = 1, ['s'] = 1,
    ['B'] = 1, ['C'] = 1, ['F'] = 1, ['L'] = 1, ['P'] = 1, ['S'] = 1
};


/* one pass: a user agent is looked at on every tap */
static bool
agent_machine(tomo_str_t ua)
{
    size_t  i;
    bool    found;

    found = false;

    for (i = 0; i < ua.len && !found; i++) {

        if (!agent_first[ua.data[i]]) {
            continue;
        }

        switch (agent_at(ua, i)) {

        case 'b':
            found = agent_bot(ua, i);
            break;

        case 'c':
            found = agent_here(ua, i, "crawler");
            break;

        case 'f':
            found = agent_here(ua, i, "facebookexternalhit");
            break;

        case 'l':
            found = agent_here(ua, i, "line-poker");
            break;

        case 'p':
            found = agent_here(ua, i, "preview");
            break;

        case 's':
            /* Linespider too */
            found = agent_here(ua, i, "spider");
            break;

        default:
            break;
        }
    }

    return found;
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
