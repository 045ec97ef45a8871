/* worker/journal: writing, recovery and adoption, with real files. */

#include "unit.h"
#include "folder.h"
#include "journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEGMENT  4096


typedef struct {
    size_t    n;
    size_t    stop_at;
    uint64_t  writer;
    uint64_t  last_seq;
    uint64_t  sum;
} seen_t;


static journal_t *
open_it(int64_t keep_ms)
{
    journal_t          *j;
    journal_options_t   options = { .dir = folder, .keep_ms = keep_ms,
                                    .segment_bytes = SEGMENT };

    j = journal_open(&options);
    assert_non_null(j);

    return j;
}


static void
append(journal_t *j, uint64_t n, size_t len)
{
    uint8_t        body[SEGMENT * 2];
    tomo_record_t  r = { .at_ms = 5, .kind = 4, .lane = TOMO_LANE_IN,
                         .events = 1, .account = tomo_str("demo") };

    memset(body, 'x', sizeof(body));
    tomo_put_le(body, n, 8);
    r.body = tomo_str_n(body, len);
    assert_int_equal(journal_append(j, &r), TOMO_OK);
}


static bool
count(void *data, uint64_t writer, const tomo_record_t *r)
{
    seen_t  *s = data;

    if (s->writer == writer) {
        assert_true(r->seq == s->last_seq + 1);
    }

    s->writer = writer;
    s->last_seq = r->seq;
    s->sum += tomo_get_le(r->body.data, 8);
    unit_is_str(r->account, tomo_str("demo"));

    return ++s->n != s->stop_at;
}


/* who waits for a part has to write it: there is one thread here */

static void
write_part(void *data)
{
    journal_part_write(data);
}


/* what a part holds counts from its end on; appending goes on meanwhile */

static void
parts_count_when_they_end(void **state)
{
    seen_t      s = { 0 };
    uint64_t    seq = 1;
    journal_t  *j = open_it(1000000);

    (void) state;

    journal_part_by(j, write_part, j);
    assert_false(journal_part_begin(j));
    append(j, 1, 100);
    append(j, 2, 100);
    assert_true(journal_part_begin(j));
    append(j, 3, 100);
    assert_false(journal_part_begin(j));

    journal_part_write(j);
    assert_int_equal(journal_last_seq(j), 0);
    assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_OK);
    assert_int_equal(s.n, 0);

    assert_int_equal(journal_part_end(j), TOMO_OK);
    assert_int_equal(journal_last_seq(j), 2);
    assert_true(journal_has(j, 0, 2));
    assert_false(journal_has(j, 0, 3));
    assert_int_equal(journal_next_seq(j), 4);

    /* a part under way is waited for: by a sync, and by a full segment */
    assert_true(journal_part_begin(j));
    append(j, 4, 100);
    assert_int_equal(journal_sync(j), TOMO_OK);
    assert_int_equal(journal_last_seq(j), 4);
    append(j, 5, SEGMENT / 2);
    assert_true(journal_part_begin(j));
    append(j, 6, SEGMENT / 2);
    assert_int_equal(journal_last_seq(j), 5);
    assert_int_equal(journal_sync(j), TOMO_OK);

    seq = 1;
    assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_OK);
    assert_int_equal(s.n, 6);
    assert_int_equal(s.sum, 1 + 2 + 3 + 4 + 5 + 6);
    journal_close(j);
}


static void
many_segments_and_readers(void **state)
{
    seen_t      s = { 0 };
    uint64_t    seq = 1;
    journal_t  *j = open_it(1000000);

    (void) state;

    for (uint64_t i = 1; i <= 300; i++) {
        append(j, i, 8 + i % 90);
    }

    assert_int_equal(journal_last_seq(j) < 300, true);
    assert_int_equal(journal_sync(j), TOMO_OK);
    assert_int_equal(journal_last_seq(j), 300);

    assert_int_equal(journal_each(j, count, &s), TOMO_OK);
    assert_int_equal(s.n, 300);
    assert_int_equal(s.sum, 300 * 301 / 2);

    /* in pieces, from where the last one ended */
    s = (seen_t) { .stop_at = 7 };

    while (seq <= 300) {
        s.n = 0;
        assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_OK);
        assert_true(s.n > 0);
        assert_true(seq == s.last_seq + 1);
    }

    assert_int_equal(s.sum, 300 * 301 / 2);

    /* one that is larger than a segment */
    append(j, 1, SEGMENT + 100);
    append(j, 2, 8);
    assert_int_equal(journal_sync(j), TOMO_OK);
    s = (seen_t) { .writer = journal_writer(j), .last_seq = 300 };
    assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_OK);
    assert_int_equal(s.n, 2);
    journal_close(j);
}


/* A disk that takes nothing more: each sync says so, and nobody is called. */

static void
a_failed_journal_fails_for_ever(void **state)
{
    int            status;
    pid_t          pid;
    journal_t     *j;
    struct rlimit  none = { 0, 0 };

    (void) state;

    pid = fork();

    if (pid == 0) {
        j = open_it(1000000);
        append(j, 1, 40);
        signal(SIGXFSZ, SIG_IGN);

        if (setrlimit(RLIMIT_FSIZE, &none) != 0
            || journal_sync(j) != TOMO_ERROR
            || journal_sync(j) != TOMO_ERROR)
        {
            _exit(1);
        }

        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}


/* A writer that dies without closing: what it synced is there, no more. */

static void
a_dead_writer_is_adopted(void **state)
{
    int         status;
    pid_t       pid;
    seen_t      s = { 0 };
    journal_t  *j;

    (void) state;

    pid = fork();

    if (pid == 0) {
        j = open_it(1000000);

        for (uint64_t i = 1; i <= 100; i++) {
            append(j, i, 40);
        }

        (void) !journal_sync(j);
        append(j, 1000000, 40);             /* not synced, not promised */
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    j = open_it(1000000);
    assert_int_equal(journal_writers(j), 2);
    assert_int_equal(journal_each(j, count, &s), TOMO_OK);
    assert_int_equal(s.n, 100);
    assert_int_equal(s.sum, 5050);
    journal_close(j);
}


static void
a_living_writer_is_left_alone(void **state)
{
    journal_t  *first = open_it(1000000), *second;

    (void) state;

    append(first, 1, 8);
    assert_int_equal(journal_sync(first), TOMO_OK);
    second = open_it(1000000);
    assert_int_equal(journal_writers(second), 1);
    assert_true(journal_writer(first) != journal_writer(second));
    journal_close(second);
    journal_close(first);

    second = open_it(1000000);
    assert_int_equal(journal_writers(second), 3);
    journal_close(second);
}


static size_t
files(const char *suffix)
{
    char            path[512];
    size_t          n = 0;
    DIR            *dir, *sub;
    struct dirent  *e, *f;

    dir = opendir(folder);
    assert_non_null(dir);

    while ((e = readdir(dir)) != NULL) {
        if (strlen(e->d_name) != 16) {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        sub = opendir(path);
        assert_non_null(sub);

        while ((f = readdir(sub)) != NULL) {
            n += strstr(f->d_name, suffix) != NULL;
        }

        closedir(sub);
    }

    closedir(dir);

    return n;
}


static void
shipped_segments_are_let_go(void **state)
{
    seen_t      s = { 0 };
    uint64_t    seq = 1;
    journal_t  *j = open_it(-1000);         /* everything is old at once */

    (void) state;

    for (uint64_t i = 1; i <= 300; i++) {
        append(j, i, 60);
    }

    assert_int_equal(journal_sync(j), TOMO_OK);
    assert_true(files(".seg") > 3);
    journal_shipped(j, 0, 10);
    assert_true(files(".seg") > 3);
    journal_shipped(j, 0, 300);
    assert_int_equal(files(".seg"), 1);     /* the current one stays */

    assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_ABSENT);
    assert_true(seq > 1);
    assert_int_equal(journal_read(j, 0, &seq, count, &s), TOMO_OK);
    assert_int_equal(s.last_seq, 300);

    /* recycled segments hold no record of their former life */
    for (uint64_t i = 1; i <= 300; i++) {
        append(j, i, 30);
        assert_int_equal(journal_sync(j), TOMO_OK);
    }

    journal_close(j);
    j = open_it(-1000);
    s = (seen_t) { 0 };
    assert_int_equal(journal_each(j, count, &s), TOMO_OK);
    assert_int_equal(s.last_seq, 600);
    journal_shipped(j, 1, 600);
    assert_int_equal(journal_writers(j), 1);
    journal_close(j);
}


/* how many files below the folder hold an x, of which records are made */

static size_t  with_x;

static int
look_for_x(const char *path, const struct stat *st, int type, struct FTW *at)
{
    int      fd = open(path, O_RDONLY);
    char     bytes[SEGMENT * 4];
    ssize_t  n = type == FTW_F ? read(fd, bytes, sizeof(bytes)) : 0;

    (void) st;
    (void) at;
    with_x += n > 0 && memmem(bytes, (size_t) n, "xxxxxxxx", 8) != NULL;

    return close(fd);
}


/* S2: one that never gets full is left by age, and nothing of it stays */

static void
an_old_segment_is_let_go(void **state)
{
    journal_t  *j = open_it(1);

    (void) state;

    append(j, 1, 60);
    assert_int_equal(journal_sync(j), TOMO_OK);
    assert_int_equal(nftw(folder, look_for_x, 16, FTW_PHYS), 0);
    assert_int_equal(with_x, 1);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(usleep(5000), 0);
        journal_shipped(j, 0, 1);
    }

    with_x = 0;
    assert_int_equal(nftw(folder, look_for_x, 16, FTW_PHYS), 0);
    assert_int_equal(with_x, 0);
    assert_int_equal(journal_last_seq(j), 1);

    append(j, 2, 60);
    assert_int_equal(journal_sync(j), TOMO_OK);
    assert_int_equal(journal_last_seq(j), 2);
    journal_close(j);
}


/* A torn end: whatever byte the file breaks at, a prefix of records comes. */

static void
torn_ends(void **state)
{
    int         fd;
    char        path[512];
    size_t      last = 0;
    seen_t      s;
    uint64_t    writer;
    journal_t  *j = open_it(1000000);

    (void) state;

    for (uint64_t i = 1; i <= 5; i++) {
        append(j, i, 28);
    }

    assert_int_equal(journal_sync(j), TOMO_OK);
    writer = journal_writer(j);
    journal_close(j);
    snprintf(path, sizeof(path), "%s/%016llx/0000000000000001.seg", folder,
             (unsigned long long) writer);

    for (off_t cut = 64 + 5 * 64; cut >= 64; cut -= 5) {
        fd = open(path, O_WRONLY);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, cut), 0);
        close(fd);

        j = open_it(1000000);
        s = (seen_t) { 0 };
        assert_int_equal(journal_each(j, count, &s), TOMO_OK);
        assert_true(last == 0 || s.n <= last);
        assert_int_equal(s.n, (size_t) (cut - 64) / 64);
        last = s.n;
        journal_close(j);
    }
}


static void
planted_files_are_not_read(void **state)
{
    char        path[512];
    journal_t  *j;

    (void) state;

    snprintf(path, sizeof(path), "%s/00000000000000aa", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0);
    snprintf(path, sizeof(path), "%s/00000000000000bb", folder);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof(path), "%s/00000000000000cc", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/00000000000000cc/0000000000000001.seg",
             folder);
    close(open(path, O_WRONLY | O_CREAT, 0600));

    j = open_it(1000000);
    assert_int_equal(journal_writers(j), 2);    /* cc: ours, without records */
    assert_int_equal(access(path, F_OK), 0);    /* what is odd is kept */
    journal_close(j);

    assert_int_equal(chmod(folder, 0777), 0);
    assert_null(journal_open(&(journal_options_t) { .dir = folder }));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(parts_count_when_they_end),
        WITH_FOLDER(many_segments_and_readers),
        WITH_FOLDER(a_failed_journal_fails_for_ever),
        WITH_FOLDER(a_dead_writer_is_adopted),
        WITH_FOLDER(a_living_writer_is_left_alone),
        WITH_FOLDER(shipped_segments_are_let_go),
        WITH_FOLDER(an_old_segment_is_let_go),
        WITH_FOLDER(torn_ends),
        WITH_FOLDER(planted_files_are_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
