#include "sendsync.h"


static void
sendsync_wait(void *data)
{
    errand_wait(data);
}


static void
sendsync_write(void *data)
{
    journal_part_write(data);
}


void
sendsync_init(sendsync_t *s, journal_t *journal, errand_t *errand)
{
    s->journal = journal;
    s->errand = errand;
    journal_part_by(journal, sendsync_wait, errand);
}


tomo_rc_e
sendsync_turn(sendsync_t *s)
{
    tomo_rc_e  rc;

    if (errand_busy(s->errand)) {
        return TOMO_OK;
    }

    rc = journal_part_end(s->journal);

    if (rc == TOMO_OK && journal_part_begin(s->journal)) {
        errand_start(s->errand, sendsync_write, s->journal);
    }

    return rc;
}


uint64_t
sendsync_last(const sendsync_t *s)
{
    return journal_next_seq(s->journal) - 1;
}


bool
sendsync_is_durable(const sendsync_t *s, uint64_t last)
{
    return journal_last_seq(s->journal) >= last;
}
