#include "event.h"


static const struct {
    const char     *word;
    event_needs_e   needs;
} event_kinds[] = {
#define EVENT_ROW_(name, word, decide, needs)  { word, EVENT_NEEDS_##needs },
    EVENT_KINDS(EVENT_ROW_)
#undef EVENT_ROW_
};


const char *
event_kind_word(event_kind_e kind)
{
    return event_kinds[kind].word;
}


event_needs_e
event_needs(event_kind_e kind)
{
    return event_kinds[kind].needs;
}


bool
event_id_ok(tomo_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!(s.data[i] >= '0' && s.data[i] <= '9')
            && !(s.data[i] >= 'A' && s.data[i] <= 'Z'))
        {
            return false;
        }
    }

    return s.len == 26;
}


bool
event_uid_ok(tomo_str_t s)
{
    size_t  i;

    if (s.len != 33 || s.data[0] != 'U') {
        return false;
    }

    for (i = 1; i < s.len; i++) {
        if (!(s.data[i] >= '0' && s.data[i] <= '9')
            && !(s.data[i] >= 'a' && s.data[i] <= 'f'))
        {
            return false;
        }
    }

    return true;
}
