/* api/commands: see commands.h */

#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "ids.h"
#include "journal.h"
#include "log.h"
#include "redis_check.h"
#include "results.h"
#include "ship.h"
#include "tomo_entry.h"

#define COMMANDS_TICK_MS     50
#define COMMANDS_REDIS_MS    1000
#define COMMANDS_HEAD_BYTES  128


typedef struct command_s  command_t;

struct command_s {
    command_t             *next;
    request_t             *r;
    const conf_account_t  *account;
    char                   id[IDS_ULID_LEN + 1];
    int64_t                until_us;    /* monotonic; then 202 */
    bool                   waits;       /* false: 202 as soon as durable */
    bool                   durable;
    tomo_buf_t             body;
};

struct commands_s {
    const conf_t     *conf;
    journal_t        *journal;
    redis_t           redis;
    redis_check_t     check;            /* refused: nothing is shipped */
    ship_t           *ship;
    results_t        *results;

    pthread_t         writer;
    pthread_t         reader;
    pthread_mutex_t   lock;
    pthread_cond_t    filled;
    bool              stopping;
    bool              failed;

    command_t        *queue;            /* newest first, to be written */
    size_t            queued;
    command_t        *waiting;          /* durable, answer not yet known */
    size_t            n_waiting;        /* of both lists that will wait */
};


static void
command_free(command_t *cmd)
{
    free(cmd->body.data);
    free(cmd);
}


/* 202: the change is durable and will be decided; here is its id */
static void
command_answer_later(command_t *cmd)
{
    request_t  *r = cmd->r;

    r->status = MHD_HTTP_ACCEPTED;
    tomo_buf_reset(&r->out);
    tomo_buf_c(&r->out, "{\"id\":\"");
    tomo_buf_c(&r->out, cmd->id);
    tomo_buf_c(&r->out, "\"}");

    http_resume(r);
    command_free(cmd);
}


/* what was written but not synced may be found and shipped by the next life */
static void
command_answer_failed(command_t *cmd)
{
    http_error(cmd->r, MHD_HTTP_SERVICE_UNAVAILABLE, "journal_failed",
               cmd->durable
               ? "the change could not be made durable; see the worker's log. "
                 "It may be decided all the same: look before you send it again"
               : "the change could not be written and was not taken; see the "
                 "worker's log (disk full?), then send it again");
    http_resume(cmd->r);
    command_free(cmd);
}


static command_t *
command_new(request_t *r, const conf_account_t *account, tomo_str_t what)
{
    size_t      cap;
    command_t  *cmd;

    cmd = calloc(1, sizeof(command_t));
    if (cmd == NULL) {
        return NULL;
    }

    cap = what.len + COMMANDS_HEAD_BYTES;
    cmd->body.data = malloc(cap);

    if (cmd->body.data == NULL) {
        free(cmd);
        return NULL;
    }

    cmd->body.cap = cap;
    cmd->r = r;
    cmd->account = account;
    cmd->until_us = clock_mono_us() + COMMANDS_WAIT_MS * 1000;
    ids_ulid(clock_now_ms(), cmd->id);

    tomo_buf_c(&cmd->body, "{\"id\":\"");
    tomo_buf_c(&cmd->body, cmd->id);
    tomo_buf_c(&cmd->body, "\",\"actor\":\"api:owner\",");
    tomo_buf_put(&cmd->body, what);
    tomo_buf_byte(&cmd->body, '}');

    return cmd;
}


http_rc_e
commands_submit(commands_t *c, request_t *r, const conf_account_t *account,
    tomo_str_t what)
{
    command_t  *cmd;

    cmd = command_new(r, account, what);

    if (cmd == NULL) {
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "memory",
                   "out of memory; the change was not taken, send it again");
        return HTTP_ANSWERED;
    }

    (void) pthread_mutex_lock(&c->lock);

    if (cmd->body.failed || c->stopping || c->failed
        || c->queued >= COMMANDS_QUEUE_MAX)
    {
        (void) pthread_mutex_unlock(&c->lock);
        command_free(cmd);
        http_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
                   "too many changes at once, or the worker is stopping; the "
                   "change was not taken, send it again");
        return HTTP_ANSWERED;
    }

    http_suspend(r);

    cmd->waits = c->n_waiting < COMMANDS_WAITING_MAX;
    c->n_waiting += cmd->waits;
    cmd->next = c->queue;
    c->queue = cmd;
    c->queued++;

    (void) pthread_cond_signal(&c->filled);
    (void) pthread_mutex_unlock(&c->lock);

    return HTTP_SUSPENDED;
}


/* the queue in order of arrival; waits up to a tick for something */
static command_t *
commands_take(commands_t *c)
{
    command_t        *list = NULL, *cmd;
    struct timespec   until;

    (void) pthread_mutex_lock(&c->lock);

    if (c->queue == NULL && !c->stopping) {
        (void) clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += COMMANDS_TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void) pthread_cond_timedwait(&c->filled, &c->lock, &until);
    }

    while ((cmd = c->queue) != NULL) {
        c->queue = cmd->next;
        cmd->next = list;
        list = cmd;
    }

    c->queued = 0;
    (void) pthread_mutex_unlock(&c->lock);

    return list;
}


static bool
commands_append(commands_t *c, const command_t *cmd)
{
    tomo_record_t  record = {
        .at_ms = clock_now_ms(),
        .kind = TOMO_ENTRY_command,
        .lane = TOMO_LANE_IN,
        .events = 1,
        .account = tomo_str_c(cmd->account->id),
        .body = tomo_buf_str(&cmd->body)
    };

    return journal_append(c->journal, &record) == TOMO_OK;
}


/* after the sync: durable ones wait for their result, the rest is answered */
static void
commands_settle(commands_t *c, command_t *list, bool synced)
{
    command_t  *cmd;

    while ((cmd = list) != NULL) {
        list = cmd->next;

        if (synced && cmd->durable && cmd->waits) {
            (void) pthread_mutex_lock(&c->lock);
            cmd->next = c->waiting;
            c->waiting = cmd;
            (void) pthread_mutex_unlock(&c->lock);
            continue;
        }

        (void) pthread_mutex_lock(&c->lock);
        c->n_waiting -= cmd->waits;
        (void) pthread_mutex_unlock(&c->lock);

        if (synced && cmd->durable) {
            command_answer_later(cmd);
        } else {
            command_answer_failed(cmd);
        }
    }
}


static void
commands_write(commands_t *c, command_t *list)
{
    bool  synced;

    if (list == NULL) {
        return;
    }

    for (command_t *cmd = list; cmd; cmd = cmd->next) {
        cmd->durable = commands_append(c, cmd);
    }

    synced = journal_sync(c->journal) == TOMO_OK;

    if (!synced) {
        (void) pthread_mutex_lock(&c->lock);
        c->failed = true;
        (void) pthread_mutex_unlock(&c->lock);
    }

    commands_settle(c, list, synced);
}


static void *
commands_writer(void *data)
{
    bool         stopping = false;
    commands_t  *c = data;

    while (!stopping) {
        commands_write(c, commands_take(c));

        if (redis_check_allows(&c->redis, &c->check)) {
            /* what Redis does not take now stays in the journal */
            if (ship_run(c->ship, 0) != TOMO_OK) {
                log_debug("api journal", "not all shipped yet");
            }
        }

        (void) pthread_mutex_lock(&c->lock);
        stopping = c->stopping && c->queue == NULL;
        (void) pthread_mutex_unlock(&c->lock);
    }

    return NULL;
}


/* cuts the first command out that matches, NULL: none */
static command_t *
commands_find(commands_t *c, tomo_str_t id, int64_t expired_us)
{
    command_t  **at, *cmd = NULL;

    (void) pthread_mutex_lock(&c->lock);

    for (at = &c->waiting; *at != NULL; at = &(*at)->next) {
        if (id.len ? tomo_str_eq(id, tomo_str_c((*at)->id))
                   : (*at)->until_us <= expired_us)
        {
            cmd = *at;
            *at = cmd->next;
            c->n_waiting -= cmd->waits;
            break;
        }
    }

    (void) pthread_mutex_unlock(&c->lock);

    return cmd;
}


/* results' callback: an entry of a `result` stream */
static void
commands_result(void *data, tomo_str_t id, unsigned status, tomo_str_t body)
{
    command_t   *cmd;
    commands_t  *c = data;

    cmd = commands_find(c, id, 0);
    if (cmd == NULL) {
        return;             /* answered 202 already, or of an earlier life */
    }

    http_room(cmd->r, body.len + 1);
    tomo_buf_reset(&cmd->r->out);
    tomo_buf_put(&cmd->r->out, body);
    cmd->r->status = status;

    http_resume(cmd->r);
    command_free(cmd);
}


static void *
commands_reader(void *data)
{
    bool         stopping = false;
    commands_t  *c = data;

    while (!stopping) {
        results_poll(c->results, COMMANDS_TICK_MS);

        (void) pthread_mutex_lock(&c->lock);
        stopping = c->stopping;
        (void) pthread_mutex_unlock(&c->lock);
    }

    return NULL;
}


void
commands_expire(commands_t *c)
{
    command_t  *cmd;

    while ((cmd = commands_find(c, tomo_str_null, clock_mono_us()))) {
        command_answer_later(cmd);
    }
}


static tomo_rc_e
commands_journal(commands_t *c)
{
    int                n;
    char               dir[4096];
    journal_options_t  options = {
        .dir = dir, .keep_ms = 72 * TOMO_HOUR_MS
    };

    n = snprintf(dir, sizeof(dir), "%s/api", c->conf->journal);
    if (n < 0 || (size_t) n >= sizeof(dir)) {
        log_error("api journal", "path is too long: shorten [worker] journal");
        return TOMO_ERROR;
    }

    c->journal = journal_open(&options);
    if (c->journal == NULL) {
        return TOMO_ERROR;
    }

    c->check.whom = TOMO_DOCTOR_WORK;
    redis_init(&c->redis, c->conf, "api journal", COMMANDS_REDIS_MS);
    c->ship = ship_new(c->journal, &c->redis);
    c->results = results_new(c->conf, commands_result, c);

    return c->ship && c->results ? TOMO_OK : TOMO_ERROR;
}


void
commands_free(commands_t *c)
{
    if (c->results) {
        results_free(c->results);
    }

    if (c->ship) {
        ship_free(c->ship);
    }

    if (c->journal) {
        redis_close(&c->redis);
        journal_close(c->journal);
    }

    free(c);
}


tomo_rc_e
commands_start(const conf_t *conf, commands_t **commands)
{
    commands_t  *c;

    c = calloc(1, sizeof(commands_t));
    if (c == NULL) {
        return TOMO_ERROR;
    }

    c->conf = conf;

    if (commands_journal(c) != TOMO_OK) {
        commands_free(c);
        return TOMO_ERROR;
    }

    (void) pthread_mutex_init(&c->lock, NULL);
    (void) pthread_cond_init(&c->filled, NULL);

    if (pthread_create(&c->writer, NULL, commands_writer, c) != 0) {
        log_error("api", "no thread for the journal: raise the limit of tasks");
        commands_free(c);
        return TOMO_ERROR;
    }

    if (pthread_create(&c->reader, NULL, commands_reader, c) != 0) {
        log_error("api", "no thread for results: raise the limit of tasks");
        c->stopping = true;
        (void) pthread_join(c->writer, NULL);
        commands_free(c);
        return TOMO_ERROR;
    }

    *commands = c;

    return TOMO_OK;
}


void
commands_stop(commands_t *c)
{
    (void) pthread_mutex_lock(&c->lock);
    c->stopping = true;
    (void) pthread_cond_signal(&c->filled);
    (void) pthread_mutex_unlock(&c->lock);

    (void) pthread_join(c->writer, NULL);
    (void) pthread_join(c->reader, NULL);

    /* what the writer made durable after the reader had left */
    for (command_t *cmd; (cmd = commands_find(c, tomo_str_null, INT64_MAX));) {
        command_answer_later(cmd);
    }
}


bool
commands_failed(commands_t *c)
{
    bool  failed;

    (void) pthread_mutex_lock(&c->lock);
    failed = c->failed;
    (void) pthread_mutex_unlock(&c->lock);

    return failed;
}
