/* redis_args: the arguments of one command, and what replies mean. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "redis.h"
#include "tomo_codec.h"


void
redis_args_reset(redis_args_t *a)
{
    a->n = 0;
}


void
redis_args_free(redis_args_t *a)
{
    free(a->args);
    *a = (redis_args_t) { 0 };
}


static redis_arg_t *
redis_arg_new(redis_args_t *a)
{
    size_t        cap;
    redis_arg_t  *args;

    if (a->n == a->cap) {
        cap = a->cap == 0 ? 32 : 2 * a->cap;
        args = realloc(a->args, cap * sizeof(*args));

        if (args == NULL) {
            log_error("memory", "is out: the role ends and starts again");
            abort();
        }

        a->args = args;
        a->cap = cap;
    }

    a->args[a->n] = (redis_arg_t) { .is_number = false };

    return &a->args[a->n++];
}


void
redis_arg(redis_args_t *a, tomo_str_t s)
{
    redis_arg_new(a)->view = s;
}


void
redis_arg_c(redis_args_t *a, const char *s)
{
    redis_arg_new(a)->view = tomo_str_c(s);
}


void
redis_arg_u64(redis_args_t *a, uint64_t n)
{
    redis_arg_t  *arg = redis_arg_new(a);

    arg->is_number = true;
    snprintf(arg->number, sizeof(arg->number), "%llu",
             (unsigned long long) n);
}


void
redis_arg_i64(redis_args_t *a, int64_t n)
{
    redis_arg_t  *arg = redis_arg_new(a);

    arg->is_number = true;
    snprintf(arg->number, sizeof(arg->number), "%lld", (long long) n);
}


tomo_rc_e
redis_append(redis_t *r, const redis_args_t *a)
{
    tomo_rc_e    rc;
    tomo_str_t  *argv = malloc((a->n + 1) * sizeof(*argv));

    if (argv == NULL) {
        log_error("memory", "is out: the role ends and starts again");
        abort();
    }

    /* numbers lie inside the array, which may have moved while it grew */
    for (size_t i = 0; i < a->n; i++) {
        argv[i] = a->args[i].is_number ? tomo_str_c(a->args[i].number)
                                       : a->args[i].view;
    }

    rc = redis_append_argv(r, a->n, argv);
    free(argv);

    return rc;
}


redisReply *
redis_call(redis_t *r, const redis_args_t *a)
{
    if (redis_append(r, a) != TOMO_OK) {
        return NULL;
    }

    return redis_reply(r);
}


bool
redis_is(const redisReply *reply, int type)
{
    return reply != NULL && reply->type == type;
}


bool
redis_is_ok(const redisReply *reply)
{
    return redis_is(reply, REDIS_REPLY_STATUS)
           && strcmp(reply->str, "OK") == 0;
}


tomo_str_t
redis_str(const redisReply *reply)
{
    if (redis_is(reply, REDIS_REPLY_STRING)
        || redis_is(reply, REDIS_REPLY_STATUS))
    {
        return tomo_str_n(reply->str, (size_t) reply->len);
    }

    return tomo_str_null;
}


tomo_rc_e
redis_int(const redisReply *reply, int64_t *n)
{
    if (redis_is(reply, REDIS_REPLY_INTEGER)) {
        *n = reply->integer;
        return TOMO_OK;
    }

    if (redis_is(reply, REDIS_REPLY_STRING)) {
        return tomo_i64_get(redis_str(reply), n);
    }

    return TOMO_ABSENT;
}


const redisReply *
redis_at(const redisReply *reply, size_t i)
{
    return i < redis_len(reply) ? reply->element[i] : NULL;
}


size_t
redis_len(const redisReply *reply)
{
    return redis_is(reply, REDIS_REPLY_ARRAY) ? reply->elements : 0;
}


tomo_str_t
redis_pair(const redisReply *pairs, const char *name)
{
    size_t      n = redis_len(pairs);
    tomo_str_t  want = tomo_str_c(name);

    for (size_t i = 0; i + 1 < n; i += 2) {
        if (tomo_str_eq(redis_str(pairs->element[i]), want)) {
            return redis_str(pairs->element[i + 1]);
        }
    }

    return tomo_str_null;
}


static const struct {
    const char     *word;
    redis_error_e   kind;
} redis_errors[] = {
    { "LOADING",     REDIS_ERR_RETRY },
    { "BUSY",        REDIS_ERR_RETRY },
    { "MISCONF",     REDIS_ERR_RETRY },
    { "OOM",         REDIS_ERR_RETRY },
    { "READONLY",    REDIS_ERR_RETRY },
    { "NOREPLICAS",  REDIS_ERR_RETRY },
    { "MASTERDOWN",  REDIS_ERR_RETRY },
    { "TRYAGAIN",    REDIS_ERR_RETRY },
    { "NOSCRIPT",    REDIS_ERR_NOSCRIPT },
    { "NOAUTH",      REDIS_ERR_DENIED },
    { "WRONGPASS",   REDIS_ERR_DENIED },
    { "NOPERM",      REDIS_ERR_DENIED },
    { "WRONGTYPE",   REDIS_ERR_TYPE },
    { "MOVED",       REDIS_ERR_MOVED },
    { "ASK",         REDIS_ERR_MOVED },
    { "CROSSSLOT",   REDIS_ERR_MOVED },
    { "CLUSTERDOWN", REDIS_ERR_MOVED },
    { "EXECABORT",   REDIS_ERR_ABORT },
    { "NOGROUP",     REDIS_ERR_ABORT },
    { "ERR",         REDIS_ERR_ABORT },
};


static size_t
redis_error_index(const redisReply *reply)
{
    size_t      n = sizeof(redis_errors) / sizeof(redis_errors[0]);
    tomo_str_t  word, text;

    text = tomo_str_n(reply->str, (size_t) reply->len);
    word = tomo_str_n(text.data, tomo_str_find(text, 0, ' '));

    for (size_t i = 0; i < n; i++) {
        if (tomo_str_eq(word, tomo_str_c(redis_errors[i].word))) {
            return i;
        }
    }

    return n - 1;
}


redis_error_e
redis_error_of(const redisReply *reply)
{
    if (!redis_is(reply, REDIS_REPLY_ERROR)) {
        return REDIS_NO_ERROR;
    }

    return redis_errors[redis_error_index(reply)].kind;
}


const char *
redis_error_word(const redisReply *reply)
{
    if (reply == NULL) {
        return "no answer";
    }

    if (!redis_is(reply, REDIS_REPLY_ERROR)) {
        return "an answer of another type";
    }

    return redis_errors[redis_error_index(reply)].word;
}


#define REDIS_C_MAX  16

static size_t
redis_words(tomo_str_t *argv, const char *first, va_list words)
{
    size_t       n = 0;
    const char  *word = first;

    while (word != NULL && n < REDIS_C_MAX) {
        argv[n++] = tomo_str_c(word);
        word = va_arg(words, const char *);
    }

    return n;
}


tomo_rc_e
redis_append_c(redis_t *r, const char *first, ...)
{
    size_t      n;
    va_list     words;
    tomo_str_t  argv[REDIS_C_MAX];

    va_start(words, first);
    n = redis_words(argv, first, words);
    va_end(words);

    return redis_append_argv(r, n, argv);
}


redisReply *
redis_call_c(redis_t *r, const char *first, ...)
{
    size_t      n;
    va_list     words;
    tomo_str_t  argv[REDIS_C_MAX];

    va_start(words, first);
    n = redis_words(argv, first, words);
    va_end(words);

    if (redis_append_argv(r, n, argv) != TOMO_OK) {
        return NULL;
    }

    return redis_reply(r);
}


bool
redis_exec_ok(const redisReply *reply, size_t n, const char **word)
{
    for (size_t i = 0; i < redis_len(reply); i++) {
        if (redis_is(redis_at(reply, i), REDIS_REPLY_ERROR)) {
            *word = redis_error_word(redis_at(reply, i));
            return false;
        }
    }

    return redis_len(reply) == n;
}
