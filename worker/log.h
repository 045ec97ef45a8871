/*
 * log: one line per event on stderr: `tomo: <object> <what happened>: <cause>`.
 * Under journald (JOURNAL_STREAM set) a line starts with the <N> priority;
 * with log_format = json it is one JSON object.
 *
 * Never give it a secret, a token, a message's text or a whole user id: say
 * `friend 7 of demo`.  Bytes that are not printable ASCII or valid UTF-8 are
 * shown as `?`, so that a stranger's text cannot forge a line.
 *
 * Every function may be called from any thread; a line is one write().
 */

#ifndef LOG_H
#define LOG_H

#include "tomo_base.h"

typedef enum {
    LOG_ERROR = 3,              /* the operator must act */
    LOG_WARN = 4,               /* the operator should look */
    LOG_INFO = 6,               /* history */
    LOG_DEBUG = 7               /* us; written only after log_debug_on() */
} log_level_e;

/*
 * role: word shown in every line ("supervisor", "dispatch" …; a literal).
 * json: form of the lines.  Call once, before threads start.
 */
void log_init(const char *role, bool json);
void log_debug_on(void);

/*
 * object: who it is about, e.g. "account demo" or "redis unix:/run/r.sock";
 * fmt: "what happened: cause, and what to do".  A line is cut at 2,000 bytes.
 */
void log_put(log_level_e level, const char *object, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...)  log_put(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)   log_put(LOG_WARN, __VA_ARGS__)
#define log_info(...)   log_put(LOG_INFO, __VA_ARGS__)
#define log_debug(...)  log_put(LOG_DEBUG, __VA_ARGS__)

/*
 * For lines that a stranger or an outage can repeat: zero-initialise one gate
 * per kind of line and ask before writing.  At most one line in every_ms;
 * *missed is how many were left out since the last (print it).  One gate
 * belongs to one thread.
 */
typedef struct {
    int64_t   last_us;
    uint64_t  missed;
} log_gate_t;

bool log_gate(log_gate_t *gate, int64_t every_ms, uint64_t *missed);

#endif
