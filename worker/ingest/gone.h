/*
 * gone: the tombstones of deleted persons of an account, in memory as in the
 * hash `gone`: a MAC of the LINE user id instead of the id, the number the
 * friend had, and when.  An event of such a person that is as old as that is
 * dropped, however often it is shipped again.  One thread.
 */

#ifndef GONE_H
#define GONE_H

#include "event.h"
#include "redis.h"
#include "vault.h"

#define GONE_MAC_BYTES  16

typedef struct {
    uint8_t   mac[GONE_MAC_BYTES];
    uint32_t  serial;
    int64_t   at_ms;
    int64_t   complete_ms;          /* no copy is left then */
} gone_stone_t;

typedef struct {
    gone_stone_t  *list;            /* by MAC */
    size_t         n;
    size_t         cap;
} gone_t;

/*
 * From HGETALL of the key; odd fields are left out (logged).  account: for the
 * log.  TOMO_ERROR: memory.
 */
tomo_rc_e gone_load(gone_t *g, const char *account, const redisReply *pairs)
    TOMO_MUST_CHECK;
/* adds one, or puts it in the place of an older one of that person */
tomo_rc_e gone_add(gone_t *g, const gone_stone_t *stone) TOMO_MUST_CHECK;
void gone_free(gone_t *g);

/* the MAC of a LINE user id */
tomo_rc_e gone_mac(vault_t *v, tomo_str_t account, tomo_str_t uid,
    uint8_t mac[GONE_MAC_BYTES]) TOMO_MUST_CHECK;
/* NULL: no tombstone */
const gone_stone_t *gone_by_mac(const gone_t *g, const uint8_t *mac);
const gone_stone_t *gone_by_serial(const gone_t *g, uint32_t serial);

/* is the event one of a deleted person, from before? */
bool gone_drops(const gone_t *g, vault_t *v, tomo_str_t account,
    const event_t *ev);
/* does the text hold the LINE user id of that person? */
bool gone_named(const gone_stone_t *stone, vault_t *v, tomo_str_t account,
    tomo_str_t text);

/* the value of the hash's field, and the field's name */
void gone_put(const gone_stone_t *stone, tomo_buf_t *name, tomo_buf_t *value);

#endif
