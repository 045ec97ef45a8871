#include "conf_table.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "tomo_mac.h"

#define CONF_RATE_DEFAULT  1900     /* LINE allows 2,000 (LINE.md 11) */


typedef struct {
    conf_t      *conf;
    FILE        *err;
    const char  *file;
    FILE        *in;
    unsigned     line;
    bool         bad;
    uint64_t     seen;                          /* keys outside accounts */
    uint64_t     seen_of[CONF_ACCOUNTS_MAX];    /* keys of each account */
} conf_reader_t;


static void
conf_fault(conf_reader_t *rd, const char *section, const char *name,
    const char *why)
{
    fprintf(rd->err, "%s:%u: [%s] %s %s\n", rd->file, rd->line, section, name,
            why);
    rd->bad = true;
}


/*
 * Feeds the parser line by line, so that the line's number is known; it would
 * take the rest of a long line for a line of its own.
 */

static char *
conf_line(char *line, int size, void *stream)
{
    int             c;
    char           *got;
    conf_reader_t  *rd = stream;

    got = fgets(line, size, rd->in);

    if (got == NULL) {
        return NULL;
    }

    rd->line++;

    if (strchr(line, '\n') == NULL && !feof(rd->in)) {
        fprintf(rd->err, "%s:%u: the line is longer than %d bytes: "
                "shorten it\n", rd->file, rd->line, size - 2);
        rd->bad = true;

        do {
            c = fgetc(rd->in);
        } while (c != EOF && c != '\n');
    }

    return got;
}


/* [account ID]: the account of that id, made when it is new */

static conf_account_t *
conf_account_at(conf_reader_t *rd, const char *id, size_t *index)
{
    conf_t          *conf = rd->conf;
    conf_account_t  *ac;

    for (size_t i = 0; i < conf->n_accounts; i++) {
        if (strcmp(conf->accounts[i].id, id) == 0) {
            *index = i;
            return &conf->accounts[i];
        }
    }

    if (!tomo_keys_account_ok(tomo_str_c(id))) {
        conf_fault(rd, id, "", "is no account id: use a-z, 0-9, - and _, "
                   "at most 32 characters");
        return NULL;
    }

    if (conf->n_accounts == CONF_ACCOUNTS_MAX) {
        conf_fault(rd, id, "", "is one account too many: 500 fit");
        return NULL;
    }

    *index = conf->n_accounts++;
    ac = &conf->accounts[*index];
    memcpy(ac->id, id, strlen(id) + 1);
    ac->zone_min = 540;
    memcpy(ac->zone, "Asia/Tokyo", sizeof("Asia/Tokyo"));

    return ac;
}


static void
conf_value(conf_reader_t *rd, const char *section, const char *kind,
    const char *name, const char *value, char *base, uint64_t *seen)
{
    const char  *why;

    for (size_t i = 0; i < conf_keys_n(); i++) {
        const conf_key_t  *key = &conf_keys[i];

        if (strcmp(key->section, kind) != 0 || strcmp(key->name, name) != 0) {
            continue;
        }

        if (*seen & UINT64_C(1) << i) {
            conf_fault(rd, section, name, "is given twice: keep one");
            return;
        }

        *seen |= UINT64_C(1) << i;
        why = key->need == CONF_REQUIRED && value[0] == '\0'
              ? "is empty: write its value" : key->set(base + key->offset,
                                                       value);

        if (why != NULL) {
            conf_fault(rd, section, name, why);
        }

        return;
    }

    conf_fault(rd, section, name, "is no setting of this section: see "
               "--print-config for those that are");
}


static int
conf_handler(void *data, const char *section, const char *name,
    const char *value)
{
    size_t           i;
    conf_reader_t   *rd = data;
    conf_account_t  *ac;

    if (strncmp(section, "account ", 8) == 0) {
        ac = conf_account_at(rd, section + 8, &i);

        if (ac != NULL) {
            conf_value(rd, section, "account", name, value, (char *) ac,
                       &rd->seen_of[i]);
        }

    } else if (conf_section_known(section) && strcmp(section, "account")) {
        conf_value(rd, section, section, name, value, (char *) rd->conf,
                   &rd->seen);

    } else {
        conf_fault(rd, section, name, "is in a section that does not exist: "
                   "use worker, redis, line, api, sandbox or account ID");
    }

    return 1;
}


static void
conf_missing(conf_reader_t *rd)
{
    for (size_t i = 0; i < conf_keys_n(); i++) {
        const conf_key_t  *key = &conf_keys[i];
        uint64_t           bit = UINT64_C(1) << i;

        if (key->need != CONF_REQUIRED) {
            continue;
        }

        if (strcmp(key->section, "account") != 0) {
            if (!(rd->seen & bit)) {
                conf_fault(rd, key->section, key->name,
                           "is missing: add it");
            }

            continue;
        }

        for (size_t k = 0; k < rd->conf->n_accounts; k++) {
            if (!(rd->seen_of[k] & bit)) {
                conf_fault(rd, rd->conf->accounts[k].id, key->name,
                           "is missing in the account's section: add it");
            }
        }
    }
}


static bool
conf_parse(conf_reader_t *rd)
{
    int  rc;

    rd->in = fopen(rd->file, "re");

    if (rd->in == NULL) {
        fprintf(rd->err, "%s: cannot be opened: %s\n", rd->file,
                strerror(errno));
        return false;
    }

    rc = ini_parse_stream(conf_line, rd, conf_handler, rd);
    fclose(rd->in);

    if (rc != 0) {
        fprintf(rd->err, "%s:%d: is neither [section], name = value nor a "
                "comment\n", rd->file, rc);
        rd->bad = true;
    }

    conf_missing(rd);

    return !rd->bad;
}


static bool
conf_defaults(conf_t *conf)
{
    if (conf->line_rate_per_s == 0) {
        conf->line_rate_per_s = CONF_RATE_DEFAULT;
    }

    if (conf->line_url == NULL) {
        conf->line_url = strdup("https://api.line.me");
    }

    if (conf->api_socket == NULL && conf->run_dir != NULL
        && asprintf(&conf->api_socket, "%s/api.sock", conf->run_dir) < 0)
    {
        conf->api_socket = NULL;
    }

    return conf->line_url != NULL && conf->api_socket != NULL;
}


conf_t *
conf_load(const char *file, FILE *err)
{
    bool            ok = false;
    conf_t         *conf = calloc(1, sizeof(*conf));
    conf_reader_t  *rd = calloc(1, sizeof(*rd));

    if (conf == NULL || rd == NULL) {
        goto done;
    }

    conf->file = strdup(file);
    conf->accounts = calloc(CONF_ACCOUNTS_MAX, sizeof(conf_account_t));

    if (conf->file == NULL || conf->accounts == NULL) {
        goto done;
    }

    *rd = (conf_reader_t) { .conf = conf, .err = err, .file = file };

    ok = conf_parse(rd) && conf_defaults(conf);
    ok = ok && conf_check(conf, err);

done:

    free(rd);

    if (!ok) {
        conf_free(conf);
        conf = NULL;
    }

    return conf;
}


static void
conf_wipe(char *secret)
{
    if (secret != NULL) {
        tomo_mac_wipe(secret, strlen(secret));
        free(secret);
    }
}


void
conf_free(conf_t *conf)
{
    if (conf == NULL) {
        return;
    }

    for (size_t i = 0; i < conf->n_accounts; i++) {
        conf_account_t  *ac = &conf->accounts[i];

        free(ac->channel_id);
        free(ac->channel_secret_file);
        free(ac->next_secret_file);
        free(ac->bot_user_id_file);
        free(ac->definitions);
        tomo_mac_wipe(ac, sizeof(*ac));
    }

    free(conf->accounts);
    free(conf->file);
    free(conf->run_dir);
    free(conf->journal);
    free(conf->edge_key);
    free(conf->worker_key);
    free(conf->base_url);
    free(conf->redis_address);
    free(conf->redis_user);
    free(conf->redis_password_file);
    conf_wipe(conf->redis_password);
    free(conf->line_url);
    free(conf->line_unix_socket);
    free(conf->line_ca_file);
    free(conf->api_socket);
    free(conf->api_token_file);
    conf_wipe(conf->api_token);
    conf_wipe(conf->api_old_token);
    free(conf->clock_file);
    free(conf);
}


const conf_account_t *
conf_account(const conf_t *conf, tomo_str_t id)
{
    for (size_t i = 0; i < conf->n_accounts; i++) {
        if (tomo_str_eq(tomo_str_c(conf->accounts[i].id), id)) {
            return &conf->accounts[i];
        }
    }

    return NULL;
}


static void
conf_print_section(const char *kind, const char *base, FILE *out)
{
    for (size_t i = 0; i < conf_keys_n(); i++) {
        const conf_key_t  *key = &conf_keys[i];

        if (strcmp(key->section, kind) == 0) {
            fprintf(out, "%s = ", key->name);
            key->show(base + key->offset, out);
            fputc('\n', out);
        }
    }
}


void
conf_print(const conf_t *conf, FILE *out)
{
    static const char *const  sections[] = {
        "worker", "redis", "line", "api", "sandbox"
    };

    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        fprintf(out, "[%s]\n", sections[i]);
        conf_print_section(sections[i], (const char *) conf, out);

        if (strcmp(sections[i], "redis") == 0
            && conf->redis_password != NULL)
        {
            fputs("; password from the file: ***\n", out);
        }

        fputc('\n', out);
    }

    for (size_t i = 0; i < conf->n_accounts; i++) {
        const conf_account_t  *ac = &conf->accounts[i];

        fprintf(out, "[account %s]\n", ac->id);
        conf_print_section("account", (const char *) ac, out);
        fprintf(out, "; channel secret from the file: ***\n"
                "; bot user id from the file: %.5s...\n\n", ac->bot_user_id);
    }
}
