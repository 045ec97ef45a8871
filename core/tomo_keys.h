/*
 * tomo_keys: every Redis key, and nowhere else: name, type, lifetime, who
 * writes it and who reads it.  docs/formats.md explains the values.
 *
 * All keys of an account share the hash tag {account}, so that MULTI and
 * scripts work in a cluster.  An account id is [a-z0-9][a-z0-9_-]{0,31}; the
 * grammar is checked before an id ever comes here (tomo_keys_account_ok), so
 * a key cannot be spliced.
 */

#ifndef TOMO_KEYS_H
#define TOMO_KEYS_H

#include "tomo_base.h"

#define TOMO_ACCOUNT_MAX  32
#define TOMO_KEY_MAX      160

/* X(name, tail, type, lifetime, written by, read by) */
#define TOMO_KEYS(X)                                                          \
    X(in, "in", "stream", "until decided",                                    \
      "edge, api, dispatch", "ingest, api")                                   \
    X(bulk, "bulk", "stream", "until decided",                                \
      "api, dispatch, ingest", "ingest, api")                                 \
    X(ship, "ship", "hash", "for ever",                                       \
      "edge, api, dispatch", "the same")                                      \
    X(lease_ingest, "lease:ingest", "string", "15 s, renewed",                \
      "ingest", "ingest, api")                                                \
    X(lease_dispatch, "lease:dispatch", "string", "15 s, renewed",            \
      "dispatch", "dispatch, api")                                            \
    X(cursor, "cursor", "hash", "for ever",                                   \
      "ingest", "ingest, api")                                                \
    X(meta, "meta", "hash", "for ever",                                       \
      "ingest", "ingest, api, dispatch")                                      \
    X(out, "out", "stream", "until settled",                                  \
      "ingest", "dispatch, api")                                              \
    X(sched, "sched", "zset", "until due",                                    \
      "ingest", "ingest, api")                                                \
    X(quarantine, "quarantine", "stream", "30 days",                          \
      "ingest", "api")                                                        \
    X(audit, "audit", "stream", "400 days",                                   \
      "ingest", "api")                                                        \
    X(result, "result", "stream", "newest 1,000",                             \
      "ingest", "api")                                                        \
    X(defs, "defs", "hash", "for ever",                                       \
      "ingest", "ingest, api")                                                \
    X(feed, "feed", "hash", "for ever",                                       \
      "ingest", "edge")                                                       \
    X(gone, "gone", "hash", "for ever",                                       \
      "ingest", "ingest, api")                                                \
    X(access, "access", "hash", "for ever",                                   \
      "dispatch", "dispatch")                                                 \
    X(sending, "sending", "hash", "for ever",                                 \
      "dispatch", "api")

/* X(name, head, type, lifetime, written by, read by); the tail is a number */
#define TOMO_KEYS_NUM(X)                                                      \
    X(friend, "f:", "hash", "for ever",                                       \
      "ingest", "ingest, api, dispatch")                                      \
    X(timeline, "tl:", "list", "newest 200",                                  \
      "ingest", "api")                                                        \
    X(set_tag, "set:tag:", "set, then bitmap", "for ever",                    \
      "ingest", "ingest, api")                                                \
    X(set_link, "set:link:", "set, then bitmap", "for ever",                  \
      "ingest", "ingest, api")                                                \
    X(set_survey, "set:survey:", "set, then bitmap", "for ever",              \
      "ingest", "ingest, api")                                                \
    X(uid, "uid:", "hash", "for ever",                                        \
      "ingest", "ingest, api")                                                \
    X(met, "met:", "hash", "32 days",                                         \
      "ingest", "ingest")                                                     \
    X(seen, "seen:", "set", "32 days",                                        \
      "nobody any more", "ingest")

/* X(name, head, type, lifetime, written by, read by); the tail is kind/id */
#define TOMO_KEYS_ID(X)                                                       \
    X(history, "history:", "list", "newest 100",                              \
      "ingest", "api")

/* keys of the whole installation, without an account */

/* set of account ids; ingest; edge */
#define TOMO_KEY_ACCOUNTS  "tomo:accounts"
/* hash edge id -> heartbeat; edge, ingest; ingest, dispatch, api */
#define TOMO_KEY_EDGES     "tomo:edges"
/* string, write probe; every role */
#define TOMO_KEY_PROBE     "tomo:probe"
/* hash worker -> watermark; dispatch */
#define TOMO_KEY_WATERMARK "tomo:watermark"

/* does s follow the grammar of an account id? */
bool tomo_keys_account_ok(tomo_str_t s);
/* the grammar of a definition's id: [a-z0-9][a-z0-9_.-]{0,63} */
bool tomo_keys_id_ok(tomo_str_t s);

/*
 * tomo_key_NAME(b, account[, n | id]) appends the key's name to b.
 * The uid keys are buckets: n = CRC32C of the LINE user id, low 16 bits.
 * The met and seen keys are days: n = days since 1970-01-01 (UTC) of the
 * event's own timestamp.
 */
void tomo_key_tail(tomo_buf_t *b, tomo_str_t account, const char *tail);
void tomo_key_num(tomo_buf_t *b, tomo_str_t account, const char *head,
    uint64_t n);
void tomo_key_str(tomo_buf_t *b, tomo_str_t account, const char *head,
    tomo_str_t id);

#define TOMO_KEY_FN_(name, tail, ...)                                         \
    static inline void                                                        \
    tomo_key_##name(tomo_buf_t *b, tomo_str_t account)                        \
    {                                                                         \
        tomo_key_tail(b, account, tail);                                      \
    }

#define TOMO_KEY_NUM_FN_(name, head, ...)                                     \
    static inline void                                                        \
    tomo_key_##name(tomo_buf_t *b, tomo_str_t account, uint64_t n)            \
    {                                                                         \
        tomo_key_num(b, account, head, n);                                    \
    }

#define TOMO_KEY_ID_FN_(name, head, ...)                                      \
    static inline void                                                        \
    tomo_key_##name(tomo_buf_t *b, tomo_str_t account, tomo_str_t id)         \
    {                                                                         \
        tomo_key_str(b, account, head, id);                                   \
    }

TOMO_KEYS(TOMO_KEY_FN_)
TOMO_KEYS_NUM(TOMO_KEY_NUM_FN_)
TOMO_KEYS_ID(TOMO_KEY_ID_FN_)

#endif
