/*
 * tomo_entry: what travels from journals through the streams `in` and `bulk`
 * to ingest: the kinds of entry, the five fields of a stream entry, and the
 * flat bodies of our own kinds.  Entries outlive deployments: t/golden/ keeps
 * one file per kind and version, and every later version reads them.
 *
 * Stream fields, always in this order:
 *   v  version of the entry, now 1
 *   k  name of the kind
 *   t  received, Unix ms (sandbox clock)
 *   o  origin: writer (16 hex digits) - sequence (decimal)
 *   b  body
 */

#ifndef TOMO_ENTRY_H
#define TOMO_ENTRY_H

#include "tomo_rec.h"

#define TOMO_ENTRY_VERSION   1
#define TOMO_ENTRY_FIELDS    5
#define TOMO_FRAME_CLICKS    64

/* X(name, number, written by, body) — numbers are for ever */
#define TOMO_ENTRY_KINDS(X)                                                   \
    X(webhook, 1, "edge",     "raw JSON as LINE sent it")                     \
    X(click,   2, "edge",     "1..64 lines of tomo_click_t")                  \
    X(answer,  3, "edge",     "one line of tomo_answer_t")                    \
    X(verdict, 4, "dispatch", "one line, docs/formats.md, Verdicts")          \
    X(command, 5, "api",      "JSON, docs/formats.md, Commands")              \
    X(follow_up, 6, "ingest", "one line: work continued from a commit")       \
    X(attempt, 7, "dispatch", "one line, local: never shipped")

typedef enum {
    TOMO_ENTRY_NONE = 0,
#define TOMO_ENTRY_ENUM_(name, number, ...)  TOMO_ENTRY_##name = number,
    TOMO_ENTRY_KINDS(TOMO_ENTRY_ENUM_)
#undef TOMO_ENTRY_ENUM_
    TOMO_ENTRY_KIND_END
} tomo_entry_kind_e;

typedef struct {
    tomo_entry_kind_e  kind;
    int64_t            at_ms;
    uint64_t           writer;
    uint64_t           seq;
    tomo_str_t         body;
} tomo_entry_t;

/* the kind's name, NULL for a number that is none; and back */
const char *tomo_entry_kind_name(unsigned kind);
tomo_entry_kind_e tomo_entry_kind_parse(tomo_str_t name);

/*
 * The ten arguments `v 1 k … t … o … b …` for XADD.  text is scratch for the
 * numbers (128 bytes suffice); the views in argv point to it, to literals and
 * to e->body.  TOMO_FULL: text too small.
 */
tomo_rc_e tomo_entry_encode(const tomo_entry_t *e, tomo_buf_t *text,
    tomo_str_t argv[2 * TOMO_ENTRY_FIELDS]) TOMO_MUST_CHECK;

/*
 * Field/value pairs as Redis returned them (2n strings, any order, unknown
 * names ignored).  TOMO_INVALID: missing or malformed field, unknown kind;
 * TOMO_LIMIT: a version newer than ours.
 */
tomo_rc_e tomo_entry_decode(const tomo_str_t *pairs, size_t n,
    tomo_entry_t *e) TOMO_MUST_CHECK;

/* Why a visit of a link does or does not count (core/tomo_agent decides). */
typedef enum {
    TOMO_VISIT_HUMAN = 0,
    TOMO_VISIT_PREVIEW,         /* link preview fetcher or crawler */
    TOMO_VISIT_HEAD,
    TOMO_VISIT_PREFETCH
} tomo_visit_e;

const char *tomo_visit_name(tomo_visit_e v);
tomo_visit_e tomo_visit_parse(tomo_str_t name);     /* unknown: PREVIEW */

/*
 * One click: at= link= friend= delivery= day= check= visit= ua= [addr=]
 * [flood=]
 */
typedef struct {
    int64_t       at_ms;
    uint32_t      link;
    uint32_t      friend;
    uint32_t      delivery;
    uint32_t      day;
    uint32_t      check;
    tomo_visit_e  visit;
    tomo_str_t    ua;           /* ≤ 256 bytes, cut by the writer */
    tomo_str_t    addr;         /* the visitor's; empty unless switched on */
    uint32_t      flood;        /* the n-th of too many in a minute; 0: none */
} tomo_click_t;

void tomo_click_put(tomo_buf_t *b, const tomo_click_t *c);  /* with \n */
tomo_rc_e tomo_click_parse(tomo_str_t line, tomo_arena_t *a, tomo_click_t *c)
    TOMO_MUST_CHECK;

/*
 * One survey post that the edge validated:
 * at= survey= rev= friend= delivery= day= check= nonce= ua= then trap=1 when
 * the trap field was filled (ingest sets it aside), then, in the form's
 * order, q.ID=value; several choices repeat the name; an unanswered question
 * is absent.
 */
typedef struct {
    int64_t     at_ms;
    uint32_t    survey;
    uint32_t    rev;
    uint32_t    friend;
    uint32_t    delivery;
    uint32_t    day;
    uint32_t    check;
    tomo_str_t  nonce;          /* 22 characters base64url, the dedupe id */
    tomo_str_t  ua;
    tomo_rec_t  line;           /* parse only: all fields, answers included */
} tomo_answer_t;

/* without \n, so that tomo_rec_put("q.ID", …) can follow */
void tomo_answer_put(tomo_buf_t *b, const tomo_answer_t *s);
tomo_rc_e tomo_answer_parse(tomo_str_t line, tomo_arena_t *a,
    tomo_answer_t *s) TOMO_MUST_CHECK;

#endif
