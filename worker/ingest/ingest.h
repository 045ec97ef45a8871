/*
 * ingest: the role that decides: owns accounts by lease, reads their events
 * and schedules, decides and commits (DESIGN.md, decisions 1-5).
 */

#ifndef INGEST_H
#define INGEST_H

#include "role.h"

int ingest_main(role_t *role);

#endif
