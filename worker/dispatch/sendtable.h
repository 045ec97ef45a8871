/*
 * sendtable: the two tables of the send journal in memory: names that were
 * tried, rows that are settled.  For sendjournal.c alone; no files here.
 *
 * Entries leave 7 days after they came or were loaded (monotonic time), so a
 * sandbox clock that jumps forgets nothing.
 */

#ifndef SENDTABLE_H
#define SENDTABLE_H

#include "sendjournal.h"

typedef struct sendtable_name_s  sendtable_name_t;
typedef struct sendtable_row_s   sendtable_row_t;

typedef struct {
    sendtable_name_t  *names;
    sendtable_row_t   *rows;
} sendtable_t;

void sendtable_free(sendtable_t *t);
size_t sendtable_names(const sendtable_t *t);
size_t sendtable_rows(const sendtable_t *t);

const sendjournal_life_t *sendtable_find(const sendtable_t *t,
    const uint8_t *name);
sendtable_name_t *sendtable_attempt(sendtable_t *t, const uint8_t *name,
    tomo_via_e via, int64_t first_ms, uint32_t attempts);
/* the first recipients of a multicast stay */
void sendtable_freeze(sendtable_name_t *n, tomo_str_t serials,
    tomo_str_t to);
void sendtable_void(sendtable_t *t, const uint8_t *name);
/* UNUSABLE settles nothing: the push that follows has the same name */
void sendtable_settle(sendtable_t *t, const uint8_t *name, tomo_send_e send,
    int status, uint32_t attempts, int64_t first_ms);

void sendtable_settle_row(sendtable_t *t, uint32_t account, uint64_t id_ms,
    uint64_t id_seq);
bool sendtable_is_settled(const sendtable_t *t, uint32_t account,
    uint64_t id_ms, uint64_t id_seq);

void sendtable_tidy(sendtable_t *t);

#endif
