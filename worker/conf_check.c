#include "conf_table.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "tomo_mac.h"

/* 2024-01-01: no clock that was ever set stands before it */
#define CONF_CHECK_EARLIEST_MS  INT64_C(1704067200000)


static void
conf_check_say(const conf_t *conf, FILE *err, const char *where,
    const char *what, const char *file, const char *why)
{
    fprintf(err, "%s: [%s] %s: %s %s\n", conf->file, where, what, file, why);
}


/* 32 hex digits, and not a row of one digit left over from an example */

static const char *
conf_secret_form(const char *text, size_t len)
{
    if (len != 32 || strspn(text, "0123456789abcdef") != 32) {
        return "holds no channel secret: LINE's console shows 32 hex digits "
               "(0-9, a-f), copy them into the file";
    }

    if (strspn(text, (char[2]) { text[0], '\0' }) == 32) {
        return "holds a placeholder: copy the channel secret from LINE's "
               "console";
    }

    return NULL;
}


static bool
conf_check_secret(conf_t *conf, FILE *err, conf_account_t *ac,
    const char *what, const char *file, char secret[33])
{
    char        *text;
    size_t       len = 0;
    const char  *why;

    text = conf_secret_read(file, 256, &len, &why);

    if (text != NULL) {
        why = conf_secret_form(text, len);
    }

    if (text != NULL && why == NULL) {
        memcpy(secret, text, 33);

    } else {
        conf_check_say(conf, err, ac->id, what, file, why);
    }

    if (text != NULL) {
        tomo_mac_wipe(text, len);
        free(text);
    }

    return why == NULL;
}


static bool
conf_check_bot(conf_t *conf, FILE *err, conf_account_t *ac)
{
    char        *text;
    size_t       len = 0;
    const char  *why;

    text = conf_text_read(ac->bot_user_id_file, 256, &len, &why);

    if (text != NULL
        && (len != 33 || text[0] != 'U'
            || strspn(text + 1, "0123456789abcdef") != 32))
    {
        why = "holds no bot user id: U and 32 hex digits, the userId that "
              "GET https://api.line.me/v2/bot/info answers";
    }

    if (text != NULL && why == NULL) {
        memcpy(ac->bot_user_id, text, 34);

    } else {
        conf_check_say(conf, err, ac->id, "bot_user_id_file",
                       ac->bot_user_id_file, why);
    }

    free(text);

    return why == NULL;
}


static bool
conf_check_account(conf_t *conf, FILE *err, conf_account_t *ac)
{
    bool  ok;

    ok = conf_check_secret(conf, err, ac, "channel_secret_file",
                           ac->channel_secret_file, ac->secret);

    if (ac->next_secret_file != NULL) {
        ok = conf_check_secret(conf, err, ac, "next_secret_file",
                               ac->next_secret_file, ac->next_secret) && ok;
    }

    return conf_check_bot(conf, err, ac) && ok;
}


/* B81: what must not occur in two accounts */

static bool
conf_check_pair(conf_t *conf, FILE *err, const conf_account_t *a,
    const conf_account_t *b)
{
    const char  *what = NULL;

    if (a->number == b->number) {
        what = "number";

    } else if (strcmp(a->channel_id, b->channel_id) == 0) {
        what = "channel_id";

    } else if (a->bot_user_id[0] != '\0'
               && strcmp(a->bot_user_id, b->bot_user_id) == 0)
    {
        what = "bot user id";
    }

    if (what == NULL) {
        return true;
    }

    fprintf(err, "%s: [account %s] and [account %s] have the same %s: one "
            "channel belongs to one account\n", conf->file, a->id, b->id,
            what);

    return false;
}


static bool
conf_check_file(conf_t *conf, FILE *err, const char *where, const char *what,
    const char *file, char **secret)
{
    size_t       len;
    const char  *why;

    if (file == NULL) {
        return true;
    }

    *secret = conf_secret_read(file, 512, &len, &why);

    if (*secret != NULL && strlen(*secret) != len) {
        why = "holds a zero byte: write the secret as text";
    }

    if (why != NULL) {
        conf_check_say(conf, err, where, what, file, why);
    }

    return why == NULL;
}


/*
 * Events older than a week are set aside and tokens of tomorrow lead nowhere:
 * with a clock that was never set nothing would be wrong but everything (B86).
 */

static bool
conf_check_clock(const conf_t *conf, FILE *err)
{
    if (clock_real_ms() >= CONF_CHECK_EARLIEST_MS) {
        return true;
    }

    fprintf(err, "%s: not started: this machine's clock was never set; set it "
            "(timedatectl set-ntp true), then start again\n", conf->file);

    return false;
}


/* the token, and in a second line the one before, while it is changed */

static bool
conf_check_tokens(conf_t *conf, FILE *err)
{
    char  *end;

    if (conf->api_token == NULL
        || (end = strchr(conf->api_token, '\n')) == NULL)
    {
        return true;
    }

    if (strchr(end + 1, '\n') != NULL || end == conf->api_token) {
        conf_check_say(conf, err, "api", "token_file", conf->api_token_file,
                       "holds more than two lines, or an empty one: keep the "
                       "new token and the one before");
        return false;
    }

    *end = '\0';
    conf->api_old_token = strdup(end + 1);

    return conf->api_old_token != NULL;
}


bool
conf_check(conf_t *conf, FILE *err)
{
    bool  ok;

    ok = conf_check_clock(conf, err);
    ok = conf_check_file(conf, err, "redis", "password_file",
                         conf->redis_password_file, &conf->redis_password)
         && ok;
    ok = conf_check_file(conf, err, "api", "token_file",
                         conf->api_token_file, &conf->api_token) && ok;
    ok = conf_check_tokens(conf, err) && ok;

    if (conf->n_accounts == 0) {
        fprintf(err, "%s: has no [account ID] section: add one for each LINE "
                "Official Account\n", conf->file);
        ok = false;
    }

    for (size_t i = 0; i < conf->n_accounts; i++) {
        ok = conf_check_account(conf, err, &conf->accounts[i]) && ok;

        for (size_t k = 0; k < i; k++) {
            ok = conf_check_pair(conf, err, &conf->accounts[k],
                                 &conf->accounts[i]) && ok;
        }
    }

    return ok;
}
