/*
 * tomo_feed: fields and links of the edge feed.
 */

#include "tomo_feed.h"
#include "tomo_codec.h"


#define FEED_URL_MAX  2000

static const struct {
    tomo_item_kind_e  kind;
    const char       *head;
} feed_heads[] = {
    { TOMO_ITEM_SECRET, "secret/" },
    { TOMO_ITEM_LINK,   "link/" },
    { TOMO_ITEM_SURVEY, "survey/" },
};

#define FEED_HEADS  (sizeof(feed_heads) / sizeof(feed_heads[0]))


void
tomo_link_put(tomo_buf_t *b, const tomo_link_t *l)
{
    tomo_rec_put(b, "url", l->url);
    tomo_rec_put_u64(b, "open", l->open ? 1 : 0);
}


tomo_rc_e
tomo_link_parse(tomo_str_t line, tomo_arena_t *a, tomo_link_t *l)
{
    uint64_t           open;
    tomo_rc_e          rc;
    tomo_rec_t         rec;
    const tomo_str_t  *url;

    rc = tomo_rec_parse(line, a, &rec);

    if (rc != TOMO_OK) {
        return rc;
    }

    url = tomo_rec_get(&rec, "url");

    if (url == NULL || !tomo_link_url_ok(*url)
        || tomo_rec_get_u64(&rec, "open", 1, &open) != TOMO_OK)
    {
        return TOMO_INVALID;
    }

    l->url = *url;
    l->open = (open == 1);

    return TOMO_OK;
}


static bool
feed_host_sign(uint8_t c, bool literal)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
        || (c >= 'A' && c <= 'F') || c == '.')
    {
        return true;
    }

    if (literal) {
        return c == ':';
    }

    return (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z')
           || c == '-' || c == '_';
}


/* the host at the start of an authority: its length, 0 when there is none */
static size_t
feed_host(tomo_str_t authority)
{
    size_t  i, end;
    bool    literal;

    literal = authority.len > 0 && authority.data[0] == '[';
    i = literal ? 1 : 0;
    end = i;

    while (end < authority.len && feed_host_sign(authority.data[end], literal))
    {
        end++;
    }

    /* a dot at either end, or nothing but dots, names no host */
    if (end == i || authority.data[i] == '.') {
        return 0;
    }

    if (!literal) {
        return end;
    }

    return (end < authority.len && authority.data[end] == ']') ? end + 1 : 0;
}


static bool
feed_authority_ok(tomo_str_t s)
{
    size_t    host;
    uint64_t  port;

    host = feed_host(s);

    if (host == 0) {
        return false;
    }

    if (host == s.len) {
        return true;
    }

    return s.data[host] == ':'
           && tomo_u64_get(tomo_str_n(s.data + host + 1, s.len - host - 1),
                           65535, &port) == TOMO_OK
           && port > 0;
}


bool
tomo_link_url_ok(tomo_str_t url)
{
    size_t      i, scheme;
    uint8_t     c;
    tomo_str_t  http, https;

    http = tomo_str("http://");
    https = tomo_str("https://");

    if (url.len > FEED_URL_MAX) {
        return false;
    }

    if (url.len > http.len
        && tomo_str_caseeq(tomo_str_n(url.data, http.len), http))
    {
        scheme = http.len;

    } else if (url.len > https.len
               && tomo_str_caseeq(tomo_str_n(url.data, https.len), https))
    {
        scheme = https.len;

    } else {
        return false;
    }

    for (i = scheme; i < url.len; i++) {
        c = url.data[i];

        if (c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<'
            || c == '>')
        {
            return false;
        }
    }

    for (i = scheme; i < url.len; i++) {
        c = url.data[i];

        if (c == '/' || c == '?' || c == '#') {
            break;
        }
    }

    return feed_authority_ok(tomo_str_n(url.data + scheme, i - scheme));
}


tomo_rc_e
tomo_feed_field_parse(tomo_str_t field, tomo_item_kind_e *kind,
    uint32_t *number)
{
    size_t      i;
    uint64_t    n, max;
    tomo_str_t  head;

    if (tomo_str_eq(field, tomo_str("version"))
        || tomo_str_eq(field, tomo_str("number")))
    {
        return TOMO_ABSENT;
    }

    for (i = 0; i < FEED_HEADS; i++) {
        head = tomo_str_c(feed_heads[i].head);

        if (!tomo_str_starts(field, head)) {
            continue;
        }

        max = (feed_heads[i].kind == TOMO_ITEM_SECRET) ? 2 : UINT32_MAX;

        if (tomo_u64_get(tomo_str_n(field.data + head.len,
                                    field.len - head.len), max, &n)
            != TOMO_OK || n == 0)
        {
            return TOMO_INVALID;
        }

        *kind = feed_heads[i].kind;
        *number = (uint32_t) n;

        return TOMO_OK;
    }

    return TOMO_INVALID;
}


void
tomo_feed_field_put(tomo_buf_t *b, tomo_item_kind_e kind, uint32_t number)
{
    size_t  i;

    for (i = 0; i < FEED_HEADS; i++) {
        if (feed_heads[i].kind == kind) {
            tomo_buf_c(b, feed_heads[i].head);
            tomo_buf_u64(b, number);
            return;
        }
    }

    b->failed = true;
}
