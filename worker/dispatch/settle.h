/*
 * settle: how rows end: the verdict into the journal, the row out of memory.
 * Also what an answer that ends nothing brings: wait, renew, pause.
 */

#ifndef SETTLE_H
#define SETTLE_H

#include "sender.h"

/* without asking LINE (again) */
void settle_untried(sender_t *s, channel_t *c, row_t *row, tomo_send_e send,
    const char *why);
/* as in its former life */
void settle_again(sender_t *s, channel_t *c, row_t *row,
    const sendjournal_life_t *life);
void settle_broken(sender_t *s, channel_t *c, tomo_str_t id, uint64_t id_ms,
    uint64_t id_seq, const char *why);

#endif
