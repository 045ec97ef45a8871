/*
 * reload: could the roles start with this configuration file?  What --check
 * looks at, before a reload: no role may find out for itself (B85).
 */

#ifndef RELOAD_H
#define RELOAD_H

#include "tomo_base.h"

/* reads the file, the keys it names and its folders; false: logged */
bool reload_good(const char *file);

#endif
