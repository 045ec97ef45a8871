#include "begin.h"

#include "clock.h"
#include "defstore.h"
#include "feedpub.h"
#include "log.h"
#include "recover.h"
#include "seen.h"


/* the whole edge feed, in as many commits as it takes; the version last */
static tomo_rc_e
begin_feed(slice_t *slice, owner_t *o, redis_t *r)
{
    char       print[65];
    bool       stale;
    size_t     i = 0;
    tomo_rc_e  rc;

    rc = feedpub_stale(o, r, print, &stale);

    if (rc != TOMO_OK || !stale) {
        return rc;
    }

    owner_commit_begin(o);

    while (feedpub_some(o, &i)) {
        rc = slice_send(slice, o, r);

        if (rc != TOMO_OK) {
            return rc;
        }

        owner_commit_begin(o);
    }

    rc = feedpub_secrets(o, print);
    feedpub_version(o);

    if (rc == TOMO_OK) {
        rc = slice_send(slice, o, r);
    }

    return rc == TOMO_OK ? slice_land(slice) : rc;
}


/* the folder of an account without definitions */
static tomo_rc_e
begin_folder(slice_t *slice, owner_t *o, redis_t *r)
{
    bool               more, loaded;
    tomo_rc_e          rc = TOMO_OK;
    defstore_folder_t  folder;

    loaded = defstore_folder_open(o, &folder);

    for (more = loaded; rc == TOMO_OK && more; /* void */) {
        owner_commit_begin(o);
        more = defstore_folder_some(o, &folder, clock_now_ms());
        rc = slice_send(slice, o, r);
    }

    if (rc == TOMO_OK) {
        rc = slice_land(slice);
    }

    if (rc == TOMO_OK && loaded) {
        log_info(o->account->id, "%zu definitions loaded from %s", folder.n,
                 o->account->definitions);
    }

    defstore_folder_close(&folder);

    return rc;
}


/* numbers that `meta` lost */
static tomo_rc_e
begin_numbers(slice_t *slice, owner_t *o, redis_t *r)
{
    bool       changed;
    tomo_rc_e  rc;

    rc = recover_numbers(o, r, &changed);

    if (rc != TOMO_OK || !changed) {
        return rc;
    }

    owner_commit_begin(o);
    recover_put(o);
    rc = slice_send(slice, o, r);

    return rc == TOMO_OK ? slice_land(slice) : rc;
}


tomo_rc_e
begin_account(slice_t *slice, owner_t *o, redis_t *r)
{
    tomo_rc_e  rc;

    rc = begin_numbers(slice, o, r);

    if (rc == TOMO_OK) {
        rc = seen_begin(o, r, clock_now_ms());
    }

    if (rc == TOMO_OK) {
        rc = begin_folder(slice, o, r);
    }

    if (rc == TOMO_OK) {
        rc = begin_feed(slice, o, r);
    }

    slice_drain(slice, r);
    owner_settle(o);

    return rc == TOMO_FULL ? TOMO_INVALID : rc;
}
