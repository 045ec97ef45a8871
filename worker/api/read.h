/*
 * api/read: small helpers that several handlers share for asking Redis about
 * one account's key and for reading flat records.
 */

#ifndef TOMO_API_READ_H
#define TOMO_API_READ_H

#include "context.h"
#include "tomo_keys.h"

/* a key's name as a C string */
typedef struct {
    char        name[TOMO_KEY_MAX];
    tomo_buf_t  buf;
} read_key_t;

/* &k->buf is what tomo_key_NAME(…) appends to; read_key_c ends it */
tomo_buf_t *read_key(read_key_t *k);
const char *read_key_c(read_key_t *k);

/* one number of a hash; 0 when absent */
int64_t read_pair_i64(const redisReply *pairs, const char *name);

#endif
