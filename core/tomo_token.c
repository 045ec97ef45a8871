/*
 * tomo_token: issuing and opening the tokens of personal links.
 */

#include "tomo_token.h"
#include "tomo_codec.h"

#include <string.h>


#define TOKEN_VERSION      1
#define TOKEN_SIGNED       17       /* version and key id, block */
#define TOKEN_MAC          12
#define TOKEN_EPOCH_MS     INT64_C(1577836800000)     /* 2020-01-01 UTC */

#define TOKEN_ACCOUNT_MAX  ((1u << 14) - 1)
#define TOKEN_TARGET_MAX   ((1u << 20) - 1)
#define TOKEN_FRIEND_MAX   ((1u << 30) - 1)
#define TOKEN_24_MAX       ((1u << 24) - 1)
#define TOKEN_DAY_MAX      ((1u << 14) - 1)

static const char  token_label[] = "tomo-token";


static tomo_rc_e
token_subkey(tomo_mac_t *m, tomo_str_t master, const char *label)
{
    uint8_t    key[TOMO_MAC_BYTES];
    tomo_rc_e  rc;

    rc = tomo_mac_derive(master, label, key);

    if (rc == TOMO_OK) {
        rc = tomo_mac_init(m, tomo_str_n(key, sizeof(key)));
    }

    tomo_mac_wipe(key, sizeof(key));

    return rc;
}


static void
token_key_free(tomo_token_key_t *k)
{
    tomo_cipher_free(&k->cipher);
    tomo_mac_free(&k->mac);
    tomo_mac_free(&k->check);
}


tomo_rc_e
tomo_token_key_init(tomo_token_key_t *k, uint8_t id, tomo_str_t master)
{
    uint8_t           key[TOMO_MAC_BYTES];
    tomo_rc_e         rc;
    tomo_token_key_t  made;

    if (id > 15 || master.len != TOMO_MAC_BYTES) {
        return TOMO_INVALID;
    }

    memset(&made, 0, sizeof(made));
    made.id = id;
    rc = tomo_mac_derive(master, "token-block", key);

    if (rc == TOMO_OK) {
        rc = tomo_cipher_init(&made.cipher, key);
    }

    tomo_mac_wipe(key, sizeof(key));

    if (rc == TOMO_OK) {
        rc = token_subkey(&made.mac, master, "token-mac");
    }

    if (rc == TOMO_OK) {
        rc = token_subkey(&made.check, master, "token-check");
    }

    if (rc == TOMO_OK) {
        *k = made;

    } else {
        token_key_free(&made);
    }

    tomo_mac_wipe(&made, sizeof(made));

    return rc;
}


void
tomo_token_keys_free(tomo_token_keys_t *k)
{
    size_t  i;

    for (i = 0; i < k->n; i++) {
        token_key_free(&k->keys[i]);
    }

    k->n = 0;
}


static bool
token_ok(const tomo_token_t *t)
{
    return t->account > 0 && t->account <= TOKEN_ACCOUNT_MAX
           && (t->kind == TOMO_TOKEN_LINK || t->kind == TOMO_TOKEN_SURVEY)
           && t->target > 0 && t->target <= TOKEN_TARGET_MAX
           && t->friend <= TOKEN_FRIEND_MAX
           && t->delivery <= TOKEN_24_MAX
           && t->day <= TOKEN_DAY_MAX
           && t->check <= TOKEN_24_MAX
           && (t->friend > 0 || t->check == 0);
}


static void
token_put_be(uint8_t *p, uint64_t n)
{
    size_t  i;

    for (i = 0; i < 8; i++) {
        p[i] = (uint8_t) (n >> (56 - 8 * i));
    }
}


static uint64_t
token_get_be(const uint8_t *p)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < 8; i++) {
        n = n << 8 | p[i];
    }

    return n;
}


static void
token_pack(const tomo_token_t *t, uint8_t *block)
{
    token_put_be(block, (uint64_t) t->account << 50
                        | (uint64_t) t->kind << 48
                        | (uint64_t) t->target << 28
                        | t->friend >> 2);
    token_put_be(block + 8, (uint64_t) (t->friend & 3) << 62
                            | (uint64_t) t->delivery << 38
                            | (uint64_t) t->day << 24
                            | t->check);
}


static void
token_unpack(const uint8_t *block, tomo_token_t *t)
{
    uint64_t  high, low;

    high = token_get_be(block);
    low = token_get_be(block + 8);

    t->account = (uint32_t) (high >> 50);
    t->kind = (tomo_token_kind_e) (high >> 48 & 3);
    t->target = (uint32_t) (high >> 28 & TOKEN_TARGET_MAX);
    t->friend = (uint32_t) ((high << 2 & TOKEN_FRIEND_MAX) | low >> 62);
    t->delivery = (uint32_t) (low >> 38 & TOKEN_24_MAX);
    t->day = (uint32_t) (low >> 24 & TOKEN_DAY_MAX);
    t->check = (uint32_t) (low & TOKEN_24_MAX);
}


static tomo_rc_e
token_mac(tomo_token_key_t *k, const uint8_t *bytes, uint8_t *mac)
{
    uint8_t  text[sizeof(token_label) - 1 + TOKEN_SIGNED];

    memcpy(text, token_label, sizeof(token_label) - 1);
    memcpy(text + sizeof(token_label) - 1, bytes, TOKEN_SIGNED);

    return tomo_mac_sign(&k->mac, tomo_str_n(text, sizeof(text)), mac);
}


tomo_rc_e
tomo_token_issue(tomo_token_keys_t *k, const tomo_token_t *t, tomo_buf_t *out)
{
    uint8_t            bytes[TOMO_TOKEN_BYTES], mac[TOMO_MAC_BYTES];
    tomo_token_key_t  *key;

    if (k->n == 0 || !token_ok(t)) {
        return TOMO_INVALID;
    }

    key = &k->keys[0];
    bytes[0] = (uint8_t) (TOKEN_VERSION << 4 | key->id);
    token_pack(t, bytes + 1);

    if (tomo_cipher_encrypt(&key->cipher, bytes + 1, bytes + 1) != TOMO_OK
        || token_mac(key, bytes, mac) != TOMO_OK)
    {
        return TOMO_ERROR;
    }

    memcpy(bytes + TOKEN_SIGNED, mac, TOKEN_MAC);
    tomo_b64url_put(out, tomo_str_n(bytes, sizeof(bytes)));

    return out->failed ? TOMO_FULL : TOMO_OK;
}


static tomo_token_key_t *
token_key(tomo_token_keys_t *k, uint8_t id)
{
    size_t  i;

    for (i = 0; i < k->n; i++) {
        if (k->keys[i].id == id) {
            return &k->keys[i];
        }
    }

    return NULL;
}


tomo_rc_e
tomo_token_open(tomo_token_keys_t *k, tomo_str_t text, tomo_token_t *t)
{
    uint8_t            bytes[TOMO_TOKEN_BYTES], mac[TOMO_MAC_BYTES];
    tomo_buf_t         b;
    tomo_token_t       token;
    tomo_token_key_t  *key;

    tomo_buf_init(&b, bytes, sizeof(bytes));

    if (text.len != TOMO_TOKEN_LEN || tomo_b64url_get(text, &b) != TOMO_OK
        || bytes[0] >> 4 != TOKEN_VERSION)
    {
        return TOMO_INVALID;
    }

    key = token_key(k, bytes[0] & 15);

    if (key == NULL) {
        return TOMO_DENIED;
    }

    if (token_mac(key, bytes, mac) != TOMO_OK) {
        return TOMO_ERROR;
    }

    if (!tomo_mac_same(mac, bytes + TOKEN_SIGNED, TOKEN_MAC)) {
        return TOMO_DENIED;
    }

    if (tomo_cipher_decrypt(&key->cipher, bytes + 1, bytes + 1) != TOMO_OK) {
        return TOMO_ERROR;
    }

    token_unpack(bytes + 1, &token);

    if (!token_ok(&token)) {
        return TOMO_INVALID;
    }

    *t = token;

    return TOMO_OK;
}


tomo_rc_e
tomo_token_check(tomo_token_key_t *k, tomo_str_t user_id, uint32_t *check)
{
    uint8_t    mac[TOMO_MAC_BYTES];
    tomo_rc_e  rc;

    rc = tomo_mac_sign(&k->check, user_id, mac);

    if (rc == TOMO_OK) {
        *check = (uint32_t) mac[0] << 16 | (uint32_t) mac[1] << 8 | mac[2];
    }

    return rc;
}


static bool
token_sign(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || c == '-' || c == '_';
}


/* is the rest nothing but signs that chat programs take for a URL's part? */
static bool
token_tail_ok(tomo_str_t tail)
{
    size_t  i, k;

    static const char *const  tails[] = {
        ".", ",", ")", "]", ">", "'", "\"",
        "\xe3\x80\x82", "\xe3\x80\x81", "\xef\xbc\x89", "\xe3\x80\x8d",
        "%2e", "%2c", "%29", "%5d", "%3e", "%27", "%22",
        "%e3%80%82", "%e3%80%81", "%ef%bc%89", "%e3%80%8d"
    };

    for (i = 0; i < tail.len; /* void */) {
        tomo_str_t  sign, there;

        for (k = 0; k < sizeof(tails) / sizeof(tails[0]); k++) {
            sign = tomo_str_c(tails[k]);
            there = tomo_str_n(tail.data + i, sign.len);

            if (sign.len <= tail.len - i && tomo_str_caseeq(there, sign)) {
                break;
            }
        }

        if (k == sizeof(tails) / sizeof(tails[0])) {
            return false;
        }

        i += sign.len;
    }

    return true;
}


tomo_rc_e
tomo_token_trim(tomo_str_t segment, tomo_str_t *token)
{
    size_t  i;

    if (segment.len < TOMO_TOKEN_LEN) {
        return TOMO_INVALID;
    }

    for (i = 0; i < TOMO_TOKEN_LEN; i++) {
        if (!token_sign(segment.data[i])) {
            return TOMO_INVALID;
        }
    }

    if (!token_tail_ok(tomo_str_n(segment.data + TOMO_TOKEN_LEN,
                                  segment.len - TOMO_TOKEN_LEN)))
    {
        return TOMO_INVALID;
    }

    *token = tomo_str_n(segment.data, TOMO_TOKEN_LEN);

    return TOMO_OK;
}


uint32_t
tomo_token_day(int64_t at_ms)
{
    int64_t  day;

    if (at_ms <= TOKEN_EPOCH_MS) {
        return 0;
    }

    day = (at_ms - TOKEN_EPOCH_MS) / TOMO_DAY_MS;

    return (day > (int64_t) TOKEN_DAY_MAX) ? TOKEN_DAY_MAX : (uint32_t) day;
}
