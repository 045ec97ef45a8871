/* api/names: see names.h */

#include "names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define NAMES_ARENA_BYTES  (4u * 1024 * 1024)


typedef struct {
    pthread_mutex_t   lock;
    bool              known;
    int64_t           version;
    name_t           *names;
    size_t            n;
} names_account_t;

struct names_s {
    const conf_t     *conf;
    names_account_t  *accounts;
};


names_t *
names_new(const conf_t *conf)
{
    names_t  *n;

    n = calloc(1, sizeof(names_t));
    if (n == NULL) {
        return NULL;
    }

    n->conf = conf;
    n->accounts = calloc(conf->n_accounts + 1, sizeof(names_account_t));

    if (n->accounts == NULL) {
        free(n);
        return NULL;
    }

    for (size_t i = 0; i < conf->n_accounts; i++) {
        (void) pthread_mutex_init(&n->accounts[i].lock, NULL);
    }

    return n;
}


void
names_free(names_t *n)
{
    for (size_t i = 0; i < n->conf->n_accounts; i++) {
        (void) pthread_mutex_destroy(&n->accounts[i].lock);
        free(n->accounts[i].names);
    }

    free(n->accounts);
    free(n);
}


static names_account_t *
names_account(names_t *n, const conf_account_t *account)
{
    return &n->accounts[account - n->conf->accounts];
}


static void
names_copy(char *out, size_t size, tomo_str_t s)
{
    size_t  len = s.len < size ? s.len : size - 1;

    memcpy(out, s.data ? (const char *) s.data : "", len);
    out[len] = '\0';
}


/* one field of `defs`: KIND/ID -> {"no":…,"revision":…,"document":{…}} */
static bool
names_entry(name_t *name, tomo_str_t field, tomo_str_t value,
    tomo_arena_t *arena)
{
    size_t      slash;
    json_t     *root;
    int64_t     no;
    tomo_str_t  type = tomo_str("");

    slash = tomo_str_find(field, 0, '/');

    if (slash == field.len
        || json_parse(value, NULL, arena, &root, NULL) != TOMO_OK
        || json_i64(root, "no", 1, UINT32_MAX, &no) != TOMO_OK)
    {
        return false;
    }

    if (json_str(json_get(root, "document"), "type", &type) != TOMO_OK) {
        type = tomo_str("");
    }

    name->no = (uint32_t) no;
    names_copy(name->kind, sizeof(name->kind), tomo_str_n(field.data, slash));
    names_copy(name->id, sizeof(name->id),
               tomo_str_n(field.data + slash + 1, field.len - slash - 1));
    names_copy(name->type, sizeof(name->type), type);

    return true;
}


static tomo_rc_e
names_load(names_account_t *a, const redisReply *defs)
{
    size_t        n = 0;
    void         *memory;
    name_t       *names;
    tomo_arena_t  arena;

    names = calloc(redis_len(defs) / 2 + 1, sizeof(name_t));
    memory = malloc(NAMES_ARENA_BYTES);

    if (names == NULL || memory == NULL) {
        free(names);
        free(memory);
        return TOMO_AGAIN;
    }

    for (size_t i = 0; i + 1 < redis_len(defs); i += 2) {
        tomo_arena_init(&arena, memory, NAMES_ARENA_BYTES);

        if (names_entry(&names[n], redis_str(redis_at(defs, i)),
                        redis_str(redis_at(defs, i + 1)), &arena))
        {
            n++;
        }
    }

    free(memory);
    free(a->names);
    a->names = names;
    a->n = n;

    return TOMO_OK;
}


static tomo_rc_e
names_refresh(names_account_t *a, redis_t *redis, tomo_str_t account)
{
    char         key[TOMO_KEY_MAX];
    int64_t      version = 0;
    tomo_rc_e    rc = TOMO_OK;
    tomo_buf_t   b;
    redisReply  *reply;

    tomo_buf_init(&b, key, sizeof(key) - 1);
    tomo_key_meta(&b, account);
    key[b.len] = '\0';

    reply = redis_call_c(redis, "HGET", key, "defs", NULL);

    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        return TOMO_AGAIN;
    }

    if (redis_int(reply, &version) != TOMO_OK) {
        version = 0;
    }

    freeReplyObject(reply);

    if (a->known && a->version == version) {
        return TOMO_OK;
    }

    tomo_buf_init(&b, key, sizeof(key) - 1);
    tomo_key_defs(&b, account);
    key[b.len] = '\0';

    reply = redis_call_c(redis, "HGETALL", key, NULL);
    rc = redis_is(reply, REDIS_REPLY_ARRAY) ? names_load(a, reply)
                                            : TOMO_AGAIN;
    freeReplyObject(reply);

    if (rc == TOMO_OK) {
        a->known = true;
        a->version = version;
    }

    return rc;
}


tomo_rc_e
names_hold(names_t *n, redis_t *redis, const conf_account_t *account)
{
    tomo_rc_e         rc;
    names_account_t  *a = names_account(n, account);

    (void) pthread_mutex_lock(&a->lock);

    rc = names_refresh(a, redis, tomo_str_c(account->id));

    if (rc != TOMO_OK) {
        (void) pthread_mutex_unlock(&a->lock);
    }

    return rc;
}


void
names_done(names_t *n, const conf_account_t *account)
{
    (void) pthread_mutex_unlock(&names_account(n, account)->lock);
}


const name_t *
names_find(names_t *n, const conf_account_t *account, const char *kind,
    uint64_t no)
{
    names_account_t  *a = names_account(n, account);

    for (size_t i = 0; i < a->n; i++) {
        if (a->names[i].no == no && strcmp(a->names[i].kind, kind) == 0) {
            return &a->names[i];
        }
    }

    return NULL;
}
