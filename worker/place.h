/*
 * place: the folders of journal and run_dir, and what file system they lie on
 * (B84).  Run by --check and before the supervisor.
 */

#ifndef PLACE_H
#define PLACE_H

#include "conf.h"

/*
 * make: makes the journal's folder if only that is missing, and wants run_dir;
 * without it a run_dir that is not there is only told.  TOMO_INVALID: logged
 * with what to change.
 */
tomo_rc_e place_check(const conf_t *conf, bool make) TOMO_MUST_CHECK;

#endif
