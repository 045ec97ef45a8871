/*
 * LINE's answers (B87): whatever LINE says, a verdict comes of it that can be
 * read, and a decision that never repeats what may have gone out without a
 * key.  Way, status and attempt come from the first bytes, the body from the
 * rest.
 */

#include "fuzz.h"
#include "tomo_rec.h"
#include "worker/dispatch/lineapi.h"


static uint8_t  line[1 << 20], memory[1 << 20];


static void
told(const row_t *row, const verdict_t *v)
{
    size_t         i;
    tomo_buf_t     b;
    tomo_rec_t     rec;
    tomo_arena_t   a;

    tomo_buf_init(&b, line, sizeof(line));
    verdict_put(&b, row, v, 1700000000000);
    FUZZ_HOLDS(!b.failed && b.len < 16384);
    tomo_arena_init(&a, memory, sizeof(memory));
    FUZZ_HOLDS(tomo_rec_parse(tomo_buf_str(&b), &a, &rec) == TOMO_OK);
    FUZZ_HOLDS(tomo_rec_get(&rec, "row") != NULL);

    for (i = 0; i < rec.n; i++) {
        FUZZ_HOLDS(tomo_rec_get(&rec, "name") == NULL
                   || tomo_rec_get(&rec, "name")->len <= VERDICT_NAME_MAX);
    }
}


static void
decided(const row_t *row, const wire_answer_t *answer, tomo_429_e why,
    uint8_t dice)
{
    tomo_send_plan_t    plan;
    tomo_send_result_t  r;

    memset(&r, 0, sizeof(r));
    r.via = row->via;
    r.status = answer->status;
    r.unsent = answer->unsent;
    r.why = why;
    r.attempt = row->attempt;
    r.unknown_before = (dice & 1) != 0;
    r.first_ms = row->first_ms;
    r.token_ms = row->token_ms;
    r.now_ms = row->first_ms + (int64_t) dice * 20 * TOMO_MIN_MS;
    r.renewals = dice >> 7;
    r.dice = dice;
    plan = tomo_send_decide(&r);
    FUZZ_HOLDS(plan.next < TOMO_SEND_END);
    FUZZ_HOLDS(plan.next != TOMO_SEND_LATER || plan.at_ms >= r.now_ms);
    /* a reply's token is its own limit: LINE refuses it long before */
    FUZZ_HOLDS(plan.next != TOMO_SEND_LATER || row->via == TOMO_VIA_REPLY
               || plan.at_ms - r.first_ms < TOMO_SEND_GIVE_UP_MS);
    FUZZ_HOLDS(plan.next != TOMO_SEND_UNUSABLE || !r.unknown_before);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    row_t             row;
    verdict_t         v;
    wire_answer_t     answer;
    wire_request_t    request;
    static lineapi_t  api;

    if (size < 6) {
        return 0;
    }

    if (api.arena == NULL) {
        lineapi_init(&api);
    }

    memset(&row, 0, sizeof(row));
    memset(&answer, 0, sizeof(answer));
    memcpy(row.id, "1-1", 4);
    row.via = (tomo_via_e) (data[0] % TOMO_VIA_END);
    row.attempt = 1 + data[1] % 8;
    row.first_ms = 1700000000000;
    row.serials = tomo_str("1,2,3");
    answer.status = data[2] == 0 ? 0 : 100 + (data[2] * 256 + data[3]) % 500;
    answer.unsent = answer.status == 0 && (data[3] & 1) != 0;
    answer.cause = "timeout";
    answer.body = tomo_str_n(data + 6, size - 6);
    lineapi_answer(&api, &row, &answer, &v);
    v.send = (tomo_send_e) (data[4] % TOMO_SEND_END);
    v.has_frozen = (data[4] & 128) != 0;
    told(&row, &v);
    decided(&row, &answer,
            (data[5] & 1) != 0 ? TOMO_429_MONTH : TOMO_429_RATE, data[5]);

    /* the same bytes as a row of the outbox: refused, or a request of LINE's */
    row.to = row.token = answer.body;
    row.body = tomo_str("[]");
    (void) lineapi_request(&api, &row, answer.body, &request);
    FUZZ_HOLDS(request.path != NULL || row.via == TOMO_VIA_PROFILE);

    return 0;
}
