/* owner_sane: are an account's cursor and meta what we write? */

#include "log.h"
#include "owner.h"
#include "tomo_codec.h"


/* `digits-digits`, or absent */
static bool
owner_id_ok(tomo_str_t id)
{
    size_t    dash = tomo_str_find(id, 0, '-');
    uint64_t  n;

    return id.data == NULL
           || (dash < id.len
               && tomo_u64_get(tomo_str_n(id.data, dash), UINT64_MAX, &n)
                  == TOMO_OK
               && tomo_u64_get(tomo_str_n(id.data + dash + 1,
                                          id.len - dash - 1), UINT64_MAX, &n)
                  == TOMO_OK);
}


bool
owner_sane(const owner_t *o, const redisReply *cursor, const redisReply *meta)
{
    size_t       i;
    uint64_t     n;
    tomo_str_t   value;
    const char  *odd = NULL;

    static const struct {
        bool         meta;
        const char  *field;
        uint64_t     max;
    } numbers[] = {
        { false, "n", UINT64_MAX },
        { false, "in_i", UINT64_MAX },
        { false, "bulk_i", UINT64_MAX },
        { false, "serial", OWNER_SERIAL_MAX },
        { false, "delivery", OWNER_DELIVERY_MAX },
        { true, "serial", OWNER_SERIAL_MAX },
        { true, "delivery", OWNER_DELIVERY_MAX },
        { true, "feed", UINT64_MAX }
    };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        value = redis_pair(numbers[i].meta ? meta : cursor,
                           numbers[i].field);

        if (value.data != NULL
            && tomo_u64_get(value, numbers[i].max, &n) != TOMO_OK)
        {
            odd = numbers[i].field;
        }
    }

    if (!owner_id_ok(redis_pair(cursor, "in"))
        || !owner_id_ok(redis_pair(cursor, "bulk")))
    {
        odd = "in";
    }

    if (odd != NULL) {
        log_error(o->account->id, "cannot be loaded: the field %s of `cursor` "
                  "or `meta` is not what we write; move the key away and "
                  "restore it from a backup, ingest goes on by itself", odd);
    }

    return odd == NULL;
}
