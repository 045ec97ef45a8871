/*
 * The send journal: after a crash at any record dispatch knows the same lives
 * and settled rows as before, whatever lines of others stand between its own,
 * and what is settled stays settled.  The input is a list of steps: what was
 * done, to which row, with which numbers; the journal's files have a target of
 * their own.
 */

#include "fuzz.h"
#include "conf.h"
#include "log.h"
#include "tomo_entry.h"
#include "tomo_rec.h"
#include "worker/dispatch/sendjournal.h"
#include "worker/dispatch/verdict.h"

#define ROWS     5
#define IDS      3
#define RECORDS  96
#define BYTES    (1u << 20)


/* Records as the journal would keep them: what is appended, is read again. */

static uint8_t        bytes[BYTES];
static size_t         used, n_records, n_read;
static tomo_record_t  records[RECORDS];
static bool           cut;              /* no room for all of them */


journal_t *
journal_open(const journal_options_t *options)
{
    FUZZ_HOLDS(options->dir != NULL && options->keep_ms > 7 * TOMO_DAY_MS);

    return (journal_t *) (void *) bytes;
}


void
journal_close(journal_t *j)
{
    (void) j;
}


tomo_rc_e
journal_sync(journal_t *j)
{
    (void) j;

    return TOMO_OK;
}


tomo_rc_e
journal_append(journal_t *j, tomo_record_t *r)
{
    (void) j;

    if (n_records == RECORDS || r->body.len > BYTES - used) {
        cut = true;
        return TOMO_FULL;
    }

    memcpy(bytes + used, r->body.data, r->body.len);
    records[n_records] = *r;
    records[n_records].body = tomo_str_n(bytes + used, r->body.len);
    r->seq = ++n_records;
    used += r->body.len;

    return TOMO_OK;
}


tomo_rc_e
journal_each(journal_t *j, journal_fn_pt fn, void *data)
{
    (void) j;

    for (n_read = 0; n_read < n_records; n_read++) {
        FUZZ_HOLDS(fn(data, 1, &records[n_read]));
    }

    return TOMO_OK;
}


void
log_put(log_level_e level, const char *object, const char *fmt, ...)
{
    (void) level;
    (void) object;
    (void) fmt;
}


static conf_account_t  accounts[2] = {
    { .id = "demo", .number = 1 }, { .id = "other", .number = 2 }
};

static conf_t  conf = {
    .journal = (char *) (uintptr_t) "/tmp", .accounts = accounts,
    .n_accounts = 2
};

typedef struct {
    sendjournal_t  *sj;
    row_t           rows[ROWS];
    const uint8_t  *at, *end;
} story_t;


static uint8_t
next(story_t *s)
{
    return s->at < s->end ? *s->at++ : 0;
}


static tomo_str_t
take(story_t *s)
{
    size_t          len = next(s);
    const uint8_t  *from = s->at;

    if (len > (size_t) (s->end - s->at)) {
        len = (size_t) (s->end - s->at);
    }

    s->at += len;

    return tomo_str_n(from, len);
}


/* a few rows: two ways share a name, as a reply and the push it may become */

static void
begin(story_t *s)
{
    static const tomo_via_e  vias[ROWS] = {
        TOMO_VIA_REPLY, TOMO_VIA_PUSH, TOMO_VIA_PUSH, TOMO_VIA_MULTICAST,
        TOMO_VIA_MULTICAST
    };

    for (size_t i = 0; i < ROWS; i++) {
        row_t  *row = &s->rows[i];

        row->via = vias[i];
        row->id_ms = i % IDS + 1;
        snprintf(row->id, sizeof(row->id), "%u-0", (unsigned) row->id_ms);
        memset(row->name, (int) (i == 0 ? 1 : i), ROW_NAME_BYTES);
        row->key = tomo_str("00000000-0000-4000-8000-000000000000");
        row->friend = 7;
    }
}


static void
same_life(const sendjournal_life_t *a, const sendjournal_life_t *b)
{
    FUZZ_HOLDS((a == NULL) == (b == NULL));

    if (a == NULL) {
        return;
    }

    FUZZ_HOLDS(a->open == b->open && a->settled == b->settled);
    FUZZ_HOLDS(!a->open || !a->settled);
    FUZZ_HOLDS(a->via == b->via && a->attempts == b->attempts);
    FUZZ_HOLDS(a->first_ms == b->first_ms);
    FUZZ_HOLDS(!a->settled || (a->send == b->send && a->status == b->status));
    FUZZ_HOLDS(tomo_str_eq(a->serials, b->serials));
    FUZZ_HOLDS(tomo_str_eq(a->to, b->to));
    fuzz_touch(b->serials);
    fuzz_touch(b->to);
}


/* the process dies and starts again */

static void
crash(story_t *s)
{
    sendjournal_t  *again = sendjournal_open(&conf);

    FUZZ_HOLDS(again != NULL && n_read == n_records);

    for (size_t i = 0; i < ROWS; i++) {
        same_life(sendjournal_find(s->sj, s->rows[i].name),
                  sendjournal_find(again, s->rows[i].name));
    }

    for (size_t i = 0; i < 2 * IDS; i++) {
        FUZZ_HOLDS(sendjournal_is_settled(s->sj, 1 + i % 2, 1 + i / 2, 0)
                   == sendjournal_is_settled(again, 1 + i % 2, 1 + i / 2, 0));
    }

    sendjournal_close(s->sj);
    s->sj = again;
}


static void
attempt(story_t *s, const conf_account_t *ac, row_t *row)
{
    bool                       settled;
    const sendjournal_life_t  *life = sendjournal_find(s->sj, row->name);

    settled = life != NULL && life->settled;
    row->attempt = next(s) + 1u;
    row->first_ms = 1 + next(s);
    row->keep_serials = take(s);
    row->keep_to = take(s);

    if (sendjournal_attempt(s->sj, ac, row) != TOMO_OK) {
        return;
    }

    life = sendjournal_find(s->sj, row->name);
    FUZZ_HOLDS(life != NULL && life->open == !settled);
    FUZZ_HOLDS(row->via == TOMO_VIA_MULTICAST || life->to.len == 0);
}


static void
verdict(story_t *s, const conf_account_t *ac, row_t *row)
{
    uint8_t     text[8192];
    tomo_buf_t  b;
    verdict_t   v = { .send = TOMO_SEND_ACCEPTED };

    static const tomo_send_e  ends[] = {
        TOMO_SEND_ACCEPTED, TOMO_SEND_REFUSED, TOMO_SEND_UNUSABLE,
        TOMO_SEND_PROBABLY, TOMO_SEND_PARKED, TOMO_SEND_CANCELLED
    };

    v.send = ends[next(s) % 6];
    v.status = next(s) * 4 % 1000;
    v.message = take(s);
    row->attempt = next(s) % 4;
    tomo_buf_init(&b, text, sizeof(text));
    verdict_put(&b, row, &v, 1700000000000);
    FUZZ_HOLDS(!b.failed);

    if (sendjournal_verdict(s->sj, ac, row, v.send, v.status,
                            tomo_buf_str(&b)) == TOMO_OK)
    {
        FUZZ_HOLDS(sendjournal_is_settled(s->sj, ac->number, row->id_ms, 0));
    }
}


/* a line of another version, or of an account that is gone: changes nothing */

static void
foreign(story_t *s)
{
    tomo_record_t  r = { .kind = next(s), .events = 1 };

    r.account = tomo_str_c((next(s) & 1) != 0 ? "demo" : "gone");
    r.body = take(s);

    if (tomo_str_eq(r.account, tomo_str("demo"))
        && (memmem(r.body.data, r.body.len, "row=", 4) != NULL
            || memmem(r.body.data, r.body.len, "mark=", 5) != NULL))
    {
        return;
    }

    (void) !journal_append(sendjournal_journal(s->sj), &r);
}


static void
broken(story_t *s, const conf_account_t *ac, const row_t *row)
{
    uint8_t     text[512];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    verdict_broken_put(&b, tomo_str_c(row->id), "odd", 1700000000000);

    if (sendjournal_broken(s->sj, ac, row->id_ms, 0, tomo_buf_str(&b))
        == TOMO_OK)
    {
        FUZZ_HOLDS(sendjournal_is_settled(s->sj, ac->number, row->id_ms, 0));
    }
}


static void
pause_told(story_t *s, const conf_account_t *ac)
{
    uint8_t     text[512];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    verdict_pause_put(&b, "quota", 1, next(s));
    (void) !sendjournal_event(s->sj, ac, tomo_buf_str(&b));
}


static void
step(story_t *s)
{
    uint8_t                what = next(s), which = next(s);
    row_t                 *row = &s->rows[which % ROWS];
    const conf_account_t  *ac = &accounts[which >> 7];

    switch (what % 8) {

    case 0:
    case 1:
        attempt(s, ac, row);
        break;

    case 2:
        (void) !sendjournal_void(s->sj, ac, row);
        break;

    case 3:
        verdict(s, ac, row);
        break;

    case 4:
        foreign(s);
        break;

    case 5:
        broken(s, ac, row);
        break;

    case 6:
        pause_told(s, ac);
        break;

    default:
        crash(s);
        break;
    }
}


/* any bytes as lines: whatever they say, loading ends and lives make sense */

static void
hostile(tomo_str_t rest)
{
    uint8_t         name[ROW_NAME_BYTES];
    tomo_str_t      line;
    sendjournal_t  *sj;

    used = n_records = 0;

    while (tomo_rec_line(&rest, &line)) {
        tomo_record_t  r = { .events = 1, .account = tomo_str("demo"),
                             .body = line };

        r.kind = line.len % 2 ? TOMO_ENTRY_verdict : TOMO_ENTRY_attempt;
        (void) !journal_append(NULL, &r);
    }

    sj = sendjournal_open(&conf);
    FUZZ_HOLDS(sj != NULL);

    for (int i = 0; i < 16; i++) {
        const sendjournal_life_t  *life;

        memset(name, 0x11 * i, sizeof(name));
        life = sendjournal_find(sj, name);
        same_life(life, life);
    }

    sendjournal_close(sj);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    story_t  s = { .at = data, .end = data + size };

    if (size > 8192) {
        return 0;
    }

    hostile(tomo_str_n(data, size));

    used = n_records = 0;
    cut = false;
    begin(&s);
    s.sj = sendjournal_open(&conf);
    FUZZ_HOLDS(s.sj != NULL);

    while (s.at < s.end && !cut) {
        step(&s);
    }

    /* a full journal ends the role: what it would have said is unknown */
    if (!cut) {
        crash(&s);
    }

    sendjournal_close(s.sj);

    return 0;
}
