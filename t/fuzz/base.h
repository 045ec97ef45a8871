/*
 * base: an account's definitions for targets whose documents refer to others:
 * without these no reference is ever good, and what stands behind it never
 * runs.  tag t; fields f (text), n, d, c, m; link l; survey s; scenario z.
 */

#ifndef TOMO_FUZZ_BASE_H
#define TOMO_FUZZ_BASE_H

#include "fuzz.h"
#include "worker/model/defs.h"


/* made once, never freed */

static inline const defs_t *
fuzz_base(void)
{
    def_fault_t     fault;
    static defs_t  *made;

    static const char *const  documents[][3] = {
        { "tag", "t", "{\"name\":\"t\"}" },
        { "field", "f", "{\"name\":\"f\",\"type\":\"text\"}" },
        { "field", "n", "{\"name\":\"n\",\"type\":\"number\"}" },
        { "field", "d", "{\"name\":\"d\",\"type\":\"date\"}" },
        { "field", "c", "{\"name\":\"c\",\"type\":\"choice\",\"options\":"
                        "[{\"id\":\"x\",\"label\":\"X\"},"
                        "{\"id\":\"y\",\"label\":\"Y\"}]}" },
        { "field", "m", "{\"name\":\"m\",\"type\":\"multi\",\"options\":"
                        "[{\"id\":\"x\",\"label\":\"X\"},"
                        "{\"id\":\"y\",\"label\":\"Y\"}]}" },
        { "link", "l", "{\"name\":\"l\",\"url\":\"https://l.example/\"}" },
        { "survey", "s", "{\"title\":\"s\",\"questions\":[{\"id\":\"q\","
                         "\"type\":\"text\",\"label\":\"q\","
                         "\"field\":\"f\"}]}" },
        { "scenario", "z", "{\"name\":\"z\",\"steps\":[{\"id\":\"x\","
                           "\"after\":{\"days\":1},\"messages\":["
                           "{\"type\":\"text\",\"text\":\"x\"}]}]}" },
    };

    if (made != NULL) {
        return made;
    }

    made = defs_create();

    for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
        def_edit_t   edit = { tomo_str_c(documents[i][0]),
                              tomo_str_c(documents[i][1]),
                              tomo_str_c(documents[i][2]) };
        defs_t      *next = defs_change(made, &edit, 1, &fault);

        if (next == NULL) {
            fprintf(stderr, "base: %s %s\n", fault.path, fault.why);
            abort();
        }

        defs_free(made);
        made = next;
    }

    return made;
}

#endif
