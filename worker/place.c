#include "place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"

/* of linux/magic.h, which not every machine has */
#define PLACE_TMPFS    0x01021994UL
#define PLACE_RAMFS    0x858458f6UL
#define PLACE_OVERLAY  0x794c7630UL
#define PLACE_NFS      0x6969UL
#define PLACE_CIFS     0xff534d42UL
#define PLACE_SMB2     0xfe534d42UL
#define PLACE_FUSE     0x65735546UL


static bool
place_folder(const char *path, const char *what)
{
    struct stat  st;

    if (lstat(path, &st) != 0) {
        log_error(path, "([worker] %s) cannot be used: %s; make it: install "
                  "-d -m 700 -o USER %s", what, strerror(errno), path);
        return false;
    }

    if (!S_ISDIR(st.st_mode)) {
        log_error(path, "([worker] %s) is no folder: name one, not a link or "
                  "a file", what);
        return false;
    }

    if (access(path, W_OK | X_OK) != 0) {
        log_error(path, "([worker] %s) cannot be written: %s; the worker's "
                  "user must own it", what, strerror(errno));
        return false;
    }

    return true;
}


/* the service manager makes it when it starts us, and not before */

static bool
place_run_dir(const conf_t *conf, bool make)
{
    struct stat  st;

    if (!make && lstat(conf->run_dir, &st) != 0 && errno == ENOENT) {
        log_warn(conf->run_dir, "([worker] run_dir) is not there yet: systemd "
                 "makes it when it starts the unit; elsewhere make it: "
                 "install -d -m 700 -o USER %s", conf->run_dir);
        return true;
    }

    return place_folder(conf->run_dir, "run_dir");
}


/* what was acknowledged must survive a power cut */

static bool
place_disk(const conf_t *conf)
{
    const char     *kind;
    struct statfs   fs;

    if (statfs(conf->journal, &fs) != 0) {
        return true;                    /* the folder's own fault is told */
    }

    switch ((unsigned long) fs.f_type & 0xffffffffUL) {

    case PLACE_TMPFS:
    case PLACE_RAMFS:
        if (conf->clock_file == NULL) {
            log_error(conf->journal, "([worker] journal) lies in memory "
                      "(tmpfs): what was acknowledged would be lost at a "
                      "power cut; choose a folder on a disk");
            return false;
        }

        kind = "a memory";
        break;

    case PLACE_OVERLAY:
        kind = "an overlay";
        break;

    case PLACE_NFS:
    case PLACE_CIFS:
    case PLACE_SMB2:
        kind = "a network";
        break;

    case PLACE_FUSE:
        kind = "a FUSE";
        break;

    default:
        return true;
    }

    log_warn(conf->journal, "([worker] journal) lies on %s file system, "
             "where a sync may promise less or cost more than on a local "
             "disk", kind);

    return true;
}


tomo_rc_e
place_check(const conf_t *conf, bool make)
{
    bool  ok;

    if (make && mkdir(conf->journal, 0700) == 0) {
        log_info(conf->journal, "([worker] journal) was made");
    }

    ok = place_run_dir(conf, make);
    ok = place_folder(conf->journal, "journal") && ok;
    ok = place_disk(conf) && ok;

    return ok ? TOMO_OK : TOMO_INVALID;
}
