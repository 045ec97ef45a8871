/*
 * beat: reads an edge's heartbeat, a value of tomo:edges
 * (docs/formats.md, The edge feed): "at=MS versions=a:12,b:3 waiting=0".
 */

#ifndef BEAT_H
#define BEAT_H

#include "tomo_rec.h"

/*
 * The heartbeat as a record.  *rec lives as long as the arena's content.
 * TOMO_INVALID: not written by an edge; TOMO_FULL: arena.
 */
tomo_rc_e beat_parse(tomo_str_t text, tomo_arena_t *a, tomo_rec_t *rec)
    TOMO_MUST_CHECK;

#endif
