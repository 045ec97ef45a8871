/*
 * Requests to the api role: without the token nothing is asked, read or
 * changed; with it every request has one answer of whole JSON, whatever Redis
 * said, Redis is only read and only this account's keys, and a change is one
 * command that says what path and body said.  Input: "METHOD PATH?QUERY",
 * Authorization and Content-Type a line each, then the body; behind a NUL what
 * Redis answers.  libmicrohttpd and hiredis' connection are played here.
 */

#include "fuzz.h"
#include "json.h"
#include "tomo_codec.h"
#include "worker/api/commands.h"
#include "worker/api/names.h"
#include "worker/api/routes.h"
#include "worker/api/sandbox.h"
#include "api_peers.h"

#include <strings.h>
#include <unistd.h>

#define TOKEN      "owner-0123456789abcdef"
#define OLD_TOKEN  "before-0123456789abcdef"
#define TEXT       20000


static conf_t  conf = {
    .journal = (char *) (uintptr_t) "/nonexistent/tomo-fuzz",
    .redis_address = (char *) (uintptr_t) "unix:/nonexistent/redis.sock",
    .api_token = (char *) (uintptr_t) TOKEN,
    .api_old_token = (char *) (uintptr_t) OLD_TOKEN,
    .accounts = accounts, .n_accounts = 2
};

static context_t     context;
static routes_t      routes = { .ctx = &context };
static char          text[TEXT + 1];
static int           n_submitted;
static request_t    *waiting;


/* --- the owner of the account: takes a command -------------------------- */

static void
check_change(const json_t *root)
{
    static const char *const  put[] = {
        "id", "actor", "do", "kind", "key", "document", NULL
    };
    static const char *const  delete[] = {
        "id", "actor", "do", "friend", NULL
    };

    tomo_str_t          word;
    const char *const  *names = put;

    FUZZ_HOLDS(json_str(root, "do", &word) == TOMO_OK);

    if (tomo_str_eq(word, tomo_str("friend.delete"))) {
        names = delete;
    } else {
        FUZZ_HOLDS(tomo_str_eq(word, tomo_str("definition.put")));
        FUZZ_HOLDS(json_str(root, "key", &word) == TOMO_OK);
        FUZZ_HOLDS(word.len > 0 && strlen(path) > word.len
                   && memcmp(path + strlen(path) - word.len, word.data,
                             word.len) == 0);
    }

    json_each(member, root) {
        FUZZ_HOLDS(*names != NULL);
        FUZZ_HOLDS(tomo_str_eq(member->name, tomo_str_c(*names)));
        names++;
    }

    FUZZ_HOLDS(*names == NULL);
}


http_rc_e
commands_submit(commands_t *c, request_t *r, const conf_account_t *account,
    tomo_str_t what)
{
    json_t         *root;
    tomo_buf_t      b;
    tomo_arena_t    a;
    json_limits_t   limits = { .max_nodes = 50010 };
    static uint8_t  line[2 * TEXT + 4096], memory[8 << 20];

    (void) c;
    FUZZ_HOLDS(account == &accounts[0] || account == &accounts[1]);
    FUZZ_HOLDS(n_submitted++ == 0);

    tomo_buf_init(&b, line, sizeof(line));
    tomo_buf_c(&b, "{\"id\":\"X\",\"actor\":\"api:owner\",");
    tomo_buf_put(&b, what);
    tomo_buf_byte(&b, '}');
    FUZZ_HOLDS(!b.failed);
    tomo_arena_init(&a, memory, sizeof(memory));

    FUZZ_HOLDS(json_parse(tomo_buf_str(&b), &limits, &a, &root, NULL)
               == TOMO_OK);
    check_change(root);

    http_suspend(r);
    waiting = r;

    return HTTP_SUSPENDED;
}


/* --- a request ---------------------------------------------------------- */

static char *
unescape(char *s)
{
    char          *from, *to;
    unsigned char  byte;
    tomo_buf_t     b;

    for (from = to = s; *from != '\0'; from++) {
        tomo_buf_init(&b, &byte, 1);

        if (*from == '%' && from[1] != '\0' && from[2] != '\0'
            && tomo_hex_get(tomo_str_n(from + 1, 2), &b) == TOMO_OK)
        {
            *to++ = (char) byte;
            from += 2;

        } else {
            *to++ = *from;
        }
    }

    *to = '\0';

    return s;
}


static void
arguments(struct MHD_Connection *c, char *query)
{
    char  *arg, *value;

    while (query != NULL && c->n_args < ARGS) {
        arg = strsep(&query, "&");
        value = strchr(arg, '=');

        if (value != NULL) {
            *value++ = '\0';
            value = unescape(value);
        }

        c->args[c->n_args][0] = unescape(arg);
        c->args[c->n_args++][1] = value;
    }
}


static bool
authorized(const char *header)
{
    return header != NULL && strncasecmp(header, "Bearer ", 7) == 0
           && (strcmp(header + 7, TOKEN) == 0
               || strcmp(header + 7, OLD_TOKEN) == 0);
}


static void
serve(struct MHD_Connection *c, const char *method, const char *body,
    size_t len)
{
    void    *request = NULL;
    size_t   none = 0, half = len / 2, rest = len - half;

    FUZZ_HOLDS(server.access(server.data, c, path, method, "HTTP/1.1", NULL,
                             &none, &request) == MHD_YES);

    if (half > 0) {
        FUZZ_HOLDS(server.access(server.data, c, path, method, "HTTP/1.1",
                                 body, &half, &request) == MHD_YES);
    }

    if (rest > 0) {
        FUZZ_HOLDS(server.access(server.data, c, path, method, "HTTP/1.1",
                                 body + len - rest, &rest, &request)
                   == MHD_YES);
    }

    FUZZ_HOLDS(half == 0 && rest == 0);
    FUZZ_HOLDS(server.access(server.data, c, path, method, "HTTP/1.1", NULL,
                             &none, &request) == MHD_YES);
    FUZZ_HOLDS(c->suspended == n_submitted);

    if (c->suspended) {
        waiting->status = 200;
        tomo_buf_c(&waiting->out, "{}");
        http_resume(waiting);
        FUZZ_HOLDS(server.access(server.data, c, path, method, "HTTP/1.1",
                                 NULL, &none, &request) == MHD_YES);
    }

    FUZZ_HOLDS(c->answered == 1);
    server.completed(server.data, c, &request,
                     MHD_REQUEST_TERMINATED_COMPLETED_OK);
    FUZZ_HOLDS(request == NULL);
}


static void
begin(void)
{
    char        socket[108];
    http_t     *http;
    sandbox_t  *sandbox;

    snprintf(socket, sizeof(socket), "/tmp/tomo-fuzz-api-%d", (int) getpid());
    FUZZ_HOLDS(context_init(&context, &conf) == TOMO_OK);
    http = http_start(socket, routes_admit, routes_handle, &routes);
    FUZZ_HOLDS(http != NULL && server.completed != NULL);
    (void) unlink(socket);

    /* a clock that is stopping: what it is told is read, and refused */
    FUZZ_HOLDS(sandbox_start(&conf, &sandbox) == TOMO_OK);
    sandbox_stop(sandbox);
    context.sandbox = sandbox;
}


static void
end(struct MHD_Connection *c, const char *method)
{
    if (!authorized(c->headers[0])
        && !(strcmp(path, "/metrics") == 0 && strcmp(method, "GET") == 0))
    {
        FUZZ_HOLDS(c->status == 401 && n_asked == 0 && n_submitted == 0);
    }

    FUZZ_HOLDS(n_submitted == 0 || strcmp(method, "PUT") == 0
               || strcmp(method, "DELETE") == 0);

    for (size_t i = 0; i < CONTEXT_READERS; i++) {
        FUZZ_HOLDS(!context.readers[i].taken);
        redis_close(&context.readers[i].redis);
        redis_init(&context.readers[i].redis, &conf, "fuzz", 1);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *method, *url, *query, *rest = text;
    size_t                 len;
    struct MHD_Connection  c = { .n_args = 0 };

    if (size > TEXT) {
        return 0;
    }

    if (server.access == NULL) {
        begin();
    }

    memcpy(text, data, size);
    text[size] = '\0';
    len = strlen(text);
    answers = redisReaderCreate();
    FUZZ_HOLDS(answers != NULL);
    redis_bound(answers);

    if (len < size) {
        (void) redisReaderFeed(answers, text + len + 1, size - len - 1);
    }

    url = strsep(&rest, "\n");
    method = strsep(&url, " ");
    query = url;
    url = query == NULL ? text + len : strsep(&query, "?");
    snprintf(path, sizeof(path), "%s", unescape(url));
    arguments(&c, query);
    c.headers[0] = strsep(&rest, "\n");
    c.headers[1] = strsep(&rest, "\n");
    rest = rest == NULL ? text + len : rest;

    n_asked = n_told = 0;
    n_submitted = 0;
    routes.names = names_new(&conf);
    FUZZ_HOLDS(routes.names != NULL);
    serve(&c, method, rest, strlen(rest));
    end(&c, method);
    names_free(routes.names);
    redisReaderFree(answers);

    return 0;
}
