/*
 * tomo_journal: T31: framing, recovery of every truncation and every
 * single-byte corruption, recycled segments, the damage flag.
 */

#include "unit.h"
#include "tomo_crc32c.h"
#include "tomo_journal.h"


#define SEGMENT  1024
#define RECORDS  5

static const tomo_segment_t  life = {
    .writer = UINT64_C(0x0123456789abcdef),
    .number = 7,
    .first_seq = 100,
    .created_ms = INT64_C(1700000000000),
    .size = SEGMENT
};

typedef struct {
    uint8_t  bytes[SEGMENT];
    size_t   at[RECORDS + 1];       /* where records begin; the end */
    size_t   payload[RECORDS];      /* where their padding begins */
} segment_t;


static tomo_record_t
record(uint64_t seq)
{
    tomo_record_t  r;

    static const char  text[] = "{\"events\":[]} and some more of a body";

    r.seq = seq;
    r.at_ms = (int64_t) seq * 1000 - 3;
    r.kind = (uint8_t) (1 + seq % 4);
    r.lane = (tomo_lane_e) (seq % 3);
    r.events = (uint32_t) seq % 64;
    r.account = tomo_str("demo");
    r.body = tomo_str_n(text, (seq * 7) % sizeof(text));

    return r;
}


static void
write_records(const tomo_segment_t *s, segment_t *g, size_t n)
{
    size_t         i;
    tomo_buf_t     b;
    tomo_record_t  r;

    tomo_journal_header_write(s, g->bytes);
    tomo_buf_init(&b, g->bytes, SEGMENT);
    b.len = TOMO_JOURNAL_HEADER;

    for (i = 0; i < n; i++) {
        r = record(s->first_seq + i);
        g->at[i] = b.len;
        g->payload[i] = b.len + TOMO_JOURNAL_RECORD + r.account.len
                        + r.body.len;
        tomo_journal_record_write(s, &r, &b);
        assert_int_equal(b.len - g->at[i], tomo_journal_record_size(&r));
    }

    assert_false(b.failed);
    g->at[n] = b.len;
}


static void
make(segment_t *g)
{
    memset(g, 0, sizeof(*g));
    write_records(&life, g, RECORDS);
}


static void
crc32c_vectors_and_tables(void **state)
{
    size_t    i, k;
    uint8_t   bytes[64];
    uint32_t  c;

    (void) state;

    assert_int_equal(tomo_crc32c(0, "", 0), 0);
    assert_int_equal(tomo_crc32c(0, "123456789", 9), 0xe3069283);

    /* RFC 3720, B.4 */
    memset(bytes, 0, 32);
    assert_int_equal(tomo_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(tomo_crc32c(0, bytes, 32), 0x62a8ab43);

    for (i = 0; i < 64; i++) {
        bytes[i] = (uint8_t) i;
    }

    assert_int_equal(tomo_crc32c(0, bytes, 32), 0x46dd794e);

    for (i = 0; i <= 64; i++) {
        assert_int_equal(tomo_crc32c(tomo_crc32c(0, bytes, i), bytes + i,
                                     64 - i),
                         tomo_crc32c(0, bytes, 64));
    }

    for (i = 0; i < 256; i++) {
        c = (uint32_t) i;

        for (k = 0; k < 8; k++) {
            c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
        }

        for (k = 0; k < 8; k++) {
            assert_int_equal(tomo_crc32c_table[k][i], c);
            c = c >> 8 ^ tomo_crc32c_table[0][c & 255];
        }
    }
}


static void
header_round_trip_and_every_flip(void **state)
{
    size_t          i;
    uint8_t         bytes[TOMO_JOURNAL_HEADER];
    tomo_str_t      copy;
    tomo_segment_t  s;

    (void) state;

    tomo_journal_header_write(&life, bytes);
    assert_int_equal(tomo_journal_header_read(tomo_str_n(bytes, 64), &s),
                     TOMO_OK);
    assert_true(s.writer == life.writer && s.number == life.number
                && s.first_seq == life.first_seq
                && s.created_ms == life.created_ms && s.size == life.size);

    for (i = 0; i < sizeof(bytes) * 8; i++) {
        bytes[i / 8] ^= (uint8_t) (1u << i % 8);
        assert_int_equal(tomo_journal_header_read(tomo_str_n(bytes, 64), &s),
                         TOMO_INVALID);
        bytes[i / 8] ^= (uint8_t) (1u << i % 8);
    }

    for (i = 0; i < sizeof(bytes); i++) {
        copy = unit_heap(bytes, i);
        assert_int_equal(tomo_journal_header_read(copy, &s), TOMO_INVALID);
        unit_free(copy);
    }
}


static void
T31_reads_what_was_written(void **state)
{
    size_t           i, size;
    segment_t        g;
    tomo_record_t    r, want;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    make(&g);

    for (i = 0; i < RECORDS; i++) {
        want = record(100 + i);
        assert_int_equal(tomo_journal_record_read(
                             &life, tomo_str_n(g.bytes + g.at[i],
                                               SEGMENT - g.at[i]),
                             100 + i, &r, &size), TOMO_OK);
        assert_int_equal(size, g.at[i + 1] - g.at[i]);
        assert_int_equal(size % 8, 0);
        assert_true(r.seq == want.seq && r.at_ms == want.at_ms
                    && r.kind == want.kind && r.lane == want.lane
                    && r.events == want.events);
        unit_is_str(r.account, want.account);
        unit_is_str(r.body, want.body);
    }

    assert_int_equal(tomo_journal_recover(tomo_str_n(g.bytes, SEGMENT), &s,
                                          &found), TOMO_OK);
    assert_int_equal(found.end, g.at[RECORDS]);
    assert_int_equal(found.records, RECORDS);
    assert_int_equal(found.next_seq, 105);
    assert_int_equal(found.events, 36 + 37 + 38 + 39 + 40);
    assert_false(found.damaged);
    assert_int_equal(s.number, life.number);
}


static void
T31_every_truncation(void **state)
{
    size_t           n, whole;
    segment_t        g;
    tomo_rc_e        rc;
    tomo_str_t       copy;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    make(&g);

    for (n = 0; n <= SEGMENT; n++) {
        copy = unit_heap(g.bytes, n);
        rc = tomo_journal_recover(copy, &s, &found);
        unit_free(copy);

        if (n < TOMO_JOURNAL_HEADER) {
            assert_int_equal(rc, TOMO_INVALID);
            continue;
        }

        for (whole = 0; whole < RECORDS && g.at[whole + 1] <= n; whole++) {
            /* records that end before the cut */
        }

        assert_int_equal(rc, TOMO_OK);
        assert_int_equal(found.records, whole);
        assert_int_equal(found.end, g.at[whole]);
        assert_int_equal(found.next_seq, 100 + whole);
        assert_false(found.damaged);
    }
}


/* torn: the file keeps its size, the tail was never written */
static void
T31_every_torn_tail(void **state)
{
    size_t           n, whole;
    segment_t        g, torn;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    make(&g);

    for (n = TOMO_JOURNAL_HEADER; n < g.at[RECORDS]; n++) {
        torn = g;
        memset(torn.bytes + n, 0, SEGMENT - n);

        for (whole = 0; whole < RECORDS && g.payload[whole] <= n; whole++) {
            /* complete payloads; padding is zeros anyway */
        }

        assert_int_equal(tomo_journal_recover(tomo_str_n(torn.bytes, SEGMENT),
                                              &s, &found), TOMO_OK);
        /* a payload may end in bytes that are zero themselves */
        assert_true(found.records >= whole && found.records <= whole + 1);
        assert_false(found.damaged);

        if (found.records == whole + 1) {
            assert_memory_equal(torn.bytes, g.bytes, g.at[whole + 1]);
        }
    }
}


static void
T31_every_corrupted_byte(void **state)
{
    size_t           at, i;
    unsigned         mask;
    segment_t        g;
    tomo_rc_e        rc;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    make(&g);

    for (at = 0; at < SEGMENT; at++) {
        for (i = 0; i < RECORDS && g.payload[i] <= at; i++) {
            /* the record the byte lies in or before */
        }

        for (mask = 1; mask < 256; mask += (at % 3 == 0) ? 1 : 17) {
            g.bytes[at] ^= (uint8_t) mask;
            rc = tomo_journal_recover(tomo_str_n(g.bytes, SEGMENT), &s,
                                      &found);
            g.bytes[at] ^= (uint8_t) mask;

            if (at < TOMO_JOURNAL_HEADER) {
                assert_int_equal(rc, TOMO_INVALID);
                continue;
            }

            assert_int_equal(rc, TOMO_OK);

            if (i == RECORDS || at < g.at[i]) {
                /* padding, or behind the end: nothing is lost */
                assert_int_equal(found.records, RECORDS);
                assert_false(found.damaged);
                continue;
            }

            assert_int_equal(found.records, i);
            assert_int_equal(found.end, g.at[i]);
            assert_int_equal(found.next_seq, 100 + i);
            assert_int_equal(found.damaged, i < RECORDS - 1);
        }
    }
}


static void
T31_recycled_segments(void **state)
{
    size_t           n, other;
    segment_t        g;
    tomo_segment_t   s, old[3];
    tomo_recovery_t  found;

    (void) state;

    /* same writer, earlier number; other writer; the same sequences or on */
    old[0] = old[1] = old[2] = life;
    old[0].number = 6;
    old[1].writer++;
    old[2].writer++;
    old[2].first_seq = 102;

    for (other = 0; other < UNIT_N(old); other++) {
        for (n = 0; n < RECORDS; n++) {
            memset(&g, 0, sizeof(g));
            write_records(&old[other], &g, RECORDS);
            write_records(&life, &g, n);

            assert_int_equal(tomo_journal_recover(
                                 tomo_str_n(g.bytes, SEGMENT), &s, &found),
                             TOMO_OK);
            assert_int_equal(found.records, n);
            assert_int_equal(found.end, g.at[n]);
            assert_false(found.damaged);
        }
    }
}


static void
T31_damage_is_told(void **state)
{
    size_t           i;
    segment_t        g, hole;
    tomo_segment_t   s;
    tomo_recovery_t  found;

    (void) state;

    make(&g);

    for (i = 0; i < RECORDS; i++) {
        hole = g;
        memset(hole.bytes + g.at[i], 0, g.at[i + 1] - g.at[i]);
        assert_int_equal(tomo_journal_recover(tomo_str_n(hole.bytes, SEGMENT),
                                              &s, &found), TOMO_OK);
        assert_int_equal(found.records, i);
        assert_int_equal(found.damaged, i < RECORDS - 1);
    }
}


/* bodies that look like headers must not cost more than a bounded sum */
static void
T31_look_alikes_are_bounded(void **state)
{
    size_t           at, size;
    uint8_t         *bytes;
    tomo_segment_t   s, big;
    tomo_recovery_t  found;

    (void) state;

    size = 4 * 1024 * 1024;
    bytes = calloc(1, size);
    assert_non_null(bytes);
    big = life;
    big.size = (uint32_t) size;
    tomo_journal_header_write(&big, bytes);

    for (at = 96; at + 32 <= size; at += 32) {
        tomo_put_le(bytes + at, size / 2, 4);
        tomo_put_le(bytes + at + 8, 101 + at / 64, 8);
        bytes[at + 26] = 4;
    }

    assert_int_equal(tomo_journal_recover(tomo_str_n(bytes, size), &s,
                                          &found), TOMO_OK);
    assert_int_equal(found.records, 0);
    assert_true(found.damaged);
    free(bytes);
}


static void
record_states_and_limits(void **state)
{
    size_t         n, size;
    uint8_t        text[64];
    tomo_buf_t     b;
    segment_t      g;
    tomo_rc_e      rc;
    tomo_str_t     copy;
    tomo_record_t  r;

    (void) state;

    make(&g);

    for (n = 0; n < g.at[1] - g.at[0]; n++) {
        copy = unit_heap(g.bytes + g.at[0], n);
        rc = tomo_journal_record_read(&life, copy, 100, &r, &size);
        assert_int_equal(rc, TOMO_AGAIN);
        unit_free(copy);
    }

    copy = tomo_str_n(g.bytes + g.at[0], SEGMENT - g.at[0]);
    assert_int_equal(tomo_journal_record_read(&life, copy, 101, &r, &size),
                     TOMO_ABSENT);
    assert_int_equal(tomo_journal_record_read(
                         &life, tomo_str_n(g.bytes + g.at[RECORDS], 4), 105,
                         &r, &size), TOMO_ABSENT);

    /* a length over the limit is no reason to wait for more bytes */
    tomo_put_le(g.bytes + g.at[0], TOMO_JOURNAL_PAYLOAD_MAX + 1, 4);
    assert_int_equal(tomo_journal_record_read(&life, copy, 100, &r, &size),
                     TOMO_INVALID);

    tomo_buf_init(&b, text, sizeof(text));
    r = record(1);
    r.account = tomo_str_null;
    tomo_journal_record_write(&life, &r, &b);
    assert_true(b.failed && b.len == 0);

    tomo_buf_reset(&b);
    r = record(1);
    r.body.len = TOMO_JOURNAL_PAYLOAD_MAX;
    tomo_journal_record_write(&life, &r, &b);
    assert_true(b.failed && b.len == 0);

    tomo_buf_init(&b, text, tomo_journal_record_size(&r) > 8 ? 40 : 0);
    r = record(2);
    tomo_journal_record_write(&life, &r, &b);
    assert_true(b.failed && b.len == 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_vectors_and_tables),
        cmocka_unit_test(header_round_trip_and_every_flip),
        cmocka_unit_test(T31_reads_what_was_written),
        cmocka_unit_test(T31_every_truncation),
        cmocka_unit_test(T31_every_torn_tail),
        cmocka_unit_test(T31_every_corrupted_byte),
        cmocka_unit_test(T31_recycled_segments),
        cmocka_unit_test(T31_damage_is_told),
        cmocka_unit_test(T31_look_alikes_are_bounded),
        cmocka_unit_test(record_states_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
