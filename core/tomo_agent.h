/*
 * tomo_agent: is this request a person's tap, or a link preview, a crawler, a
 * prefetch?  (LINE.md 25.)  Used by the redirect and by survey pages.
 */

#ifndef TOMO_AGENT_H
#define TOMO_AGENT_H

#include "tomo_entry.h"

/* ua, purpose (Purpose / Sec-Purpose / X-Moz headers): empty when absent */
tomo_visit_e tomo_agent_visit(bool head, tomo_str_t ua, tomo_str_t purpose);

#endif
