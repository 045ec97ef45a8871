/*
 * dispatch/depart: from what take said to a request: journalled, synced, and
 * let go only if nothing forbids it by then.  The journal and libcurl are real;
 * nothing is connected to.
 */

#include "unit.h"
#include "folder.h"
#include "clock.h"
#include "worker/dispatch/sender.h"

#include <sys/eventfd.h>
#include <unistd.h>


static sender_t         sender;
static channel_t        channel;
static conf_t           conf;
static conf_account_t   account = { .id = "demo", .number = 1 };
static lease_self_t     self = { .fd = -1 };
static int              event_fd;
static uint64_t         last_row;


static int
begin(void **state)
{
    sender_t  *s = &sender;

    if (make_folder(state) != 0) {
        return 1;
    }

    memset(s, 0, sizeof(*s));
    conf = (conf_t) { .journal = folder, .accounts = &account,
                      .n_accounts = 1,
                      .line_url = (char *) "https://127.0.0.1:1" };
    event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->conf = &conf;
    s->journal = sendjournal_open(&conf);
    s->wire = wire_new(&conf, sender_done, s);
    s->errand = errand_new(event_fd, "test");
    lineapi_init(&s->lineapi);
    sendsync_init(&s->sync, sendjournal_journal(s->journal),
                  errand_new(event_fd, "test"));

    channel_init(&channel, &account, &self, 1000000, 0);
    channel.access.len = 1;
    channel.access.until_ms = INT64_MAX;
    channel.owned = true;
    channel.lease.held = true;
    channel.lease.asked_us = clock_mono_us();
    s->channels = &channel;
    s->n_channels = 1;

    return 0;
}


static int
end(void **state)
{
    errand_free(sender.errand);
    errand_free(sender.sync.errand);
    wire_free(sender.wire);
    channel_free(&channel);
    lineapi_free(&sender.lineapi);
    free(sender.line);
    sendjournal_close(sender.journal);
    close(event_fd);

    return remove_folder(state);
}


/* a row that was chosen and asked for; take said that word */

static row_t *
taken(depart_t *b, tomo_via_e via, take_word_e word)
{
    row_t  *row = calloc(1, sizeof(*row));

    assert_non_null(row);
    row->id_ms = ++last_row;
    snprintf(row->id, sizeof(row->id), "%llu-0",
             (unsigned long long) last_row);
    row->via = via;
    row->friend = (uint32_t) last_row;
    row->to = tomo_str("U1");
    row->token = tomo_str("token");
    row->body = tomo_str("[]");
    memcpy(row->name, &last_row, sizeof(last_row));
    queue_add(&channel.queue, row);
    assert_ptr_equal(queue_choose(&channel.queue, via), row);
    channel_spend(&channel, via, clock_mono_us());

    b->n = b->state == DEPART_FREE ? 0 : b->n;
    b->state = DEPART_TAKING;
    b->takes[b->n++] = (take_t) { .channel = &channel, .row = row,
                                  .epoch = channel.epoch, .word = word };

    return row;
}


static bool
is_open(const row_t *row)
{
    const sendjournal_life_t  *life = sendjournal_find(sender.journal,
                                                       row->name);

    return life != NULL && life->open;
}


static void
synced(depart_t *b)
{
    assert_int_equal(sendjournal_sync(sender.journal), TOMO_OK);
    depart_turn(&sender, b);
    assert_int_equal(b->state, DEPART_FREE);
    assert_int_equal(channel.spent[TOMO_VIA_PUSH], 0);
    assert_false(sender.failed);
}


/* no request before its attempt is on the disk */
static void
goes_when_it_is_durable(void **state)
{
    row_t     *row;
    depart_t   b = { 0 };

    (void) state;
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    assert_int_equal(b.state, DEPART_SYNCING);
    assert_true(is_open(row));
    assert_int_equal(row->attempt, 1);
    assert_true(row->first_ms > 0);

    depart_turn(&sender, &b);
    assert_int_equal(wire_flying(sender.wire), 0);
    synced(&b);
    assert_int_equal(wire_flying(sender.wire), 1);
    assert_int_equal(row->state, ROW_FLYING);
    assert_true(is_open(row));
}


static void
what_take_refused_stays(void **state)
{
    row_t     *blocked, *lost, *unknown;
    uint64_t   settled;
    depart_t   b = { 0 };

    (void) state;
    taken(&b, TOMO_VIA_PUSH, TAKE_GONE);
    blocked = taken(&b, TOMO_VIA_PUSH, TAKE_BLOCKED);
    settled = blocked->id_ms;
    lost = taken(&b, TOMO_VIA_PUSH, TAKE_LEASE);
    unknown = taken(&b, TOMO_VIA_PUSH, TAKE_UNKNOWN);
    depart_turn(&sender, &b);

    assert_int_equal(b.state, DEPART_FREE);
    assert_int_equal(channel.spent[TOMO_VIA_PUSH], 0);
    assert_int_equal(channel.queue.n, 2);
    assert_true(sendjournal_is_settled(sender.journal, 1, settled, 0));
    assert_int_equal(lost->state, ROW_TIMED);
    assert_int_equal(unknown->state, ROW_TIMED);
    assert_int_equal(lost->attempt + unknown->attempt, 0);
    assert_false(channel.lease.held);
    assert_int_equal(channel.fenced, 1);
    assert_int_equal(wire_flying(sender.wire), 0);
}


static void
a_pause_of_another_process_counts(void **state)
{
    row_t     *row;
    depart_t   b = { 0 };

    (void) state;
    row = taken(&b, TOMO_VIA_PUSH, TAKE_PAUSE);
    b.takes[0].pause_ms = clock_now_ms() + 60000;
    depart_turn(&sender, &b);
    assert_int_equal(row->state, ROW_TIMED);
    assert_true(channel.pause_ms == b.takes[0].pause_ms);
    assert_false(is_open(row));
}


/* between the sync and the request: held back, as if it was never tried */

static void
held_back(depart_t *b, row_t *row)
{
    synced(b);
    assert_int_equal(wire_flying(sender.wire), 0);
    assert_int_equal(row->state, ROW_TIMED);
    assert_int_equal(row->attempt, 0);
    assert_true(row->first_ms == 0);
    assert_false(is_open(row));
}


/* D5 */
static void
a_lease_that_lapsed_holds_back(void **state)
{
    row_t     *row;
    depart_t   b = { 0 };

    (void) state;

    /* it ran out */
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    channel.lease.asked_us -= INT64_C(15000000);
    held_back(&b, row);
    assert_int_equal(channel.fenced, 1);

    /* it ran out, and is ours again */
    channel.lease.asked_us = clock_mono_us();
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    channel.lease.fresh = true;
    channel_leased(&channel, TOMO_OK);
    held_back(&b, row);
    assert_int_equal(channel.fenced, 2);

    /* nobody answered, and then it is as it was: who knows */
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    channel.lease.fresh = false;
    channel_leased(&channel, TOMO_AGAIN);
    channel_leased(&channel, TOMO_OK);
    held_back(&b, row);

    /* renewed in time */
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    channel_leased(&channel, TOMO_OK);
    synced(&b);
    assert_int_equal(row->state, ROW_FLYING);
    assert_int_equal(channel.fenced, 3);
}


static void
what_became_known_meanwhile_holds_back(void **state)
{
    row_t     *row;
    depart_t   b = { 0 };

    (void) state;

    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    sender.held = true;
    held_back(&b, row);
    sender.held = false;

    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    (void) channel_pause(&channel, clock_now_ms() + 60000, false,
                         clock_now_ms());
    held_back(&b, row);

    /* a reply is not counted */
    row = taken(&b, TOMO_VIA_REPLY, TAKE_OK);
    depart_turn(&sender, &b);
    synced(&b);
    assert_int_equal(row->state, ROW_FLYING);
    assert_int_equal(channel.fenced, 0);
}


/* D11 */
static void
the_end_makes_it_void(void **state)
{
    row_t     *row, *doubt;
    depart_t   b = { 0 };

    (void) state;
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    doubt = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    doubt->unknown_before = true;
    depart_turn(&sender, &b);
    sender.stopping = true;
    depart_end(&sender, &b);
    held_back(&b, row);
    assert_true(is_open(doubt));

    /* not written down yet: it simply stays */
    row = taken(&b, TOMO_VIA_PUSH, TAKE_OK);
    depart_turn(&sender, &b);
    assert_int_equal(b.state, DEPART_FREE);
    assert_int_equal(row->state, ROW_TIMED);
    assert_null(sendjournal_find(sender.journal, row->name));
}


int
main(void)
{
#define DEPART_TEST(name)  cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest  tests[] = {
        DEPART_TEST(goes_when_it_is_durable),
        DEPART_TEST(what_take_refused_stays),
        DEPART_TEST(a_pause_of_another_process_counts),
        DEPART_TEST(a_lease_that_lapsed_holds_back),
        DEPART_TEST(what_became_known_meanwhile_holds_back),
        DEPART_TEST(the_end_makes_it_void),
    };
#undef DEPART_TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
