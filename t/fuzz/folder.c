/*
 * Journal folders of the worker: whatever crashes and other hands left in one,
 * every record that can be read is given once, in order, by one owner, and
 * what cannot is told and stays where it is.  The input is a list of steps:
 * what is put into the folder, hurt, cut or held, and when a journal opens,
 * reads, appends, ships and dies; the bytes of one segment have a target of
 * their own.
 */

#include "folder_own.h"

#define SESSIONS  6
#define KEEP_MS   1000000


/* what is to be read of a writer from a sequence on; how many gaps there are */

static size_t
want(writer_t *w, uint64_t from)
{
    size_t    n, end, good, gaps = 0;
    file_t   *list[FILES];

    n = writer_files(w, list);
    n_wanted = 0;

    for (size_t i = 0; i < n; i++) {
        const file_t  *f = list[i];

        good = file_readable(f, &end);

        if (f->first_seq + good <= from) {
            continue;
        }

        gaps += f->first_seq > from;

        for (size_t k = 0; k < good; k++) {
            if (f->records[k].seq >= from) {
                wanted[n_wanted++] = (given_t) {
                    w->id, f->records[k].seq, f->records[k].mark
                };
            }
        }

        from = f->first_seq + good;
    }

    return gaps;
}


/* the next of what was given are the writer's, all of them */

static size_t
check_writer(writer_t *w, size_t at)
{
    size_t  k;

    (void) want(w, 1);

    for (k = 0; k < n_wanted; k++) {
        FUZZ_HOLDS(at + k < n_given);
        same(&given[at + k], &wanted[k]);
    }

    return at + k;
}


static writer_t *
find(uint64_t id)
{
    for (size_t i = 0; i < disk.n; i++) {
        if (disk.writers[i].good && disk.writers[i].id == id) {
            return &disk.writers[i];
        }
    }

    return NULL;
}


/* what its files take on the disk, as the journal counts them */

static size_t
check_bytes(const journal_writer_t *jw, writer_t *w)
{
    size_t   bytes = 0, lens = 0, n = 0;
    file_t  *list[FILES];

    for (size_t k = 0; k < jw->n; k++) {
        bytes += jw->segments[k].bytes;
    }

    if (w != NULL) {
        n = writer_files(w, list);
    }

    for (size_t k = 0; k < n; k++) {
        lens += list[k]->len;
    }

    FUZZ_HOLDS(w == NULL || bytes == lens);

    return bytes;
}


static void
check_all(journal_t *j)
{
    size_t    at, bytes = 0, left = SIZE_MAX;

    n_given = 0;
    FUZZ_HOLDS(journal_each(j, collect, &left) == TOMO_OK);
    at = check_own(journal_writer(j), 0);

    for (size_t i = 0; i < journal_writers(j); i++) {
        writer_t  *w = find(journal_writer_id(j, i));

        FUZZ_HOLDS((i == 0) == (w == NULL));

        if (i > 0) {
            at = check_writer(w, at);
        }

        bytes += check_bytes(&j->writers[i], w);
    }

    FUZZ_HOLDS(at == n_given);
    FUZZ_HOLDS(j->bytes == bytes);
}


/* who is adopted, and that the others were told of */

static void
check_adopted(const journal_t *j)
{
    size_t  n = 1;

    for (size_t i = 0; i < disk.n; i++) {
        size_t           times = 0;
        const writer_t  *w = &disk.writers[i];

        for (size_t k = 0; k < journal_writers(j); k++) {
            times += journal_writer_id(j, k) == w->id;
        }

        if (w->good && w->held < 0) {
            FUZZ_HOLDS(times == 1);
            n++;
            continue;
        }

        FUZZ_HOLDS(times == 0 || find(w->id) != NULL);
        FUZZ_HOLDS(w->held >= 0 || !name_is_ours(w->name, 0)
                   || strstr(told, w->name) != NULL);
    }

    FUZZ_HOLDS(journal_writers(j) == n);
}


/* adopting cuts what is behind the end, and changes nothing else */

static void
check_file(const writer_t *w, file_t *f)
{
    int      fd;
    size_t   end;
    ssize_t  n;
    uint8_t  bytes[BYTES + 1];

    if (file_usable(f) && w->good && w->held < 0) {
        (void) file_readable(f, &end);

        if (!file_damaged(f) && f->len > end) {
            f->len = end;
        }

    } else {
        FUZZ_HOLDS(!w->good || w->held >= 0 || !name_is_ours(f->name, 1)
                   || strstr(told, f->name) != NULL);
    }

    if (f->odd) {
        FUZZ_HOLDS(faccessat(w->dir, f->name, F_OK, AT_SYMLINK_NOFOLLOW)
                   == 0);
        return;
    }

    fd = openat(w->dir, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FUZZ_HOLDS(fd >= 0);
    n = read(fd, bytes, sizeof(bytes));
    close(fd);
    FUZZ_HOLDS(n == (ssize_t) f->len);
    FUZZ_HOLDS(n == 0 || memcmp(bytes, f->now, f->len) == 0);
}


/* a second owner beside the first gets nothing of what the first holds */

static void
rival(void)
{
    char        name[NAME];
    journal_t  *j = journal_open(&(journal_options_t) {
        .dir = disk.path, .segment_bytes = 512 });

    FUZZ_HOLDS(j != NULL && journal_writers(j) == 1);
    journal_dir_writer_name(journal_writer(j), name);
    n_given = 0;
    FUZZ_HOLDS(journal_each(j, collect, &(size_t) { SIZE_MAX }) == TOMO_OK);
    FUZZ_HOLDS(n_given == 0);
    journal_close(j);
    disk_remove(disk.dir, name);
}


/* read from anywhere, in pieces: the same records */

static void
pieces(story_t *s, journal_t *j)
{
    size_t      i, left, before, gaps = 0, want_gaps;
    uint64_t    seq, piece;
    writer_t   *w;
    tomo_rc_e   rc;

    i = next(s) % journal_writers(j);
    w = find(journal_writer_id(j, i));

    if (w == NULL) {
        return;
    }

    seq = next(s);
    piece = 1 + next(s) % 5;
    n_given = 0;
    want_gaps = want(w, seq);

    do {
        before = n_given;
        left = piece;
        rc = journal_read(j, i, &seq, collect, &left);
        gaps += rc == TOMO_ABSENT;
        FUZZ_HOLDS(rc == TOMO_OK || rc == TOMO_ABSENT);
        FUZZ_HOLDS(n_given == before || rc == TOMO_ABSENT
                   || seq == given[n_given - 1].seq + 1);
    } while (rc == TOMO_ABSENT || n_given > before);

    FUZZ_HOLDS(n_given == n_wanted && gaps == want_gaps);

    for (size_t k = 0; k < n_given; k++) {
        same(&given[k], &wanted[k]);
    }
}


/* what went from the disk was shipped; the rest of it is as it was */

static void
check_gone(writer_t *w, uint64_t seq)
{
    size_t       end, good;
    struct stat  st;

    for (size_t i = w->n; i-- > 0; ) {
        const file_t  *f = &w->files[i];

        if (fstatat(w->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            continue;
        }

        if (strcmp(f->name, "next") == 0) {
            file_drop(w, i);
            continue;
        }

        good = file_readable(f, &end);
        FUZZ_HOLDS(file_usable(f) && !file_damaged(f));
        FUZZ_HOLDS(good == 0 || f->first_seq + good - 1 <= seq);
        file_drop(w, i);
    }

    if (fstatat(disk.dir, w->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        FUZZ_HOLDS(w->n == 0);
        writer_remove(w);
    }
}


static void
ship(story_t *s, journal_t *j)
{
    size_t     i = next(s) % journal_writers(j);
    uint8_t    by = next(s);
    uint64_t   seq = by < 240 ? by : UINT64_MAX - 1;
    writer_t  *w = find(journal_writer_id(j, i));

    if (w == NULL) {
        seq = seq < own.synced ? seq : own.synced;
        own.shipped = seq > own.shipped ? seq : own.shipped;
        seq = own.shipped;
    }

    journal_shipped(j, i, seq);

    if (w != NULL) {
        check_gone(w, seq);
    }
}


static void
session(story_t *s)
{
    char               name[NAME];
    uint8_t            how = next(s);
    uint64_t           last;
    journal_t         *j;
    journal_options_t  options = {
        .dir = disk.path, .keep_ms = how & 1 ? 0 : KEEP_MS,
        .segment_bytes = 256u << (how >> 1) % 3,
        .max_bytes = (how & 8) != 0 ? 8192 : 1 << 20
    };

    now_ms = start_ms + (how & 16 ? 2 * KEEP_MS : 0);
    told_len = 0;
    told[0] = '\0';
    memset(&own, 0, sizeof(own));
    j = journal_open(&options);
    FUZZ_HOLDS(j != NULL);
    check_adopted(j);

    for (size_t i = 0; i < disk.n; i++) {
        for (size_t k = 0; k < disk.writers[i].n; k++) {
            check_file(&disk.writers[i], &disk.writers[i].files[k]);
        }
    }

    check_all(j);
    pieces(s, j);

    if ((how & 32) != 0) {
        rival();
    }

    write_own(s, j);
    check_all(j);

    for (size_t n = next(s) % 4; n > 0; n--) {
        ship(s, j);
        check_all(j);
    }

    last = journal_writer(j);
    journal_dir_writer_name(last, name);
    journal_close(j);
    read_own(last, name);
}


static void
step(story_t *s)
{
    uint8_t  what = next(s) % 16;

    switch (what) {

    case 12:
        step_hold(s);
        break;

    case 13:
        step_lock(s);
        break;

    case 14:
        step_spare(s);
        break;

    case 15:
        if (s->sessions++ < SESSIONS) {
            session(s);
        }

        break;

    default:
        step_files(s, what);
        break;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    story_t  s = { .at = data, .end = data + size };

    if (size > 1024) {
        return 0;
    }

    disk_begin();
    last_id = FIRST_ID;
    start_ms = (int64_t) time(NULL) * TOMO_SEC_MS + TOMO_MIN_MS;

    while (s.at < s.end) {
        step(&s);
    }

    session(&s);
    session(&s);
    disk_clear();

    return 0;
}
