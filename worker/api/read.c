/* api/read: see read.h */

#include "read.h"

#include "tomo_codec.h"


tomo_buf_t *
read_key(read_key_t *k)
{
    tomo_buf_init(&k->buf, k->name, sizeof(k->name) - 1);
    return &k->buf;
}


const char *
read_key_c(read_key_t *k)
{
    k->name[k->buf.len] = '\0';
    return k->name;
}


int64_t
read_pair_i64(const redisReply *pairs, const char *name)
{
    int64_t     n;
    tomo_str_t  text;

    text = redis_pair(pairs, name);

    return text.len && tomo_i64_get(text, &n) == TOMO_OK ? n : 0;
}
