/*
 * redis_script: scripts by their SHA: loaded at every connect, and again when
 * Redis has forgotten one.
 */

#include "redis.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"


bool
redis_script_load(redis_t *r, redis_script_t *s)
{
    bool         ok;
    tomo_str_t   sha;
    redisReply  *reply;

    reply = redis_call_c(r, "SCRIPT", "LOAD", s->text, NULL);
    sha = redis_str(reply);
    ok = sha.len == sizeof(s->sha) - 1;

    if (ok) {
        memcpy(s->sha, sha.data, sha.len);
        s->sha[sha.len] = '\0';

    } else if (reply != NULL) {
        log_error("script", "%s cannot be loaded into Redis: %s", s->name,
                  redis_error_word(reply));
        redis_drop(r, "a script was refused");
    }

    freeReplyObject(reply);

    return ok;
}


void
redis_script_add(redis_t *r, redis_script_t *s)
{
    if (r->n_scripts == REDIS_SCRIPTS_MAX) {
        log_error("script", "%s is one too many for a connection", s->name);
        abort();
    }

    r->scripts[r->n_scripts++] = s;
}


tomo_rc_e
redis_append_eval(redis_t *r, const redis_script_t *s, size_t n_keys,
    const redis_args_t *a)
{
    tomo_rc_e     rc;
    redis_args_t  all = { 0 };

    redis_arg_c(&all, "EVALSHA");
    redis_arg_c(&all, s->sha);
    redis_arg_u64(&all, n_keys);

    for (size_t i = 0; i < a->n; i++) {
        redis_arg(&all, a->args[i].is_number
                        ? tomo_str_c(a->args[i].number) : a->args[i].view);
    }

    rc = redis_append(r, &all);
    redis_args_free(&all);

    return rc;
}


redisReply *
redis_eval(redis_t *r, const redis_script_t *s, size_t n_keys,
    const redis_args_t *a)
{
    redisReply  *reply;

    if (redis_append_eval(r, s, n_keys, a) != TOMO_OK) {
        return NULL;
    }

    reply = redis_reply(r);

    if (redis_error_of(reply) != REDIS_ERR_NOSCRIPT) {
        return reply;
    }

    freeReplyObject(reply);

    for (size_t i = 0; i < r->n_scripts; i++) {
        if (r->scripts[i] == s && !redis_script_load(r, r->scripts[i])) {
            return NULL;
        }
    }

    if (redis_append_eval(r, s, n_keys, a) != TOMO_OK) {
        return NULL;
    }

    return redis_reply(r);
}
