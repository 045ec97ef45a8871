/*
 * tomo_feed: the items of the edge feed as they stand in the Redis hash
 * `feed` of an account: names of fields, and the value of a link.
 *
 *   version            decimal, grows with every change
 *   number             the account's number in tokens
 *   secret/1, secret/2 channel secret, sealed with the edge's sealing key,
 *                      aad "secret|ACCOUNT|N"
 *   link/N             tomo_rec line: url= open=1|0
 *   survey/N           compiled form (tomo_survey)
 */

#ifndef TOMO_FEED_H
#define TOMO_FEED_H

#include "tomo_rec.h"
#include "tomo_table.h"

typedef struct {
    tomo_str_t  url;
    bool        open;           /* closed links lead to the polite page */
} tomo_link_t;

/* without \n.  Parsing refuses a URL that tomo_link_url_ok does (B31). */
void tomo_link_put(tomo_buf_t *b, const tomo_link_t *l);
tomo_rc_e tomo_link_parse(tomo_str_t line, tomo_arena_t *a, tomo_link_t *l)
    TOMO_MUST_CHECK;

/*
 * May a redirect lead there?  http or https, a host, no userinfo, no
 * controls, spaces, quotes, angle brackets, backslashes or non-ASCII bytes,
 * ≤ 2,000 bytes (B31).
 */
bool tomo_link_url_ok(tomo_str_t url);

/*
 * "link/12" ↔ (TOMO_ITEM_LINK, 12); TOMO_ABSENT for version and
 * number, TOMO_INVALID for anything else
 */
tomo_rc_e tomo_feed_field_parse(tomo_str_t field, tomo_item_kind_e *kind,
    uint32_t *number) TOMO_MUST_CHECK;
void tomo_feed_field_put(tomo_buf_t *b, tomo_item_kind_e kind,
    uint32_t number);

#endif
