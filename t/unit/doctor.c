/*
 * tomo_doctor: what was seen → verdict, row by row (RELIABILITY.md 6, X1).
 */

#include "unit.h"

#include <string.h>

#include "tomo_doctor.h"

#define ROW(id)  TOMO_DOCTOR_ROW_##id
#define PASS     TOMO_DOCTOR_PASS
#define WARN     TOMO_DOCTOR_WARN
#define FAIL     TOMO_DOCTOR_FAIL

typedef struct {
    tomo_doctor_row_e  row;
    const char        *seen;
    tomo_doctor_e      verdict;
} case_t;

static const case_t  cases[] = {
    { ROW(VERSION), "7.0.15", PASS },
    { ROW(VERSION), "7.2.4", PASS },
    { ROW(VERSION), "8.0.0", PASS },
    { ROW(VERSION), "7.0.14", WARN },
    { ROW(VERSION), "7.0.5", WARN },
    { ROW(VERSION), "7.0.4", FAIL },
    { ROW(VERSION), "6.2.14", FAIL },
    { ROW(VERSION), "", FAIL },
    { ROW(VERSION), "7.0", FAIL },
    { ROW(VERSION), "seven", FAIL },
    { ROW(PACKAGE), "5:7.0.15-1~deb12u10", PASS },
    { ROW(PACKAGE), "5:7.0.15-1~deb12u11", PASS },
    { ROW(PACKAGE), "5:7.0.15-1~deb12u9", WARN },
    { ROW(PACKAGE), "5:7.0.15-1build1", PASS },
    { ROW(ROLE), "master", PASS },
    { ROW(ROLE), "slave", FAIL },
    { ROW(MODE), "standalone", PASS },
    { ROW(MODE), "cluster", FAIL },
    { ROW(MODE), "sentinel", FAIL },
    { ROW(CLUSTER), "0", PASS },
    { ROW(CLUSTER), "1", FAIL },
    { ROW(APPENDONLY), "1", PASS },
    { ROW(APPENDONLY), "0", FAIL },
    { ROW(APPENDFSYNC), "always", PASS },
    { ROW(APPENDFSYNC), "everysec", FAIL },
    { ROW(APPENDFSYNC), "no", FAIL },
    { ROW(REWRITE), "no", PASS },
    { ROW(REWRITE), "yes", FAIL },
    { ROW(AOF_WRITE), "ok", PASS },
    { ROW(AOF_WRITE), "err", FAIL },
    { ROW(AOF_REWRITE), "err", WARN },
    { ROW(TRUNCATED), "no", WARN },
    { ROW(SAVE), "3600 1", PASS },
    { ROW(SAVE), "", WARN },
    { ROW(SAVING), "err", WARN },
    { ROW(BGSAVE), "no", WARN },
    { ROW(MAXMEMORY), "0", FAIL },
    { ROW(MAXMEMORY), "536870912", PASS },
    { ROW(POLICY), "noeviction", PASS },
    { ROW(POLICY), "allkeys-lru", FAIL },
    { ROW(POLICY), "volatile-ttl", FAIL },
    { ROW(EVICTED), "0", PASS },
    { ROW(EVICTED), "17", WARN },
    { ROW(LISTPACK), "1024", PASS },
    { ROW(LISTPACK), "4096", PASS },
    { ROW(LISTPACK), "64", FAIL },
    { ROW(INTSET), "16384", PASS },
    { ROW(INTSET), "512", FAIL },
    { ROW(NODES), "1", PASS },
    { ROW(NODES), "100", WARN },
    { ROW(REPLICAS), "0", PASS },
    { ROW(LAG), "60", PASS },
    { ROW(CLOCK), "0", PASS },
    { ROW(CLOCK), "2000", PASS },
    { ROW(CLOCK), "2001", WARN },
    { ROW(CLOCK), "-2001", WARN },
    { ROW(CLOCK), "60000", WARN },
    { ROW(CLOCK), "60001", FAIL },
    { ROW(CLOCK), "-60001", FAIL },
    { ROW(SETTINGS), "yes", PASS },
    { ROW(SETTINGS), "NOPERM", FAIL },
    { ROW(USER), "worker", PASS },
    { ROW(USER), "default", WARN },
    { ROW(FORBIDDEN), "NOPERM", PASS },
    { ROW(FORBIDDEN), "allowed", WARN },
    { ROW(ADDRESS), "local", PASS },
    { ROW(ADDRESS), "remote", WARN },
    { ROW(PROBE), "read back", PASS },
    { ROW(PROBE), "not read back", FAIL },
    { ROW(PROBE), "OOM", FAIL },
    { ROW(PROBE), "NOREPLICAS", FAIL },
    { ROW(PROBE), "READONLY", FAIL },
    { ROW(ROLLBACK), "goes on", PASS },
    { ROW(ROLLBACK), "began", PASS },
    { ROW(ROLLBACK), "behind what it acknowledged", WARN },
    { ROW(AOF_DISK), "20 % free", PASS },
    { ROW(AOF_DISK), "19 % free", WARN },
    { ROW(JOURNAL_DISK), "0 % free", WARN },
    { ROW(JOURNAL), "a disk", PASS },
    { ROW(JOURNAL), "tmpfs", FAIL },
    { ROW(APART), "apart", PASS },
    { ROW(APART), "on one file system", WARN },
    { ROW(OVERCOMMIT), "1", PASS },
    { ROW(OVERCOMMIT), "0", WARN },
    { ROW(OVERCOMMIT), "2", WARN },
    { ROW(HUGEPAGES), "always [madvise] never", PASS },
    { ROW(HUGEPAGES), "always madvise [never]", PASS },
    { ROW(HUGEPAGES), "[always] madvise never", WARN },
};


static tomo_doctor_e
judged(tomo_doctor_facts_t *f, tomo_doctor_row_e row, const char *seen)
{
    tomo_doctor_see(f, row, tomo_str_c(seen));

    return tomo_doctor_judge(row, f);
}


static void
each_row_is_judged(void **state)
{
    bool  good[ROW(END)] = { false }, bad[ROW(END)] = { false };

    (void) state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const case_t         *c = &cases[i];
        tomo_doctor_facts_t   f = { 0 };

        if (judged(&f, c->row, c->seen) != c->verdict) {
            fail_msg("%s \"%s\": %s, not %s", tomo_doctor_row(c->row)->item,
                     c->seen,
                     tomo_doctor_word(tomo_doctor_judge(c->row, &f)),
                     tomo_doctor_word(c->verdict));
        }

        if (c->verdict == PASS) {
            good[c->row] = true;
        } else {
            bad[c->row] = true;
        }
    }

    /* four rows are good by default and bad beside others: tested below */
    for (size_t i = 0; i < ROW(END); i++) {
        bool  pair = i == ROW(MEMORY) || i == ROW(REPLICAS) || i == ROW(LAG);
        bool  only_bad = i == ROW(AOF_REWRITE) || i == ROW(TRUNCATED)
                         || i == ROW(SAVING) || i == ROW(BGSAVE)
                         || i == ROW(JOURNAL_DISK);

        assert_true(pair || bad[i]);
        assert_true(pair || only_bad || good[i]);
    }
}


static void
rows_beside_others(void **state)
{
    tomo_doctor_facts_t  f = { 0 };

    (void) state;

    assert_int_equal(tomo_doctor_judge(ROW(MEMORY), &f), TOMO_DOCTOR_NONE);

    f.memory = 1000;
    assert_int_equal(judged(&f, ROW(MAXMEMORY), "600"), PASS);
    assert_int_equal(judged(&f, ROW(MAXMEMORY), "700"), WARN);
    assert_int_equal(judged(&f, ROW(MAXMEMORY), "1000"), WARN);

    assert_int_equal(judged(&f, ROW(MEMORY), "749"), PASS);
    assert_int_equal(judged(&f, ROW(MEMORY), "750"), FAIL);
    judged(&f, ROW(MAXMEMORY), "0");
    assert_int_equal(judged(&f, ROW(MEMORY), "750"), PASS);

    f.replicas = 1;
    assert_int_equal(judged(&f, ROW(REPLICAS), "0"), FAIL);
    assert_int_equal(judged(&f, ROW(REPLICAS), "1"), PASS);
    assert_int_equal(judged(&f, ROW(LAG), "10"), PASS);
    assert_int_equal(judged(&f, ROW(LAG), "11"), FAIL);
    assert_int_equal(judged(&f, ROW(LAG), "0"), FAIL);

    f.relaxed = true;
    assert_int_equal(judged(&f, ROW(APPENDFSYNC), "everysec"), WARN);
    assert_int_equal(judged(&f, ROW(APPENDFSYNC), "no"), FAIL);
    f.assumed = true;
    assert_int_equal(judged(&f, ROW(SETTINGS), "NOPERM"), WARN);
    f.sandbox = true;
    assert_int_equal(judged(&f, ROW(JOURNAL), "tmpfs"), WARN);
}


static void
who_is_stopped(void **state)
{
    uint64_t             memory = UINT64_C(1) << ROW(MEMORY);
    uint64_t             clock = UINT64_C(1) << ROW(CLOCK);
    uint64_t             policy = UINT64_C(1) << ROW(POLICY);
    uint64_t             save = UINT64_C(1) << ROW(SAVE);
    tomo_doctor_facts_t  f = { 0 };

    (void) state;

    judged(&f, ROW(MAXMEMORY), "1000");
    judged(&f, ROW(MEMORY), "900");
    judged(&f, ROW(CLOCK), "61000");
    judged(&f, ROW(SAVE), "");

    /* a worker that stopped at three quarters could never drain it */
    assert_int_equal(tomo_doctor_stops(&f, TOMO_DOCTOR_SHIP), memory);
    assert_int_equal(tomo_doctor_stops(&f, TOMO_DOCTOR_WORK), 0);
    assert_int_equal(tomo_doctor_stops(&f, TOMO_DOCTOR_SEND), clock);
    assert_int_equal(tomo_doctor_warns(&f, TOMO_DOCTOR_WORK),
                     memory | clock | save);

    judged(&f, ROW(POLICY), "allkeys-lfu");
    assert_int_equal(tomo_doctor_stops(&f, TOMO_DOCTOR_WORK), policy);
}


static void
info_and_settings_are_found(void **state)
{
    tomo_str_t  info = tomo_str(
        "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"
        "run_id:0123456789012345678901234567890123456789\r\n"
        "# Memory\r\nused_memory:1500\r\ntotal_system_memory:8000\r\n"
        "# Replication\r\nrole:master\r\nconnected_slaves:2\r\nloading:1");
    tomo_doctor_facts_t  f = { 0 };

    (void) state;

    tomo_doctor_info(&f, info);
    assert_string_equal(f.values[ROW(VERSION)].text, "7.0.15");
    assert_string_equal(f.values[ROW(MODE)].text, "standalone");
    assert_string_equal(f.values[ROW(MEMORY)].text, "1500");
    assert_string_equal(f.run_id, "0123456789012345678901234567890123456789");
    assert_int_equal(f.memory, 8000);
    assert_int_equal(f.replicas, 2);
    assert_true(f.loading);
    assert_false(f.values[ROW(EVICTED)].seen);

    tomo_doctor_config(&f, tomo_str("maxmemory"), tomo_str("7"));
    tomo_doctor_config(&f, tomo_str("unheard-of"), tomo_str("7"));
    tomo_doctor_config(&f, tomo_str("role"), tomo_str("slave"));
    assert_string_equal(f.values[ROW(MAXMEMORY)].text, "7");
    assert_string_equal(f.values[ROW(ROLE)].text, "master");

    assert_null(tomo_doctor_field(info, "ole").data);
    assert_null(tomo_doctor_field(tomo_str(""), "role").data);
}


static void
a_line_says_all(void **state)
{
    char                 foreign[300];
    uint8_t              text[TOMO_DOCTOR_LINE];
    tomo_buf_t           b;
    tomo_doctor_facts_t  f = { 0 };

    (void) state;

    judged(&f, ROW(POLICY), "allkeys-lru");
    tomo_buf_init(&b, text, sizeof(text));
    tomo_doctor_line(&b, ROW(POLICY), &f);
    assert_true(tomo_str_eq(tomo_buf_str(&b), tomo_str(
        "maxmemory-policy is allkeys-lru, wanted noeviction: "
        "set `maxmemory-policy noeviction`")));

    /* what a stranger's Redis says is cut and cleaned; every line has room */
    memset(foreign, '\n', sizeof(foreign));

    for (size_t i = 0; i < ROW(END); i++) {
        tomo_doctor_see(&f, (tomo_doctor_row_e) i,
                        tomo_str_n(foreign, sizeof(foreign)));
        tomo_buf_reset(&b);
        tomo_doctor_line(&b, (tomo_doctor_row_e) i, &f);
        assert_false(b.failed);
        assert_null(memchr(b.data, '\n', b.len));
    }
}


/* TIME: a broken server's numbers are far apart, not out of range (B102) */

static void
clocks_are_compared(void **state)
{
    tomo_doctor_facts_t         f = { .loading = false };
    const tomo_doctor_value_t  *v = &f.values[ROW(CLOCK)];

    (void) state;

    tomo_doctor_clock(&f, 1000, 500000, 1000400, 1000600);
    assert_string_equal(v->text, "0");
    tomo_doctor_clock(&f, 1000, 0, 1003000, 1003001);
    assert_string_equal(v->text, "3000");
    tomo_doctor_clock(&f, 1005, 999999, 1000000, 1000999);
    assert_string_equal(v->text, "5000");

    tomo_doctor_clock(&f, INT64_MAX, INT64_MAX, 1000, 2000);
    assert_int_equal(tomo_doctor_judge(ROW(CLOCK), &f), FAIL);
    tomo_doctor_clock(&f, INT64_MIN, INT64_MIN, 100000, 200000);
    assert_string_equal(v->text, "100000");
    assert_int_equal(tomo_doctor_judge(ROW(CLOCK), &f), FAIL);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(each_row_is_judged),
        cmocka_unit_test(rows_beside_others),
        cmocka_unit_test(who_is_stopped),
        cmocka_unit_test(info_and_settings_are_found),
        cmocka_unit_test(a_line_says_all),
        cmocka_unit_test(clocks_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
