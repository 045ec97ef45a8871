#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "ids.h"
#include "lease_release_lua.h"
#include "lease_take_lua.h"
#include "log.h"
#include "tomo_codec.h"

#define LEASE_LOCK_WAIT_MS  10000
#define LEASE_MARGIN_US     INT64_C(1000000)
#define LEASE_ID_LEN        16
#define LEASE_TELL_US       INT64_C(60000000)


static redis_script_t  lease_take_script = {
    .name = "lease_take", .text = lease_take_lua
};

static redis_script_t  lease_release_script = {
    .name = "lease_release", .text = lease_release_lua
};


/* Random per boot: an ID from before a reboot or of a clone is not ours. */

static size_t
lease_boot_id(char *out, size_t cap)
{
    int      fd = open("/proc/sys/kernel/random/boot_id",
                       O_RDONLY | O_CLOEXEC);
    ssize_t  n;

    if (fd < 0) {
        return 0;
    }

    n = read(fd, out, cap);
    close(fd);

    return n <= 0 ? 0 : tomo_str_find(tomo_str_n(out, (size_t) n), 0, '\n');
}


static tomo_rc_e
lease_lock(int fd, const char *path)
{
    int64_t  end_ms = clock_mono_ms() + LEASE_LOCK_WAIT_MS;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            log_error("lock", "%s cannot be locked: %s", path,
                      strerror(errno));
            return TOMO_ERROR;
        }

        if (clock_mono_ms() > end_ms) {
            log_error("lock", "%s is held by another process: stop the other "
                      "tomo-worker, or give this one its own run_dir", path);
            return TOMO_DENIED;
        }

        poll(NULL, 0, 20);
    }

    return TOMO_OK;
}


/*
 * The file: `ID GENERATION BOOT`.  Reads the last life's line, if it is of
 * this boot, and counts on; anything else starts a new ID.
 */

static void
lease_identity(int fd, uint64_t *id, uint64_t *generation, tomo_str_t boot)
{
    char        text[128];
    size_t      dot, space;
    ssize_t     n = pread(fd, text, sizeof(text), 0);
    tomo_str_t  line;

    *id = ids_random64();
    *generation = 1;

    if (n <= LEASE_ID_LEN + 1 || boot.len == 0) {
        return;
    }

    line = tomo_str_n(text, tomo_str_find(tomo_str_n(text, (size_t) n), 0,
                                          '\n'));
    dot = tomo_str_find(line, 0, '.');
    space = tomo_str_find(line, 0, ' ');

    if (dot != LEASE_ID_LEN || space <= dot || space >= line.len
        || !tomo_str_eq(tomo_str_n(line.data + space + 1,
                                   line.len - space - 1), boot))
    {
        return;
    }

    uint64_t  old_id, old_generation;

    if (tomo_hex64_get(tomo_str_n(line.data, dot), &old_id) == TOMO_OK
        && tomo_u64_get(tomo_str_n(line.data + dot + 1, space - dot - 1),
                        UINT32_MAX, &old_generation) == TOMO_OK)
    {
        *id = old_id;
        *generation = old_generation + 1;
    }
}


tomo_rc_e
lease_self_open(lease_self_t *self, const char *run_dir, const char *role)
{
    int        n;
    char       path[1024], boot[64], line[160];
    size_t     boot_len;
    uint64_t   id, generation;
    tomo_rc_e  rc;

    self->fd = -1;
    n = snprintf(path, sizeof(path), "%s/%s.lock", run_dir, role);

    if (n < 0 || (size_t) n >= sizeof(path)) {
        log_error("lock", "run_dir is too long");
        return TOMO_ERROR;
    }

    self->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (self->fd < 0) {
        log_error("lock", "%s cannot be opened: %s; create run_dir for the "
                  "worker's user", path, strerror(errno));
        return TOMO_ERROR;
    }

    rc = lease_lock(self->fd, path);

    if (rc != TOMO_OK) {
        lease_self_close(self);
        return rc;
    }

    boot_len = lease_boot_id(boot, sizeof(boot));
    lease_identity(self->fd, &id, &generation, tomo_str_n(boot, boot_len));
    snprintf(self->nonce, sizeof(self->nonce), "%016llx.%llu",
             (unsigned long long) id, (unsigned long long) generation);
    n = snprintf(line, sizeof(line), "%s %.*s\n", self->nonce,
                 (int) boot_len, boot);

    /*
     * A generation that is not written down must not be used.  The file is
     * never empty: a life killed here would cost the next one the ID, and
     * with it 15 s of waiting for its own lease.
     */
    if (pwrite(self->fd, line, (size_t) n, 0) != n
        || ftruncate(self->fd, n) != 0)
    {
        log_error("lock", "%s cannot be written: %s", path, strerror(errno));
        lease_self_close(self);
        return TOMO_ERROR;
    }

    return TOMO_OK;
}


void
lease_self_close(lease_self_t *self)
{
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
}


void
lease_init(lease_t *l, const lease_self_t *self, tomo_str_t key)
{
    *l = (lease_t) { .self = self };

    if (key.len <= sizeof(l->key)) {
        memcpy(l->key, key.data, key.len);
        l->key_len = key.len;
    }
}


void
lease_scripts(redis_t *r)
{
    redis_script_add(r, &lease_take_script);
    redis_script_add(r, &lease_release_script);
}


/* not ours, and it stops the account: once a minute */
static void
lease_tell(lease_t *l, const char *what)
{
    int64_t  now_us = clock_mono_us();

    if (l->told_us == 0 || now_us - l->told_us > LEASE_TELL_US) {
        l->told_us = now_us;
        log_error("lease", "the key %.*s %s: somebody else wrote to this "
                  "Redis; delete the key, the account goes on by itself",
                  (int) l->key_len, l->key, what);
    }
}


tomo_rc_e
lease_take(lease_t *l, redis_t *r)
{
    size_t         dot;
    int64_t        n, asked_us = clock_mono_us();
    tomo_rc_e      rc = TOMO_AGAIN;
    tomo_str_t     nonce = tomo_str_c(l->self->nonce);
    redisReply    *reply;
    redis_args_t   args = { 0 };

    dot = tomo_str_find(nonce, 0, '.');

    redis_arg(&args, tomo_str_n(l->key, l->key_len));
    redis_arg(&args, nonce);
    redis_arg_u64(&args, LEASE_MS);
    redis_arg(&args, tomo_str_n(nonce.data, dot + 1));
    redis_arg(&args, tomo_str_n(nonce.data + dot + 1, nonce.len - dot - 1));

    reply = redis_eval(r, &lease_take_script, 1, &args);
    redis_args_free(&args);

    if (redis_error_of(reply) == REDIS_ERR_TYPE) {
        lease_tell(l, "is no string");

    } else if (redis_is(reply, REDIS_REPLY_INTEGER)) {
        n = reply->integer;
        l->fresh = n == 2;
        l->held = n > 0;
        rc = l->held ? TOMO_OK : TOMO_DENIED;
        l->wait_ms = l->held ? 0 : n == 0 ? LEASE_MS : -n;

        if (n == 0) {
            lease_tell(l, "holds a lease without an end");
        }

        l->asked_us = l->held ? asked_us : l->asked_us;
    }

    freeReplyObject(reply);

    return rc;
}


void
lease_release(lease_t *l, redis_t *r)
{
    redis_args_t  args = { 0 };

    if (!l->held || r->ctx == NULL) {
        return;
    }

    redis_arg(&args, tomo_str_n(l->key, l->key_len));
    redis_arg_c(&args, l->self->nonce);
    freeReplyObject(redis_eval(r, &lease_release_script, 1, &args));
    redis_args_free(&args);
    l->held = false;
}


bool
lease_due(const lease_t *l)
{
    return !l->held
           || clock_mono_us() - l->asked_us >= LEASE_RENEW_MS * INT64_C(1000);
}


bool
lease_valid(const lease_t *l)
{
    return l->held
           && clock_mono_us() - l->asked_us
              < LEASE_MS * INT64_C(1000) - LEASE_MARGIN_US;
}
