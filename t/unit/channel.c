/*
 * dispatch/channel: a channel reaches the rate that was set for it, and no
 * second sees more (D8).
 */

#include "unit.h"
#include "worker/dispatch/channel.h"

#define SECONDS  20
#define TICK_US  1000


static channel_t  channel;


/* a channel with a row to push and nothing that forbids it */

static void
begin(const conf_account_t *ac, const lease_self_t *self, int64_t rate)
{
    row_t  *row = calloc(1, sizeof(*row));

    channel_init(&channel, ac, self, rate, 0);
    channel.access.len = 1;
    channel.access.until_ms = INT64_MAX;

    assert_non_null(row);
    row->via = TOMO_VIA_PUSH;
    row->friend = 1;
    queue_add(&channel.queue, row);
}


/*
 * Looks each turn, as the loop does; what goes leaves `held` turns later, one
 * in fifty much later.  When each left; how many.
 */

static size_t
run(int64_t *left_us, int64_t held)
{
    size_t   n = 0, on = 0;
    int64_t  leave[512], wait;

    for (int64_t now = 0; now < SECONDS * INT64_C(1000000); now += TICK_US) {
        for (size_t i = 0; i < on; i++) {
            if (leave[i] <= now) {
                channel_leave(&channel, TOMO_VIA_PUSH, now);
                left_us[n++] = now;
                leave[i--] = leave[--on];
            }
        }

        while (on < UNIT_N(leave)
               && channel_open(&channel, TOMO_VIA_PUSH, 1, now, &wait))
        {
            channel_spend(&channel, TOMO_VIA_PUSH, now);
            leave[on++] = now + TICK_US * (n % 50 == 49 ? 20 * held : held);
        }
    }

    return n;
}


static void
reaches_its_rate(void **state)
{
    size_t           n, from;
    conf_account_t   ac = { .id = "demo" };
    lease_self_t     self = { .fd = -1 };
    static int64_t   left[SECONDS * 2000];
    static int64_t   rates[] = { 1, 2, 3, 4, 5, 7, 9, 10, 20, 39, 60, 99, 100,
                                 1900 };

    static int64_t   held_ms[] = { 0, 3, 20 };
    static int64_t   percent[] = { 94, 89, 75 };

    (void) state;

    for (size_t i = 0; i < UNIT_N(rates); i++) {
        /* small rates: also when rows are held up on their way */
        for (size_t h = 0; h < (rates[i] < CHANNEL_PACED ? 3 : 1); h++) {
            int64_t  held = held_ms[h];

            begin(&ac, &self, rates[i]);
            n = run(left, held);
            print_message("# %lld a second, held up %lld ms: %zu in %d s\n",
                          (long long) rates[i], (long long) held, n, SECONDS);

            for (size_t k = from = 0; k < n; k++) {
                for ( ; left[k] - left[from] >= 1000000; from++) {
                    /* a second ends with k */
                }

                assert_true((int64_t) (k - from) < rates[i]);
            }

            /* a twentieth is kept free, and the first second is another's */
            assert_true((int64_t) n >= rates[i] * (SECONDS - 1)
                                       * percent[h] / 100 - 1);
            channel_free(&channel);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(reaches_its_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
