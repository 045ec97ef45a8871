#ifndef TOMO_HASH_H
#define TOMO_HASH_H

/*
 * uthash as the worker uses it: running out of memory ends the role, which its
 * supervisor starts again.  No other file includes uthash.h, and it is not
 * for tables that must survive a failed allocation.
 */

#include <stdlib.h>

#define uthash_fatal(msg)  abort()
#include <uthash.h>

#ifdef __clang_analyzer__

/*
 * For make tidy: the analyzers lose track of the list inside a table, take an
 * element that was removed for one that is still there, and each byte of a key
 * for unset.  They are told no more than what changes from outside.
 */
void *hash_any(void);

#undef HASH_DEL
#define HASH_DEL(head, p)                                                     \
    do { (void) (p); (head) = hash_any(); } while (0)

#undef HASH_FIND
#define HASH_FIND(hh, head, key, len, out)                                    \
    do { (void) (key); (void) (len); (out) = hash_any(); } while (0)

#undef HASH_ADD
#define HASH_ADD(hh, head, field, len, add)                                   \
    do { (void) (len); (add)->hh.next = NULL; (head) = (add); } while (0)

#undef HASH_ITER
#define HASH_ITER(hh, head, el, tmp)                                          \
    for ((el) = (head), (tmp) = hash_any(); (el) != NULL;                     \
         (el) = (tmp), (tmp) = hash_any())

#endif

#endif
