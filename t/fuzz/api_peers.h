/*
 * api_peers: whom the api role talks to, played for t/fuzz/api.c:
 * libmicrohttpd, which hands requests in and takes answers, and hiredis'
 * connection, which says what the input says.  Both check what they are given.
 */

#ifndef TOMO_FUZZ_API_PEERS_H
#define TOMO_FUZZ_API_PEERS_H

#include <stdarg.h>
#include <yajl/yajl_parse.h>

#include "fuzz.h"
#include "conf.h"
#include "log.h"
#include "redis.h"
#include "tomo_rec.h"
#include "worker/api/http.h"

#define ARGS   8
#define PINGS  64


struct MHD_Connection {
    char        *args[ARGS][2];
    size_t       n_args;
    const char  *headers[2];            /* NULL: absent */
    int          suspended, answered;
    unsigned     status;
};

struct MHD_Response {
    char        *data;
    size_t       len;
    const char  *type, *allow;
};

static struct {
    MHD_AccessHandlerCallback     access;
    MHD_RequestCompletedCallback  completed;
    void                         *data;
} server;

static conf_account_t  accounts[2] = {
    { .id = "demo", .number = 1, .zone = "Asia/Tokyo" },
    { .id = "shop-2", .number = 2, .zone = "UTC" }
};

static char          path[256];         /* the path of this request */
static redisReader  *answers;           /* what Redis will say */
static char          pings[PINGS][24];  /* seals not yet echoed, "" others */
static size_t        n_asked, n_told;   /* commands: appended, answered */

void
log_put(log_level_e level, const char *object, const char *fmt, ...)
{
    (void) level;
    (void) object;
    (void) fmt;
}


bool
log_gate(log_gate_t *gate, int64_t every_ms, uint64_t *missed)
{
    (void) gate;
    (void) every_ms;
    *missed = 0;

    return false;
}


/* --- libmicrohttpd ------------------------------------------------------ */

struct MHD_Daemon *
MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback apc,
    void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...)
{
    va_list          options;
    enum MHD_OPTION  option;

    (void) flags;
    (void) port;
    (void) apc;
    (void) apc_cls;
    server.access = dh;
    server.data = dh_cls;
    va_start(options, dh_cls);

    while ((option = va_arg(options, enum MHD_OPTION)) != MHD_OPTION_END) {
        if (option == MHD_OPTION_NOTIFY_COMPLETED) {
            server.completed = va_arg(options, MHD_RequestCompletedCallback);
            (void) va_arg(options, void *);

        } else {
            (void) va_arg(options, unsigned);
        }
    }

    va_end(options);

    return (struct MHD_Daemon *) (void *) &server;
}


void
MHD_stop_daemon(struct MHD_Daemon *daemon)
{
    (void) daemon;
}


const char *
MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind,
    const char *key)
{
    FUZZ_HOLDS(kind == MHD_HEADER_KIND);

    return c->headers[strcmp(key, "Content-Type") == 0];
}


enum MHD_Result
MHD_lookup_connection_value_n(struct MHD_Connection *c,
    enum MHD_ValueKind kind, const char *key, size_t key_size,
    const char **value, size_t *value_size)
{
    FUZZ_HOLDS(kind == MHD_GET_ARGUMENT_KIND && key_size == strlen(key));
    FUZZ_HOLDS(value_size == NULL);

    for (size_t i = 0; i < c->n_args; i++) {
        if (strcmp(c->args[i][0], key) == 0) {
            *value = c->args[i][1];
            return MHD_YES;
        }
    }

    return MHD_NO;
}


void
MHD_suspend_connection(struct MHD_Connection *c)
{
    c->suspended++;
}


void
MHD_resume_connection(struct MHD_Connection *c)
{
    c->suspended--;
}


struct MHD_Response *
MHD_create_response_from_buffer(size_t size, void *buffer,
    enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response  *r = calloc(1, sizeof(*r));

    FUZZ_HOLDS(r != NULL && mode == MHD_RESPMEM_MUST_FREE);
    r->data = buffer;
    r->len = size;

    return r;
}


enum MHD_Result
MHD_add_response_header(struct MHD_Response *r, const char *name,
    const char *value)
{
    if (strcmp(name, "Content-Type") == 0) {
        r->type = value;
    }

    if (strcmp(name, "Allow") == 0) {
        r->allow = value;
    }

    return MHD_YES;
}


void
MHD_destroy_response(struct MHD_Response *r)
{
    free(r->data);
    free(r);
}


/* strings are Redis' own bytes: a reader puts U+FFFD for what is no UTF-8 */

static void
check_json(const struct MHD_Response *r)
{
    yajl_handle  parser = yajl_alloc(NULL, NULL, NULL);

    FUZZ_HOLDS(parser != NULL);
    FUZZ_HOLDS(yajl_config(parser, yajl_dont_validate_strings, 1) == 1);
    FUZZ_HOLDS(yajl_parse(parser, (const uint8_t *) r->data, r->len)
               == yajl_status_ok);
    FUZZ_HOLDS(yajl_complete_parse(parser) == yajl_status_ok);
    yajl_free(parser);
}


static void
check_metrics(const struct MHD_Response *r)
{
    tomo_str_t  line, rest = tomo_str_n(r->data, r->len);

    FUZZ_HOLDS(r->len > 0 && r->data[r->len - 1] == '\n');

    while (tomo_rec_line(&rest, &line)) {
        FUZZ_HOLDS(tomo_str_starts(line, tomo_str("# "))
                   || tomo_str_starts(line, tomo_str("tomo_")));
    }
}


enum MHD_Result
MHD_queue_response(struct MHD_Connection *c, unsigned status,
    struct MHD_Response *r)
{
    FUZZ_HOLDS(c->suspended == 0 && c->answered++ == 0);
    FUZZ_HOLDS(status >= 200 && status <= 599);
    FUZZ_HOLDS((status == 405) == (r->allow != NULL));
    c->status = status;

    if (strcmp(r->type, "application/json") == 0) {
        check_json(r);
    } else {
        check_metrics(r);
    }

    if (status >= 400 && status != 410) {
        FUZZ_HOLDS(r->len > 10 && memcmp(r->data, "{\"error\":{", 10) == 0);
    }

    return MHD_YES;
}


/* --- hiredis ------------------------------------------------------------ */

redisContext *
redisConnectUnixWithTimeout(const char *where, const struct timeval tv)
{
    redisContext  *c = calloc(1, sizeof(*c));

    (void) where;
    (void) tv;
    FUZZ_HOLDS(c != NULL);
    c->fd = -1;
    c->reader = redisReaderCreate();
    FUZZ_HOLDS(c->reader != NULL);

    return c;
}


int
redisSetTimeout(redisContext *c, const struct timeval tv)
{
    (void) c;
    (void) tv;

    return REDIS_OK;
}


void
redisFree(redisContext *c)
{
    redisReaderFree(c->reader);
    free(c);
}


/* only reads, and only keys of the account in the path, or the edges' */

static void
check_command(const char **argv, const size_t *len)
{
    char  key[512], at[512];
    bool  ours = false;

    static const char *const  reads[] = {
        "HGET", "HGETALL", "HMGET", "XRANGE", "XREVRANGE", "XLEN", "ZCARD",
        "ZRANGE", "EXISTS", "LRANGE", "INFO"
    };

    for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++) {
        ours = ours || strcmp(argv[0], reads[i]) == 0;
    }

    FUZZ_HOLDS(ours);

    if (strcmp(argv[0], "INFO") == 0 || strcmp(argv[1], "tomo:edges") == 0) {
        return;
    }

    ours = false;

    for (size_t i = 0; i < 2; i++) {
        int  n = snprintf(key, sizeof(key), "tomo:{%s}:", accounts[i].id);

        snprintf(at, sizeof(at), "/api/v1/accounts/%s/", accounts[i].id);

        if (len[1] > (size_t) n && strncmp(argv[1], key, (size_t) n) == 0) {
            FUZZ_HOLDS(strlen(argv[1]) == len[1]);
            FUZZ_HOLDS(strncmp(path, at, strlen(at)) == 0
                       || strcmp(path, "/metrics") == 0);
            ours = true;
        }
    }

    FUZZ_HOLDS(ours);
}


int
redisAppendCommandArgv(redisContext *c, int argc, const char **argv,
    const size_t *argvlen)
{
    (void) c;
    FUZZ_HOLDS(argc > 0);

    if (n_asked - n_told == PINGS) {
        return REDIS_ERR;
    }

    pings[n_asked % PINGS][0] = '\0';

    if (strcmp(argv[0], "PING") == 0) {
        FUZZ_HOLDS(argc == 2);
        snprintf(pings[n_asked % PINGS], sizeof(pings[0]), "%.*s",
                 (int) argvlen[1], argv[1]);

    } else {
        check_command(argv, argvlen);
    }

    n_asked++;

    return REDIS_OK;
}


static void *
echo(const char *number)
{
    char          line[64];
    int           n;
    void         *reply = NULL;
    redisReader  *reader = redisReaderCreate();

    FUZZ_HOLDS(reader != NULL);
    n = snprintf(line, sizeof(line), "$%zu\r\n%s\r\n", strlen(number),
                 number);
    FUZZ_HOLDS(redisReaderFeed(reader, line, (size_t) n) == REDIS_OK);
    FUZZ_HOLDS(redisReaderGetReply(reader, &reply) == REDIS_OK);
    redisReaderFree(reader);

    return reply;
}


int
redisGetReply(redisContext *c, void **reply)
{
    const char  *number;

    FUZZ_HOLDS(n_told < n_asked);
    number = pings[n_told++ % PINGS];

    if (number[0] != '\0') {
        *reply = echo(number);
        return REDIS_OK;
    }

    if (redisReaderGetReply(answers, reply) != REDIS_OK || *reply == NULL) {
        c->err = REDIS_ERR_EOF;
        snprintf(c->errstr, sizeof(c->errstr), "closed");
        n_told = n_asked;
        return REDIS_ERR;
    }

    return REDIS_OK;
}

#endif
