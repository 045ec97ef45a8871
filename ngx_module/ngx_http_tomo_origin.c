/*
 * ngx_http_tomo_origin: whose page posted this?  (F2, B50; the rule is in
 * ngx_http_tomo_survey.h.)  All three headers are checked that are there:
 * a post that contradicts itself is refused.
 */

#include "ngx_http_tomo_survey.h"


ngx_int_t
ngx_http_tomo_header_in(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    size_t            len = ngx_strlen(name);
    ngx_uint_t        i, found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    found = 0;
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncmp(h[i].lowcase_key, name, len) == 0)
        {
            *value = h[i].value;
            found++;
        }
    }

    return found == 0 ? NGX_DECLINED : found == 1 ? NGX_OK : NGX_ERROR;
}


/* the authority of http://AUTHORITY/… or https://AUTHORITY; "": not one */

static tomo_str_t
ngx_http_tomo_origin_authority(const ngx_str_t *url)
{
    size_t      i, scheme;
    tomo_str_t  s = ngx_http_tomo_view(url);

    if (tomo_str_starts(s, tomo_str("http://"))) {
        scheme = sizeof("http://") - 1;

    } else if (tomo_str_starts(s, tomo_str("https://"))) {
        scheme = sizeof("https://") - 1;

    } else {
        return tomo_str_null;
    }

    for (i = scheme; i < s.len; i++) {

        if (s.data[i] == '/' || s.data[i] == '?' || s.data[i] == '#') {
            break;
        }
    }

    return tomo_str_n(s.data + scheme, i - scheme);
}


static ngx_uint_t
ngx_http_tomo_origin_is_ours(ngx_http_request_t *r, const ngx_str_t *url)
{
    tomo_str_t  ours, theirs;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    ours = ngx_http_tomo_view(&r->headers_in.host->value);
    theirs = ngx_http_tomo_origin_authority(url);

    return theirs.len > 0 && tomo_str_caseeq(ours, theirs);
}


ngx_uint_t
ngx_http_tomo_origin_ok(ngx_http_request_t *r)
{
    ngx_int_t  site, origin, referer;
    ngx_str_t  site_value, origin_value, referer_value;

    site = ngx_http_tomo_header_in(r, "sec-fetch-site", &site_value);
    origin = ngx_http_tomo_header_in(r, "origin", &origin_value);
    referer = ngx_http_tomo_header_in(r, "referer", &referer_value);

    if (site == NGX_ERROR || origin == NGX_ERROR || referer == NGX_ERROR) {
        return 0;
    }

    if (site == NGX_OK
        && !tomo_str_eq(ngx_http_tomo_view(&site_value),
                        tomo_str("same-origin")))
    {
        return 0;
    }

    if (origin == NGX_OK) {
        return ngx_http_tomo_origin_is_ours(r, &origin_value);
    }

    if (referer == NGX_OK) {
        return ngx_http_tomo_origin_is_ours(r, &referer_value);
    }

    return 1;
}
