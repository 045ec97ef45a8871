#include "ship_marks.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tomo_keys.h"

#define SHIP_NAME_LEN  16

/* what a command's views point to until it is appended */
static _Thread_local struct {
    uint8_t  key[TOMO_KEY_MAX];
    uint8_t  name[SHIP_NAME_LEN];
} ship_marks_text;


void
ship_marks_free(ship_marks_t *marks)
{
    free(marks->list);
}


bool
ship_marks_own(const char *word)
{
    return strcmp(word, "WRONGTYPE") == 0 || strcmp(word, "NOPERM") == 0;
}


static void
ship_marks_add(ship_marks_t *marks, uint64_t writer, tomo_str_t account)
{
    ship_mark_t  *m;

    if (marks->n == marks->cap) {
        marks->cap = marks->cap == 0 ? 16 : 2 * marks->cap;
        marks->list = realloc(marks->list, marks->cap * sizeof(*m));

        if (marks->list == NULL) {
            log_error("memory", "is out: the role ends and starts again");
            abort();
        }
    }

    m = &marks->list[marks->n++];
    *m = (ship_mark_t) { .writer = writer };
    memcpy(m->account, account.data, account.len);
}


size_t
ship_marks_find(ship_marks_t *marks, uint64_t writer, tomo_str_t account)
{
    size_t  i;

    for (i = 0; i < marks->n; i++) {
        const ship_mark_t  *m = &marks->list[i];

        if (m->writer == writer
            && tomo_str_eq(tomo_str_c(m->account), account))
        {
            return i;
        }
    }

    ship_marks_add(marks, writer, account);

    return i;
}


void
ship_marks_forget(ship_marks_t *marks, uint64_t writer)
{
    size_t  n = 0;

    for (size_t i = 0; i < marks->n; i++) {
        if (marks->list[i].writer != writer) {
            marks->list[n++] = marks->list[i];
        }
    }

    marks->n = n;
}


/* key and field of a mark */

static void
ship_marks_args(uint64_t writer, tomo_str_t account, redis_args_t *args)
{
    tomo_buf_t  key, name;

    tomo_buf_init(&key, ship_marks_text.key, sizeof(ship_marks_text.key));
    tomo_buf_init(&name, ship_marks_text.name, sizeof(ship_marks_text.name));
    tomo_key_ship(&key, account);
    tomo_buf_hex64(&name, writer);
    redis_arg(args, tomo_buf_str(&key));
    redis_arg(args, tomo_buf_str(&name));
}


static bool
ship_marks_ask(const ship_mark_t *m, redis_t *r)
{
    bool          ok = true;
    uint8_t       data[TOMO_KEY_MAX];
    tomo_buf_t    key;
    tomo_str_t    account = tomo_str_c(m->account);
    redis_args_t  args = { 0 };

    for (size_t lane = 0; lane < 2; lane++) {
        tomo_buf_init(&key, data, sizeof(data));

        if (lane == 0) {
            tomo_key_in(&key, account);

        } else {
            tomo_key_bulk(&key, account);
        }

        redis_args_reset(&args);
        redis_arg_c(&args, "XLEN");
        redis_arg(&args, tomo_buf_str(&key));
        ok = ok && redis_append(r, &args) == TOMO_OK;
    }

    redis_args_reset(&args);
    redis_arg_c(&args, "HGET");
    ship_marks_args(m->writer, account, &args);
    ok = ok && redis_append(r, &args) == TOMO_OK;
    redis_args_free(&args);

    return ok;
}


/* one of the answers; *n: the mark, when it is the last */

static tomo_rc_e
ship_marks_answer(redis_t *r, bool last, int64_t *n, const char **word)
{
    tomo_rc_e    rc = TOMO_OK;
    redisReply  *reply = redis_reply(r);

    if (reply == NULL) {
        return TOMO_AGAIN;
    }

    if (redis_is(reply, REDIS_REPLY_ERROR)) {
        *word = redis_error_word(reply);
        rc = ship_marks_own(*word) ? TOMO_INVALID : TOMO_AGAIN;

    } else if (!last) {
        rc = redis_is(reply, REDIS_REPLY_INTEGER) ? TOMO_OK : TOMO_AGAIN;

    } else if (redis_is(reply, REDIS_REPLY_STRING)) {
        if (redis_int(reply, n) != TOMO_OK || *n < 0) {
            *word = "a ship mark that is no number";
            rc = TOMO_INVALID;
        }

    } else if (!redis_is(reply, REDIS_REPLY_NIL)) {
        rc = TOMO_AGAIN;
    }

    if (rc == TOMO_AGAIN) {
        redis_drop(r, redis_error_word(reply));
    }

    freeReplyObject(reply);

    return rc;
}


/*
 * A transaction whose answer was lost moved it, and what it appended to is no
 * stream: EXEC takes nothing back.  Or what was to put it back was lost.
 */

static tomo_rc_e
ship_marks_back(ship_marks_t *marks, redis_t *r, size_t i, int64_t *n)
{
    ship_mark_t  *m = &marks->list[i];

    if ((uint64_t) *n <= m->mark) {
        m->owed = false;
        return TOMO_OK;
    }

    ship_marks_repair(marks, r, i);
    *n = (int64_t) m->mark;

    /* refused: the next transaction moves it, or it is read again */
    return redis_fd(r) < 0 ? TOMO_AGAIN : TOMO_OK;
}


tomo_rc_e
ship_marks_read(ship_marks_t *marks, redis_t *r, size_t i,
    const char **word)
{
    int64_t       n = 0;
    tomo_rc_e     rc = TOMO_OK, one = TOMO_OK;
    ship_mark_t  *m = &marks->list[i];

    if (!ship_marks_ask(m, r)) {
        return TOMO_AGAIN;
    }

    for (size_t left = 3; left > 0; left--) {
        one = ship_marks_answer(r, left == 1, &n, word);

        if (one == TOMO_AGAIN) {
            return one;
        }

        if (one == TOMO_INVALID && left > 1 && m->seen
            && strcmp(*word, "WRONGTYPE") == 0)
        {
            m->owed = true;
        }

        rc = one == TOMO_OK ? rc : one;
    }

    if (one == TOMO_OK && m->owed
        && ship_marks_back(marks, r, i, &n) != TOMO_OK)
    {
        return TOMO_AGAIN;
    }

    if (rc == TOMO_OK) {
        m->mark = (uint64_t) n;
        m->known = true;
        m->seen = true;
    }

    return rc;
}


void
ship_marks_repair(ship_marks_t *marks, redis_t *r, size_t i)
{
    redisReply   *reply;
    redis_args_t  args = { 0 };

    ship_marks_put(marks, i, marks->list[i].mark, &args);
    reply = redis_call(r, &args);
    marks->list[i].owed = !redis_is(reply, REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
    redis_args_free(&args);
}


void
ship_marks_put(ship_marks_t *marks, size_t i, uint64_t seq,
    redis_args_t *args)
{
    const ship_mark_t  *m = &marks->list[i];

    redis_arg_c(args, "HSET");
    ship_marks_args(m->writer, tomo_str_c(m->account), args);
    redis_arg_u64(args, seq);
}
