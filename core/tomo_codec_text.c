/*
 * tomo_codec: escapes for HTML and JSON text.
 */

#include "tomo_codec.h"


static const char *
codec_html_escape(uint8_t c)
{
    switch (c) {

    case '&':
        return "&amp;";

    case '<':
        return "&lt;";

    case '>':
        return "&gt;";

    case '"':
        return "&quot;";

    case '\'':
        return "&#39;";

    default:
        return NULL;
    }
}


void
tomo_html_put(tomo_buf_t *b, tomo_str_t s)
{
    size_t       i, from;
    const char  *escape;

    from = 0;

    for (i = 0; i < s.len; i++) {
        escape = codec_html_escape(s.data[i]);

        if (escape != NULL) {
            tomo_buf_bytes(b, s.data + from, i - from);
            tomo_buf_c(b, escape);
            from = i + 1;
        }
    }

    if (from < s.len) {
        tomo_buf_bytes(b, s.data + from, s.len - from);
    }
}


static void
codec_json_escape(tomo_buf_t *b, uint8_t c)
{
    static const char  letters[] = "btn\vfr";
    uint8_t            short_form[2];

    short_form[0] = '\\';
    short_form[1] = 0;

    if (c == '"' || c == '\\') {
        short_form[1] = c;

    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        short_form[1] = (uint8_t) letters[c - '\b'];
    }

    if (short_form[1] != 0) {
        tomo_buf_bytes(b, short_form, 2);
        return;
    }

    tomo_buf_c(b, "\\u00");
    tomo_hex_put(b, tomo_str_n(&c, 1));
}


void
tomo_json_put(tomo_buf_t *b, tomo_str_t s)
{
    size_t   i, from;
    uint8_t  c;

    tomo_buf_byte(b, '"');
    from = 0;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            tomo_buf_bytes(b, s.data + from, i - from);
            codec_json_escape(b, c);
            from = i + 1;
        }
    }

    if (from < s.len) {
        tomo_buf_bytes(b, s.data + from, s.len - from);
    }

    tomo_buf_byte(b, '"');
}
