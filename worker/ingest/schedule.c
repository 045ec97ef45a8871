#include "schedule.h"

#include "tomo_keys.h"


static tomo_str_t
schedule_member(decision_t *d, uint32_t serial, timer_e kind, uint32_t no)
{
    uint8_t         text[32];
    tomo_buf_t      b;
    timer_member_t  t = { .serial = serial, .kind = kind, .no = no };

    tomo_buf_init(&b, text, sizeof(text));
    timer_put(&b, &t);

    return tomo_arena_dup(d->arena, tomo_buf_str(&b));
}


void
schedule_put(decision_t *d, timer_e kind, uint32_t no, int64_t due_ms)
{
    commit_op(d->c, 'z', decision_key(d, tomo_key_sched));
    commit_arg_i64(d->c, due_ms);
    commit_arg(d->c, schedule_member(d, d->f->serial, kind, no));
    commit_end(d->c);
}


void
schedule_remove(decision_t *d, tomo_str_t member)
{
    commit_op(d->c, 'y', decision_key(d, tomo_key_sched));
    commit_arg(d->c, member);
    commit_end(d->c);
}


void
schedule_drop_of(decision_t *d, uint32_t serial, timer_e kind, uint32_t no)
{
    schedule_remove(d, schedule_member(d, serial, kind, no));
}


void
schedule_drop(decision_t *d, timer_e kind, uint32_t no)
{
    schedule_drop_of(d, d->f->serial, kind, no);
}
