/*
 * tomo_doctor_rules: the rows of tomo_doctor with their judges; for
 * tomo_doctor.c alone.
 */

#ifndef TOMO_DOCTOR_RULES_H
#define TOMO_DOCTOR_RULES_H

#include "tomo_doctor.h"

/* value: what was seen; wanted: the row's text */
typedef tomo_doctor_e (*tomo_doctor_judge_pt)(const tomo_doctor_facts_t *f,
    tomo_str_t value, tomo_str_t wanted);

typedef struct {
    tomo_doctor_row_t     row;
    tomo_doctor_judge_pt  judge;
} tomo_doctor_rule_t;

extern const tomo_doctor_rule_t  tomo_doctor_rules[TOMO_DOCTOR_ROW_END];

#endif
