/*
 * The worker's INI file: whatever stands in it, all faults are told or the
 * settings are good; what it prints means the same, and no secret is printed.
 */

#include "fuzz.h"
#include "conf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET  "0123456789abcdef0123456789abcdef"


static char  folder[64];
static char  said[1 << 20];


static void
put(const char *name, const void *text, size_t len)
{
    int   fd;
    char  path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_HOLDS(fd >= 0 && write(fd, text, len) == (ssize_t) len);
    close(fd);
}


static void
clean(void)
{
    static const char *const  names[] = { "ini", "again", "secret", "bot" };

    for (size_t i = 0; i < 4; i++) {
        char  path[128];

        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void) unlink(path);
    }

    (void) rmdir(folder);
}


/* files that the corpus names, relative to the folder */

static void
begin(void)
{
    const char  *base = getenv("TMPDIR");

    snprintf(folder, sizeof(folder), "%.40s/fuzz-conf-XXXXXX",
             base != NULL && strlen(base) < 40 ? base : "/tmp");
    FUZZ_HOLDS(mkdtemp(folder) != NULL);
    put("secret", SECRET, 32);
    put("bot", "U" SECRET, 33);
    (void) atexit(clean);
}


static size_t
printed(const conf_t *conf)
{
    size_t   len;
    FILE    *out = fmemopen(said, sizeof(said) - 1, "w");

    FUZZ_HOLDS(out != NULL);
    conf_print(conf, out);
    len = (size_t) ftell(out);
    fclose(out);
    said[len] = '\0';
    FUZZ_HOLDS(strstr(said, SECRET) == NULL);

    return len;
}


static conf_t *
load(const char *name, FILE *err)
{
    int      here = open(".", O_RDONLY | O_DIRECTORY);
    conf_t  *conf;

    FUZZ_HOLDS(here >= 0 && chdir(folder) == 0);
    conf = conf_load(name, err);
    FUZZ_HOLDS(fchdir(here) == 0);
    close(here);

    return conf;
}


/* the input itself may say what stands in the file; then it proves nothing */

static bool
knows_secret(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 32 <= size; i++) {
        if (memcmp(data + i, SECRET, 32) == 0) {
            return true;
        }
    }

    return false;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   len;
    FILE    *err;
    conf_t  *conf, *again;

    if (knows_secret(data, size)) {
        return 0;
    }

    if (folder[0] == '\0') {
        begin();
    }

    memset(said, 0, sizeof(said));
    put("ini", data, size);
    err = fmemopen(said, sizeof(said) - 1, "w");
    FUZZ_HOLDS(err != NULL);
    conf = load("ini", err);
    fclose(err);

    /* told, and never with a secret of a file */
    FUZZ_HOLDS(conf != NULL || said[0] != '\0');
    FUZZ_HOLDS(strstr(said, SECRET) == NULL);

    if (conf == NULL) {
        return 0;
    }

    FUZZ_HOLDS(conf->n_accounts > 0 && conf->line_rate_per_s > 0);
    FUZZ_HOLDS(strncmp(conf->line_url, "https://", 8) == 0);

    for (size_t i = 0; i < conf->n_accounts; i++) {
        FUZZ_HOLDS(tomo_keys_account_ok(tomo_str_c(conf->accounts[i].id)));
        FUZZ_HOLDS(conf->accounts[i].number > 0
                   && conf->accounts[i].number < 1 << 14);
        FUZZ_HOLDS(strlen(conf->accounts[i].secret) == 32);
    }

    len = printed(conf);
    put("again", said, len);
    err = fopen("/dev/null", "w");
    FUZZ_HOLDS(err != NULL);
    again = load("again", err);
    fclose(err);
    conf_free(conf);
    conf_free(again);

    return 0;
}
