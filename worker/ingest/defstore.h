/*
 * defstore: storing definitions: by a command, or a whole folder when an
 * account has none yet.  Both come this way: change the set, write document,
 * history, numbers and feed into the open commit.
 */

#ifndef DEFSTORE_H
#define DEFSTORE_H

#include "owner.h"

/* TOMO_INVALID: *fault says why, nothing is changed */
tomo_rc_e defstore_put(owner_t *o, const def_edit_t *edits, size_t n,
    int64_t now_ms, def_fault_t *fault) TOMO_MUST_CHECK;

/*
 * Loads KIND/ID.json of the account's folder, if the account has no
 * definitions.  *changed: the open commit got operations.  Faults are logged
 * with file and place; then nothing is loaded.
 */
void defstore_folder(owner_t *o, int64_t now_ms, bool *changed);

#endif
