#include "doctor.h"

#include <string.h>

#include "ask.h"
#include "host.h"
#include "history.h"
#include "tomo_codec.h"

#define DOCTOR_TIMEOUT_MS  5000
#define DOCTOR_TEXT        2048

/* LINE tells the first by no API (LINE.md 4), so nobody can look for you */
static const char *const  doctor_reminders[] = {
    "In LINE's console, Messaging API: switch webhook redelivery on",
    "In LINE's console, Messaging API: switch error statistics on, and look",
};


/* the folder of Redis' files, into dir; false: not told */

static bool
doctor_redis_dir(redis_t *r, char *dir, size_t size)
{
    bool         ok;
    tomo_str_t   text;
    redisReply  *reply = redis_call_c(r, "CONFIG", "GET", "dir", NULL);

    text = redis_str(redis_at(reply, 1));
    ok = text.len > 0 && text.len < size;

    if (ok) {
        memcpy(dir, text.data, text.len);
        dir[text.len] = '\0';
    }

    freeReplyObject(reply);

    return ok;
}


/* *why: NULL, or why Redis could not be asked */

static void
doctor_look(const conf_t *conf, tomo_doctor_facts_t *f, const char **why)
{
    char     dir[DOCTOR_TEXT];
    bool     known = false;
    redis_t  redis;

    ask_begin(f, conf);
    redis_init(&redis, conf, "doctor", DOCTOR_TIMEOUT_MS);
    *why = NULL;

    if (redis_up(&redis) != TOMO_OK) {
        *why = "does not answer, or refuses user and password: see the line "
               "above";

    } else if (ask_settings(&redis, f) == TOMO_AGAIN) {
        *why = f->loading ? "is still loading its file: wait"
                          : "broke off: look at its log";

    } else if (ask_probe(&redis, f) != TOMO_OK
               || ask_rights(&redis, f) != TOMO_OK)
    {
        *why = "broke off: look at its log";

    } else {
        known = doctor_redis_dir(&redis, dir, sizeof(dir));
        history_look(f, conf, &redis);
    }

    host_look(f, conf, known ? dir : NULL);
    redis_close(&redis);
}


static void
doctor_text(const tomo_doctor_facts_t *f, FILE *out)
{
    tomo_doctor_e  verdict;

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        const tomo_doctor_row_t  *row = tomo_doctor_row(
                                            (tomo_doctor_row_e) i);

        verdict = tomo_doctor_judge((tomo_doctor_row_e) i, f);
        fprintf(out, "%-4s  %-27s  %s", tomo_doctor_word(verdict), row->item,
                verdict == TOMO_DOCTOR_NONE ? "not seen"
                                            : f->values[i].text);

        if (verdict >= TOMO_DOCTOR_WARN) {
            fprintf(out, "\n      wanted: %s\n      do: %s", row->wanted,
                    row->advice);
        }

        fputc('\n', out);
    }
}


static void
doctor_quoted(FILE *out, const char *name, const char *value)
{
    uint8_t     text[DOCTOR_TEXT];
    tomo_buf_t  b;

    tomo_buf_init(&b, text, sizeof(text));
    tomo_json_put(&b, tomo_str_c(value));
    fprintf(out, "\"%s\":%.*s", name, (int) b.len, (const char *) b.data);
}


static void
doctor_json(const tomo_doctor_facts_t *f, FILE *out)
{
    tomo_doctor_e  verdict;

    fputs("{\"rows\":[", out);

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        const tomo_doctor_row_t  *row = tomo_doctor_row(
                                            (tomo_doctor_row_e) i);

        verdict = tomo_doctor_judge((tomo_doctor_row_e) i, f);
        fputs(i == 0 ? "{" : ",\n{", out);
        doctor_quoted(out, "item", row->item);
        fputc(',', out);
        doctor_quoted(out, "asked", row->name);
        fputc(',', out);
        doctor_quoted(out, "wanted", row->wanted);
        fputc(',', out);
        doctor_quoted(out, "verdict", tomo_doctor_word(verdict));

        if (verdict != TOMO_DOCTOR_NONE) {
            fputc(',', out);
            doctor_quoted(out, "observed", f->values[i].text);
        }

        if (verdict >= TOMO_DOCTOR_WARN) {
            fputc(',', out);
            doctor_quoted(out, "advice", row->advice);
        }

        fputc('}', out);
    }

    fputs("],\n\"reminders\":[", out);

    for (size_t i = 0; i < 2; i++) {
        fprintf(out, "%s\"%s\"", i == 0 ? "" : ",", doctor_reminders[i]);
    }

    fputs("],\n", out);
}


int
doctor_run(const conf_t *conf, bool json, FILE *out)
{
    size_t               n[4] = { 0 };
    const char          *why;
    tomo_doctor_facts_t  f;

    doctor_look(conf, &f, &why);

    for (size_t i = 0; i < TOMO_DOCTOR_ROW_END; i++) {
        n[tomo_doctor_judge((tomo_doctor_row_e) i, &f)]++;
    }

    if (why != NULL) {
        n[TOMO_DOCTOR_FAIL]++;
    }

    if (json) {
        doctor_json(&f, out);

        if (why != NULL) {
            doctor_quoted(out, "redis", why);
            fputs(",\n", out);
        }

        fprintf(out, "\"pass\":%zu,\"warn\":%zu,\"fail\":%zu}\n",
                n[TOMO_DOCTOR_PASS], n[TOMO_DOCTOR_WARN],
                n[TOMO_DOCTOR_FAIL]);

    } else {
        doctor_text(&f, out);

        if (why != NULL) {
            fprintf(out, "FAIL  Redis %s\n", why);
        }

        for (size_t i = 0; i < 2; i++) {
            fprintf(out, "      %s\n", doctor_reminders[i]);
        }

        fprintf(out, "%zu PASS, %zu WARN, %zu FAIL\n", n[TOMO_DOCTOR_PASS],
                n[TOMO_DOCTOR_WARN], n[TOMO_DOCTOR_FAIL]);
    }

    if (n[TOMO_DOCTOR_FAIL] > 0) {
        return 2;
    }

    return n[TOMO_DOCTOR_WARN] > 0 ? 1 : 0;
}
