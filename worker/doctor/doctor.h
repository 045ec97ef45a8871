/*
 * doctor: `tomo-worker --doctor`: every row of core/tomo_doctor once, with
 * what was seen and what to do, for people or (json) for programs.
 */

#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdio.h>

#include "conf.h"

/* 0: all as wanted; 1: a WARN; 2: a FAIL, or Redis could not be asked */
int doctor_run(const conf_t *conf, bool json, FILE *out);

#endif
