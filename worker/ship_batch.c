/*
 * ship_batch: the next records of a writer as transactions, one for each run
 * of records of one account, and what Redis answers to them.
 */

#include "ship_own.h"

#include "tomo_entry.h"
#include "tomo_keys.h"

#define SHIP_BATCH_RECORDS  256
#define SHIP_BATCH_BYTES    (1024 * 1024)


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

    return ok;
}


/* ends the group under way: its mark moves in the same transaction */

static bool
ship_group_end(ship_t *s)
{
    bool           ok;
    redis_args_t   args = { 0 };
    ship_group_t  *g = &s->groups[s->n_groups - 1];

    if (g->n == 0) {
        return true;
    }

    ship_marks_put(&s->marks, g->mark, g->last, &args);
    ok = redis_append(s->redis, &args) == TOMO_OK
         && redis_append_c(s->redis, "EXEC", NULL) == TOMO_OK;
    redis_args_free(&args);

    return ok;
}


/* Is the mark of an account known, or is it held?  No: the batch ends here. */

static bool
ship_known(ship_t *s, size_t i)
{
    tomo_rc_e     rc;
    const char   *word = "";
    ship_mark_t  *m = &s->marks.list[i];

    if (m->known || m->held) {
        return true;
    }

    if (s->n > 0) {
        return false;
    }

    if (!m->seen && s->settled != 0) {
        /* who was killed had all up to there answered */
        m->mark = s->settled;
        m->seen = true;
    }

    rc = ship_marks_read(&s->marks, s->redis, i, &word);

    if (rc == TOMO_INVALID) {
        ship_hold(s, i, word);

    } else if (rc != TOMO_OK) {
        s->rc = TOMO_AGAIN;
        return false;
    }

    return true;
}


/*
 * The group that records of this account go into now; NULL: the batch ends
 * here, because nothing more fits.
 */

static ship_group_t *
ship_group(ship_t *s, size_t mark, uint64_t seq)
{
    ship_group_t  *g;

    g = s->n_groups > 0 ? &s->groups[s->n_groups - 1] : NULL;

    if (g != NULL && g->mark == mark) {
        return g;
    }

    if (s->n_groups == SHIP_GROUPS) {
        return NULL;
    }

    if (g != NULL && !ship_group_end(s)) {
        s->rc = TOMO_AGAIN;
        return NULL;
    }

    g = &s->groups[s->n_groups++];
    *g = (ship_group_t) { .mark = mark, .first = seq };

    return g;
}


/* one record that is to be shipped; false: batch ends */

static bool
ship_take(ship_t *s, size_t mark, const tomo_record_t *r)
{
    ship_group_t  *g = ship_group(s, mark, r->seq);

    if (g == NULL) {
        s->last = r->seq - 1;           /* the next batch begins with it */
        return false;
    }

    if ((g->n == 0 && redis_append_c(s->redis, "MULTI", NULL) != TOMO_OK)
        || !ship_append_entry(s, r))
    {
        s->rc = TOMO_AGAIN;
        return false;
    }

    g->n++;
    g->last = r->seq;
    s->bytes += r->body.len;

    return ++s->n < SHIP_BATCH_RECORDS && s->bytes < SHIP_BATCH_BYTES;
}


/* one record of the journal, for the batch under way; false: batch ends */

static bool
ship_record(void *data, uint64_t writer, const tomo_record_t *r)
{
    size_t        i;
    ship_t       *s = data;
    ship_mark_t  *m;

    s->last = r->seq;
    s->seen++;

    if (r->lane == TOMO_LANE_LOCAL) {
        return s->seen < SHIP_BATCH_RECORDS * 16;
    }

    if (tomo_entry_kind_name(r->kind) == NULL) {
        log_error("journal", "record %llu of writer %016llx is of a kind "
                  "that this version does not know and is not shipped: "
                  "start the newer version", (unsigned long long) r->seq,
                  (unsigned long long) writer);
        return true;
    }

    i = ship_marks_find(&s->marks, writer, r->account);

    if (!ship_known(s, i)) {
        s->last = r->seq - 1;           /* the next batch begins with it */
        return false;
    }

    m = &s->marks.list[i];

    if (m->held) {
        ship_hold_pass(m, r->seq);
        return true;
    }

    return r->seq <= m->mark || ship_take(s, i, r);
}


/* Takes the answers of one group: MULTI, its XADDs, HSET, then EXEC's. */

static void
ship_group_settle(ship_t *s, ship_group_t *g)
{
    bool         done = false;
    const char  *word;
    redisReply  *reply;

    for (size_t left = g->n == 0 ? 0 : g->n + 3; left > 0; left--) {
        reply = redis_reply(s->redis);

        if (reply == NULL) {
            return;
        }

        word = redis_is(reply, REDIS_REPLY_ERROR) ? redis_error_word(reply)
                                                  : NULL;
        done = left == 1 && redis_exec_ok(reply, g->n + 1, &word);

        if (word != NULL && g->word == NULL) {
            g->word = word;
            g->own = left < g->n + 3 && ship_marks_own(word);
        }

        /* the mark was written, alone or though a record was refused */
        g->loose = g->loose
                   || (left == 2 && redis_is(reply, REDIS_REPLY_INTEGER))
                   || (left == 1 && !done && redis_len(reply) > 0);
        freeReplyObject(reply);
    }

    g->failed = !done && g->n > 0;

    for (const ship_group_t *f = s->groups; f < g; f++) {
        /* an earlier hole of this account must not be passed over */
        g->loose = g->loose || (done && f->failed && f->mark == g->mark);
    }

    if (done && !g->loose) {
        s->marks.list[g->mark].mark = g->last;
        s->marks.list[g->mark].owed = false;
        ship_hold_over(s, &s->marks.list[g->mark]);
    }
}


/*
 * MULTI was refused, and what came behind it no more: it ran by itself.  Or a
 * record was refused within EXEC, which takes nothing back.  The mark stands
 * behind records that may be missing, and is put back.
 */

static void
ship_repair(ship_t *s)
{
    for (size_t i = 0; i < s->n_groups; i++) {
        const ship_group_t  *g = &s->groups[i];

        if (g->loose) {
            s->marks.list[g->mark].owed = true;
        }
    }

    for (size_t i = 0; i < s->n_groups && redis_fd(s->redis) >= 0; i++) {
        const ship_group_t  *g = &s->groups[i];

        if (g->loose && s->marks.list[g->mark].owed) {
            ship_marks_repair(&s->marks, s->redis, g->mark);
        }
    }
}


/*
 * What concerns one account alone holds that one.  Whatever else went wrong,
 * the connection is dropped and marks are read again.
 */

static tomo_rc_e
ship_settle(ship_t *s)
{
    bool         ok = true;
    uint64_t     missed;
    const char  *word = NULL;

    for (size_t i = 0; i < s->n_groups && redis_fd(s->redis) >= 0; i++) {
        ship_group_t  *g = &s->groups[i];

        ship_group_settle(s, g);

        if (g->failed && g->own) {
            ship_hold(s, g->mark, g->word);
            ship_hold_pass(&s->marks.list[g->mark], g->first);

        } else if (g->failed) {
            ok = false;
            word = g->word;
        }
    }

    ship_repair(s);

    if (ok && redis_fd(s->redis) >= 0) {
        return TOMO_OK;
    }

    if (log_gate(&s->gate, 10000, &missed)) {
        log_error(s->redis->conf->redis_address, "does not take the "
                  "journal's records: %s; they stay on disk and are tried "
                  "again", word == NULL ? "no answer" : word);
    }

    redis_drop(s->redis, "records were refused");

    return TOMO_AGAIN;
}


tomo_rc_e
ship_batch(ship_t *s, size_t i, bool *more)
{
    uint64_t   from = s->writers[i].seq, next = from;
    tomo_rc_e  rc;

    s->writer = s->writers[i].id;
    s->settled = journal_settled(s->journal, i);
    s->n = s->seen = s->bytes = s->n_groups = 0;
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
        s->rc = ship_group_end(s) ? ship_settle(s) : TOMO_AGAIN;
    }

    if (s->rc != TOMO_OK) {
        /* commands may be under way that nobody reads the answers of */
        redis_drop(s->redis, "shipping stopped half-way");
        return s->rc;
    }

    s->writers[i].seq = s->last + 1;
    journal_settle(s->journal, i, ship_hold_passed(s, i));
    *more = s->seen > 0;

    return TOMO_OK;
}
