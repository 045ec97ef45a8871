/*
 * folder_own: the journal that works in the folder: what it is given to
 * write, what it said, and what it left when it died.
 */

#ifndef TOMO_FUZZ_FOLDER_OWN_H
#define TOMO_FUZZ_FOLDER_OWN_H

#include <time.h>

#include "folder_steps.h"
#include "worker/clock.h"
#include "worker/ids.h"
#include "worker/journal_dir.h"
#include "worker/log.h"

#define GIVEN     ((WRITERS + 1) * FILES * RECORDS)
#define FIRST_ID  0x1000


typedef struct {
    uint64_t  writer;
    uint64_t  seq;
    uint32_t  mark;
} given_t;

static given_t  given[GIVEN], wanted[GIVEN];
static size_t   n_given, n_wanted;

static struct {
    given_t   records[FILES * RECORDS];
    size_t    n;
    size_t    synced;
    uint64_t  shipped;
    bool      writing;
} own;

static char      told[8192];
static size_t    told_len;
static uint64_t  last_id;
static int64_t   now_ms, start_ms;


void
log_put(log_level_e level, const char *object, const char *fmt, ...)
{
    int      n;
    va_list  args;

    (void) level;
    (void) object;
    va_start(args, fmt);
    n = vsnprintf(told + told_len, sizeof(told) - told_len, fmt, args);
    va_end(args);
    FUZZ_HOLDS(n >= 0);

    if ((size_t) n < sizeof(told) - told_len) {
        told_len += (size_t) n;
    }
}


uint64_t
ids_random64(void)
{
    return ++last_id;
}


int64_t
clock_real_ms(void)
{
    return now_ms;
}


static bool
collect(void *data, uint64_t writer, const tomo_record_t *r)
{
    size_t  *left = data;

    FUZZ_HOLDS(n_given < GIVEN);
    fuzz_touch(r->account);
    fuzz_touch(r->body);
    given[n_given++] = (given_t) {
        .writer = writer, .seq = r->seq,
        .mark = r->body.len < 4 ? 0 : (uint32_t) tomo_get_le(r->body.data, 4)
    };

    return --*left > 0;
}


static void
same(const given_t *a, const given_t *b)
{
    FUZZ_HOLDS(a->writer == b->writer);
    FUZZ_HOLDS(a->seq == b->seq);
    FUZZ_HOLDS(a->mark == b->mark);
}


/* of ours what was shipped may be gone, the rest is there */

static size_t
check_own(uint64_t id, size_t at)
{
    size_t  k = 0;

    while (k < own.synced && own.records[k].seq <= own.shipped
           && (at == n_given || given[at].writer != id
               || own.records[k].seq < given[at].seq))
    {
        k++;
    }

    for (; k < own.synced; k++, at++) {
        FUZZ_HOLDS(at < n_given);
        same(&given[at], &own.records[k]);
    }

    return at;
}


static void
part_written(void *j)
{
    journal_part_write(j);
    own.writing = false;
}


static void
part_end(journal_t *j)
{
    if (own.writing) {
        part_written(j);
    }

    FUZZ_HOLDS(journal_part_end(j) == TOMO_OK);
}


static void
append(journal_t *j, size_t len)
{
    uint8_t        body[2048];
    tomo_rc_e      rc;
    tomo_record_t  r = { .at_ms = 5, .kind = 1, .events = 1,
                         .account = tomo_str("demo") };

    if (own.n == FILES * RECORDS || j->writers[0].n == FILES) {
        return;
    }

    memset(body, 'o', sizeof(body));
    tomo_put_le(body, ++disk.marks, 4);
    r.body = tomo_str_n(body, len);
    rc = journal_append(j, &r);
    FUZZ_HOLDS(rc == TOMO_OK || rc == TOMO_FULL);

    if (rc == TOMO_OK) {
        own.records[own.n++] = (given_t) {
            journal_writer(j), r.seq, disk.marks
        };
        FUZZ_HOLDS(r.seq == own.n);
    }
}


/* what is appended, in parts or at once; some of it may never be synced */

static void
write_own(story_t *s, journal_t *j)
{
    uint8_t  how;

    journal_part_by(j, part_written, j);

    for (size_t n = next(s) % 32; n > 0; n--) {
        how = next(s);

        if (how < 192) {
            append(j, how < 180 ? 4u + how : 1200u + how);

        } else if (how < 216) {
            part_end(j);
            own.writing = journal_part_begin(j);

        } else if (how < 232) {
            part_end(j);

        } else {
            FUZZ_HOLDS(journal_sync(j) == TOMO_OK && !own.writing);
            FUZZ_HOLDS(journal_last_seq(j) == own.n);
        }
    }

    part_end(j);
    own.synced = (size_t) journal_last_seq(j);
    FUZZ_HOLDS(own.synced <= own.n && journal_next_seq(j) == own.n + 1);
}


/* our own folder is a dead writer's from now on */

static void
read_file(writer_t *w, file_t *f)
{
    int             fd = openat(w->dir, f->name, O_RDONLY | O_CLOEXEC);
    size_t          at = TOMO_JOURNAL_HEADER, size;
    ssize_t         n;
    tomo_record_t   r;
    tomo_segment_t  seg;

    FUZZ_HOLDS(fd >= 0 && (n = read(fd, f->now, BYTES)) > 0);
    close(fd);
    f->len = (size_t) n;
    FUZZ_HOLDS(tomo_journal_header_read(tomo_str_n(f->now, f->len), &seg)
               == TOMO_OK);
    f->good = true;
    f->number = seg.number;
    f->first_seq = seg.first_seq;
    FUZZ_HOLDS(f->first_seq == w->next_seq || w->n == 1);
    w->next_seq = f->first_seq;

    while (tomo_journal_record_read(&seg, tomo_str_n(f->now + at, f->len - at),
                                    w->next_seq, &r, &size) == TOMO_OK)
    {
        FUZZ_HOLDS(w->next_seq <= own.synced && f->n < RECORDS);
        f->records[f->n] = (placed_t) {
            .at = at, .size = size,
            .sealed = TOMO_JOURNAL_RECORD + r.account.len + r.body.len,
            .seq = w->next_seq, .mark = own.records[w->next_seq - 1].mark
        };
        FUZZ_HOLDS(tomo_get_le(r.body.data, 4) == f->records[f->n].mark);
        f->n++;
        w->next_seq++;
        at += size;
    }

    file_made(f);
}


static int
name_order(const void *a, const void *b)
{
    return strcmp(a, b);
}


static void
read_own(uint64_t id, const char *name)
{
    char            names[FILES][NAME];
    DIR            *dir;
    size_t          n = 0;
    writer_t       *w;
    struct dirent  *e;

    if (disk.n == WRITERS) {
        disk_remove(disk.dir, name);
        return;
    }

    w = writer_add(name, id);
    dir = fdopendir(dup(w->dir));
    FUZZ_HOLDS(dir != NULL);

    while ((e = readdir(dir)) != NULL) {
        if (name_is_ours(e->d_name, true)) {
            FUZZ_HOLDS(n < FILES);
            name_put(names[n++], e->d_name);
        }
    }

    closedir(dir);
    qsort(names, n, NAME, name_order);

    for (size_t i = 0; i < n; i++) {
        read_file(w, file_new(w, names[i]));
    }

    FUZZ_HOLDS(own.synced == 0 || w->next_seq == own.synced + 1);
    FUZZ_HOLDS(n == 0 || w->files[0].first_seq <= own.shipped + 1);
}

#endif
