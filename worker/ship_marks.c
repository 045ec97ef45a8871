#include "ship_marks.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

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


size_t
ship_marks_find(const ship_marks_t *marks, uint64_t writer,
    tomo_str_t account)
{
    size_t  i;

    for (i = 0; i < marks->n; i++) {
        const ship_mark_t  *m = &marks->list[i];

        if (m->writer == writer
            && tomo_str_eq(tomo_str_n(m->account, m->account_len), account))
        {
            break;
        }
    }

    return i;
}


static void
ship_marks_add(ship_marks_t *marks, uint64_t writer, tomo_str_t account,
    uint64_t mark)
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
    *m = (ship_mark_t) { .writer = writer, .account_len = account.len,
                         .mark = mark };
    memcpy(m->account, account.data, account.len);
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


bool
ship_marks_read(ship_marks_t *marks, redis_t *r, uint64_t writer,
    tomo_str_t account)
{
    bool          ok;
    int64_t       n = 0;
    redisReply   *reply;
    redis_args_t  args = { 0 };

    redis_arg_c(&args, "HGET");
    ship_marks_args(writer, account, &args);
    reply = redis_call(r, &args);
    redis_args_free(&args);

    ok = (redis_is(reply, REDIS_REPLY_NIL)
          || (redis_is(reply, REDIS_REPLY_STRING)
              && redis_int(reply, &n) == TOMO_OK))
         && n >= 0;

    if (ok) {
        ship_marks_add(marks, writer, account, (uint64_t) n);

    } else if (reply != NULL) {
        redis_drop(r, redis_error_word(reply));
    }

    freeReplyObject(reply);

    return ok;
}


void
ship_marks_put(ship_marks_t *marks, size_t i, uint64_t seq,
    redis_args_t *args)
{
    const ship_mark_t  *m = &marks->list[i];

    redis_arg_c(args, "HSET");
    ship_marks_args(m->writer, tomo_str_n(m->account, m->account_len), args);
    redis_arg_u64(args, seq);
}
