#include "row.h"

#include <stdlib.h>
#include <string.h>

#include "redis.h"
#include "tomo_codec.h"

#define ROW_FRIEND_MAX  ((UINT64_C(1) << 30) - 1)


bool
row_id_parse(tomo_str_t id, uint64_t *ms, uint64_t *seq)
{
    size_t  dash = tomo_str_find(id, 0, '-');

    return id.len < ROW_ID_MAX && dash < id.len
           && tomo_u64_get(tomo_str_n(id.data, dash), UINT64_MAX, ms)
              == TOMO_OK
           && tomo_u64_get(tomo_str_n(id.data + dash + 1,
                                      id.len - dash - 1), UINT64_MAX, seq)
              == TOMO_OK;
}


bool
row_counted(const row_t *row)
{
    return row->via == TOMO_VIA_PUSH || row->via == TOMO_VIA_MULTICAST;
}


/* the items of a list that are not at these places */

static tomo_str_t
row_without(char **at, tomo_str_t list, tomo_str_t places)
{
    char      *begin = *at;
    size_t     end, cut;
    uint64_t   place = UINT64_MAX;

    for (uint64_t i = 0; list.len > 0; i++) {
        if (places.len > 0 && (place == UINT64_MAX || place < i)) {
            cut = tomo_str_find(places, 0, ',');
            (void) !tomo_u64_get(tomo_str_n(places.data, cut), UINT32_MAX,
                                 &place);
            cut += cut < places.len;
            places = tomo_str_n(places.data + cut, places.len - cut);
        }

        end = tomo_str_find(list, 0, ',');

        if (i != place) {
            memcpy(*at, list.data, end);
            *at += end;
            *(*at)++ = ',';
        }

        end += end < list.len;
        list = tomo_str_n(list.data + end, list.len - end);
    }

    return tomo_str_n(begin, *at > begin ? (size_t) (*at - begin) - 1 : 0);
}


void
row_leave_out(row_t *row, tomo_str_t places)
{
    char  *at = malloc(row->to.len + row->serials.len + 2);

    if (at == NULL) {
        abort();                /* out of memory: what is open comes back */
    }

    free(row->kept);
    row->kept = at;
    row->keep_to = row_without(&at, row->to, places);
    row->keep_serials = row_without(&at, row->serials, places);
}


int64_t
row_people(const row_t *row)
{
    int64_t  n = 1;

    for (size_t i = 0; row->via == TOMO_VIA_MULTICAST && i < row->to.len; i++)
    {
        n += row->to.data[i] == ',';
    }

    return n;
}


static tomo_str_t
row_copy(char **at, tomo_str_t s)
{
    char  *p = *at;

    if (s.len > 0) {
        memcpy(p, s.data, s.len);
    }

    *at += s.len;

    return tomo_str_n(p, s.len);
}


/* an absent or empty number is 0 */

static bool
row_number(const redisReply *pairs, const char *name, uint64_t max,
    uint64_t *n)
{
    tomo_str_t  s = redis_pair(pairs, name);

    *n = 0;

    return s.len == 0 || tomo_u64_get(s, max, n) == TOMO_OK;
}


static const char *
row_numbers(row_t *row, const redisReply *pairs)
{
    uint64_t  friend, token_ms, due_ms;

    if (!row_number(pairs, "friend", ROW_FRIEND_MAX, &friend)
        || !row_number(pairs, "token_at", INT64_MAX, &token_ms)
        || !row_number(pairs, "due", INT64_MAX, &due_ms)
        || !row_number(pairs, "links", UINT64_MAX, &row->links))
    {
        return "a number is malformed";
    }

    row->friend = (uint32_t) friend;
    row->token_ms = (int64_t) token_ms;
    row->due_ms = (int64_t) due_ms;

    return NULL;
}


bool
row_name_uuid(tomo_str_t key, uint8_t name[ROW_NAME_BYTES])
{
    uint8_t     hex[32];
    size_t      n = 0;
    tomo_buf_t  out;

    if (key.len != 36) {
        return false;
    }

    for (size_t i = 0; i < key.len; i++) {
        bool  dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash != (key.data[i] == '-')) {
            return false;
        }

        if (!dash) {
            hex[n++] = key.data[i];
        }
    }

    tomo_buf_init(&out, name, ROW_NAME_BYTES);

    return tomo_hex_get(tomo_str_n(hex, n), &out) == TOMO_OK;
}


bool
row_name_parse(tomo_str_t hex, uint8_t name[ROW_NAME_BYTES])
{
    tomo_buf_t  out;

    tomo_buf_init(&out, name, ROW_NAME_BYTES);

    return hex.len == 2 * ROW_NAME_BYTES
           && tomo_hex_get(hex, &out) == TOMO_OK;
}


/* what each way out needs */

static const char *
row_check(row_t *row)
{
    bool  sends = row->via != TOMO_VIA_PROFILE;

    if (sends && (row->body.len < 2 || row->body.data[0] != '['
                  || row->body.data[row->body.len - 1] != ']'))
    {
        return "its body is no list of messages";
    }

    if (row->via == TOMO_VIA_REPLY) {
        return row->token.len == 0 ? "a reply without a token" : NULL;
    }

    if (row->to.len == 0) {
        return "nobody to send to";
    }

    if (row_counted(row) && !row_name_uuid(row->key, row->name)) {
        return "its retry key is no UUID";
    }

    return NULL;
}


row_t *
row_new(tomo_str_t id, const redisReply *pairs, const char **why)
{
    char        *at;
    row_t       *row = calloc(1, sizeof(*row));
    tomo_str_t   to, serials, key, token, body;

    to = redis_pair(pairs, "to");
    serials = redis_pair(pairs, "serials");
    key = redis_pair(pairs, "key");
    token = redis_pair(pairs, "token");
    body = redis_pair(pairs, "body");

    if (row != NULL) {
        row->text = malloc(to.len + serials.len + key.len + token.len
                           + body.len + 1);
    }

    if (row == NULL || row->text == NULL) {
        abort();                /* out of memory: what is open comes back */
    }

    *why = NULL;

    if (!row_id_parse(id, &row->id_ms, &row->id_seq)) {
        *why = "its id is malformed";

    } else if (tomo_via_parse(redis_pair(pairs, "via"), &row->via)
               != TOMO_OK)
    {
        *why = "its way out is unknown";

    } else {
        *why = row_numbers(row, pairs);
    }

    if (*why == NULL) {
        memcpy(row->id, id.data, id.len);
        at = row->text;
        row->to = row_copy(&at, to);
        row->serials = row_copy(&at, serials);
        row->keep_to = row->to;
        row->keep_serials = row->serials;
        row->key = row_copy(&at, key);
        row->token = row_copy(&at, token);
        row->body = row_copy(&at, body);
        *why = row_check(row);
    }

    if (*why != NULL) {
        row_free(row);
        return NULL;
    }

    return row;
}


void
row_free(row_t *row)
{
    if (row != NULL) {
        free(row->text);
        free(row->kept);
        free(row);
    }
}
