/*
 * conf_table: which sections and keys the worker's INI file may have, where
 * their values go and how they are checked.  For conf*.c alone.
 */

#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "conf.h"

typedef enum {
    CONF_OPTIONAL = 0,
    CONF_REQUIRED
} conf_need_e;

/*
 * Checks value and stores it at target.  Returns NULL, or what is wrong with
 * it and what to write instead (static text; the caller adds file, line and
 * key).
 */
typedef const char *(*conf_set_pt)(void *target, const char *value);
/* prints the value at target */
typedef void (*conf_show_pt)(const void *target, FILE *out);

typedef struct {
    const char    *section;     /* "account": of [account ID] */
    const char    *name;
    size_t         offset;      /* in conf_t, or conf_account_t */
    conf_need_e    need;
    conf_set_pt    set;
    conf_show_pt   show;
} conf_key_t;

#define CONF_KEYS_MAX  64       /* bits of a seen mask */

extern const conf_key_t  conf_keys[];
size_t conf_keys_n(void);
bool conf_section_known(const char *section);

/* secrets and what several keys say together; faults to err */
bool conf_check(conf_t *conf, FILE *err);

#endif
