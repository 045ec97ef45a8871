#include "timer.h"

#include "tomo_codec.h"

static const char  timer_letters[TIMER_END] = {
#define TIMER_LETTER_(name, letter, due)  letter,
    TIMERS(TIMER_LETTER_)
#undef TIMER_LETTER_
};


timer_e
timer_of(char letter)
{
    int  kind = 0;

    while (kind < TIMER_END && timer_letters[kind] != letter) {
        kind++;
    }

    return (timer_e) kind;
}


void
timer_put(tomo_buf_t *b, const timer_member_t *t)
{
    tomo_buf_u64(b, t->serial);
    tomo_buf_byte(b, ':');
    tomo_buf_byte(b, (uint8_t) timer_letters[t->kind]);
    tomo_buf_byte(b, ':');
    tomo_buf_u64(b, t->no);
}


tomo_rc_e
timer_parse(tomo_str_t member, timer_member_t *t)
{
    size_t    first, second;
    uint64_t  serial, no;

    first = tomo_str_find(member, 0, ':');
    second = first < member.len ? tomo_str_find(member, first + 1, ':')
                                : member.len;

    if (second != first + 2 || second >= member.len
        || tomo_u64_get(tomo_str_n(member.data, first), (1u << 30) - 1,
                        &serial)
           != TOMO_OK
        || tomo_u64_get(tomo_str_n(member.data + second + 1,
                                   member.len - second - 1),
                        UINT32_MAX, &no)
           != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    *t = (timer_member_t) {
        .serial = (uint32_t) serial,
        .kind = timer_of((char) member.data[first + 1]),
        .no = (uint32_t) no
    };

    return TOMO_OK;
}
