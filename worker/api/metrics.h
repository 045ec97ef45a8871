/*
 * api/metrics: what Prometheus reads of the worker, GET /metrics on the api
 * socket: one table of names here, so that alerts, dashboard and pages can be
 * held against it (docs/operations.md explains each, t/operations.t compares).
 *
 * It needs no token: it tells lengths and ages by account, nothing about
 * friends, and nginx decides who may ask (conf/nginx-site.conf).
 */

#ifndef TOMO_API_METRICS_H
#define TOMO_API_METRICS_H

#include "routes.h"

/* X(name, type, help): tomo_worker_NAME, of this process and its Redis */
#define METRICS_WORKER(X)                                                     \
    X(start_seconds, "gauge", "When the api role was started, Unix time")     \
    X(redis_up, "gauge", "1 when Redis answers the api role")                 \
    X(redis_memory_bytes, "gauge", "Memory that Redis uses")                  \
    X(redis_memory_max_bytes, "gauge", "Memory that Redis may use")           \
    X(redis_disk_ok, "gauge",                                                 \
      "1 when the last writes of Redis to its disk went well")                \
    X(redis_evicted_keys, "gauge", "Keys Redis threw away since its start")   \
    X(edges_living, "gauge", "nginx servers heard of in the last 5 seconds")  \
    X(journal_bytes, "gauge", "Bytes in the worker's own journals")           \
    X(journal_disk_free_bytes, "gauge", "Free bytes on the journals' disk")   \
    X(journal_disk_bytes, "gauge", "Size of the journals' disk")              \
    X(redis_rollbacks_total, "counter",                                       \
      "Times that Redis had gone back behind what it acknowledged")           \
    X(sending_held, "gauge",                                                  \
      "1 while sending waits after a rollback or a restore")

/* X(name, type, help): tomo_account_NAME{account="ID"}, as it is now */
#define METRICS_ACCOUNT(X)                                                    \
    X(ingest_held, "gauge", "1 when a process holds the account's ingest")    \
    X(dispatch_held, "gauge",                                                 \
      "1 when a process holds the account's dispatch")                        \
    X(in_waiting, "gauge", "Entries not decided in the first lane")           \
    X(in_oldest_seconds, "gauge", "Age of the oldest of them")                \
    X(bulk_waiting, "gauge", "Entries not decided in the bulk lane")          \
    X(bulk_oldest_seconds, "gauge", "Age of the oldest of them")              \
    X(outbox_rows, "gauge", "Messages decided and not settled")               \
    X(outbox_oldest_seconds, "gauge", "Age of the oldest of them")            \
    X(scheduled, "gauge", "Moments in the schedule")                          \
    X(schedule_overdue_seconds, "gauge",                                      \
      "How long the first of them has been due")                              \
    X(quarantine_entries, "gauge", "Events set aside for a person")           \
    X(paused_seconds, "gauge",                                                \
      "How long pushes still wait for the quota of LINE")                     \
    X(token_seconds, "gauge",                                                 \
      "How long the access token still lives; 0: there is none")

/* X(field, help): tomo_account_FIELD_total, counted with every commit */
#define METRICS_COUNTERS(X)                                                   \
    X(entries, "Entries of both lanes decided")                               \
    X(events, "Events in them")                                               \
    X(handled, "Events decided, duplicates too")                              \
    X(quarantined, "Events set aside")                                        \
    X(duplicates, "Events seen before")                                       \
    X(conflicts, "Events seen before with other content")                     \
    X(skipped, "Events of groups, rooms and nobody")                          \
    X(previews, "Clicks that were no person's")                               \
    X(anonymous, "Clicks and answers of nobody we know")                      \
    X(cut, "Effects over the limits of one event")                            \
    X(timers, "Moments of the schedule decided")                              \
    X(timers_aside, "Moments of the schedule set aside")                      \
    X(send_accepted, "Messages LINE took")                                    \
    X(send_probably, "Replies that LINE probably took")                       \
    X(send_unusable, "Replies refused, a push follows")                       \
    X(send_refused, "Messages LINE refused for good")                         \
    X(send_parked, "Messages of unknown outcome, left for a person")          \
    X(send_cancelled, "Messages withdrawn before they left")

typedef enum {
#define METRICS_WORKER_ENUM_(name, type, help)  METRICS_W_##name,
    METRICS_WORKER(METRICS_WORKER_ENUM_)
#undef METRICS_WORKER_ENUM_
    METRICS_WORKER_END
} metrics_worker_e;

typedef enum {
#define METRICS_ACCOUNT_ENUM_(name, type, help)  METRICS_A_##name,
    METRICS_ACCOUNT(METRICS_ACCOUNT_ENUM_)
#undef METRICS_ACCOUNT_ENUM_
#define METRICS_COUNTER_ENUM_(name, help)  METRICS_C_##name,
    METRICS_COUNTERS(METRICS_COUNTER_ENUM_)
#undef METRICS_COUNTER_ENUM_
    METRICS_ACCOUNT_END
} metrics_account_e;

typedef struct {
    bool     known;         /* Redis could be asked about it */
    int64_t  values[METRICS_ACCOUNT_END];
} metrics_account_t;

/* metrics.c */
void metrics_handle(routes_t *routes, request_t *r);

/*
 * metrics_read.c.  The journals' part touches only files; the others ask
 * Redis, false: it did not answer.
 */
void metrics_read_journals(const conf_t *conf, int64_t *values);
bool metrics_read_redis(redis_t *redis, int64_t *values);
void metrics_read_account(redis_t *redis, tomo_str_t account,
    metrics_account_t *m);

#endif
