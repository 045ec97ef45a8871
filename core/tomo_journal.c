/*
 * tomo_journal: framing, checksums and recovery of journal segments.
 */

#include "tomo_journal.h"

#include <string.h>

#include "tomo_crc32c.h"


#define JOURNAL_ACCOUNT_MAX  32
#define JOURNAL_SCAN_WORK    16     /* × the segment, in bytes checksummed */

static const uint8_t  journal_magic[8] = {
    'T', 'O', 'M', 'O', 'J', '1', '\r', '\n'
};


#ifdef __x86_64__

/* the processor's own CRC32C, five times as fast as the table */

__attribute__((target("sse4.2")))
static uint32_t
journal_crc_fast(uint32_t crc, const uint8_t *p, size_t len)
{
    uint64_t  word, wide;

    wide = crc;

    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }

    crc = (uint32_t) wide;

    for (; len > 0; len--, p++) {
        crc = __builtin_ia32_crc32qi(crc, *p);
    }

    return crc;
}

#endif


static inline uint64_t
journal_word(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t  word;

    memcpy(&word, p, 8);

    return word;
#else
    return tomo_get_le(p, 8);
#endif
}


static uint32_t
journal_crc_table(uint32_t crc, const uint8_t *p, size_t len)
{
    uint64_t  w;

    for (; len >= 8; len -= 8, p += 8) {
        w = journal_word(p) ^ crc;
        crc = tomo_crc32c_table[7][w & 255]
              ^ tomo_crc32c_table[6][w >> 8 & 255]
              ^ tomo_crc32c_table[5][w >> 16 & 255]
              ^ tomo_crc32c_table[4][w >> 24 & 255]
              ^ tomo_crc32c_table[3][w >> 32 & 255]
              ^ tomo_crc32c_table[2][w >> 40 & 255]
              ^ tomo_crc32c_table[1][w >> 48 & 255]
              ^ tomo_crc32c_table[0][w >> 56];
    }

    for (; len > 0; len--, p++) {
        crc = crc >> 8 ^ tomo_crc32c_table[0][(crc ^ *p) & 255];
    }

    return crc;
}


/* which of the two is the machine's matter: packages must run everywhere */

uint32_t
tomo_crc32c(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) {
        return ~journal_crc_fast(~crc, data, len);
    }
#endif

    return ~journal_crc_table(~crc, data, len);
}


void
tomo_journal_header_write(const tomo_segment_t *s, uint8_t *out)
{
    memset(out, 0, TOMO_JOURNAL_HEADER);
    memcpy(out, journal_magic, sizeof(journal_magic));
    tomo_put_le(out + 8, s->writer, 8);
    tomo_put_le(out + 16, s->number, 8);
    tomo_put_le(out + 24, s->first_seq, 8);
    tomo_put_le(out + 32, (uint64_t) s->created_ms, 8);
    tomo_put_le(out + 40, s->size, 4);
    tomo_put_le(out + 60, tomo_crc32c(0, out, 60), 4);
}


tomo_rc_e
tomo_journal_header_read(tomo_str_t bytes, tomo_segment_t *s)
{
    const uint8_t  *p;

    p = bytes.data;

    if (bytes.len < TOMO_JOURNAL_HEADER
        || memcmp(p, journal_magic, sizeof(journal_magic)) != 0
        || tomo_get_le(p + 60, 4) != tomo_crc32c(0, p, 60))
    {
        return TOMO_INVALID;
    }

    s->writer = tomo_get_le(p + 8, 8);
    s->number = tomo_get_le(p + 16, 8);
    s->first_seq = tomo_get_le(p + 24, 8);
    s->created_ms = (int64_t) tomo_get_le(p + 32, 8);
    s->size = (uint32_t) tomo_get_le(p + 40, 4);

    return TOMO_OK;
}


static size_t
journal_padded(size_t payload)
{
    return (TOMO_JOURNAL_RECORD + payload + 7) & ~(size_t) 7;
}


size_t
tomo_journal_record_size(const tomo_record_t *r)
{
    return journal_padded(r->account.len + r->body.len);
}


/* from: byte 8 of the record; the record's life is part of the sum */
static uint32_t
journal_crc(const tomo_segment_t *s, const uint8_t *from, size_t len)
{
    uint8_t  life[16];

    tomo_put_le(life, s->writer, 8);
    tomo_put_le(life + 8, s->number, 8);

    return tomo_crc32c(tomo_crc32c(0, life, sizeof(life)), from, len);
}


void
tomo_journal_record_write(const tomo_segment_t *s, const tomo_record_t *r,
    tomo_buf_t *out)
{
    size_t    payload, size;
    uint8_t  *p;

    payload = r->account.len + r->body.len;

    if (r->account.len == 0 || r->account.len > JOURNAL_ACCOUNT_MAX
        || r->body.len > TOMO_JOURNAL_PAYLOAD_MAX - r->account.len)
    {
        out->failed = true;
        return;
    }

    size = journal_padded(payload);
    p = tomo_buf_take(out, size);

    if (p == NULL) {
        return;
    }

    tomo_put_le(p, payload, 4);
    tomo_put_le(p + 8, r->seq, 8);
    tomo_put_le(p + 16, (uint64_t) r->at_ms, 8);
    p[24] = r->kind;
    p[25] = (uint8_t) r->lane;
    p[26] = (uint8_t) r->account.len;
    p[27] = 0;
    tomo_put_le(p + 28, r->events, 4);
    memcpy(p + TOMO_JOURNAL_RECORD, r->account.data, r->account.len);

    if (r->body.len > 0) {
        memcpy(p + TOMO_JOURNAL_RECORD + r->account.len, r->body.data,
               r->body.len);
    }

    memset(p + TOMO_JOURNAL_RECORD + payload, 0,
           size - TOMO_JOURNAL_RECORD - payload);

    tomo_put_le(p + 4, journal_crc(s, p + 8,
                                   TOMO_JOURNAL_RECORD - 8 + payload), 4);
}


/* could the 32 bytes at p be a record's? */
static bool
journal_plausible(const uint8_t *p)
{
    size_t  payload;

    payload = (size_t) tomo_get_le(p, 4);

    return payload <= TOMO_JOURNAL_PAYLOAD_MAX
           && p[25] <= TOMO_LANE_LOCAL
           && p[26] > 0 && p[26] <= JOURNAL_ACCOUNT_MAX && p[26] <= payload
           && p[27] == 0;
}


tomo_rc_e
tomo_journal_record_read(const tomo_segment_t *s, tomo_str_t bytes,
    uint64_t want_seq, tomo_record_t *r, size_t *size)
{
    size_t          payload;
    const uint8_t  *p;

    p = bytes.data;

    if (bytes.len >= 4 && tomo_get_le(p, 4) == 0) {
        return TOMO_ABSENT;
    }

    if (bytes.len < TOMO_JOURNAL_RECORD) {
        return TOMO_AGAIN;
    }

    if (tomo_get_le(p + 8, 8) != want_seq) {
        return TOMO_ABSENT;
    }

    if (!journal_plausible(p)) {
        return TOMO_INVALID;
    }

    payload = (size_t) tomo_get_le(p, 4);

    if (bytes.len < journal_padded(payload)) {
        return TOMO_AGAIN;
    }

    if (tomo_get_le(p + 4, 4)
        != journal_crc(s, p + 8, TOMO_JOURNAL_RECORD - 8 + payload))
    {
        return TOMO_INVALID;
    }

    r->seq = want_seq;
    r->at_ms = (int64_t) tomo_get_le(p + 16, 8);
    r->kind = p[24];
    r->lane = (tomo_lane_e) p[25];
    r->events = (uint32_t) tomo_get_le(p + 28, 4);
    r->account = tomo_str_n(p + TOMO_JOURNAL_RECORD, p[26]);
    r->body = tomo_str_n(p + TOMO_JOURNAL_RECORD + p[26], payload - p[26]);
    *size = journal_padded(payload);

    return TOMO_OK;
}


/*
 * Is there any later record of ours behind the place where the chain broke?
 * Records lie on multiples of 8.  Bodies may look like headers, so the sum of
 * bytes checksummed is bounded; over the bound is damage: somebody must look.
 */
static bool
journal_later(const tomo_segment_t *s, tomo_str_t segment, size_t from,
    uint64_t next_seq)
{
    size_t          i, size, work;
    uint64_t        seq, most;
    tomo_str_t      rest;
    tomo_record_t   r;
    const uint8_t  *p;

    work = segment.len * JOURNAL_SCAN_WORK;
    most = segment.len / TOMO_JOURNAL_RECORD;

    for (i = from; i < segment.len && segment.len - i > TOMO_JOURNAL_RECORD;
         i += 8)
    {
        p = segment.data + i;
        seq = tomo_get_le(p + 8, 8);

        if (seq <= next_seq || seq - next_seq > most
            || !journal_plausible(p))
        {
            continue;
        }

        size = (size_t) tomo_get_le(p, 4);

        if (size > work) {
            return true;
        }

        work -= size;
        rest = tomo_str_n(p, segment.len - i);

        if (tomo_journal_record_read(s, rest, seq, &r, &size) == TOMO_OK) {
            return true;
        }
    }

    return false;
}


tomo_rc_e
tomo_journal_recover(tomo_str_t segment, tomo_segment_t *s,
    tomo_recovery_t *out)
{
    size_t           size;
    tomo_rc_e        rc;
    tomo_str_t       rest;
    tomo_record_t    r;
    tomo_segment_t   seg;
    tomo_recovery_t  found;

    rc = tomo_journal_header_read(segment, &seg);

    if (rc != TOMO_OK) {
        return rc;
    }

    memset(&found, 0, sizeof(found));
    found.end = TOMO_JOURNAL_HEADER;
    found.next_seq = seg.first_seq;

    for ( ;; ) {
        rest = tomo_str_n(segment.data + found.end, segment.len - found.end);
        rc = tomo_journal_record_read(&seg, rest, found.next_seq, &r, &size);

        if (rc != TOMO_OK) {
            break;
        }

        found.end += size;
        found.next_seq++;
        found.records++;
        found.events += r.events;
    }

    found.damaged = journal_later(&seg, segment, found.end, found.next_seq);
    *s = seg;
    *out = found;

    return TOMO_OK;
}
