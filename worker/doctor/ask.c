#include "ask.h"

#include <stdio.h>
#include <time.h>

#include "ids.h"
#include "tomo_codec.h"
#include "tomo_keys.h"


void
ask_begin(tomo_doctor_facts_t *f, const conf_t *conf)
{
    *f = (tomo_doctor_facts_t) {
        .relaxed = conf->redis_relaxed,
        .assumed = conf->redis_assumed,
        .sandbox = conf->clock_file != NULL,
    };
}


static int64_t
ask_real_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* not allowed: nobody looked */

static void
ask_time_see(tomo_doctor_facts_t *f, const redisReply *reply, int64_t from_ms)
{
    int64_t  s, us;

    if (redis_int(redis_at(reply, 0), &s) == TOMO_OK
        && redis_int(redis_at(reply, 1), &us) == TOMO_OK)
    {
        tomo_doctor_clock(f, s, us, from_ms, ask_real_ms());
    }
}


static bool
ask_config_append(redis_t *r)
{
    bool          ok;
    redis_args_t  args = { 0 };

    redis_arg_c(&args, "CONFIG");
    redis_arg_c(&args, "GET");

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        const tomo_doctor_row_t  *row = tomo_doctor_row(
                                            (tomo_doctor_row_e) i);

        if (row->from == TOMO_DOCTOR_CONFIG) {
            redis_arg_c(&args, row->name);
        }
    }

    ok = redis_append(r, &args) == TOMO_OK;
    redis_args_free(&args);

    return ok;
}


static void
ask_config_see(tomo_doctor_facts_t *f, const redisReply *reply)
{
    if (redis_len(reply) == 0) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_SETTINGS,
                        tomo_str_c(redis_error_word(reply)));
        return;
    }

    tomo_doctor_see(f, TOMO_DOCTOR_ROW_SETTINGS, tomo_str("yes"));

    for (size_t i = 0; i + 1 < redis_len(reply); i += 2) {
        tomo_doctor_config(f, redis_str(redis_at(reply, i)),
                           redis_str(redis_at(reply, i + 1)));
    }
}


/* of that type, or refused: all else is the answer to something else */

static bool
ask_is(const redisReply *reply, int type)
{
    return redis_is(reply, type) || redis_is(reply, REDIS_REPLY_ERROR);
}


tomo_rc_e
ask_settings(redis_t *r, tomo_doctor_facts_t *f)
{
    int64_t      from_ms = ask_real_ms();
    tomo_rc_e    rc;
    redisReply  *info = NULL, *config = NULL, *now = NULL;

    if (redis_append_c(r, "TIME", NULL) != TOMO_OK
        || redis_append_c(r, "INFO", NULL) != TOMO_OK
        || !ask_config_append(r)
        || (now = redis_reply(r)) == NULL
        || (info = redis_reply(r)) == NULL
        || (config = redis_reply(r)) == NULL
        || redis_error_of(info) == REDIS_ERR_RETRY)
    {
        rc = TOMO_AGAIN;

    } else if (!ask_is(info, REDIS_REPLY_STRING)
               || !ask_is(config, REDIS_REPLY_ARRAY)
               || !ask_is(now, REDIS_REPLY_ARRAY))
    {
        redis_drop(r, "INFO, CONFIG GET or TIME was answered oddly");
        rc = TOMO_AGAIN;

    } else if (redis_str(info).data == NULL) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_SETTINGS,
                        tomo_str_c(redis_error_word(info)));
        rc = TOMO_DENIED;

    } else {
        tomo_doctor_info(f, redis_str(info));
        ask_time_see(f, now, from_ms);
        ask_config_see(f, config);
        rc = f->loading ? TOMO_AGAIN : TOMO_OK;
    }

    freeReplyObject(now);
    freeReplyObject(info);
    freeReplyObject(config);

    return rc;
}


/* In one transaction, so that no other role's value comes between. */

tomo_rc_e
ask_probe(redis_t *r, tomo_doctor_facts_t *f)
{
    char         text[32];
    const char  *word = NULL;
    tomo_str_t   back = tomo_str_null;
    redisReply  *reply = NULL;

    snprintf(text, sizeof(text), "%016llx",
             (unsigned long long) ids_dice());

    if (redis_append_c(r, "MULTI", NULL) != TOMO_OK
        || redis_append_c(r, "SET", TOMO_KEY_PROBE, text, NULL) != TOMO_OK
        || redis_append_c(r, "GET", TOMO_KEY_PROBE, NULL) != TOMO_OK
        || redis_append_c(r, "EXEC", NULL) != TOMO_OK)
    {
        return TOMO_AGAIN;
    }

    for (size_t i = 0; i < 4; i++) {
        freeReplyObject(reply);
        reply = redis_reply(r);

        if (reply == NULL) {
            return TOMO_AGAIN;
        }

        if (word == NULL && redis_is(reply, REDIS_REPLY_ERROR)) {
            word = redis_error_word(reply);
        }
    }

    back = redis_str(redis_at(reply, 1));

    if (redis_is(redis_at(reply, 0), REDIS_REPLY_ERROR)) {
        word = redis_error_word(redis_at(reply, 0));
    }

    if (word == NULL) {
        word = tomo_str_eq(back, tomo_str_c(text)) ? "read back"
                                                   : "not read back";
    }

    tomo_doctor_see(f, TOMO_DOCTOR_ROW_PROBE, tomo_str_c(word));
    freeReplyObject(reply);

    return TOMO_OK;
}


tomo_rc_e
ask_rights(redis_t *r, tomo_doctor_facts_t *f)
{
    const char  *word;
    redisReply  *reply;

    reply = redis_call_c(r, "ACL", "WHOAMI", NULL);

    if (redis_str(reply).data != NULL) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_USER, redis_str(reply));
    }

    freeReplyObject(reply);
    reply = redis_call_c(r, "MODULE", "LIST", NULL);

    if (reply == NULL) {
        return TOMO_AGAIN;
    }

    word = redis_is(reply, REDIS_REPLY_ERROR) ? redis_error_word(reply)
                                              : "allowed";
    tomo_doctor_see(f, TOMO_DOCTOR_ROW_FORBIDDEN, tomo_str_c(word));
    freeReplyObject(reply);

    return TOMO_OK;
}
