/*
 * tomo_keys: grammar of ids and the names of Redis keys.
 */

#include "tomo_keys.h"


#define KEYS_ID_MAX  64


static bool
keys_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}


bool
tomo_keys_account_ok(tomo_str_t s)
{
    size_t  i;

    if (s.len == 0 || s.len > TOMO_ACCOUNT_MAX || !keys_alnum(s.data[0])) {
        return false;
    }

    for (i = 1; i < s.len; i++) {
        if (!keys_alnum(s.data[i]) && s.data[i] != '_' && s.data[i] != '-') {
            return false;
        }
    }

    return true;
}


bool
tomo_keys_id_ok(tomo_str_t s)
{
    size_t   i;
    uint8_t  c;

    if (s.len == 0 || s.len > KEYS_ID_MAX || !keys_alnum(s.data[0])) {
        return false;
    }

    for (i = 1; i < s.len; i++) {
        c = s.data[i];

        if (!keys_alnum(c) && c != '_' && c != '-' && c != '.') {
            return false;
        }
    }

    return true;
}


void
tomo_key_tail(tomo_buf_t *b, tomo_str_t account, const char *tail)
{
    tomo_buf_c(b, "tomo:{");
    tomo_buf_put(b, account);
    tomo_buf_c(b, "}:");
    tomo_buf_c(b, tail);
}


void
tomo_key_num(tomo_buf_t *b, tomo_str_t account, const char *head, uint64_t n)
{
    tomo_key_tail(b, account, head);
    tomo_buf_u64(b, n);
}


void
tomo_key_str(tomo_buf_t *b, tomo_str_t account, const char *head,
    tomo_str_t id)
{
    tomo_key_tail(b, account, head);
    tomo_buf_put(b, id);
}
