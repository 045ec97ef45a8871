/*
 * conf: the worker's INI file (docs/formats.md, The worker's INI file).
 * Table-driven; an unknown section or key, a duplicate or a value of the wrong
 * form is an error with file and line.  Secrets are read from files of mode
 * 0600 or stricter (0640 and wider are refused), which may end in one newline.
 *
 * The result is read-only after conf_load; strings live until conf_free.
 * Absent strings are NULL.  No other environment than the file is read.
 */

#ifndef CONF_H
#define CONF_H

#include <stdio.h>

#include "tomo_base.h"
#include "tomo_keys.h"

#define CONF_ACCOUNTS_MAX  500

typedef struct {
    char      id[TOMO_ACCOUNT_MAX + 1];
    uint32_t  number;                   /* 1 .. 2^14-1, unique */
    char     *channel_id;               /* digits */
    char     *channel_secret_file;
    char     *next_secret_file;
    char     *bot_user_id_file;
    char     *definitions;              /* folder */
    int       zone_min;                 /* minutes east of UTC, default 540 */
    char      zone[24];                 /* as written, default Asia/Tokyo */

    /* from the files above */
    char      secret[33];               /* 32 hex digits */
    char      next_secret[33];          /* "" when there is none */
    char      bot_user_id[34];          /* U + 32 hex digits */
} conf_account_t;

typedef struct {
    char            *file;

    char            *run_dir;
    char            *journal;
    char            *edge_key;
    char            *worker_key;
    char            *base_url;          /* without a slash at the end */
    bool             log_json;

    char            *redis_address;     /* unix:PATH or ADDRESS:PORT */
    char            *redis_user;
    char            *redis_password_file;
    char            *redis_password;    /* read; NULL: none */
    bool             redis_relaxed;     /* durability = relaxed */
    bool             redis_assumed;     /* assume_redis_checked = yes */

    char            *line_url;          /* default https://api.line.me */
    char            *line_unix_socket;
    char            *line_ca_file;
    uint32_t         line_rate_per_s;   /* of each endpoint; default 1,900,
                                           multicast a tenth */

    char            *api_socket;        /* default RUN_DIR/api.sock */
    char            *api_token_file;
    char            *api_token;         /* read; NULL: no [api] token_file */
    char            *api_old_token;     /* its second line counts too; NULL */

    char            *clock_file;        /* NULL: no sandbox */

    conf_account_t  *accounts;
    size_t           n_accounts;
} conf_t;

/*
 * Reads file and every secret it names.  Faults go to err, one line each,
 * `FILE:LINE: what is wrong and what to write instead`, all of them, not only
 * the first; no value of a secret is ever printed.  NULL: there were faults.
 */
conf_t *conf_load(const char *file, FILE *err);
void conf_free(conf_t *conf);           /* wipes secrets */

/* the account of that id, NULL: none */
const conf_account_t *conf_account(const conf_t *conf, tomo_str_t id);

/* the effective settings as an INI file; secrets are shown as *** */
void conf_print(const conf_t *conf, FILE *out);

/*
 * Reads a small secret file whole: refuses what is not a regular file, is a
 * symbolic link, is readable by group or others, is empty or over max bytes.
 * One trailing newline is cut.  Returns a malloc'ed string of *len bytes and
 * a NUL; NULL with a reason in why (a static text).
 */
char *conf_secret_read(const char *path, size_t max, size_t *len,
    const char **why);
/* the same for a file that is no secret: its mode does not matter */
char *conf_text_read(const char *path, size_t max, size_t *len,
    const char **why);

#endif
