#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"

#define HOLD_FILE     "hold"
#define HOLD_TEXT     256
#define HOLD_PATH     1200
#define HOLD_LOOK_US  INT64_C(500000)
#define HOLD_DEAD_MS  60000             /* an edge so silent is gone */


static bool
hold_path(const conf_t *conf, char *path)
{
    int  n = snprintf(path, HOLD_PATH, "%s/" HOLD_FILE, conf->journal);

    return n > 0 && n < HOLD_PATH;
}


bool
hold_is(const conf_t *conf)
{
    char  path[HOLD_PATH];

    return hold_path(conf, path) && access(path, F_OK) == 0;
}


static void
hold_enter(hold_t *h, bool restore)
{
    h->held = true;
    h->restore = restore;
    h->at_ms = clock_real_ms();
    h->at_us = clock_mono_us();
    h->next_us = 0;
    h->shipped = false;
    log_warn("sending", "waits: %s; it goes on when the journals are shipped "
             "again and decided, or at once by `tomo-worker --release`",
             restore ? "Redis was restored from a backup"
                     : "Redis went back in time");
}


/* the file came, or is still there from a former life */

static void
hold_read(hold_t *h)
{
    char         path[HOLD_PATH];
    char        *text;
    size_t       len;
    const char  *why;

    if (!hold_path(h->conf, path) || access(path, F_OK) != 0) {
        return;
    }

    text = conf_text_read(path, HOLD_TEXT, &len, &why);
    hold_enter(h, text == NULL || strncmp(text, "rollback", 8) != 0);
    free(text);
}


tomo_rc_e
hold_open(hold_t *h, const conf_t *conf)
{
    *h = (hold_t) { .conf = conf };
    h->targets = calloc(conf->n_accounts + 1, sizeof(*h->targets));

    if (h->targets == NULL) {
        return TOMO_ERROR;
    }

    hold_read(h);

    return TOMO_OK;
}


void
hold_close(hold_t *h)
{
    free(h->targets);
    h->targets = NULL;
}


void
hold_begin(hold_t *h)
{
    int   fd;
    char  path[HOLD_PATH];

    if (h->held) {
        h->at_ms = clock_real_ms();     /* what was seen so far is void */
        h->at_us = clock_mono_us();
        h->shipped = false;
        return;
    }

    hold_enter(h, false);

    if (hold_path(h->conf, path)) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                  | O_NOFOLLOW, 0600);

        if (fd < 0 || write(fd, "rollback\n", 9) != 9 || fsync(fd) != 0) {
            log_warn("sending", "waits in memory only, %s cannot be written: "
                     "%s", path, strerror(errno));
        }

        if (fd >= 0) {
            close(fd);
        }
    }
}


static void
hold_end(hold_t *h, const char *why)
{
    char  path[HOLD_PATH];

    if (hold_path(h->conf, path) && unlink(path) != 0 && errno != ENOENT) {
        log_warn("sending", "cannot remove %s: %s; remove it, or the next "
                 "start waits again", path, strerror(errno));
    }

    h->held = false;
    log_info("sending", "goes on: %s", why);
}


/* "at=MS versions=… waiting=N": a number of it */

static bool
hold_beat_number(tomo_str_t beat, const char *name, int64_t *n)
{
    size_t      from = 0, end;
    tomo_str_t  word, head = tomo_str_c(name);

    while (from < beat.len) {
        end = tomo_str_find(beat, from, ' ');
        word = tomo_str_n(beat.data + from, end - from);
        from = end + 1;

        if (tomo_str_starts(word, head)) {
            return tomo_i64_get(tomo_str_n(word.data + head.len,
                                           word.len - head.len), n)
                   == TOMO_OK;
        }
    }

    return false;
}


/*
 * Every edge that lived lately has said, since we know of the rollback, that
 * nothing waits in its journals.  After a restore the edges' field may be old:
 * they get time to come back.
 */

static bool
hold_edges_done(const hold_t *h, redis_t *r)
{
    bool         done = true;
    int64_t      at, waiting, now_ms = clock_real_ms();
    redisReply  *all = redis_call_c(r, "HGETALL", TOMO_KEY_EDGES, NULL);

    if (!redis_is(all, REDIS_REPLY_ARRAY)
        || (h->restore && now_ms - h->at_ms < HOLD_EDGE_MS))
    {
        done = false;
    }

    for (size_t i = 0; done && i + 1 < redis_len(all); i += 2) {
        tomo_str_t  beat = redis_str(redis_at(all, i + 1));

        if (!hold_beat_number(beat, "at=", &at)
            || at < h->at_ms - HOLD_DEAD_MS)
        {
            continue;
        }

        done = (at > h->at_ms && hold_beat_number(beat, "waiting=", &waiting)
                && waiting == 0)
               || (at <= h->at_ms && now_ms - h->at_ms > HOLD_DEAD_MS);
    }

    freeReplyObject(all);

    return done;
}


static tomo_str_t
hold_key(tomo_buf_t *b, const conf_account_t *ac, size_t lane)
{
    tomo_buf_reset(b);

    if (lane == 0) {
        tomo_key_in(b, tomo_str_c(ac->id));
    } else {
        tomo_key_bulk(b, tomo_str_c(ac->id));
    }

    return tomo_buf_str(b);
}


/* the newest entry of each lane now: ingest has to get there */

static bool
hold_aim(hold_t *h, redis_t *r)
{
    uint8_t     text[TOMO_KEY_MAX];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));

    for (size_t i = 0; i < 2 * h->conf->n_accounts; i++) {
        char         *target = h->targets[i / 2][i % 2];
        tomo_str_t    id;
        redisReply   *reply;
        redis_args_t  args = { 0 };

        redis_arg_c(&args, "XREVRANGE");
        redis_arg(&args, hold_key(&b, &h->conf->accounts[i / 2], i % 2));
        redis_arg_c(&args, "+");
        redis_arg_c(&args, "-");
        redis_arg_c(&args, "COUNT");
        redis_arg_c(&args, "1");
        reply = redis_call(r, &args);
        redis_args_free(&args);

        if (!redis_is(reply, REDIS_REPLY_ARRAY)) {
            freeReplyObject(reply);
            return false;
        }

        id = redis_str(redis_at(redis_at(reply, 0), 0));
        snprintf(target, sizeof(h->targets[0][0]), "%.*s", (int) id.len,
                 id.len == 0 ? "" : (const char *) id.data);
        freeReplyObject(reply);
    }

    return true;
}


/* 12-3 ≥ 12-1 */

static bool
hold_id_reached(tomo_str_t at, tomo_str_t target)
{
    size_t    cut_at = tomo_str_find(at, 0, '-');
    size_t    cut_to = tomo_str_find(target, 0, '-');
    uint64_t  a[2], t[2];

    if (cut_at >= at.len || cut_to >= target.len
        || tomo_u64_get(tomo_str_n(at.data, cut_at), UINT64_MAX, &a[0])
           != TOMO_OK
        || tomo_u64_get(tomo_str_n(at.data + cut_at + 1,
                                   at.len - cut_at - 1), UINT64_MAX, &a[1])
           != TOMO_OK
        || tomo_u64_get(tomo_str_n(target.data, cut_to), UINT64_MAX, &t[0])
           != TOMO_OK
        || tomo_u64_get(tomo_str_n(target.data + cut_to + 1,
                                   target.len - cut_to - 1), UINT64_MAX,
                        &t[1]) != TOMO_OK)
    {
        return false;
    }

    return a[0] > t[0] || (a[0] == t[0] && a[1] >= t[1]);
}


static bool
hold_decided(hold_t *h, redis_t *r)
{
    bool          done = true;
    uint8_t       text[TOMO_KEY_MAX];
    tomo_buf_t    b;
    redisReply   *reply;
    redis_args_t  args = { 0 };

    for (size_t i = 0; done && i < h->conf->n_accounts; i++) {
        tomo_buf_init(&b, text, sizeof(text));
        tomo_key_cursor(&b, tomo_str_c(h->conf->accounts[i].id));
        redis_args_reset(&args);
        redis_arg_c(&args, "HMGET");
        redis_arg(&args, tomo_buf_str(&b));
        redis_arg_c(&args, "in");
        redis_arg_c(&args, "bulk");
        reply = redis_call(r, &args);

        for (size_t k = 0; k < 2; k++) {
            tomo_str_t  target = tomo_str_c(h->targets[i][k]);

            done = done && (target.len == 0
                            || hold_id_reached(redis_str(redis_at(reply, k)),
                                               target));
        }

        freeReplyObject(reply);
    }

    redis_args_free(&args);

    return done;
}


void
hold_turn(hold_t *h, redis_t *r)
{
    int64_t  now_us = clock_mono_us();

    if (now_us < h->next_us) {
        return;
    }

    h->next_us = now_us + HOLD_LOOK_US;

    if (!h->held) {
        hold_read(h);
        return;
    }

    if (!hold_is(h->conf)) {
        hold_end(h, "the operator says so");
        return;
    }

    if (!h->restore && now_us - h->at_us > HOLD_LONGEST_MS * 1000) {
        hold_end(h, "it has waited long enough after a rollback");
        return;
    }

    if (!h->shipped) {
        h->shipped = hold_edges_done(h, r) && hold_aim(h, r);
    }

    if (h->shipped && hold_decided(h, r)) {
        hold_end(h, "the journals are shipped again and decided");
    }
}


int
hold_release(const conf_t *conf)
{
    char  path[HOLD_PATH];

    if (!hold_path(conf, path)) {
        return 1;
    }

    if (unlink(path) != 0) {
        fprintf(stderr, errno == ENOENT
                        ? "%s is not there: nothing waits\n"
                        : "%s cannot be removed: run this as the worker's "
                          "user\n", path);
        return errno == ENOENT ? 0 : 1;
    }

    fprintf(stderr, "%s is removed: sending goes on within a second\n", path);

    return 0;
}
