/*
 * defstore: storing definitions: by a command, or a whole folder when an
 * account has none yet.  Both come this way: change the set, write document,
 * history, numbers and feed into the open commit.
 */

#ifndef DEFSTORE_H
#define DEFSTORE_H

#include "owner.h"

/* TOMO_INVALID: *fault says why, nothing is changed */
tomo_rc_e defstore_put(owner_t *o, const def_edit_t *edit, int64_t now_ms,
    def_fault_t *fault) TOMO_MUST_CHECK;

typedef struct {
    def_edit_t  *edits;
    char       **files;
    size_t       n;
    size_t       i;             /* the next to be written */
} defstore_folder_t;

/*
 * Reads KIND/ID.json of the account's folder, if the account has no
 * definitions, and makes them o's.  false: there is nothing to write; faults
 * were logged with file and place, then nothing is loaded.
 */
bool defstore_folder_open(owner_t *o, defstore_folder_t *list);
/* as much as the open commit holds; true: another has to follow */
bool defstore_folder_some(owner_t *o, defstore_folder_t *list,
    int64_t now_ms);
void defstore_folder_close(defstore_folder_t *list);

#endif
