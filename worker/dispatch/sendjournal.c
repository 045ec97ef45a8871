#include "sendjournal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"
#include "sendtable.h"
#include "tomo_codec.h"
#include "tomo_entry.h"
#include "tomo_rec.h"

#define SENDJOURNAL_KEEP_MS  JOURNAL_KEEP_MAX_MS
#define SENDJOURNAL_LINE     (256 * 1024)


struct sendjournal_s {
    const conf_t   *conf;
    journal_t      *journal;
    sendtable_t     table;
    int64_t         covers_ms;
    uint8_t        *line;               /* scratch of SENDJOURNAL_LINE */
    uint8_t        *arena;              /* scratch of the same size */
};


static void
sendjournal_load_attempt(sendjournal_t *sj, const tomo_rec_t *rec,
    const uint8_t *name)
{
    int64_t            first_ms;
    uint64_t           n = 1;
    sendtable_name_t  *t;
    tomo_via_e         via = TOMO_VIA_PUSH;
    const tomo_str_t  *serials, *to, *word;

    if (tomo_rec_get(rec, "void") != NULL) {
        sendtable_void(&sj->table, name);
        return;
    }

    if (tomo_rec_get_i64(rec, "first", &first_ms) != TOMO_OK) {
        return;
    }

    (void) !tomo_rec_get_u64(rec, "n", UINT32_MAX, &n);
    word = tomo_rec_get(rec, "via");
    (void) !(word == NULL ? TOMO_INVALID : tomo_via_parse(*word, &via));
    t = sendtable_attempt(&sj->table, name, via, first_ms, (uint32_t) n);
    serials = tomo_rec_get(rec, "serials");
    to = tomo_rec_get(rec, "to");

    if (serials != NULL && to != NULL) {
        sendtable_freeze(t, *serials, *to);
    }
}


static void
sendjournal_load_verdict(sendjournal_t *sj, const tomo_rec_t *rec,
    const uint8_t *name, const conf_account_t *ac)
{
    int64_t            first_ms = 0;
    uint64_t           id_ms, id_seq, status = 0, attempts = 0;
    tomo_send_e        send;
    const tomo_str_t  *row, *word;

    row = tomo_rec_get(rec, "row");
    word = tomo_rec_get(rec, "send");

    if (row == NULL || word == NULL
        || !row_id_parse(*row, &id_ms, &id_seq)
        || tomo_send_parse(*word, &send) != TOMO_OK
        || send == TOMO_SEND_PAUSE)
    {
        return;
    }

    (void) !tomo_rec_get_u64(rec, "status", 999, &status);
    (void) !tomo_rec_get_u64(rec, "attempts", UINT32_MAX, &attempts);
    (void) !tomo_rec_get_i64(rec, "first", &first_ms);

    sendtable_settle_row(&sj->table, ac->number, id_ms, id_seq);

    if (name != NULL && attempts > 0) {
        sendtable_settle(&sj->table, name, send, (int) status,
                         (uint32_t) attempts, first_ms);
    }
}


static bool
sendjournal_load(void *data, uint64_t writer, const tomo_record_t *r)
{
    bool                   named;
    uint8_t                name[ROW_NAME_BYTES];
    tomo_rec_t             rec;
    tomo_arena_t           arena;
    sendjournal_t         *sj = data;
    const tomo_str_t      *mark;
    const conf_account_t  *ac = conf_account(sj->conf, r->account);

    (void) writer;

    if (r->at_ms < sj->covers_ms) {
        sj->covers_ms = r->at_ms;
    }

    tomo_arena_init(&arena, sj->arena, SENDJOURNAL_LINE);

    if (ac == NULL || tomo_rec_parse(r->body, &arena, &rec) != TOMO_OK) {
        return true;            /* an account that is gone, a later version */
    }

    mark = tomo_rec_get(&rec, "mark");
    named = mark != NULL && row_name_parse(*mark, name);

    if (r->kind == TOMO_ENTRY_verdict) {
        sendjournal_load_verdict(sj, &rec, named ? name : NULL, ac);

    } else if (r->kind == TOMO_ENTRY_attempt && named) {
        sendjournal_load_attempt(sj, &rec, name);
    }

    return true;
}


sendjournal_t *
sendjournal_open(const conf_t *conf)
{
    char               dir[1024];
    int                n;
    sendjournal_t     *sj = calloc(1, sizeof(*sj));
    journal_options_t  options = { .keep_ms = SENDJOURNAL_KEEP_MS };

    n = snprintf(dir, sizeof(dir), "%s/dispatch", conf->journal);

    if (sj == NULL || n < 0 || (size_t) n >= sizeof(dir)) {
        free(sj);
        return NULL;
    }

    /* the folder above may be the sandbox's, shared with the edge's */
    if (mkdir(conf->journal, 0700) == 0) {
        log_info("journal", "%s was made", conf->journal);
    }

    options.dir = dir;
    sj->conf = conf;
    sj->covers_ms = clock_now_ms();
    sj->line = malloc(SENDJOURNAL_LINE);
    sj->arena = malloc(SENDJOURNAL_LINE);
    sj->journal = journal_open(&options);

    if (sj->line == NULL || sj->arena == NULL || sj->journal == NULL
        || journal_each(sj->journal, sendjournal_load, sj) != TOMO_OK)
    {
        sendjournal_close(sj);
        return NULL;
    }

    log_info("journal", "%s knows %zu keys and %zu settled rows", dir,
             sendtable_names(&sj->table), sendtable_rows(&sj->table));

    return sj;
}


void
sendjournal_close(sendjournal_t *sj)
{
    if (sj != NULL) {
        sendtable_free(&sj->table);
        journal_close(sj->journal);
        free(sj->line);
        free(sj->arena);
        free(sj);
    }
}


journal_t *
sendjournal_journal(sendjournal_t *sj)
{
    return sj->journal;
}


int64_t
sendjournal_covers_ms(const sendjournal_t *sj)
{
    return sj->covers_ms;
}


const sendjournal_life_t *
sendjournal_find(const sendjournal_t *sj, const uint8_t name[ROW_NAME_BYTES])
{
    return sendtable_find(&sj->table, name);
}


bool
sendjournal_is_settled(const sendjournal_t *sj, uint32_t account,
    uint64_t id_ms, uint64_t id_seq)
{
    return sendtable_is_settled(&sj->table, account, id_ms, id_seq);
}


static tomo_rc_e
sendjournal_append(sendjournal_t *sj, const conf_account_t *ac,
    tomo_entry_kind_e kind, tomo_lane_e lane, tomo_str_t body)
{
    tomo_rc_e      rc;
    tomo_record_t  r = {
        .at_ms = clock_now_ms(),
        .kind = (uint8_t) kind,
        .lane = lane,
        .events = 1,
        .account = tomo_str_c(ac->id),
        .body = body,
    };

    rc = journal_append(sj->journal, &r);

    if (rc != TOMO_OK) {
        log_error("journal", "of dispatch does not take records: nothing is "
                  "sent until it does");
    }

    return rc;
}


static void
sendjournal_begin(sendjournal_t *sj, const row_t *row, tomo_buf_t *b)
{
    uint8_t     text[40];
    tomo_buf_t  mark;

    tomo_buf_init(&mark, text, sizeof(text));
    tomo_hex_put(&mark, tomo_str_n(row->name, ROW_NAME_BYTES));
    tomo_buf_init(b, sj->line, SENDJOURNAL_LINE);
    tomo_rec_put(b, "mark", tomo_buf_str(&mark));
    tomo_rec_put(b, "row", tomo_str_c(row->id));
}


tomo_rc_e
sendjournal_attempt(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row)
{
    tomo_rc_e          rc;
    tomo_buf_t         b;
    sendtable_name_t  *t;

    sendjournal_begin(sj, row, &b);
    tomo_rec_put(&b, "via", tomo_str_c(tomo_via_word(row->via)));
    tomo_rec_put_i64(&b, "first", row->first_ms);
    tomo_rec_put_u64(&b, "n", row->attempt);

    if (row->via == TOMO_VIA_MULTICAST) {
        tomo_rec_put(&b, "serials", row->keep_serials);
        tomo_rec_put(&b, "to", row->keep_to);
    }

    if (b.failed) {
        return TOMO_LIMIT;
    }

    rc = sendjournal_append(sj, ac, TOMO_ENTRY_attempt, TOMO_LANE_LOCAL,
                            tomo_buf_str(&b));

    if (rc == TOMO_OK) {
        t = sendtable_attempt(&sj->table, row->name, row->via, row->first_ms,
                              row->attempt);

        if (row->via == TOMO_VIA_MULTICAST) {
            sendtable_freeze(t, row->keep_serials, row->keep_to);
        }
    }

    return rc;
}


tomo_rc_e
sendjournal_void(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row)
{
    tomo_buf_t  b;

    sendjournal_begin(sj, row, &b);
    tomo_rec_put_u64(&b, "void", 1);
    sendtable_void(&sj->table, row->name);

    return sendjournal_append(sj, ac, TOMO_ENTRY_attempt, TOMO_LANE_LOCAL,
                              tomo_buf_str(&b));
}


tomo_rc_e
sendjournal_verdict(sendjournal_t *sj, const conf_account_t *ac,
    const row_t *row, tomo_send_e send, int status, tomo_str_t line)
{
    tomo_rc_e    rc;
    tomo_lane_e  lane = row->via == TOMO_VIA_MULTICAST ? TOMO_LANE_BULK
                                                       : TOMO_LANE_IN;

    rc = sendjournal_append(sj, ac, TOMO_ENTRY_verdict, lane, line);

    if (rc != TOMO_OK) {
        return rc;
    }

    sendtable_settle_row(&sj->table, ac->number, row->id_ms, row->id_seq);

    if (row->attempt > 0 && row->via != TOMO_VIA_PROFILE) {
        sendtable_settle(&sj->table, row->name, send, status, row->attempt,
                         row->first_ms);
    }

    return TOMO_OK;
}


tomo_rc_e
sendjournal_event(sendjournal_t *sj, const conf_account_t *ac,
    tomo_str_t line)
{
    return sendjournal_append(sj, ac, TOMO_ENTRY_verdict, TOMO_LANE_IN,
                              line);
}


tomo_rc_e
sendjournal_broken(sendjournal_t *sj, const conf_account_t *ac,
    uint64_t id_ms, uint64_t id_seq, tomo_str_t line)
{
    tomo_rc_e  rc = sendjournal_event(sj, ac, line);

    if (rc == TOMO_OK) {
        sendtable_settle_row(&sj->table, ac->number, id_ms, id_seq);
    }

    return rc;
}


tomo_rc_e
sendjournal_sync(sendjournal_t *sj)
{
    return journal_sync(sj->journal);
}


void
sendjournal_tidy(sendjournal_t *sj)
{
    int64_t  from_ms = clock_now_ms() - 7 * TOMO_DAY_MS;

    sendtable_tidy(&sj->table);
    sj->covers_ms = sj->covers_ms > from_ms ? sj->covers_ms : from_ms;
}
