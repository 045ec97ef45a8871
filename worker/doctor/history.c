#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "tomo_codec.h"
#include "tomo_keys.h"
#include "tomo_rec.h"

#define HISTORY_FILE  "redis.state"
#define HISTORY_TEXT  512
#define HISTORY_PATH  1200


static bool
history_path(const conf_t *conf, const char *tail, char *path)
{
    int  n = snprintf(path, HISTORY_PATH, "%s/" HISTORY_FILE "%s",
                      conf->journal, tail);

    return n > 0 && n < HISTORY_PATH;
}


static void
history_copy(char out[41], const tomo_str_t *s)
{
    if (s != NULL && s->len == 40) {
        memcpy(out, s->data, 40);
        out[40] = '\0';
    }
}


static bool
history_parse(history_state_t *state, tomo_str_t text)
{
    uint8_t            space[24 * 1024];
    tomo_rec_t         rec;
    tomo_arena_t       arena;
    const tomo_str_t  *id;

    tomo_arena_init(&arena, space, sizeof(space));

    if (tomo_rec_parse(text, &arena, &rec) != TOMO_OK
        || (id = tomo_rec_get(&rec, "id")) == NULL
        || tomo_hex64_get(*id, &state->id) != TOMO_OK
        || tomo_rec_get_u64(&rec, "mark", INT64_MAX, &state->mark)
           != TOMO_OK)
    {
        return false;
    }

    (void) !tomo_rec_get_i64(&rec, "offset", &state->offset);
    (void) !tomo_rec_get_i64(&rec, "at", &state->at_ms);
    (void) !tomo_rec_get_u64(&rec, "incidents", INT64_MAX,
                             &state->incidents);
    history_copy(state->run_id, tomo_rec_get(&rec, "run"));
    history_copy(state->replid, tomo_rec_get(&rec, "replid"));

    return state->id != 0;
}


/* false: there is none, or none that can be read */

static bool
history_load(history_state_t *state, const conf_t *conf)
{
    char          path[HISTORY_PATH];
    bool          ok = false;
    char         *text;
    size_t        len;
    const char   *why;

    *state = (history_state_t) { 0 };

    if (!history_path(conf, "", path) || access(path, F_OK) != 0) {
        return false;
    }

    text = conf_text_read(path, HISTORY_TEXT, &len, &why);

    if (text != NULL) {
        ok = history_parse(state, tomo_str_n(text, len));
        free(text);
    }

    if (!ok) {
        log_warn("history", "%s cannot be read: whether Redis went back in "
                 "time while we were away is not known", path);
        *state = (history_state_t) { 0 };
    }

    return ok;
}


static bool
history_write(const char *path, tomo_str_t text)
{
    int   fd;
    bool  ok;

    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
              0600);

    if (fd < 0) {
        return false;
    }

    ok = write(fd, text.data, text.len) == (ssize_t) text.len
         && fdatasync(fd) == 0;

    return close(fd) == 0 && ok;
}


/* whole or not at all; a mark that is behind the truth does no harm */

static void
history_save(const history_t *h)
{
    static log_gate_t  gate;

    char                    path[HISTORY_PATH], fresh[HISTORY_PATH];
    uint8_t                 text[HISTORY_TEXT], id[16];
    uint64_t                missed;
    tomo_buf_t              b, hex;
    const history_state_t  *s = &h->state;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_buf_init(&hex, id, sizeof(id));
    tomo_buf_hex64(&hex, s->id);
    tomo_rec_put(&b, "id", tomo_buf_str(&hex));
    tomo_rec_put_i64(&b, "mark", (int64_t) s->mark);
    tomo_rec_put_i64(&b, "at", s->at_ms);
    tomo_rec_put_i64(&b, "offset", s->offset);
    tomo_rec_put_i64(&b, "incidents", (int64_t) s->incidents);
    tomo_rec_put(&b, "run", tomo_str_c(s->run_id));
    tomo_rec_put(&b, "replid", tomo_str_c(s->replid));
    tomo_buf_byte(&b, '\n');

    if ((!history_path(h->conf, "", path)
         || !history_path(h->conf, ".new", fresh) || b.failed
         || !history_write(fresh, tomo_buf_str(&b))
         || rename(fresh, path) != 0)
        && log_gate(&gate, 60000, &missed))
    {
        log_warn("history", "%s cannot be written: %s; free space, or a "
                 "Redis that goes back in time is noticed late", path,
                 strerror(errno));
    }
}


void
history_open(history_t *h, const conf_t *conf)
{
    *h = (history_t) { .conf = conf };
    (void) !history_load(&h->state, conf);
}


/* who it is: *now; *mark: our field, 0 = none.  false: no answer */

static bool
history_ask(const history_state_t *state, redis_t *r, history_state_t *now,
    uint64_t *mark)
{
    char         id[17];
    bool         ok = false;
    int64_t      n = 0;
    tomo_str_t   info, value;
    redisReply  *about = NULL, *field = NULL;

    snprintf(id, sizeof(id), "%016llx", (unsigned long long) state->id);

    if (redis_append_c(r, "INFO", NULL) == TOMO_OK
        && redis_append_c(r, "HGET", TOMO_KEY_WATERMARK, id, NULL) == TOMO_OK
        && (about = redis_reply(r)) != NULL
        && (field = redis_reply(r)) != NULL)
    {
        info = redis_str(about);
        value = tomo_doctor_field(info, "run_id");
        history_copy(now->run_id, &value);
        value = tomo_doctor_field(info, "master_replid");
        history_copy(now->replid, &value);
        (void) !tomo_i64_get(tomo_doctor_field(info, "master_repl_offset"),
                             &now->offset);
        ok = info.data != NULL
             && (redis_is(field, REDIS_REPLY_NIL)
                 || redis_int(field, &n) == TOMO_OK);
        *mark = n < 0 ? 0 : (uint64_t) n;
    }

    freeReplyObject(about);
    freeReplyObject(field);

    return ok;
}


static history_e
history_compare(const history_state_t *was, const history_state_t *now,
    uint64_t mark)
{
    if (was->id == 0) {
        return HISTORY_BEGAN;
    }

    if (mark == 0 && was->mark > 0) {
        return HISTORY_LOST;
    }

    if (mark < was->mark) {
        return HISTORY_BACK;
    }

    return strcmp(was->run_id, now->run_id) == 0 ? HISTORY_GOES_ON
                                                 : HISTORY_RESTARTED;
}


static void
history_tell(const history_t *h, const history_state_t *now, history_e what,
    uint64_t mark)
{
    int64_t                 now_ms = clock_real_ms();
    const char             *object = h->conf->redis_address;
    const history_state_t  *s = &h->state;

    switch (what) {

    case HISTORY_BACK:
        log_error(object, "incident: it went back in time: it has watermark "
                  "%llu, but had acknowledged %llu, %lld ms ago; what it "
                  "lost is shipped again from the journals",
                  (unsigned long long) mark, (unsigned long long) s->mark,
                  (long long) (now_ms - s->at_ms));
        break;

    case HISTORY_LOST:
        log_error(object, "incident: it went back in time: it knows nothing "
                  "of us, but had acknowledged watermark %llu, %lld ms ago; "
                  "what the journals keep is shipped again; restore a backup "
                  "(docs/backup.md)", (unsigned long long) s->mark,
                  (long long) (now_ms - s->at_ms));
        break;

    case HISTORY_RESTARTED:
        log_warn(object, "was restarted, or another one took its place (run "
                 "id %.8s, was %.8s): its watermark is as it was",
                 now->run_id, s->run_id);
        break;

    default:
        break;
    }
}


static tomo_rc_e
history_tick(history_t *h, redis_t *r)
{
    char         id[17], mark[24];
    bool         ok;
    redisReply  *reply;

    snprintf(id, sizeof(id), "%016llx", (unsigned long long) h->state.id);
    snprintf(mark, sizeof(mark), "%llu",
             (unsigned long long) h->state.mark + 1);
    h->next_us = clock_mono_us() + HISTORY_TICK_MS * 1000;
    reply = redis_call_c(r, "HSET", TOMO_KEY_WATERMARK, id, mark, NULL);
    ok = redis_is(reply, REDIS_REPLY_INTEGER);
    freeReplyObject(reply);

    if (!ok) {
        return TOMO_AGAIN;
    }

    h->state.mark++;
    h->state.at_ms = clock_real_ms();
    history_save(h);

    return TOMO_OK;
}


static tomo_rc_e
history_meet(history_t *h, redis_t *r, history_e *what)
{
    uint64_t         mark = 0;
    history_state_t  now = { 0 };

    if (h->state.id == 0) {
        ids_random(&h->state.id, sizeof(h->state.id));
        h->state.id |= 1;
        *what = HISTORY_BEGAN;

        if (!history_ask(&h->state, r, &now, &mark)) {
            h->state.id = 0;
            return TOMO_AGAIN;
        }

    } else {
        if (!history_ask(&h->state, r, &now, &mark)) {
            return TOMO_AGAIN;
        }

        *what = history_compare(&h->state, &now, mark);
        history_tell(h, &now, *what, mark);
    }

    if (*what == HISTORY_BACK || *what == HISTORY_LOST) {
        h->state.incidents++;
    }

    memcpy(h->state.run_id, now.run_id, sizeof(now.run_id));
    memcpy(h->state.replid, now.replid, sizeof(now.replid));
    h->state.offset = now.offset;
    h->generation = r->generation;

    if (mark > h->state.mark) {
        h->state.mark = mark;
    }

    return TOMO_OK;
}


tomo_rc_e
history_turn(history_t *h, redis_t *r, history_e *what)
{
    tomo_rc_e  rc;

    if (h->generation != r->generation) {
        rc = history_meet(h, r, what);

        /* the caller acts on it before the file forgets it */
        h->next_us = 0;
        return rc;
    }

    if (clock_mono_us() < h->next_us) {
        return TOMO_ABSENT;
    }

    rc = history_tick(h, r);

    return rc == TOMO_OK ? TOMO_ABSENT : rc;
}


void
history_look(tomo_doctor_facts_t *f, const conf_t *conf, redis_t *r)
{
    static const char *const  words[] = {
        "goes on", "began", "goes on", "behind what it acknowledged",
        "gone: it knows nothing of us"
    };

    uint64_t         mark = 0;
    history_state_t  was, now = { 0 };

    if (!history_load(&was, conf)) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_ROLLBACK, tomo_str("began"));

    } else if (history_ask(&was, r, &now, &mark)) {
        tomo_doctor_see(f, TOMO_DOCTOR_ROW_ROLLBACK,
                        tomo_str_c(words[history_compare(&was, &now, mark)]));
    }
}


uint64_t
history_incidents(const conf_t *conf)
{
    history_state_t  state;

    return history_load(&state, conf) ? state.incidents : 0;
}
