#include "conf_table.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "tomo_codec.h"
#include "zones.h"

#define CONF_TEXT_MAX  1024


static const char *
conf_set_text(void *target, const char *value)
{
    char  **text = target;

    if (value[0] == '\0') {
        return NULL;                    /* "key =" is the same as no key */
    }

    if (strlen(value) > CONF_TEXT_MAX) {
        return "is too long";
    }

    *text = strdup(value);

    return *text == NULL ? "needs more memory than there is" : NULL;
}


static void
conf_show_text(const void *target, FILE *out)
{
    char *const  *text = target;

    fputs(*text == NULL ? "" : *text, out);
}


static const char *
conf_set_form(void *target, const char *value)
{
    bool  *json = target;

    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0) {
        return "must be text or json";
    }

    *json = strcmp(value, "json") == 0;

    return NULL;
}


static void
conf_show_form(const void *target, FILE *out)
{
    fputs(*(const bool *) target ? "json" : "text", out);
}


static const char *
conf_set_durability(void *target, const char *value)
{
    bool  *relaxed = target;

    if (strcmp(value, "strict") != 0 && strcmp(value, "relaxed") != 0) {
        return "must be strict or relaxed";
    }

    *relaxed = strcmp(value, "relaxed") == 0;

    return NULL;
}


static void
conf_show_durability(const void *target, FILE *out)
{
    fputs(*(const bool *) target ? "relaxed" : "strict", out);
}


static const char *
conf_set_yes(void *target, const char *value)
{
    bool  *yes = target;

    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
        return "must be yes or no";
    }

    *yes = strcmp(value, "yes") == 0;

    return NULL;
}


static void
conf_show_yes(const void *target, FILE *out)
{
    fputs(*(const bool *) target ? "yes" : "no", out);
}


static const char *
conf_address_ip(const char *value)
{
    char            host[64];
    size_t          len;
    uint64_t        port;
    const char     *colon = strrchr(value, ':');
    unsigned char   ip[16];

    if (colon == NULL || colon == value
        || (size_t) (colon - value) >= sizeof(host)
        || tomo_u64_get(tomo_str_c(colon + 1), 65535, &port) != TOMO_OK
        || port == 0)
    {
        return "must be unix:PATH or ADDRESS:PORT";
    }

    len = (size_t) (colon - value);

    if (value[0] == '[' && len > 2 && value[len - 1] == ']') {
        memcpy(host, value + 1, len - 2);
        host[len - 2] = '\0';
        return inet_pton(AF_INET6, host, ip) == 1
               ? NULL : "holds no valid IPv6 address in its brackets";
    }

    memcpy(host, value, len);
    host[len] = '\0';

    return inet_pton(AF_INET, host, ip) == 1
           ? NULL : "needs a numeric address: names are not looked up";
}


static const char *
conf_set_address(void *target, const char *value)
{
    size_t       path_max = sizeof(((struct sockaddr_un *) 0)->sun_path) - 1;
    const char  *why;

    if (strncmp(value, "unix:", 5) == 0) {
        if (value[5] != '/') {
            return "needs an absolute path after unix:";
        }

        if (strlen(value + 5) > path_max) {
            return "has a socket path over 107 bytes: use a shorter one";
        }

    } else {
        why = conf_address_ip(value);

        if (why != NULL) {
            return why;
        }
    }

    return conf_set_text(target, value);
}


static const char *
conf_set_socket(void *target, const char *value)
{
    size_t  path_max = sizeof(((struct sockaddr_un *) 0)->sun_path) - 1;

    if (value[0] != '\0' && value[0] != '/') {
        return "must be an absolute path";
    }

    if (strlen(value) > path_max) {
        return "is a socket path over 107 bytes: use a shorter one";
    }

    return conf_set_text(target, value);
}


static const char *
conf_set_url(void *target, const char *value)
{
    char         *text;
    size_t        len = strlen(value);
    const char   *why;

    if ((strncmp(value, "https://", 8) != 0 || len == 8)
        && (strncmp(value, "http://", 7) != 0 || len == 7))
    {
        return "must begin with https:// or http:// and a host";
    }

    for (size_t i = 0; i < len; i++) {
        if (value[i] <= 0x20 || value[i] >= 0x7f || value[i] == '\\') {
            return "must be plain ASCII without spaces";
        }
    }

    why = conf_set_text(target, value);
    text = *(char **) target;

    while (why == NULL && len > 0 && text[len - 1] == '/') {
        text[--len] = '\0';
    }

    return why;
}


/* LINE is spoken to over TLS only: a token must never leave in the clear. */

static const char *
conf_set_https(void *target, const char *value)
{
    if (strncmp(value, "https://", 8) != 0) {
        return "must begin with https://";
    }

    return conf_set_url(target, value);
}


static const char *
conf_set_number(void *target, const char *value)
{
    uint64_t   n;
    uint32_t  *number = target;

    if (tomo_u64_get(tomo_str_c(value), (1 << 14) - 1, &n) != TOMO_OK
        || n == 0)
    {
        return "must be a number from 1 to 16383";
    }

    *number = (uint32_t) n;

    return NULL;
}


static void
conf_show_number(const void *target, FILE *out)
{
    fprintf(out, "%u", *(const uint32_t *) target);
}


static const char *
conf_set_rate(void *target, const char *value)
{
    uint64_t   n;
    uint32_t  *rate = target;

    if (tomo_u64_get(tomo_str_c(value), 1000000, &n) != TOMO_OK || n == 0) {
        return "must be a number from 1 to 1000000";
    }

    *rate = (uint32_t) n;

    return NULL;
}


static const char *
conf_set_digits(void *target, const char *value)
{
    size_t  len = strlen(value);

    if (len == 0 || len > 32 || strspn(value, "0123456789") != len) {
        return "must be the channel's number, digits only";
    }

    return conf_set_text(target, value);
}


/* the target is zone_min; the name stands beside it */
static const char *
conf_set_zone(void *target, const char *value)
{
    conf_account_t  *ac;

    ac = (conf_account_t *) (void *)
         ((char *) target - offsetof(conf_account_t, zone_min));

    if (strlen(value) >= sizeof(ac->zone)
        || zones_parse(tomo_str_c(value), &ac->zone_min) != TOMO_OK)
    {
        return "must be a zone's name such as Asia/Tokyo (docs/formats.md, "
               "The worker's INI file), or look like +09:00";
    }

    memcpy(ac->zone, value, strlen(value) + 1);

    return NULL;
}


static void
conf_show_zone(const void *target, FILE *out)
{
    const conf_account_t  *ac;

    ac = (const conf_account_t *) (const void *)
         ((const char *) target - offsetof(conf_account_t, zone_min));

    fputs(ac->zone, out);
}


#define CONF_IN(field)  offsetof(conf_t, field)
#define CONF_AC(field)  offsetof(conf_account_t, field)
#define CONF_TEXT       conf_set_text, conf_show_text

const conf_key_t  conf_keys[] = {

    { "worker", "run_dir", CONF_IN(run_dir), CONF_REQUIRED, CONF_TEXT },
    { "worker", "journal", CONF_IN(journal), CONF_REQUIRED, CONF_TEXT },
    { "worker", "edge_key", CONF_IN(edge_key), CONF_REQUIRED, CONF_TEXT },
    { "worker", "worker_key", CONF_IN(worker_key), CONF_REQUIRED, CONF_TEXT },
    { "worker", "base_url", CONF_IN(base_url), CONF_REQUIRED,
      conf_set_url, conf_show_text },
    { "worker", "log_format", CONF_IN(log_json), CONF_OPTIONAL,
      conf_set_form, conf_show_form },

    { "redis", "address", CONF_IN(redis_address), CONF_REQUIRED,
      conf_set_address, conf_show_text },
    { "redis", "user", CONF_IN(redis_user), CONF_OPTIONAL, CONF_TEXT },
    { "redis", "password_file", CONF_IN(redis_password_file), CONF_OPTIONAL,
      CONF_TEXT },
    { "redis", "durability", CONF_IN(redis_relaxed), CONF_OPTIONAL,
      conf_set_durability, conf_show_durability },
    { "redis", "assume_redis_checked", CONF_IN(redis_assumed),
      CONF_OPTIONAL, conf_set_yes, conf_show_yes },

    { "line", "url", CONF_IN(line_url), CONF_OPTIONAL,
      conf_set_https, conf_show_text },
    { "line", "unix_socket", CONF_IN(line_unix_socket), CONF_OPTIONAL,
      conf_set_socket, conf_show_text },
    { "line", "ca_file", CONF_IN(line_ca_file), CONF_OPTIONAL, CONF_TEXT },
    { "line", "rate_per_s", CONF_IN(line_rate_per_s), CONF_OPTIONAL,
      conf_set_rate, conf_show_number },

    { "api", "socket", CONF_IN(api_socket), CONF_OPTIONAL,
      conf_set_socket, conf_show_text },
    { "api", "token_file", CONF_IN(api_token_file), CONF_OPTIONAL,
      CONF_TEXT },

    { "sandbox", "clock_file", CONF_IN(clock_file), CONF_OPTIONAL,
      CONF_TEXT },

    { "account", "number", CONF_AC(number), CONF_REQUIRED,
      conf_set_number, conf_show_number },
    { "account", "channel_id", CONF_AC(channel_id), CONF_REQUIRED,
      conf_set_digits, conf_show_text },
    { "account", "channel_secret_file", CONF_AC(channel_secret_file),
      CONF_REQUIRED, CONF_TEXT },
    { "account", "next_secret_file", CONF_AC(next_secret_file),
      CONF_OPTIONAL, CONF_TEXT },
    { "account", "bot_user_id_file", CONF_AC(bot_user_id_file),
      CONF_REQUIRED, CONF_TEXT },
    { "account", "definitions", CONF_AC(definitions), CONF_OPTIONAL,
      CONF_TEXT },
    { "account", "zone", CONF_AC(zone_min), CONF_OPTIONAL,
      conf_set_zone, conf_show_zone },
};


size_t
conf_keys_n(void)
{
    return sizeof(conf_keys) / sizeof(conf_keys[0]);
}


bool
conf_section_known(const char *section)
{
    for (size_t i = 0; i < conf_keys_n(); i++) {
        if (strcmp(conf_keys[i].section, section) == 0) {
            return true;
        }
    }

    return false;
}
