#include "ship.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_entry.h"
#include "tomo_keys.h"

#define SHIP_BATCH_RECORDS  256
#define SHIP_BATCH_BYTES    (1024 * 1024)
#define SHIP_TIDY_US        (INT64_C(60) * 1000000)


/* how far a writer's records of one account are in Redis */

typedef struct {
    uint64_t  writer;
    char      account[TOMO_ACCOUNT_MAX];
    size_t    account_len;
    uint64_t  mark;
    uint64_t  new_mark;         /* once the batch under way is answered */
} ship_mark_t;

typedef struct {
    uint64_t  id;
    uint64_t  seq;              /* next to look at */
} ship_writer_t;

struct ship_s {
    journal_t      *journal;
    redis_t        *redis;
    uint64_t        generation;
    ship_writer_t  *writers;
    size_t          n_writers;
    ship_mark_t    *marks;
    size_t          n_marks;
    size_t          cap_marks;
    int64_t         tidy_us;

    /* the batch that is being put together */
    uint64_t        writer;
    char            account[TOMO_ACCOUNT_MAX];
    size_t          account_len;
    ship_mark_t    *mark;
    size_t          n;          /* records appended to the pipeline */
    size_t          seen;
    size_t          bytes;
    uint64_t        last;
    size_t          replies;    /* to take for the pipeline */
    tomo_rc_e       rc;
    log_gate_t      gate;
};


ship_t *
ship_new(journal_t *j, redis_t *r)
{
    ship_t  *s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->journal = j;
        s->redis = r;
    }

    return s;
}


void
ship_free(ship_t *s)
{
    if (s != NULL) {
        free(s->writers);
        free(s->marks);
        free(s);
    }
}


/* After every connect: nothing is known, marks are read when needed. */

static void
ship_restart(ship_t *s)
{
    size_t  n = journal_writers(s->journal);

    free(s->writers);
    s->writers = calloc(n, sizeof(*s->writers));
    s->n_writers = s->writers == NULL ? 0 : n;
    s->n_marks = 0;

    for (size_t i = 0; i < s->n_writers; i++) {
        s->writers[i].id = journal_writer_id(s->journal, i);
        s->writers[i].seq = 1;
    }

    s->generation = s->redis->generation;
}


static void
ship_text(uint64_t n, char text[17])
{
    tomo_buf_t  b;

    tomo_buf_init(&b, text, 16);
    tomo_buf_hex64(&b, n);
    text[16] = '\0';
}


static ship_mark_t *
ship_mark_new(ship_t *s, uint64_t writer, tomo_str_t account)
{
    size_t        cap;
    ship_mark_t  *m;

    if (s->n_marks == s->cap_marks) {
        cap = s->cap_marks == 0 ? 16 : 2 * s->cap_marks;
        m = realloc(s->marks, cap * sizeof(*m));

        if (m == NULL) {
            log_error("memory", "is out: the role ends and starts again");
            abort();
        }

        s->marks = m;
        s->cap_marks = cap;
    }

    m = &s->marks[s->n_marks++];
    *m = (ship_mark_t) { .writer = writer, .account_len = account.len };
    memcpy(m->account, account.data, account.len);

    return m;
}


/*
 * The mark of a writer and account, read from Redis the first time after a
 * connect.  Never called while commands are in the pipeline.
 */

static ship_mark_t *
ship_mark(ship_t *s, uint64_t writer, tomo_str_t account)
{
    char          name[17];
    int64_t       n = 0;
    tomo_rc_e     rc;
    uint8_t       key_data[TOMO_KEY_MAX];
    tomo_buf_t    key;
    redisReply   *reply;
    redis_args_t  args = { 0 };

    for (size_t i = 0; i < s->n_marks; i++) {
        ship_mark_t  *m = &s->marks[i];

        if (m->writer == writer
            && tomo_str_eq(tomo_str_n(m->account, m->account_len), account))
        {
            return m;
        }
    }

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_key_ship(&key, account);
    ship_text(writer, name);

    redis_arg_c(&args, "HGET");
    redis_arg(&args, tomo_buf_str(&key));
    redis_arg_c(&args, name);
    reply = redis_call(s->redis, &args);
    redis_args_free(&args);
    rc = redis_is(reply, REDIS_REPLY_NIL) ? TOMO_OK : redis_int(reply, &n);

    if (rc != TOMO_OK || n < 0) {
        if (reply != NULL) {
            redis_drop(s->redis, redis_error_word(reply));
        }

        freeReplyObject(reply);
        return NULL;
    }

    freeReplyObject(reply);
    ship_mark_t  *m = ship_mark_new(s, writer, account);
    m->mark = (uint64_t) n;
    m->new_mark = m->mark;

    return m;
}


static bool
ship_append_entry(ship_t *s, const tomo_record_t *r)
{
    bool          ok;
    uint8_t       key_data[TOMO_KEY_MAX], text_data[128];
    tomo_buf_t    key, text;
    tomo_str_t    argv[3 + 2 * TOMO_ENTRY_FIELDS];
    tomo_entry_t  e = {
        .kind = (tomo_entry_kind_e) r->kind,
        .at_ms = r->at_ms,
        .writer = s->writer,
        .seq = r->seq,
        .body = r->body,
    };

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_buf_init(&text, text_data, sizeof(text_data));

    if (r->lane == TOMO_LANE_BULK) {
        tomo_key_bulk(&key, r->account);

    } else {
        tomo_key_in(&key, r->account);
    }

    argv[0] = tomo_str("XADD");
    argv[1] = tomo_buf_str(&key);
    argv[2] = tomo_str("*");
    ok = tomo_entry_encode(&e, &text, argv + 3) == TOMO_OK
         && redis_append_argv(s->redis, sizeof(argv) / sizeof(argv[0]), argv)
            == TOMO_OK;
    s->replies += ok;

    return ok;
}


/* one record of the journal, for the batch under way; false: batch ends */

static bool
ship_record(void *data, uint64_t writer, const tomo_record_t *r)
{
    ship_t       *s = data;
    tomo_str_t    have = tomo_str_n(s->account, s->account_len);

    s->last = r->seq;
    s->seen++;

    if (r->lane == TOMO_LANE_LOCAL) {
        return s->seen < SHIP_BATCH_RECORDS * 16;
    }

    if (s->mark != NULL && !tomo_str_eq(have, r->account)) {
        s->last = r->seq - 1;           /* the next batch begins with it */
        return false;
    }

    if (s->mark == NULL) {
        s->mark = ship_mark(s, writer, r->account);

        if (s->mark == NULL) {
            s->last = r->seq - 1;
            s->rc = TOMO_AGAIN;
            return false;
        }

        s->account_len = r->account.len;
        memcpy(s->account, r->account.data, r->account.len);
    }

    if (r->seq <= s->mark->mark) {
        return true;
    }

    if (s->n == 0) {
        if (redis_append_c(s->redis, "MULTI", NULL) != TOMO_OK) {
            s->rc = TOMO_AGAIN;
            return false;
        }

        s->replies++;
    }

    if (!ship_append_entry(s, r)) {
        s->rc = TOMO_AGAIN;
        return false;
    }

    s->mark->new_mark = r->seq;
    s->bytes += r->body.len;

    return ++s->n < SHIP_BATCH_RECORDS && s->bytes < SHIP_BATCH_BYTES;
}


static bool
ship_append_end(ship_t *s)
{
    bool          ok;
    char          name[17];
    uint8_t       key_data[TOMO_KEY_MAX];
    tomo_buf_t    key;
    redis_args_t  args = { 0 };

    tomo_buf_init(&key, key_data, sizeof(key_data));
    tomo_key_ship(&key, tomo_str_n(s->account, s->account_len));
    ship_text(s->writer, name);

    redis_arg_c(&args, "HSET");
    redis_arg(&args, tomo_buf_str(&key));
    redis_arg_c(&args, name);
    redis_arg_u64(&args, s->mark->new_mark);
    ok = redis_append(s->redis, &args) == TOMO_OK
         && redis_append_c(s->redis, "EXEC", NULL) == TOMO_OK;
    redis_args_free(&args);
    s->replies += 2;

    return ok;
}


/* EXEC's answer decides; whatever went wrong, the marks are read again. */

static tomo_rc_e
ship_settle(ship_t *s)
{
    bool         done = false;
    uint64_t     missed;
    redisReply  *reply;
    const char  *word = "no answer";

    while (s->replies > 0) {
        reply = redis_reply(s->redis);

        if (reply == NULL) {
            s->replies = 0;
            return TOMO_AGAIN;
        }

        s->replies--;

        if (redis_is(reply, REDIS_REPLY_ERROR)) {
            word = redis_error_word(reply);
        }

        /* every element must be the type its command answers with */
        if (s->replies == 0 && redis_len(reply) == s->n + 1) {
            done = true;

            for (size_t i = 0; i < redis_len(reply); i++) {
                done = done && !redis_is(redis_at(reply, i),
                                         REDIS_REPLY_ERROR);
            }
        }

        freeReplyObject(reply);
    }

    if (done) {
        s->mark->mark = s->mark->new_mark;
        return TOMO_OK;
    }

    if (log_gate(&s->gate, 10000, &missed)) {
        log_error(s->redis->conf->redis_address, "does not take the "
                  "journal's records: %s; they stay on disk and are tried "
                  "again", word);
    }

    redis_drop(s->redis, "records were refused");

    return TOMO_AGAIN;
}


/* One batch of writer i.  *more: there may be another. */

static tomo_rc_e
ship_batch(ship_t *s, size_t i, bool *more)
{
    uint64_t   from = s->writers[i].seq, next = from;
    tomo_rc_e  rc;

    s->writer = s->writers[i].id;
    s->mark = NULL;
    s->n = s->seen = s->bytes = s->replies = 0;
    s->last = from - 1;
    s->rc = TOMO_OK;

    rc = journal_read(s->journal, i, &next, ship_record, s);

    if (rc == TOMO_ABSENT) {
        if (from > 1) {
            log_error("journal", "records %llu to %llu of writer %016llx are "
                      "missing: they were lost on this disk",
                      (unsigned long long) from,
                      (unsigned long long) next - 1,
                      (unsigned long long) s->writer);
        }

        s->writers[i].seq = next;
        *more = true;
        return TOMO_OK;
    }

    if (s->rc == TOMO_OK && s->n > 0) {
        s->rc = ship_append_end(s) ? ship_settle(s) : TOMO_AGAIN;
    }

    if (s->rc != TOMO_OK) {
        return s->rc;
    }

    s->writers[i].seq = s->last + 1;
    *more = s->seen > 0;

    return TOMO_OK;
}


static void
ship_tidy(ship_t *s)
{
    int64_t  now_us = clock_mono_us();

    if (s->tidy_us != 0 && now_us - s->tidy_us < SHIP_TIDY_US) {
        return;
    }

    s->tidy_us = now_us;

    /* from the end: a writer may disappear from the list */
    for (size_t i = s->n_writers; i-- > 0; ) {
        journal_shipped(s->journal, i, s->writers[i].seq - 1);
    }

    if (journal_writers(s->journal) != s->n_writers) {
        ship_restart(s);
    }
}


tomo_rc_e
ship_run(ship_t *s, size_t max)
{
    bool       more;
    size_t     shipped = 0;
    tomo_rc_e  rc;

    if (redis_up(s->redis) != TOMO_OK) {
        return TOMO_AGAIN;
    }

    if (s->generation != s->redis->generation) {
        ship_restart(s);
    }

    for (size_t i = 0; i < s->n_writers; i++) {
        more = true;

        while (more) {
            rc = ship_batch(s, i, &more);

            if (rc != TOMO_OK) {
                return rc;
            }

            shipped += s->n;

            if (max != 0 && shipped >= max) {
                return TOMO_LIMIT;
            }
        }
    }

    ship_tidy(s);

    return TOMO_OK;
}


uint64_t
ship_waiting(const ship_t *s)
{
    uint64_t  last = journal_last_seq(s->journal);
    uint64_t  next = s->n_writers == 0 ? 1 : s->writers[0].seq;

    return last + 1 > next ? last + 1 - next : 0;
}
