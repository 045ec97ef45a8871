/*
 * tomo_version: the one version of all parts.  debian/changelog and
 * CHANGELOG.md say the same (t/package.t).
 */

#ifndef TOMO_VERSION_H
#define TOMO_VERSION_H

#define TOMO_VERSION  "0.1.0"

#endif
