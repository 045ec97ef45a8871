#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "tomo_codec.h"
#include "tomo_utf8.h"

#define LOG_LINE_MAX  2000


static struct {
    const char  *role;
    bool         json;
    bool         journald;
    bool         debug;
} log_state = { .role = "worker" };


void
log_init(const char *role, bool json)
{
    log_state.role = role;
    log_state.json = json;
    log_state.journald = getenv("JOURNAL_STREAM") != NULL;
}


void
log_debug_on(void)
{
    log_state.debug = true;
}


static const char *
log_level_name(log_level_e level)
{
    switch (level) {

    case LOG_ERROR:
        return "error";

    case LOG_WARN:
        return "warn";

    case LOG_INFO:
        return "info";

    default:
        return "debug";
    }
}


/* Controls and broken bytes become `?`: one event stays one honest line. */

static void
log_clean(tomo_buf_t *out, tomo_str_t text)
{
    size_t   i = 0, from;
    int32_t  cp;

    while (i < text.len) {
        from = i;
        cp = tomo_utf8_next(text, &i);

        if (cp < 0x20 || cp == 0x7f || (cp >= 0x80 && cp < 0xa0)
            || (cp >= 0x202a && cp <= 0x202e)
            || (cp >= 0x2066 && cp <= 0x2069))
        {
            tomo_buf_byte(out, '?');

        } else {
            tomo_buf_bytes(out, text.data + from, i - from);
        }
    }
}


static void
log_text(tomo_buf_t *b, log_level_e level, tomo_str_t object, tomo_str_t text)
{
    if (log_state.journald) {
        tomo_buf_byte(b, '<');
        tomo_buf_u64(b, (uint64_t) level);
        tomo_buf_byte(b, '>');
    }

    tomo_buf_c(b, "tomo: ");
    log_clean(b, object);
    tomo_buf_byte(b, ' ');
    log_clean(b, text);
    tomo_buf_c(b, " [");
    tomo_buf_c(b, log_state.role);
    tomo_buf_c(b, "]\n");
}


static void
log_json(tomo_buf_t *b, log_level_e level, tomo_str_t object, tomo_str_t text)
{
    tomo_buf_c(b, "{\"at_ms\":");
    tomo_buf_i64(b, clock_real_ms());
    tomo_buf_c(b, ",\"level\":\"");
    tomo_buf_c(b, log_level_name(level));
    tomo_buf_c(b, "\",\"role\":\"");
    tomo_buf_c(b, log_state.role);
    tomo_buf_c(b, "\",\"object\":");
    tomo_json_put(b, object);
    tomo_buf_c(b, ",\"text\":");
    tomo_json_put(b, text);
    tomo_buf_c(b, "}\n");
}


void
log_put(log_level_e level, const char *object, const char *fmt, ...)
{
    int         n;
    char        text[LOG_LINE_MAX];
    uint8_t     clean_object[512], clean_text[LOG_LINE_MAX];
    uint8_t     line[4 * LOG_LINE_MAX];
    va_list     args;
    tomo_buf_t  co, ct, out;

    if (level == LOG_DEBUG && !log_state.debug) {
        return;
    }

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n < 0) {
        return;
    }

    tomo_buf_init(&co, clean_object, sizeof(clean_object));
    tomo_buf_init(&ct, clean_text, sizeof(clean_text));
    tomo_buf_init(&out, line, sizeof(line));

    log_clean(&co, tomo_str_c(object));
    log_clean(&ct, tomo_str_c(text));

    if (log_state.json) {
        log_json(&out, level, tomo_buf_str(&co), tomo_buf_str(&ct));

    } else {
        log_text(&out, level, tomo_buf_str(&co), tomo_buf_str(&ct));
    }

    /* nowhere to report a failure of the log itself */
    if (write(STDERR_FILENO, out.data, out.len) < 0) {
        return;
    }
}


bool
log_gate(log_gate_t *gate, int64_t every_ms, uint64_t *missed)
{
    int64_t  now_us = clock_mono_us();

    if (gate->last_us != 0 && now_us - gate->last_us < every_ms * 1000) {
        gate->missed++;
        return false;
    }

    *missed = gate->missed;
    gate->missed = 0;
    gate->last_us = now_us;

    return true;
}
