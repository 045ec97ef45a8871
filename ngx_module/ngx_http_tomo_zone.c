/*
 * ngx_http_tomo_zone: counters, writer slots and the table in shared memory.
 */

#include "ngx_http_tomo_zone.h"
#include "ngx_http_tomo_snapshot.h"

#define NGX_HTTP_TOMO_READS      16     /* tries of one lookup */
#define NGX_HTTP_TOMO_OFFICE_MS  30000  /* a silent feeder has left */


static ngx_int_t ngx_http_tomo_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_http_tomo_zone_t *tz);
static void ngx_http_tomo_zone_moved(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_zone_t *old, ngx_log_t *log);
static void ngx_http_tomo_zone_attach(ngx_shm_zone_t *shm_zone,
    ngx_http_tomo_zone_t *tz);
static ngx_uint_t ngx_http_tomo_zone_enter(ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t *generation, tomo_str_t *block);
static ngx_uint_t ngx_http_tomo_zone_stood(ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t generation);


ngx_int_t
ngx_http_tomo_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_tomo_zone_t  *old = data;
    ngx_http_tomo_zone_t  *tz = shm_zone->data;

    if (old) {
        tz->shpool = old->shpool;
        tz->sh = old->sh;
        ngx_http_tomo_zone_attach(shm_zone, tz);
        ngx_http_tomo_zone_moved(tz, old, shm_zone->shm.log);
        return NGX_OK;
    }

    if (ngx_http_tomo_zone_create(shm_zone, tz) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "tomo: zone \"%V\" cannot be made: give it more room",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    ngx_http_tomo_zone_attach(shm_zone, tz);
    ngx_http_tomo_snapshot_load(tz, shm_zone->shm.log);

    return NGX_OK;
}


/* a reload that changes the journal's place leaves records behind: say so */

static void
ngx_http_tomo_zone_moved(ngx_http_tomo_zone_t *tz, ngx_http_tomo_zone_t *old,
    ngx_log_t *log)
{
    ngx_http_tomo_journal_conf_t  *was = old->tmcf->journal_conf;
    ngx_http_tomo_journal_conf_t  *is = tz->tmcf->journal_conf;

    if (was == NULL || is == NULL
        || (was->path.len == is->path.len
            && ngx_memcmp(was->path.data, is->path.data, is->path.len) == 0))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "tomo: the journal was in \"%V\" and is in \"%V\" now: "
                  "nobody ships what is left in the old folder; once the old "
                  "workers are gone, move its folders of 16 hex digits over",
                  &was->path, &is->path);
}


static ngx_int_t
ngx_http_tomo_zone_create(ngx_shm_zone_t *shm_zone, ngx_http_tomo_zone_t *tz)
{
    uint64_t  id;

    tz->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        tz->sh = tz->shpool->data;
        return NGX_OK;
    }

    tz->sh = ngx_slab_calloc(tz->shpool, sizeof(ngx_http_tomo_shctx_t));
    if (tz->sh == NULL) {
        return NGX_ERROR;
    }

    do {
        if (ngx_http_tomo_random(&id, sizeof(id)) != NGX_OK) {
            return NGX_ERROR;
        }
    } while (id == 0);

    tz->sh->edge_id = (ngx_atomic_uint_t) id;
    tz->shpool->data = tz->sh;

    return NGX_OK;
}


/* The two areas share what lies behind the counters, page by page. */

static void
ngx_http_tomo_zone_attach(ngx_shm_zone_t *shm_zone, ngx_http_tomo_zone_t *tz)
{
    u_char  *start, *end;

    start = ngx_align_ptr((u_char *) tz->sh + sizeof(ngx_http_tomo_shctx_t),
                          ngx_pagesize);
    end = shm_zone->shm.addr + shm_zone->shm.size;

    tz->area_size = (size_t) (end - start) / 2;
    tz->area_size -= tz->area_size % ngx_pagesize;
    tz->area[0] = start;
    tz->area[1] = start + tz->area_size;
}


/* the table as it stands; false: none yet */

static ngx_uint_t
ngx_http_tomo_zone_enter(ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t *generation, tomo_str_t *block)
{
    size_t      len;
    ngx_uint_t  i;

    *generation = __atomic_load_n(&tz->sh->generation, __ATOMIC_ACQUIRE);
    i = *generation & 1;
    len = __atomic_load_n(&tz->sh->area_len[i], __ATOMIC_ACQUIRE);

    block->data = tz->area[i];
    block->len = ngx_min(len, tz->area_size);

    return *generation != 0;
}


/* was everything read since enter from the table of that generation? */

static ngx_uint_t
ngx_http_tomo_zone_stood(ngx_http_tomo_zone_t *tz,
    ngx_atomic_uint_t generation)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    return __atomic_load_n(&tz->sh->generation, __ATOMIC_RELAXED)
           == generation;
}


ngx_int_t
ngx_http_tomo_zone_account(ngx_http_tomo_zone_t *tz, ngx_str_t *id,
    tomo_table_account_t *a)
{
    bool                  found;
    tomo_str_t            block;
    ngx_uint_t            i;
    ngx_atomic_uint_t     generation;
    tomo_table_account_t  copy;

    for (i = 0; i < NGX_HTTP_TOMO_READS; i++) {
        if (!ngx_http_tomo_zone_enter(tz, &generation, &block)) {
            return NGX_BUSY;
        }

        found = tomo_table_account(block, ngx_http_tomo_view(id), &copy);

        if (ngx_http_tomo_zone_stood(tz, generation)) {
            if (!found) {
                return NGX_DECLINED;
            }

            *a = copy;
            a->id = ngx_http_tomo_view(id);
            return NGX_OK;
        }
    }

    return NGX_BUSY;
}


ngx_int_t
ngx_http_tomo_zone_account_by_number(ngx_http_tomo_zone_t *tz,
    ngx_pool_t *pool, uint32_t number, tomo_table_account_t *a)
{
    bool                  found;
    u_char               *id;
    tomo_str_t            block;
    ngx_uint_t            i;
    ngx_atomic_uint_t     generation;
    tomo_table_account_t  copy;

    id = ngx_pnalloc(pool, 32);
    if (id == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_TOMO_READS; i++) {
        if (!ngx_http_tomo_zone_enter(tz, &generation, &block)) {
            return NGX_BUSY;
        }

        found = tomo_table_account_by_number(block, number, &copy)
                && copy.id.len <= 32;
        if (found) {
            ngx_memcpy(id, copy.id.data, copy.id.len);
        }

        if (ngx_http_tomo_zone_stood(tz, generation)) {
            if (!found) {
                return NGX_DECLINED;
            }

            *a = copy;
            a->id.data = id;
            return NGX_OK;
        }
    }

    return NGX_BUSY;
}


ngx_int_t
ngx_http_tomo_zone_item(ngx_http_tomo_zone_t *tz, ngx_pool_t *pool,
    tomo_str_t account, tomo_item_kind_e kind, uint32_t number,
    tomo_str_t *value)
{
    bool               found;
    u_char            *copy;
    tomo_str_t         block, v;
    ngx_uint_t         i;
    ngx_atomic_uint_t  generation;

    for (i = 0; i < NGX_HTTP_TOMO_READS; i++) {
        if (!ngx_http_tomo_zone_enter(tz, &generation, &block)) {
            return NGX_BUSY;
        }

        found = tomo_table_find(block, account, kind, number, &v);

        /* before the copy too: a torn length may be any length */

        if (!ngx_http_tomo_zone_stood(tz, generation)) {
            continue;
        }

        if (!found) {
            return NGX_DECLINED;
        }

        copy = ngx_pnalloc(pool, v.len ? v.len : 1);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(copy, v.data, v.len);

        if (ngx_http_tomo_zone_stood(tz, generation)) {
            *value = tomo_str_n(copy, v.len);
            return NGX_OK;
        }
    }

    return NGX_BUSY;
}


ngx_int_t
ngx_http_tomo_zone_copy(ngx_http_tomo_zone_t *tz, tomo_buf_t *out,
    uint64_t *generation)
{
    tomo_str_t         block;
    ngx_uint_t         i;
    ngx_atomic_uint_t  g;

    for (i = 0; i < NGX_HTTP_TOMO_READS; i++) {
        if (!ngx_http_tomo_zone_enter(tz, &g, &block)) {
            return NGX_DECLINED;
        }

        tomo_buf_reset(out);
        tomo_buf_put(out, block);

        if (ngx_http_tomo_zone_stood(tz, g)) {
            *generation = g;
            return out->failed ? NGX_ERROR : NGX_OK;
        }
    }

    return NGX_ERROR;
}


ngx_uint_t
ngx_http_tomo_zone_elected(ngx_http_tomo_zone_t *tz)
{
    ngx_pid_t              holder;
    ngx_http_tomo_shctx_t  *sh = tz->sh;

    holder = (ngx_pid_t) sh->feeder;

    if (holder != ngx_pid) {

        /*
         * A stopped holder keeps the office for a while: it might go on in
         * the middle of a publish.  A dead one loses it at once.
         */

        if (holder != 0
            && (kill(holder, 0) == 0 || ngx_errno != ESRCH)
            && (ngx_msec_int_t) (ngx_current_msec - sh->feeder_msec)
               < NGX_HTTP_TOMO_OFFICE_MS)
        {
            return 0;
        }

        if (!ngx_atomic_cmp_set(&sh->feeder, (ngx_atomic_uint_t) holder,
                                (ngx_atomic_uint_t) ngx_pid))
        {
            return 0;
        }
    }

    sh->feeder_msec = ngx_current_msec;

    return 1;
}


void
ngx_http_tomo_zone_resign(ngx_http_tomo_zone_t *tz)
{
    (void) ngx_atomic_cmp_set(&tz->sh->feeder, (ngx_atomic_uint_t) ngx_pid,
                              0);
}


ngx_int_t
ngx_http_tomo_zone_publish(ngx_http_tomo_zone_t *tz, tomo_str_t block)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  next;

    if (block.len > tz->area_size || tomo_table_check(block) != TOMO_OK) {
        return NGX_ERROR;
    }

    next = tz->sh->generation + 1;
    i = next & 1;

    __atomic_store_n(&tz->sh->area_len[i], block.len, __ATOMIC_RELEASE);
    ngx_memcpy(tz->area[i], block.data, block.len);
    __atomic_store_n(&tz->sh->generation, next, __ATOMIC_RELEASE);

    return NGX_OK;
}


ngx_http_tomo_slot_t *
ngx_http_tomo_zone_take_slot(ngx_http_tomo_zone_t *tz, uint64_t writer)
{
    ngx_uint_t             i;
    ngx_http_tomo_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &tz->sh->slots[i];

        if (slot->writer == (ngx_atomic_uint_t) writer) {
            slot->pid = (ngx_atomic_uint_t) ngx_pid;
            return slot;
        }
    }

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &tz->sh->slots[i];

        if (slot->writer == 0
            && ngx_atomic_cmp_set(&slot->writer, 0,
                                  (ngx_atomic_uint_t) writer))
        {
            slot->pid = (ngx_atomic_uint_t) ngx_pid;
            return slot;
        }
    }

    return NULL;
}


void
ngx_http_tomo_zone_give_back_slot(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_slot_t *slot)
{
    (void) ngx_atomic_fetch_add(&tz->sh->retired, slot->last_seq);

    slot->last_seq = 0;
    slot->passed_seq = 0;
    slot->bytes = 0;
    slot->pid = 0;
    slot->redis = NGX_HTTP_TOMO_REDIS_NONE;
    slot->refused = 0;
    slot->held = 0;
    ngx_memory_barrier();
    slot->writer = 0;
}


void
ngx_http_tomo_zone_balance(ngx_http_tomo_zone_t *tz,
    ngx_http_tomo_balance_t *b)
{
    uint64_t               last, passed, done;
    ngx_uint_t             i;
    ngx_http_tomo_slot_t  *slot;

    ngx_memzero(b, sizeof(ngx_http_tomo_balance_t));
    done = tz->sh->retired;

    for (i = 0; i < NGX_HTTP_TOMO_SLOTS; i++) {
        slot = &tz->sh->slots[i];

        if (slot->writer == 0) {
            continue;
        }

        /* passed first: it never overtakes what is read after it */

        passed = slot->passed_seq;
        ngx_memory_barrier();
        last = slot->last_seq;

        done += passed;
        b->waiting += last > passed ? last - passed : 0;
        b->bytes += slot->bytes;
    }

    b->quarantined = ngx_min(tz->sh->quarantined, done);
    b->shipped = done - b->quarantined;
    b->received = done + b->waiting;
}
