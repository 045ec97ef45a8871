#include "dispatch.h"


int
dispatch_main(role_t *role)
{
    role_ready(role);

    while (!role_stopping(role)) {
        role_alive(role);
        (void) role_poll(role, NULL, 0, 500);
    }

    return ROLE_EXIT_OK;
}
