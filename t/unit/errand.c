/* dispatch/errand: a blocking call beside the loop, one at a time. */

#include "unit.h"
#include "worker/dispatch/errand.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>


typedef struct {
    int     go[2];              /* a byte lets the call end */
    int     runs;
    bool    masked;
} work_t;


static work_t     work;
static errand_t  *errand;
static int        event_fd;


static int
begin(void **state)
{
    (void) state;
    memset(&work, 0, sizeof(work));
    event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    errand = errand_new(event_fd, "test");

    return event_fd < 0 || errand == NULL || pipe(work.go) != 0;
}


static int
end(void **state)
{
    (void) state;
    errand_free(errand);
    close(event_fd);
    close(work.go[0]);
    close(work.go[1]);

    return 0;
}


static void
held(void *data)
{
    char      byte;
    work_t   *w = data;
    sigset_t  mask;

    (void) pthread_sigmask(SIG_SETMASK, NULL, &mask);
    w->masked = sigismember(&mask, SIGTERM) == 1;
    w->runs += read(w->go[0], &byte, 1) == 1;
}


static void
let_go(void)
{
    assert_int_equal(write(work.go[1], "x", 1), 1);
}


static bool
told(int timeout_ms)
{
    uint64_t       n = 0;
    struct pollfd  fd = { .fd = event_fd, .events = POLLIN };

    return poll(&fd, 1, timeout_ms) == 1
           && read(event_fd, &n, sizeof(n)) == (ssize_t) sizeof(n) && n > 0;
}


/* the loop goes on meanwhile, and an event tells it of the end */
static void
runs_beside_the_loop(void **state)
{
    (void) state;
    assert_false(errand_busy(errand));
    errand_start(errand, held, &work);
    assert_true(errand_busy(errand));
    assert_false(errand_stuck(errand));
    assert_false(told(0));
    assert_int_equal(work.runs, 0);

    let_go();
    assert_true(told(60000));
    assert_false(errand_busy(errand));
    assert_int_equal(work.runs, 1);
    assert_true(work.masked);
}


static void
one_after_the_other(void **state)
{
    (void) state;

    for (int i = 0; i < 1000; i++) {
        errand_start(errand, held, &work);
        let_go();
        errand_wait(errand);
        assert_false(errand_busy(errand));
        assert_int_equal(work.runs, i + 1);
    }

    /* events add up: one look is enough for all */
    assert_true(told(60000));
    assert_false(told(0));
    errand_wait(errand);
}


/* what it works on must outlive it */
static void
its_end_waits_for_the_call(void **state)
{
    (void) state;
    errand_start(errand, held, &work);
    let_go();
    errand_free(errand);
    assert_int_equal(work.runs, 1);
    errand_free(NULL);
    errand = errand_new(event_fd, "test");
    assert_non_null(errand);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(runs_beside_the_loop, begin, end),
        cmocka_unit_test_setup_teardown(one_after_the_other, begin, end),
        cmocka_unit_test_setup_teardown(its_end_waits_for_the_call, begin,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
