/*
 * api: the role that answers /api/v1/ behind nginx (docs/openapi.yaml).
 * Reads come from Redis on the server's threads; a change is journalled as a
 * command and answered when the account's owner has committed it.
 */

#ifndef TOMO_API_H
#define TOMO_API_H

#include "role.h"

int api_main(role_t *role);

#endif
