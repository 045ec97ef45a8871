#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ids.h"
#include "log.h"
#include "role.h"
#include "tomo_codec.h"
#include "vault.h"

#define ROTATE_MAX    1024
#define ROTATE_USAGE  64


typedef struct {
    const char  *path;
    tomo_buf_t   b;
    uint8_t      text[ROTATE_MAX];
} rotate_t;


static void
rotate_hex(rotate_t *r, const uint8_t *key, size_t len)
{
    tomo_hex_put(&r->b, tomo_str_n(key, len));
    tomo_buf_byte(&r->b, '\n');
}


static void
rotate_key(rotate_t *r, uint8_t id, const uint8_t *key)
{
    tomo_buf_u64(&r->b, id);
    tomo_buf_byte(&r->b, ':');
    rotate_hex(r, key, 32);
}


/* beside the old file, synced, with its owner and mode; then in its place */

static bool
rotate_write(rotate_t *r)
{
    int          fd;
    bool         ok;
    char         name[4096];
    struct stat  st;

    if (r->b.failed || stat(r->path, &st) != 0
        || snprintf(name, sizeof(name), "%s.new", r->path)
           >= (int) sizeof(name))
    {
        log_error(r->path, "cannot be replaced: %s", strerror(errno));
        return false;
    }

    (void) unlink(name);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ok = fd >= 0
         && (geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
         && fchmod(fd, st.st_mode & 0777) == 0
         && write(fd, r->b.data, r->b.len) == (ssize_t) r->b.len
         && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }

    if (!ok || rename(name, r->path) != 0) {
        log_error(r->path, "cannot be replaced: %s; run this as the file's "
                  "owner, in a folder that it may write", strerror(errno));
        (void) unlink(name);
        return false;
    }

    return true;
}


/* an id that neither key has */

static uint8_t
rotate_id(const vault_file_t *file)
{
    unsigned  id = (file->id[0] + 1u) % 16;

    if (file->n == 2 && id == file->id[1]) {
        id = (id + 1) % 16;
    }

    return (uint8_t) id;
}


static bool
rotate_keys(const char *path, bool worker, bool finish)
{
    bool           ok = false;
    rotate_t       r = { .path = path };
    uint8_t        fresh[32];
    const char    *why;
    vault_file_t   file;

    if (vault_file_read(path, &file, &why) != TOMO_OK) {
        log_error("key file", "%s %s", path, why);
        return false;
    }

    tomo_buf_init(&r.b, r.text, sizeof(r.text));

    if (!finish) {
        ids_random(fresh, sizeof(fresh));
        rotate_key(&r, rotate_id(&file), fresh);
        tomo_mac_wipe(fresh, sizeof(fresh));
    }

    rotate_key(&r, file.id[0], file.key[0]);

    /* what names sends and deleted persons must stay what it was */
    if (!worker || vault_names(&file) == TOMO_OK) {
        for (size_t i = 0; worker && i < VAULT_NAMES; i++) {
            tomo_buf_c(&r.b, vault_name_label(i));
            tomo_buf_byte(&r.b, ':');
            rotate_hex(&r, file.name[i], 32);
        }

        ok = rotate_write(&r);
    }

    tomo_mac_wipe(&file, sizeof(file));
    tomo_mac_wipe(&r, sizeof(r));

    return ok;
}


/* the new token, then the one before */

static bool
rotate_token(const conf_t *conf, bool finish)
{
    bool        ok;
    rotate_t    r = { .path = conf->api_token_file };
    uint8_t     fresh[24];

    if (conf->api_token == NULL) {
        log_error("api-token", "there is none: set [api] token_file");
        return false;
    }

    tomo_buf_init(&r.b, r.text, sizeof(r.text));

    if (!finish) {
        ids_random(fresh, sizeof(fresh));
        rotate_hex(&r, fresh, sizeof(fresh));
        tomo_mac_wipe(fresh, sizeof(fresh));
    }

    tomo_buf_c(&r.b, conf->api_token);
    tomo_buf_byte(&r.b, '\n');
    ok = rotate_write(&r);
    tomo_mac_wipe(&r, sizeof(r));

    return ok;
}


int
rotate_run(const conf_t *conf, const char *what, bool finish)
{
    bool         ok;
    const char  *next, *file;

    if (strcmp(what, "edge-key") == 0) {
        file = conf->edge_key;
        ok = rotate_keys(file, false, finish);
        next = "copy it to every edge, then reload nginx there and "
               "tomo-worker here; links are made with the new key as soon as "
               "all edges have it";

    } else if (strcmp(what, "worker-key") == 0) {
        file = conf->worker_key;
        ok = rotate_keys(file, true, finish);
        next = "reload tomo-worker";

    } else if (strcmp(what, "api-token") == 0) {
        file = conf->api_token_file;
        ok = rotate_token(conf, finish);
        next = "reload tomo-worker; give its first line to whom the API is "
               "for, the second counts until --finish";

    } else {
        fputs("--rotate takes edge-key, worker-key or api-token\n", stderr);
        return ROTATE_USAGE;
    }

    if (!ok || file == NULL) {
        return ROLE_EXIT_FAIL;
    }

    fprintf(stderr, "%s: %s; %s\n", file, finish ? "the old secret is out"
            : "has a new secret, the old one still counts", next);

    return ROLE_EXIT_OK;
}
