/* api/metrics_read: where the numbers come from; see metrics.h */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "beat.h"
#include "clock.h"
#include "doctor/history.h"
#include "doctor/hold.h"
#include "metrics.h"
#include "read.h"
#include "tomo_codec.h"

#define METRICS_PATH_MAX   1200
#define METRICS_LIVE_MS    5000
#define METRICS_DEPTH      3        /* journal / role / writer / segments */

typedef struct {
    read_key_t  cursor, in, bulk, out, sched, quarantine, meta, sending;
    read_key_t  ingest, dispatch;
} metrics_keys_t;


static int64_t
metrics_folder_bytes(int parent_fd, const char *name, int depth)
{
    DIR            *dir;
    int             fd;
    int64_t         bytes = 0;
    struct stat     st;
    struct dirent  *entry;

    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC
                | O_NOFOLLOW);

    if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
        if (fd >= 0) {
            (void) close(fd);
        }

        return 0;
    }

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.'
            || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        {
            continue;
        }

        if (S_ISREG(st.st_mode)) {
            bytes += st.st_size;

        } else if (S_ISDIR(st.st_mode) && depth > 1) {
            bytes += metrics_folder_bytes(fd, entry->d_name, depth - 1);
        }
    }

    (void) closedir(dir);

    return bytes;
}


void
metrics_read_journals(const conf_t *conf, int64_t *values)
{
    struct statvfs  fs;

    values[METRICS_W_redis_rollbacks_total] =
                                        (int64_t) history_incidents(conf);
    values[METRICS_W_sending_held] = hold_is(conf);

    values[METRICS_W_journal_bytes] = metrics_folder_bytes(AT_FDCWD,
                                                           conf->journal,
                                                           METRICS_DEPTH);

    if (statvfs(conf->journal, &fs) == 0) {
        values[METRICS_W_journal_disk_bytes] = (int64_t) (fs.f_blocks
                                                          * fs.f_frsize);
        values[METRICS_W_journal_disk_free_bytes] = (int64_t) (fs.f_bavail
                                                               * fs.f_frsize);
    }
}


/* the value behind "\nname:" in INFO's text */

static tomo_str_t
metrics_info(tomo_str_t info, const char *name)
{
    size_t      end, len = strlen(name);
    tomo_str_t  line;

    for (size_t at = 0; at < info.len; at = end + 1) {
        end = tomo_str_find(info, at, '\n');
        line = tomo_str_n(info.data + at, end - at);

        if (line.len > len && memcmp(line.data, name, len) == 0
            && line.data[len] == ':')
        {
            line = tomo_str_n(line.data + len + 1, line.len - len - 1);

            if (line.len > 0 && line.data[line.len - 1] == '\r') {
                line.len--;
            }

            return line;
        }
    }

    return tomo_str_null;
}


static int64_t
metrics_info_i64(tomo_str_t info, const char *name)
{
    int64_t     n;
    tomo_str_t  text = metrics_info(info, name);

    return text.len && tomo_i64_get(text, &n) == TOMO_OK ? n : 0;
}


static bool
metrics_info_ok(tomo_str_t info, const char *name)
{
    tomo_str_t  text = metrics_info(info, name);

    return text.data == NULL || tomo_str_eq(text, tomo_str("ok"));
}


static int64_t
metrics_edges(const redisReply *edges)
{
    uint8_t       data[16384];
    int64_t       at_ms, n = 0;
    tomo_rec_t    rec;
    tomo_arena_t  arena;

    for (size_t i = 1; i < redis_len(edges); i += 2) {
        tomo_arena_init(&arena, data, sizeof(data));

        if (beat_parse(redis_str(redis_at(edges, i)), &arena, &rec)
            == TOMO_OK
            && tomo_rec_get_i64(&rec, "at", &at_ms) == TOMO_OK
            && clock_real_ms() - at_ms <= METRICS_LIVE_MS)
        {
            n++;
        }
    }

    return n;
}


bool
metrics_read_redis(redis_t *redis, int64_t *values)
{
    bool         ok;
    tomo_str_t   text;
    redisReply  *info, *edges;

    info = redis_call_c(redis, "INFO", NULL);
    edges = redis_call_c(redis, "HGETALL", TOMO_KEY_EDGES, NULL);
    text = redis_str(info);
    ok = text.len > 0;

    values[METRICS_W_redis_memory_bytes] = metrics_info_i64(text,
                                                            "used_memory");
    values[METRICS_W_redis_memory_max_bytes] = metrics_info_i64(text,
                                                                "maxmemory");
    values[METRICS_W_redis_evicted_keys] = metrics_info_i64(text,
                                                            "evicted_keys");
    values[METRICS_W_redis_disk_ok]
        = metrics_info_ok(text, "aof_last_write_status")
          && metrics_info_ok(text, "aof_last_bgrewrite_status")
          && metrics_info_ok(text, "rdb_last_bgsave_status");
    values[METRICS_W_edges_living] = metrics_edges(edges);

    freeReplyObject(info);
    freeReplyObject(edges);

    return ok;
}


static void
metrics_keys(metrics_keys_t *k, tomo_str_t account)
{
    tomo_key_cursor(read_key(&k->cursor), account);
    tomo_key_in(read_key(&k->in), account);
    tomo_key_bulk(read_key(&k->bulk), account);
    tomo_key_out(read_key(&k->out), account);
    tomo_key_sched(read_key(&k->sched), account);
    tomo_key_quarantine(read_key(&k->quarantine), account);
    tomo_key_meta(read_key(&k->meta), account);
    tomo_key_sending(read_key(&k->sending), account);
    tomo_key_lease_ingest(read_key(&k->ingest), account);
    tomo_key_lease_dispatch(read_key(&k->dispatch), account);
}


static int64_t
metrics_number(redis_t *redis, const char *command, read_key_t *key)
{
    int64_t      n = 0;
    redisReply  *reply = redis_call_c(redis, command, read_key_c(key), NULL);

    if (redis_int(reply, &n) != TOMO_OK) {
        n = 0;
    }

    freeReplyObject(reply);

    return n;
}


/* seconds until the moment (ms) in a field; 0: past, or none */

static int64_t
metrics_until_s(redis_t *redis, read_key_t *key, const char *field)
{
    int64_t      ms = 0, left_ms;
    redisReply  *reply = redis_call_c(redis, "HGET", read_key_c(key), field,
                                      NULL);

    if (redis_int(reply, &ms) != TOMO_OK) {
        ms = 0;
    }

    freeReplyObject(reply);
    left_ms = ms - clock_now_ms();

    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}


static int64_t
metrics_overdue_s(redis_t *redis, read_key_t *key)
{
    int64_t      due_ms = 0, late_ms;
    redisReply  *reply = redis_call_c(redis, "ZRANGE", read_key_c(key), "0",
                                      "0", "WITHSCORES", NULL);

    if (redis_int(redis_at(reply, 1), &due_ms) != TOMO_OK) {
        freeReplyObject(reply);
        return 0;
    }

    freeReplyObject(reply);
    late_ms = clock_now_ms() - due_ms;

    return late_ms > 0 ? late_ms / 1000 : 0;
}


static int64_t
metrics_out_age_s(redis_t *redis, read_key_t *key)
{
    int64_t      age_s;
    redisReply  *reply = redis_call_c(redis, "XRANGE", read_key_c(key), "-",
                                      "+", "COUNT", "1", NULL);

    age_s = read_age_s(reply);
    freeReplyObject(reply);

    return age_s;
}


void
metrics_read_account(redis_t *redis, tomo_str_t account, metrics_account_t *m)
{
    int64_t         *v = m->values;
    redisReply      *cursor;
    metrics_keys_t   k;

    metrics_keys(&k, account);
    cursor = redis_call_c(redis, "HGETALL", read_key_c(&k.cursor), NULL);

    m->known = redis_is(cursor, REDIS_REPLY_ARRAY)
        && read_lane(redis, &k.in, redis_pair(cursor, "in"),
                        &v[METRICS_A_in_waiting],
                        &v[METRICS_A_in_oldest_seconds])
        && read_lane(redis, &k.bulk, redis_pair(cursor, "bulk"),
                        &v[METRICS_A_bulk_waiting],
                        &v[METRICS_A_bulk_oldest_seconds]);

    if (!m->known) {
        freeReplyObject(cursor);
        return;
    }

#define METRICS_COUNT_(name, help)                                            \
    v[METRICS_C_##name] = read_pair_i64(cursor, #name);
    METRICS_COUNTERS(METRICS_COUNT_)
#undef METRICS_COUNT_

    freeReplyObject(cursor);

    v[METRICS_A_ingest_held] = metrics_number(redis, "EXISTS", &k.ingest);
    v[METRICS_A_dispatch_held] = metrics_number(redis, "EXISTS", &k.dispatch);
    v[METRICS_A_outbox_rows] = metrics_number(redis, "XLEN", &k.out);
    v[METRICS_A_outbox_oldest_seconds] = metrics_out_age_s(redis, &k.out);
    v[METRICS_A_scheduled] = metrics_number(redis, "ZCARD", &k.sched);
    v[METRICS_A_schedule_overdue_seconds] = metrics_overdue_s(redis,
                                                              &k.sched);
    v[METRICS_A_quarantine_entries] = metrics_number(redis, "XLEN",
                                                     &k.quarantine);
    v[METRICS_A_paused_seconds] = metrics_until_s(redis, &k.meta, "pause");
    v[METRICS_A_token_seconds] = metrics_until_s(redis, &k.sending,
                                                  "token_until");
}
