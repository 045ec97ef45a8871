/*
 * folder_steps: what may have happened to a journal folder: each step reads
 * its choices from the story and changes the disk and what is known of it.
 */

#ifndef TOMO_FUZZ_FOLDER_STEPS_H
#define TOMO_FUZZ_FOLDER_STEPS_H

#include "folders.h"


typedef struct {
    const uint8_t  *at, *end;
    size_t          sessions;
} story_t;


static inline uint8_t
next(story_t *s)
{
    return s->at < s->end ? *s->at++ : 0;
}


/* would a journal take that name for a writer's, or for a segment's? */

static inline bool
name_is_ours(const char *name, bool segment)
{
    return strspn(name, "0123456789abcdef") == 16
           && strcmp(name + 16, segment ? ".seg" : "") == 0;
}


static inline void
name_segment(char name[NAME], uint64_t number, uint8_t how)
{
    static const char  *forms[] = {
        "%016llX.seg", "%015llx.seg", "%016llx.seg.bad", "%016llx.sef"
    };

    how %= 8;
    snprintf(name, NAME, how < 4 ? "%016llx.seg" : forms[how - 4],
             (unsigned long long) number);
}


static inline void
step_writer(story_t *s)
{
    char      name[NAME];
    uint8_t   how = next(s);
    uint64_t  id = 0xa0 + next(s) % 16;

    if (disk.n == WRITERS) {
        return;
    }

    snprintf(name, sizeof(name), how % 16 == 1 ? "%016llX"
             : how % 16 == 2 ? "%017llx" : "%016llx",
             (unsigned long long) id);

    for (size_t i = 0; i < disk.n; i++) {
        if (strcmp(disk.writers[i].name, name) == 0) {
            return;
        }
    }

    if (how % 16 == 3) {
        FUZZ_HOLDS(symlinkat("/", disk.dir, name) == 0);

    } else if (how % 16 == 4) {
        close(openat(disk.dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

    } else {
        FUZZ_HOLDS(mkdirat(disk.dir, name, 0700) == 0);
    }

    writer_add(name, id);

    if (how % 16 == 5) {
        FUZZ_HOLDS(fchmodat(disk.dir, name, 0777, 0) == 0);
    }

    disk.writers[disk.n - 1].good = name_is_ours(name, false)
                                    && (how % 16 < 3 || how % 16 > 5);
}


static inline writer_t *
step_which(story_t *s)
{
    if (disk.n == 0) {
        step_writer(s);
    }

    return &disk.writers[next(s) % disk.n];
}


static inline uint64_t
step_first(const writer_t *w, uint8_t how)
{
    switch (how % 16) {

    case 12:
        return w->next_seq + 1 + (how >> 4);

    case 13:
        return w->next_seq > (how >> 4) + 1u ? w->next_seq - (how >> 4) - 1
                                             : 1;

    case 14:
        return 1;

    case 15:
        return (UINT64_C(1) << 63) + (how >> 4);

    default:
        return w->next_seq;
    }
}


/* behind the last record: zeros, or what the file held in an earlier life */

static inline void
step_tail(file_t *f, const tomo_segment_t *s, uint64_t seq, uint8_t how)
{
    size_t          n = f->n, len = how >> 2;
    tomo_segment_t  old = *s;

    if (how % 4 == 1 && f->n < RECORDS) {
        old.number ^= LIFE;
        (void) file_record(f, &old, seq, len);
        f->n = n;

    } else if (how % 4 == 2) {
        len = len * 4 < BYTES - f->len ? len * 4 : BYTES - f->len;
        memset(f->now + f->len, 0, len);
        f->len += len;
    }
}


static inline void
step_segment(story_t *s)
{
    char            name[NAME];
    file_t         *f;
    writer_t       *w = step_which(s);
    uint8_t         named = next(s), head = next(s), first = next(s);
    uint64_t        number = 8 + (named >> 3);
    tomo_segment_t  seg = { .writer = w->id, .number = number,
                            .created_ms = 5, .size = BYTES };

    name_segment(name, number, named);
    f = file_add(w, name);

    if (f == NULL) {
        return;
    }

    seg.writer += (uint64_t) (head % 16 == 1) << 40;
    seg.number ^= head % 16 == 2;
    seg.first_seq = step_first(w, first);
    tomo_journal_header_write(&seg, f->now);
    f->len = TOMO_JOURNAL_HEADER;
    f->number = number;
    f->first_seq = w->next_seq = seg.first_seq;
    f->good = name_is_ours(name, true) && (head % 16 == 0 || head % 16 > 2);

    for (size_t n = next(s) % 8; n > 0; n--) {
        w->next_seq += file_record(f, &seg, w->next_seq, next(s));
    }

    step_tail(f, &seg, w->next_seq, next(s));
    file_made(f);
    f->now[0] ^= head % 16 == 3;
    file_put(w, f);
}


static inline file_t *
step_file(story_t *s, const writer_t *w)
{
    size_t  i = next(s);

    return w->n == 0 || w->files[i % w->n].odd
           ? NULL : (file_t *) (uintptr_t) &w->files[i % w->n];
}


static inline void
step_hurt(story_t *s, uint8_t what)
{
    size_t     at;
    writer_t  *w = step_which(s);
    file_t    *f = step_file(s, w);

    at = next(s);
    at += (size_t) next(s) << 8;

    if (f == NULL) {
        return;
    }

    switch (what) {

    case 0:
        if (f->len > 0) {
            f->now[at % f->len] ^= next(s);
        }

        break;

    case 1:
        f->len = f->len == 0 ? 0 : at % f->len;
        break;

    case 2:
        at %= BYTES - f->len + 1;
        memset(f->now + f->len, next(s), at);
        f->len += at;
        break;

    default:
        f->planted = !f->planted;
        break;
    }

    file_put(w, f);
}


/* a segment's bytes once more: as another's, or under another number */

static inline void
step_copy(story_t *s)
{
    char       name[NAME];
    file_t    *f, *to;
    writer_t  *from = step_which(s), *w = step_which(s);
    uint8_t    named = next(s);

    f = step_file(s, from);
    name_segment(name, 8 + (named >> 3), named);

    /* a copy of a copy may come home, and is good there */
    if (f == NULL || f->number == 0 || from->id == w->id) {
        return;
    }

    to = file_add(w, name);

    if (to != NULL) {
        memcpy(to->now, f->now, f->len);
        to->len = f->len;
        file_made(to);
        file_put(w, to);
    }
}


/* no file at all where a segment should be, or what a crash left */

static inline void
step_odd(story_t *s)
{
    int        rc = 0;
    char       name[NAME];
    file_t    *f;
    writer_t  *w = step_which(s);
    uint8_t    how = next(s);

    name_segment(name, 8 + (how >> 3), 0);
    f = file_add(w, how % 4 == 3 ? "next" : name);

    if (f == NULL) {
        return;
    }

    f->odd = true;

    switch (how % 4) {

    case 0:
        rc = mkdirat(w->dir, f->name, 0700);
        break;

    case 1:
        rc = symlinkat("lock", w->dir, f->name);
        break;

    case 2:
        rc = mkfifoat(w->dir, f->name, 0600);
        break;

    default:
        f->odd = false;
        file_put(w, f);
        break;
    }

    FUZZ_HOLDS(rc == 0);
}


static inline void
step_delete(story_t *s)
{
    writer_t  *w = step_which(s);
    size_t     i = next(s);

    if (w->n > 0) {
        disk_remove(w->dir, w->files[i % w->n].name);
        file_drop(w, i % w->n);
    }
}


/* its writer lives, or dies */

/* what a story can do to the folders of either: 4 to 11, else a segment */

static inline void
step_files(story_t *s, uint8_t what)
{
    switch (what) {

    case 4:
        step_writer(s);
        break;

    case 5:
    case 6:
    case 7:
    case 8:
        step_hurt(s, what - 5);
        break;

    case 9:
        step_copy(s);
        break;

    case 10:
        step_odd(s);
        break;

    case 11:
        step_delete(s);
        break;

    default:
        step_segment(s);
        break;
    }
}


static inline void
step_hold(story_t *s)
{
    writer_t  *w = step_which(s);

    if (w->dir < 0 || !w->good) {
        return;
    }

    if (w->held >= 0) {
        close(w->held);
        w->held = -1;
        return;
    }

    w->held = openat(w->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FUZZ_HOLDS(w->held >= 0 && flock(w->held, LOCK_EX | LOCK_NB) == 0);
}


static inline void
step_lock(story_t *s)
{
    int        rc;
    writer_t  *w = step_which(s);

    if (w->dir < 0 || !w->good || w->held >= 0) {
        return;
    }

    disk_remove(w->dir, "lock");
    rc = next(s) % 2 == 0 ? mkdirat(w->dir, "lock", 0700)
                          : symlinkat("next", w->dir, "lock");
    FUZZ_HOLDS(rc == 0);
    w->good = false;
}


/* what waits for its next use: any length, any content, some of it old */

static inline void
step_spare(story_t *s)
{
    int        fd;
    char       name[NAME];
    size_t     len;
    file_t    *f;
    writer_t  *w = step_which(s);
    uint8_t    how = next(s);

    f = step_file(s, w);

    if (f == NULL || (mkdirat(disk.dir, "spare", 0700) != 0
                      && errno != EEXIST))
    {
        return;
    }

    snprintf(name, sizeof(name), "spare/%u", 256u << how % 3);
    len = (how & 4) != 0 ? 256u << how % 3 : f->len;
    fd = openat(disk.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                | O_NOFOLLOW, 0600);
    FUZZ_HOLDS(fd >= 0 && write(fd, f->now, f->len) == (ssize_t) f->len);
    FUZZ_HOLDS(ftruncate(fd, (off_t) len) == 0);
    close(fd);
}

#endif
