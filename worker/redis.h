/*
 * redis: blocking, pipelined hiredis for the roles: connect and AUTH,
 * commands by argv with lengths only, scripts by EVALSHA, replies with type
 * checks, reconnect with backoff.  Are its settings safe?  See redis_check.
 *
 * A redis_t belongs to one thread.  It may be disconnected at any time: a
 * lost connection shows as TOMO_ERROR or a NULL reply and means "outcome
 * unknown"; the next redis_up() tries again.  `generation` grows with every
 * successful connect: whoever keeps state about the server (ship marks,
 * leases) compares it.
 */

#ifndef REDIS_H
#define REDIS_H

#include <hiredis/hiredis.h>

#include "conf.h"
#include "redis_seal.h"
#include "tomo_base.h"

#define REDIS_SCRIPTS_MAX  16

/* A script: name and text are set by the owner, sha by redis_script_add */
typedef struct {
    const char  *name;
    const char  *text;          /* NUL-terminated, e.g. take_lua */
    char         sha[41];
} redis_script_t;

typedef struct {
    const conf_t    *conf;
    const char      *name;      /* for logs: what the connection is for */
    redisContext    *ctx;       /* NULL: down */
    uint64_t         generation;
    size_t           pending;   /* appended, reply not yet taken */
    redis_seal_t     seal;      /* of the pipelines under way */
    redisReply      *held;      /* redis_read: taken, its seal is not here */
    int64_t          next_us;   /* monotonic: no connect before */
    uint32_t         failures;
    int              timeout_ms;
    bool             told;      /* the outage is in the log */
    bool             denied;    /* and that AUTH is refused */
    redis_script_t  *scripts[REDIS_SCRIPTS_MAX];
    size_t           n_scripts;
} redis_t;

/*
 * Nothing is connected yet.  conf and name are borrowed for ever.
 * timeout_ms: of connect and of each read and write; 0 = 5,000.
 */
void redis_init(redis_t *r, const conf_t *conf, const char *name,
    int timeout_ms);
void redis_close(redis_t *r);

/*
 * Connected?  If not, and the backoff allows, connects (address, AUTH, loads
 * the scripts).  TOMO_OK: usable; TOMO_AGAIN: down, wait redis_wait_ms();
 * the outage and its end are logged once each.
 */
tomo_rc_e redis_up(redis_t *r) TOMO_MUST_CHECK;
/* ms until redis_up may try again; 0: now */
int redis_wait_ms(const redis_t *r);
/* drops the connection after a surprise; cause: for the log, no user data */
void redis_drop(redis_t *r, const char *cause);
/* the socket, for poll(); -1: down */
int redis_fd(const redis_t *r);

/*
 * Arguments of one command.  Views are borrowed until the command has been
 * appended; numbers are copied.  Zero-initialise; reuse after
 * redis_args_reset; release with redis_args_free.  Grows as needed (out of
 * memory ends the process).
 */
typedef struct {
    tomo_str_t  view;
    char        number[24];
    bool        is_number;
} redis_arg_t;

typedef struct {
    redis_arg_t  *args;
    size_t        n;
    size_t        cap;
} redis_args_t;

void redis_args_reset(redis_args_t *a);
void redis_args_free(redis_args_t *a);
void redis_arg(redis_args_t *a, tomo_str_t s);
void redis_arg_c(redis_args_t *a, const char *s);
void redis_arg_u64(redis_args_t *a, uint64_t n);
void redis_arg_i64(redis_args_t *a, int64_t n);

/* appends to the pipeline; nothing is written before redis_flush/redis_reply */
tomo_rc_e redis_append(redis_t *r, const redis_args_t *a) TOMO_MUST_CHECK;
tomo_rc_e redis_append_argv(redis_t *r, size_t argc, const tomo_str_t *argv)
    TOMO_MUST_CHECK;
/* literals and C strings, ended by NULL: redis_append_c(r, "MULTI", NULL) */
tomo_rc_e redis_append_c(redis_t *r, const char *first, ...)
    TOMO_MUST_CHECK __attribute__((sentinel));
/* writes everything out, sealed, without waiting for replies */
tomo_rc_e redis_flush(redis_t *r) TOMO_MUST_CHECK;

/*
 * The next reply of the pipeline, in order; waits for it.  The caller frees
 * it (freeReplyObject).  NULL: connection lost, everything pending is of
 * unknown outcome.  An error reply is a reply (REDIS_REPLY_ERROR).  The last
 * one of a pipeline comes only when its seal proves all of them (redis_seal):
 * decide and write nothing before it is taken.
 */
redisReply *redis_reply(redis_t *r);
/* append and wait, pipeline otherwise empty */
redisReply *redis_call(redis_t *r, const redis_args_t *a);
redisReply *redis_call_c(redis_t *r, const char *first, ...)
    __attribute__((sentinel));

/*
 * For a connection that blocks in the server (XREAD BLOCK): after poll() says
 * its fd is readable.  TOMO_OK: *reply is the caller's; TOMO_AGAIN: not whole
 * yet; TOMO_ERROR: lost.
 */
tomo_rc_e redis_read(redis_t *r, redisReply **reply) TOMO_MUST_CHECK;

/* redis_bound.c: an array of more than 4 million elements is a broken reply */
void redis_bound(redisReader *reader);

/* registers a script: it is loaded at every connect */
void redis_script_add(redis_t *r, redis_script_t *s);
/* loads one into the server; false: logged, or the connection is lost */
bool redis_script_load(redis_t *r, redis_script_t *s);
/*
 * One script call; a holds the keys (first n_keys) and arguments.  NOSCRIPT
 * is answered by loading and repeating once.  Reply as redis_call.
 */
redisReply *redis_eval(redis_t *r, const redis_script_t *s, size_t n_keys,
    const redis_args_t *a);
/*
 * Into the pipeline.  A NOSCRIPT reply (redis_error_of = REDIS_ERR_NOSCRIPT,
 * only after SCRIPT FLUSH) did nothing: redis_drop, reconnect, repeat.
 */
tomo_rc_e redis_append_eval(redis_t *r, const redis_script_t *s,
    size_t n_keys, const redis_args_t *a) TOMO_MUST_CHECK;

/* Replies.  All accept NULL. */
bool redis_is(const redisReply *reply, int type);
bool redis_is_ok(const redisReply *reply);          /* status OK */
/* string or status; {NULL, 0} for every other type */
tomo_str_t redis_str(const redisReply *reply);
/* integer reply, or a string holding a plain decimal */
tomo_rc_e redis_int(const redisReply *reply, int64_t *n) TOMO_MUST_CHECK;
/* element i of an array; NULL when it is none or too short */
const redisReply *redis_at(const redisReply *reply, size_t i);
size_t redis_len(const redisReply *reply);          /* 0 when no array */
/*
 * The value of a field in a flat array of pairs (HGETALL, stream entry);
 * {NULL, 0}: absent.  Present but empty has a non-NULL data.
 */
tomo_str_t redis_pair(const redisReply *pairs, const char *name);

/* What an error reply means (B102); NULL and non-errors: REDIS_NO_ERROR */
typedef enum {
    REDIS_NO_ERROR = 0,
    REDIS_ERR_RETRY,    /* LOADING BUSY MISCONF OOM READONLY NOREPLICAS
                           MASTERDOWN TRYAGAIN: wait, log, try again */
    REDIS_ERR_NOSCRIPT,
    REDIS_ERR_DENIED,   /* NOAUTH WRONGPASS NOPERM: operator */
    REDIS_ERR_TYPE,     /* WRONGTYPE */
    REDIS_ERR_MOVED,    /* MOVED ASK CROSSSLOT CLUSTERDOWN: not supported */
    REDIS_ERR_ABORT,    /* EXECABORT, NOGROUP, other */
} redis_error_e;

/*
 * EXEC's answer: n elements and none an error?  If one is, *word is its word:
 * the commands beside it ran all the same.
 */
bool redis_exec_ok(const redisReply *reply, size_t n, const char **word);

redis_error_e redis_error_of(const redisReply *reply);
/* first word of an error reply (never its user data), into a static table */
const char *redis_error_word(const redisReply *reply);

#endif
