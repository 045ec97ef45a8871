/*
 * lineapi: a row as a request of LINE's Messaging API, and LINE's answer as a
 * verdict (LINE.md 10, 13, 16).  Pure but for a scratch that it owns.
 */

#ifndef LINEAPI_H
#define LINEAPI_H

#include "verdict.h"
#include "wire.h"

typedef struct {
    uint8_t  *body;             /* of the request, grows */
    size_t    cap;
    uint8_t  *arena;            /* of the answer's tree */
    char      path[160];
    uint8_t   name[VERDICT_NAME_MAX];
} lineapi_t;

void lineapi_init(lineapi_t *l);
void lineapi_free(lineapi_t *l);

/*
 * Fills *request (views live until the next call) but for its bearer.
 * to: recipients of a multicast joined by commas, else ignored.
 * Returns NULL, or why LINE would refuse the row (static text).
 */
const char *lineapi_request(lineapi_t *l, const row_t *row, tomo_str_t to,
    wire_request_t *request);

/*
 * Reads an answer into *v (all but v->send and the frozen list).  Views live
 * until the next call or the answer's end.  A body that cannot be read is no
 * fault: the status decides (B87).
 */
void lineapi_answer(lineapi_t *l, const row_t *row,
    const wire_answer_t *answer, verdict_t *v);

#endif
