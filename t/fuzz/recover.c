/*
 * A dead worker's folder at the edge: whatever stands in it, what is taken
 * over are records of its own that can be read, in order, all of them, looked
 * at again it is the same, and no file that holds a record is lost.  The input
 * is a list of steps, as that of journal folders.
 */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include "ngx_module/ngx_http_tomo_zeros.c"
#include "ngx_module/ngx_http_tomo_segment.c"
#include "ngx_module/ngx_http_tomo_recover.c"
#pragma GCC diagnostic pop

#include "folder_steps.h"

#define LANE     25                     /* where a record has it */
#define ACCOUNT  26


typedef ngx_http_tomo_recovered_t  found_t;


static file_t *
find(file_t *list[FILES], size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i]->number == number) {
            return list[i];
        }
    }

    return NULL;
}


/* each kept segment is one that can be read, as far as it can */

static void
check_kept(const found_t *found, file_t *list[FILES], size_t n)
{
    size_t  end, good;

    for (size_t i = 0; i < found->n_kept; i++) {
        const file_t                *f;
        const ngx_http_tomo_kept_t  *k = &found->kept[i];

        f = find(list, n, k->number);
        FUZZ_HOLDS(f != NULL);
        FUZZ_HOLDS(i == 0 || found->kept[i - 1].number < k->number);
        FUZZ_HOLDS(i == 0 || found->kept[i - 1].last_seq < k->first_seq);
        good = file_readable(f, &end);
        FUZZ_HOLDS(k->first_seq == f->first_seq && k->end == end);
        FUZZ_HOLDS(k->last_seq <= f->first_seq + good - 1);
    }
}


static bool
is_kept(const found_t *found, uint64_t seq)
{
    for (size_t i = 0; i < found->n_kept; i++) {
        if (found->kept[i].first_seq <= seq && seq <= found->kept[i].last_seq)
        {
            return true;
        }
    }

    return false;
}


static bool
is_named(const found_t *found, const uint8_t *record, uint64_t seq)
{
    for (size_t i = 0; i < found->n_accounts; i++) {
        if (found->accounts[i].len == record[ACCOUNT]
            && found->accounts[i].last >= seq)
        {
            return true;
        }
    }

    return record[LANE] == TOMO_LANE_LOCAL;
}


/* every record that can be read, but for those that stand again later */

static void
check_records(const found_t *found, file_t *list[FILES], size_t n)
{
    size_t    end;
    uint64_t  least = UINT64_MAX;

    for (size_t i = n; i-- > 0; ) {
        const file_t  *f = list[i];

        for (size_t k = file_readable(f, &end); k-- > 0; ) {
            uint64_t  seq = f->records[k].seq;

            if (seq < least) {
                FUZZ_HOLDS(is_kept(found, seq));
                FUZZ_HOLDS(is_named(found, f->now + f->records[k].at, seq));
            }
        }

        least = f->first_seq < least ? f->first_seq : least;
    }
}


/* may a record stand again in a later segment, as after a failed sync? */

static bool
is_again(const writer_t *w, const file_t *f, uint64_t seq)
{
    for (size_t i = 0; i < w->n; i++) {
        if (file_usable(&w->files[i]) && w->files[i].number > f->number
            && w->files[i].first_seq <= seq)
        {
            return true;
        }
    }

    return false;
}


/* in its place or set aside, with all records that it had */

static void
check_file(const writer_t *w, const file_t *f)
{
    int      fd;
    char     name[NAME + 8];
    size_t   least = 0;
    ssize_t  n;
    uint8_t  bytes[BYTES + 1];

    for (size_t i = 0; i < f->n; i++) {
        if (placed_alive(f, &f->records[i])
            && !is_again(w, f, f->records[i].seq))
        {
            least = f->records[i].at + f->records[i].size;
        }
    }

    /* what bears the name *.bad already may be replaced */
    if (f->odd || strlen(f->name) > 20 || (file_usable(f) && least == 0)) {
        return;
    }

    snprintf(name, sizeof(name), "%s.bad", f->name);
    fd = openat(w->dir, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        fd = openat(w->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }

    FUZZ_HOLDS(fd >= 0);
    n = read(fd, bytes, sizeof(bytes));
    close(fd);
    FUZZ_HOLDS(n >= 0 && (size_t) n >= (file_usable(f) ? least : f->len));
    FUZZ_HOLDS((size_t) n <= f->len && memcmp(bytes, f->now, (size_t) n) == 0);
}


static found_t *
look(writer_t *w, bool give_up)
{
    char      path[PATH_MAX];
    found_t  *found;

    snprintf(path, sizeof(path), "%s/%s", disk.path, w->name);
    found = ngx_http_tomo_recover(path, w->id, -1, give_up);
    FUZZ_HOLDS(found != NULL);
    FUZZ_HOLDS(!give_up || found->err == 0);

    for (size_t i = 0; i < w->n; i++) {
        check_file(w, &w->files[i]);
    }

    return found;
}


static void
again(writer_t *w, const found_t *found)
{
    found_t  *other = look(w, true);

    FUZZ_HOLDS(other->err == 0 && other->n_kept == found->n_kept);

    for (size_t i = 0; i < found->n_kept; i++) {
        FUZZ_HOLDS(other->kept[i].first_seq == found->kept[i].first_seq);
        FUZZ_HOLDS(other->kept[i].last_seq == found->kept[i].last_seq);
    }

    ngx_http_tomo_recover_free(other);
}


static void
take_over(writer_t *w, bool give_up)
{
    size_t    n;
    char      path[PATH_MAX];
    file_t   *list[FILES];
    found_t  *found = look(w, give_up);

    if (found->err == 0) {
        n = writer_files(w, list);
        check_kept(found, list, n);
        check_records(found, list, n);
        again(w, found);
    }

    if (found->err == 0 && found->kept == NULL) {
        snprintf(path, sizeof(path), "%s/%s", disk.path, w->name);
        (void) ngx_http_tomo_recover_remove(path);

        for (size_t i = 0; i < w->n; i++) {
            check_file(w, &w->files[i]);
        }
    }

    ngx_http_tomo_recover_free(found);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    story_t  s = { .at = data + 1, .end = data + size };

    if (size < 1 || size > 1024) {
        return 0;
    }

    disk_begin();

    while (s.at < s.end) {
        step_files(&s, next(&s) % 12);
    }

    for (size_t i = 0; i < disk.n; i++) {
        if (disk.writers[i].good) {
            take_over(&disk.writers[i], data[0] & 1);
        }
    }

    disk_clear();

    return 0;
}
