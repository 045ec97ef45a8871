/*
 * tomo_survey_text.c: a text of the operator's in a page.  A consent needs a
 * link to the privacy policy, and a definition has only text: so addresses
 * that begin with https:// are links, and nothing else ever is.
 */

#include "tomo_survey_field.h"
#include "tomo_codec.h"

#include <string.h>


static const char  text_url_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "-._~:/?#@!$&*+,;=%";


/* end of the address at from; points and commas at its end are the text's */
static size_t
text_url_end(tomo_str_t text, size_t from)
{
    size_t  end = from;

    while (end < text.len
           && memchr(text_url_bytes, text.data[end],
                     sizeof(text_url_bytes) - 1) != NULL)
    {
        end++;
    }

    while (end > from && memchr(".,;:!?", text.data[end - 1], 6) != NULL) {
        end--;
    }

    return end;
}


void
tomo_survey_text_put(tomo_buf_t *b, tomo_str_t text)
{
    size_t      i, start, end;
    tomo_str_t  rest, url;

    for (i = 0, start = 0; i < text.len; i++) {
        rest = tomo_str_n(text.data + i, text.len - i);

        if (rest.data[0] != 'h'
            || !tomo_str_starts(rest, tomo_str("https://")))
        {
            continue;
        }

        end = text_url_end(text, i);

        if (end <= i + sizeof("https://") - 1) {
            continue;
        }

        url = tomo_str_n(text.data + i, end - i);

        tomo_html_put(b, tomo_str_n(text.data + start, i - start));
        tomo_buf_c(b, "<a href=\"");
        tomo_html_put(b, url);
        tomo_buf_c(b, "\" target=\"_blank\" rel=\"noopener noreferrer\">");
        tomo_html_put(b, url);
        tomo_buf_c(b, "</a>");

        start = end;
        i = end - 1;
    }

    if (start < text.len) {
        tomo_html_put(b, tomo_str_n(text.data + start, text.len - start));
    }
}
