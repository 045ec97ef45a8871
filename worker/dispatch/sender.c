#include "sender.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "settle.h"

#define SENDER_LINKS_US  INT64_C(5000000)   /* rows wait so long for edges */
#define SENDER_AGAIN_US  INT64_C(50000)


/*
 * A reply is known by the key of the push it may become (without one by its
 * token), a profile row by its place.
 */

static void
sender_name(sender_t *s, channel_t *c, row_t *row)
{
    bool         ok;
    uint8_t      about_data[1024], uuid_data[40];
    tomo_buf_t   about, uuid;

    if (row_counted(row)
        || (row->via == TOMO_VIA_REPLY && row_name_uuid(row->key, row->name)))
    {
        return;
    }

    tomo_buf_init(&about, about_data, sizeof(about_data));
    tomo_buf_init(&uuid, uuid_data, sizeof(uuid_data));
    tomo_buf_c(&about, tomo_via_word(row->via));
    tomo_buf_byte(&about, '|');
    tomo_buf_c(&about, c->ac->id);
    tomo_buf_byte(&about, '|');

    if (row->via == TOMO_VIA_REPLY && row->token.len <= 512) {
        tomo_buf_put(&about, row->token);

    } else {
        tomo_buf_c(&about, row->id);
    }

    ok = vault_retry_key(s->vault, tomo_buf_str(&about), &uuid) == TOMO_OK
         && row_name_uuid(tomo_buf_str(&uuid), row->name);

    if (!ok) {
        log_error("libcrypto", "failed: the role ends and starts again");
        abort();
    }
}


void
sender_admit(sender_t *s, channel_t *c, tomo_str_t id,
    const redisReply *pairs)
{
    row_t       *row;
    uint64_t     id_ms, id_seq;
    const char  *why;

    if (!row_id_parse(id, &id_ms, &id_seq)
        || queue_has(&c->queue, id_ms, id_seq)
        || sendjournal_is_settled(s->journal, c->ac->number, id_ms, id_seq))
    {
        return;
    }

    row = row_new(id, pairs, &why);

    if (row == NULL) {
        settle_broken(s, c, id, id_ms, id_seq, why);
        return;
    }

    sender_name(s, c, row);
    row->epoch = c->epoch;
    row->seen_us = clock_mono_us();
    row->covers_ms = sendjournal_covers_ms(s->journal);
    queue_add(&c->queue, row);
}


/*
 * The same bubbles were tried another way, before a rollback of Redis or
 * because a reply could not be used.  What surely did not go out counts for
 * nothing; a reply has no key that LINE could answer 409 to, so after one of
 * unknown outcome nothing is pushed.
 */

static bool
sender_recall_other(sender_t *s, channel_t *c, row_t *row,
    const sendjournal_life_t *life)
{
    if (!life->open) {
        return true;
    }

    settle_untried(s, c, row,
                   row->via == TOMO_VIA_REPLY ? TOMO_SEND_UNUSABLE
                                              : TOMO_SEND_PROBABLY,
                   "tried another way, outcome unknown");

    return false;
}


/*
 * What the send journal knows about a row that this process has not tried
 * yet.  False: it was settled in a former life, and now again.
 */

static bool
sender_recall(sender_t *s, channel_t *c, row_t *row, int64_t now_ms)
{
    const sendjournal_life_t  *life;

    life = row->via == TOMO_VIA_PROFILE
           ? NULL : sendjournal_find(s->journal, row->name);

    if (life == NULL) {
        /* nobody can prove that a row so old was never tried (D3) */
        if (row_counted(row) && row->due_ms > 0
            && now_ms - row->due_ms >= TOMO_SEND_GIVE_UP_MS
            && row->covers_ms > row->due_ms)
        {
            settle_untried(s, c, row, TOMO_SEND_PARKED,
                           "due too long ago, and no journal of then");
            return false;
        }

        return true;
    }

    if (!life->settled && life->via != row->via) {
        return sender_recall_other(s, c, row, life);
    }

    row->attempt = life->attempts;
    row->first_ms = life->first_ms;

    if (life->settled) {
        settle_again(s, c, row, life);
        return false;
    }

    row->unknown_before = life->open;
    row->journalled = life->open;

    return true;
}


/* Is the row still within its key's life?  The decision is tomo_send's. */

static bool
sender_too_old(const row_t *row, int64_t now_ms)
{
    tomo_send_result_t  r = {
        .via = row->via,
        .unsent = true,
        .attempt = 1,
        .unknown_before = true,
        .first_ms = row->first_ms,
        .token_ms = row->token_ms,
        .now_ms = now_ms,
    };

    return row_counted(row) && row->unknown_before
           && tomo_send_decide(&r).next == TOMO_SEND_PARKED;
}


/* Everything that needs no Redis.  False: the row is out of this batch. */

static bool
sender_before(sender_t *s, channel_t *c, row_t *row, int64_t now_ms,
    int64_t now_us)
{
    if (row->attempt == 0 && !sender_recall(s, c, row, now_ms)) {
        return false;
    }

    if (sender_too_old(row, now_ms)) {
        settle_untried(s, c, row, TOMO_SEND_PARKED,
                       "its outcome is unknown for 23 hours");
        return false;
    }

    if (row->links != 0 && now_us - row->seen_us < SENDER_LINKS_US) {
        edges_refresh(&s->edges, s->redis);

        if (!edges_have(&s->edges, tomo_str_c(c->ac->id), row->links)) {
            queue_wait(&c->queue, row, now_us + SENDER_AGAIN_US);
            return false;
        }
    }

    /* what was certainly not taken counts as untried, however often */
    if (s->held && !row->unknown_before) {
        queue_wait(&c->queue, row, now_us + 4 * SENDER_AGAIN_US);
        return false;
    }

    return true;
}


static void
sender_choose_via(sender_t *s, channel_t *c, tomo_via_e via, take_t *takes,
    size_t *n, size_t most, int64_t *wait_us)
{
    row_t    *row;
    int64_t   now_ms = clock_now_ms(), now_us = clock_mono_us(), wait;

    while (*n < most) {
        if (!channel_open(c, via, now_ms, now_us, &wait)) {
            if (wait != 0 && wait < *wait_us) {
                *wait_us = wait;
            }

            return;
        }

        row = queue_choose(&c->queue, via);

        if (row == NULL) {
            return;
        }

        if (!sender_before(s, c, row, now_ms, now_us)) {
            continue;
        }

        channel_spend(c, via, now_us);
        takes[(*n)++] = (take_t) { .channel = c, .row = row,
                                   .epoch = c->epoch };

        if (c->probing) {
            return;
        }
    }
}


/* into takes, which holds DEPART_ROWS; how many */

static size_t
sender_choose(sender_t *s, take_t *takes, int64_t *wait_us)
{
    static const tomo_via_e  order[] = {
        TOMO_VIA_REPLY, TOMO_VIA_PROFILE, TOMO_VIA_PUSH, TOMO_VIA_MULTICAST
    };

    size_t  n = 0, most = DEPART_ROWS;
    size_t  away = wire_flying(s->wire) + sender_preparing(s);

    /* a token's or quota's request may have taken the last place already */
    if (away >= WIRE_FLYING_MAX) {
        most = 0;

    } else if (most > WIRE_FLYING_MAX - away) {
        most = WIRE_FLYING_MAX - away;
    }

    for (size_t v = 0; v < sizeof(order) / sizeof(order[0]); v++) {
        /* another account begins each time: none can starve the others */
        for (size_t i = 0; i < s->n_channels; i++) {
            channel_t  *c = &s->channels[(s->first + i) % s->n_channels];

            if (c->owned) {
                sender_choose_via(s, c, order[v], takes, &n, most,
                                  wait_us);
            }
        }
    }

    s->first = (s->first + 1) % s->n_channels;

    return n;
}


/* what Redis keeps of the access token, while no errand uses the connection */

static void
sender_access_kept(sender_t *s, channel_t *c)
{
    if (!c->loaded) {
        c->loaded = true;
        access_load(&c->access, c->ac, s->vault, s->redis);
    }

    if (c->access.unkept) {
        access_keep(&c->access, c->ac, s->vault, s->redis);
    }
}


static void
sender_access(sender_t *s, channel_t *c, int64_t now_ms, int64_t now_us)
{
    if ((!c->loaded || c->access.unkept) && !errand_busy(s->errand)) {
        sender_access_kept(s, c);
    }

    if (!c->loaded) {
        return;
    }

    if (access_usable(&c->access, now_ms)) {
        quota_ask(&c->quota, &c->access, s->wire, &c->quota_flight);
    }

    /* refused: the next turn tries again */
    if (access_due(&c->access, now_ms, now_us)) {
        (void) !access_ask(&c->access, c->ac, s->wire, &c->flight);
    }
}


size_t
sender_preparing(const sender_t *s)
{
    size_t  n = 0;

    for (size_t i = 0; i < SENDER_DEPARTS; i++) {
        n += s->departs[i].state == DEPART_FREE ? 0 : s->departs[i].n;
    }

    return n;
}


void
sender_collect(sender_t *s)
{
    for (size_t i = 0; i < SENDER_DEPARTS; i++) {
        depart_turn(s, &s->departs[i]);
    }
}


/* the next batch, if there is a place for it and something to send */

static void
sender_start(sender_t *s, int64_t *wait_us)
{
    depart_t  *b = NULL;

    for (size_t i = 0; i < SENDER_DEPARTS && b == NULL; i++) {
        b = s->departs[i].state == DEPART_FREE ? &s->departs[i] : NULL;
    }

    if (b == NULL) {
        return;
    }

    b->n = sender_choose(s, b->takes, wait_us);

    if (b->n > 0) {
        depart_start(s, b);
        *wait_us = errand_busy(s->errand) ? *wait_us : 0;
    }
}


void
sender_end(sender_t *s)
{
    s->ending = true;

    for (size_t i = 0; i < SENDER_DEPARTS; i++) {
        depart_end(s, &s->departs[i]);
    }

    wire_give_up(s->wire);
}


void
sender_turn(sender_t *s, int64_t *wait_us)
{
    int64_t  now_ms = clock_now_ms(), now_us = clock_mono_us(), next_us;

    s->rows = 0;

    for (size_t i = 0; i < s->n_channels; i++) {
        channel_t  *c = &s->channels[i];

        s->rows += c->queue.n;

        if (!c->owned) {
            continue;
        }

        channel_tick(c, now_ms, now_us);
        sender_access(s, c, now_ms, now_us);
        queue_tick(&c->queue, now_us, &next_us);

        if (next_us != INT64_MAX && next_us - now_us < *wait_us) {
            *wait_us = next_us - now_us;
        }
    }

    /* connecting is the loop's: it looks first what Redis came back as */
    if (!s->stopping && !errand_busy(s->errand) && redis_fd(s->redis) >= 0) {
        sender_start(s, wait_us);
    }
}
