/*
 * Journals: recovery of any bytes ends inside them, and what it calls good
 * reads, and writes back byte for byte but for the padding.
 */

#include "fuzz.h"
#include "tomo_journal.h"


static void
write_back(const tomo_segment_t *s, const tomo_record_t *r, tomo_str_t from)
{
    size_t       len;
    tomo_buf_t   b;
    uint8_t     *p;

    len = tomo_journal_record_size(r);
    p = malloc(len);
    FUZZ_HOLDS(p != NULL);
    tomo_buf_init(&b, p, len);
    tomo_journal_record_write(s, r, &b);
    FUZZ_HOLDS(!b.failed && b.len == len);
    FUZZ_HOLDS(memcmp(p, from.data, TOMO_JOURNAL_RECORD + r->account.len
                                    + r->body.len) == 0);
    free(p);
}


static void
check(tomo_str_t bytes)
{
    size_t           at, size;
    uint64_t         i, events;
    tomo_str_t       rest;
    tomo_record_t    r;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    if (tomo_journal_recover(bytes, &s, &found) != TOMO_OK) {
        return;
    }

    at = TOMO_JOURNAL_HEADER;
    events = 0;

    for (i = 0; i < found.records; i++) {
        rest = tomo_str_n(bytes.data + at, bytes.len - at);
        FUZZ_HOLDS(tomo_journal_record_read(&s, rest, s.first_seq + i, &r,
                                            &size) == TOMO_OK);
        fuzz_touch(r.account);
        fuzz_touch(r.body);
        write_back(&s, &r, rest);
        events += r.events;
        at += size;
    }

    FUZZ_HOLDS(at == found.end && at <= bytes.len);
    FUZZ_HOLDS(events == found.events);
    FUZZ_HOLDS(found.next_seq == s.first_seq + found.records);
    rest = tomo_str_n(bytes.data + at, bytes.len - at);
    FUZZ_HOLDS(tomo_journal_record_read(&s, rest, found.next_seq, &r, &size)
               != TOMO_OK);
}


/* a good segment made of the input, then hurt by its last bytes */
static void
make_and_hurt(const uint8_t *data, size_t size)
{
    size_t           at, n, records;
    uint8_t         *p;
    tomo_buf_t       b;
    tomo_record_t    r;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    memset(&s, 0, sizeof(s));
    s.writer = size;
    s.number = 1;
    s.first_seq = 1;
    s.size = (uint32_t) (size * 48 + 128);
    p = calloc(1, s.size);
    FUZZ_HOLDS(p != NULL);
    tomo_journal_header_write(&s, p);
    tomo_buf_init(&b, p, s.size);
    b.len = TOMO_JOURNAL_HEADER;
    records = 0;
    memset(&r, 0, sizeof(r));
    r.account = tomo_str("a");

    for (at = 0; at < size; at += n) {
        n = 1 + data[at] % 64;
        n = (n > size - at) ? size - at : n;
        r.seq = ++records;
        r.kind = data[at];
        r.lane = (tomo_lane_e) (data[at] % 3);
        r.body = tomo_str_n(data + at, n);
        tomo_journal_record_write(&s, &r, &b);
    }

    FUZZ_HOLDS(!b.failed);
    FUZZ_HOLDS(tomo_journal_recover(tomo_str_n(p, s.size), &s, &found)
               == TOMO_OK);
    FUZZ_HOLDS(found.records == records && found.end == b.len);
    FUZZ_HOLDS(!found.damaged);

    if (size >= 4) {
        p[tomo_get_le(data + size - 4, 3) % s.size] ^= data[size - 1];
        check(tomo_str_n(p, s.size));
    }

    free(p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          skip;
    uint64_t        seq;
    tomo_record_t   r;
    tomo_segment_t  s;

    memset(&s, 0, sizeof(s));
    check(tomo_str_n(data, size));

    for (seq = 0; seq < 3; seq++) {
        if (tomo_journal_record_read(&s, tomo_str_n(data, size), seq, &r,
                                     &skip) == TOMO_OK)
        {
            FUZZ_HOLDS(skip <= size);
        }
    }

    if (size <= 256) {
        make_and_hurt(data, size);
    }

    return 0;
}
