#include "sendtable.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"

#define SENDTABLE_KEEP_US  (7 * TOMO_DAY_MS * 1000)


struct sendtable_name_s {
    uint8_t             name[ROW_NAME_BYTES];
    sendjournal_life_t  life;
    char               *frozen;         /* owns life.serials and life.to */
    int64_t             since_us;
    UT_hash_handle      hh;
};

typedef struct {
    uint64_t  id_ms;
    uint64_t  id_seq;
    uint64_t  account;                  /* 64 bits: no padding in the key */
} sendtable_key_t;

struct sendtable_row_s {
    sendtable_key_t  key;
    int64_t          since_us;
    UT_hash_handle   hh;
};


static void *
sendtable_new(size_t size)
{
    void  *p = calloc(1, size);

    if (p == NULL) {
        abort();
    }

    return p;
}


void
sendtable_free(sendtable_t *t)
{
    sendtable_row_t   *row, *next_row;
    sendtable_name_t  *name, *next_name;

    HASH_ITER(hh, t->names, name, next_name) {
        HASH_DEL(t->names, name);
        free(name->frozen);
        free(name);
    }

    HASH_ITER(hh, t->rows, row, next_row) {
        HASH_DEL(t->rows, row);
        free(row);
    }
}


size_t
sendtable_names(const sendtable_t *t)
{
    return HASH_COUNT(t->names);
}


size_t
sendtable_rows(const sendtable_t *t)
{
    return HASH_COUNT(t->rows);
}


static sendtable_name_t *
sendtable_at(const sendtable_t *t, const uint8_t *name)
{
    sendtable_name_t  *found;

    HASH_FIND(hh, t->names, name, ROW_NAME_BYTES, found);

    return found;
}


static sendtable_name_t *
sendtable_get(sendtable_t *t, const uint8_t *name)
{
    sendtable_name_t  *n = sendtable_at(t, name);

    if (n == NULL) {
        n = sendtable_new(sizeof(*n));
        memcpy(n->name, name, ROW_NAME_BYTES);
        n->since_us = clock_mono_us();
        HASH_ADD(hh, t->names, name, ROW_NAME_BYTES, n);
    }

    return n;
}


const sendjournal_life_t *
sendtable_find(const sendtable_t *t, const uint8_t *name)
{
    sendtable_name_t  *n = sendtable_at(t, name);

    return n == NULL ? NULL : &n->life;
}


sendtable_name_t *
sendtable_attempt(sendtable_t *t, const uint8_t *name, tomo_via_e via,
    int64_t first_ms, uint32_t attempts)
{
    sendtable_name_t  *n = sendtable_get(t, name);

    n->life.open = !n->life.settled;
    n->life.via = via;
    n->life.attempts = attempts;

    if (n->life.first_ms == 0 || first_ms < n->life.first_ms) {
        n->life.first_ms = first_ms;
    }

    return n;
}


void
sendtable_freeze(sendtable_name_t *n, tomo_str_t serials, tomo_str_t to)
{
    if (n->frozen != NULL || serials.len + to.len == 0) {
        return;
    }

    n->frozen = sendtable_new(serials.len + to.len);
    memcpy(n->frozen, serials.data, serials.len);
    memcpy(n->frozen + serials.len, to.data, to.len);
    n->life.serials = tomo_str_n(n->frozen, serials.len);
    n->life.to = tomo_str_n(n->frozen + serials.len, to.len);
}


void
sendtable_void(sendtable_t *t, const uint8_t *name)
{
    sendtable_name_t  *n = sendtable_at(t, name);

    if (n != NULL) {
        n->life.open = false;
        n->life.first_ms = 0;
    }
}


void
sendtable_settle(sendtable_t *t, const uint8_t *name, tomo_send_e send,
    int status, uint32_t attempts, int64_t first_ms)
{
    sendtable_name_t  *n = sendtable_get(t, name);

    n->life.open = false;

    if (send == TOMO_SEND_UNUSABLE) {
        return;
    }

    n->life.settled = true;
    n->life.send = send;
    n->life.status = status;
    n->life.attempts = attempts;

    if (n->life.first_ms == 0) {
        n->life.first_ms = first_ms;
    }
}


void
sendtable_settle_row(sendtable_t *t, uint32_t account, uint64_t id_ms,
    uint64_t id_seq)
{
    sendtable_row_t  *row;

    if (sendtable_is_settled(t, account, id_ms, id_seq)) {
        return;
    }

    row = sendtable_new(sizeof(*row));
    row->key = (sendtable_key_t) { id_ms, id_seq, account };
    row->since_us = clock_mono_us();
    HASH_ADD(hh, t->rows, key, sizeof(row->key), row);
}


bool
sendtable_is_settled(const sendtable_t *t, uint32_t account, uint64_t id_ms,
    uint64_t id_seq)
{
    sendtable_row_t  *row;
    sendtable_key_t   key = { id_ms, id_seq, account };

    HASH_FIND(hh, t->rows, &key, sizeof(key), row);

    return row != NULL;
}


/* uthash keeps the order of insertion: the oldest stand first */

void
sendtable_tidy(sendtable_t *t)
{
    int64_t            old_us = clock_mono_us() - SENDTABLE_KEEP_US;
    sendtable_row_t   *row, *next_row;
    sendtable_name_t  *name, *next_name;

    HASH_ITER(hh, t->names, name, next_name) {
        if (name->since_us > old_us) {
            break;
        }

        HASH_DEL(t->names, name);
        free(name->frozen);
        free(name);
    }

    HASH_ITER(hh, t->rows, row, next_row) {
        if (row->since_us > old_us) {
            break;
        }

        HASH_DEL(t->rows, row);
        free(row);
    }
}
