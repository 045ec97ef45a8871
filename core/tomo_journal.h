/*
 * tomo_journal: the bytes of a journal segment: framing, checksums, and what
 * can be trusted after a crash.  No files here: writers and readers live in
 * ngx_module/ and worker/ and hand in memory.
 *
 * A segment is a file of fixed size, zero-filled before first use and
 * recycled afterwards.  All numbers are little-endian.
 *
 *   segment header, 64 bytes:
 *     0  8  magic "TOMOJ1\r\n"
 *     8  8  writer: random 64-bit id of the process start that writes it
 *    16  8  number of the segment within the writer, from 1
 *    24  8  sequence of the first record in it
 *    32  8  created, Unix ms
 *    40  4  size of the file in bytes
 *    44 16  zero
 *    60  4  CRC32C of the 60 bytes before
 *
 *   record, padded with zeros to a multiple of 8:
 *     0  4  length of the payload in bytes
 *     4  4  CRC32C over writer (8) | segment number (8) | bytes 8 .. end of
 *           the payload: a record left over from the file's previous life
 *           never fits
 *     8  8  sequence: 1, 2, 3 … without gaps within a writer
 *    16  8  received, Unix ms (sandbox clock)
 *    24  1  kind (tomo_entry_kind_e)
 *    25  1  lane: 0 in, 1 bulk, 2 local (not shipped)
 *    26  1  length of the account id
 *    27  1  zero
 *    28  4  events inside (1, or the clicks of a frame)
 *    32     account id, then the entry's body
 *
 * The end of a segment is the first place where no valid record with the next
 * sequence begins: zeros, an old record, or a torn write.  What was fsynced
 * lies before it by construction.
 */

#ifndef TOMO_JOURNAL_H
#define TOMO_JOURNAL_H

#include "tomo_base.h"

#define TOMO_JOURNAL_HEADER      64
#define TOMO_JOURNAL_RECORD      32
#define TOMO_JOURNAL_PAYLOAD_MAX (4u * 1024 * 1024)

typedef enum {
    TOMO_LANE_IN = 0,
    TOMO_LANE_BULK = 1,
    TOMO_LANE_LOCAL = 2
} tomo_lane_e;

typedef struct {
    uint64_t  writer;
    uint64_t  number;
    uint64_t  first_seq;
    int64_t   created_ms;
    uint32_t  size;
} tomo_segment_t;

typedef struct {
    uint64_t     seq;
    int64_t      at_ms;
    uint8_t      kind;
    tomo_lane_e  lane;
    uint32_t     events;
    tomo_str_t   account;
    tomo_str_t   body;
} tomo_record_t;

uint32_t tomo_crc32c(uint32_t crc, const void *data, size_t len);

/* writes the 64 bytes */
void tomo_journal_header_write(const tomo_segment_t *s, uint8_t *out);
/* TOMO_INVALID: not a segment, or its checksum is wrong */
tomo_rc_e tomo_journal_header_read(tomo_str_t bytes, tomo_segment_t *s)
    TOMO_MUST_CHECK;

/* bytes the record will take in the file, padding included */
size_t tomo_journal_record_size(const tomo_record_t *r);
/* appends one framed record; the buffer's failed bit tells of no room */
void tomo_journal_record_write(const tomo_segment_t *s,
    const tomo_record_t *r, tomo_buf_t *out);

/*
 * Reads the record at the start of bytes; it must carry sequence want_seq.
 *   TOMO_OK       *r views bytes; *size = bytes to skip to the next record
 *   TOMO_AGAIN    may be a record, but bytes ends inside it (read more; when
 *                 bytes reaches the end of the file this means: torn)
 *   TOMO_ABSENT   zeros, or a record of another life or sequence: the end
 *   TOMO_INVALID  our writer's framing with a wrong checksum or field: torn
 *                 if nothing after it is ours, else damage (quarantine)
 */
tomo_rc_e tomo_journal_record_read(const tomo_segment_t *s, tomo_str_t bytes,
    uint64_t want_seq, tomo_record_t *r, size_t *size) TOMO_MUST_CHECK;

/*
 * Recovery of a whole segment in memory (header included): how many bytes and
 * records are good, and whether anything of ours follows the end (damage).
 */
typedef struct {
    size_t    end;          /* offset behind the last good record */
    uint64_t  next_seq;
    uint64_t  records;
    uint64_t  events;
    bool      damaged;      /* valid records with later sequences follow */
} tomo_recovery_t;

tomo_rc_e tomo_journal_recover(tomo_str_t segment, tomo_segment_t *s,
    tomo_recovery_t *out) TOMO_MUST_CHECK;

#endif
