/* message_text: is there anything to read in a text, and where to cut it */

#include <string.h>

#include "message.h"
#include "tomo_utf8.h"

#define MESSAGE_LINK_BYTES  2000        /* what is longer is no address */


bool
message_text_blank(tomo_str_t s)
{
    size_t   i = 0;
    int32_t  cp;

    while (i < s.len) {
        cp = tomo_utf8_next(s, &i);

        if (cp > 0x20 && cp != 0x7f && cp != 0xa0 && cp != 0x3000
            && cp != 0xfeff && !(cp >= 0x2000 && cp <= 0x200f)
            && cp != 0x2028 && cp != 0x2029 && cp != 0x202f && cp != 0x2060)
        {
            return false;
        }
    }

    return true;
}


bool
message_text_maybe_blank(const tomo_tmpl_t *t)
{
    size_t  i;

    for (i = 0; i < t->n; i++) {
        if (t->parts[i].kind == TOMO_PART_LINK
            || t->parts[i].kind == TOMO_PART_SURVEY
            || !message_text_blank(t->parts[i].text))
        {
            return false;
        }
    }

    return true;
}


static bool
message_link_byte(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>';
}


static bool
message_link_at(tomo_str_t s, size_t i)
{
    tomo_str_t  rest = tomo_str_n(s.data + i, s.len - i);

    return tomo_str_starts(rest, tomo_str("https://"))
           || tomo_str_starts(rest, tomo_str("http://"));
}


size_t
message_text_cut(tomo_str_t s, size_t max)
{
    size_t  i, end, cut;

    cut = tomo_utf8_cut_utf16(s, max);

    if (cut == s.len || !message_link_byte(s.data[cut])) {
        return cut;
    }

    /* within a run of an address' bytes: does an address begin in it? */
    for (i = cut; i > 0 && cut - i < MESSAGE_LINK_BYTES
                  && message_link_byte(s.data[i - 1]); i--)
    {
        if (message_link_at(s, i - 1)) {
            for (end = cut; end < s.len && message_link_byte(s.data[end]);
                 end++)
            {
                /* to its end */
            }

            return end - i < MESSAGE_LINK_BYTES ? i - 1 : cut;
        }
    }

    return cut;
}
