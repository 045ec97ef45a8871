/*
 * host: looks at the machine for the rows of core/tomo_doctor: disks, kernel
 * settings, the package.  What cannot be seen (another machine, another
 * system) stays unseen.
 */

#ifndef HOST_H
#define HOST_H

#include "conf.h"
#include "tomo_doctor.h"

/* the file system of the journal's folder (or of the one it will be made in) */
void host_journal(tomo_doctor_facts_t *f, const conf_t *conf);

/* all rows of the host; redis_dir: its folder, NULL when not known */
void host_look(tomo_doctor_facts_t *f, const conf_t *conf,
    const char *redis_dir);

#endif
