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

/* seconds since the first entry of an XRANGE; 0: none.  Ids are real time. */
int64_t read_age_s(const redisReply *entries);

/*
 * A lane: what stands behind the cursor, and the age of the first of it.  The
 * entry the cursor stands on may still be in the stream (ingest trims up to
 * it); cursor "": nothing decided.  false: Redis did not answer.
 */
bool read_lane(redis_t *redis, read_key_t *key, tomo_str_t cursor,
    int64_t *waiting, int64_t *oldest_s);

#endif
