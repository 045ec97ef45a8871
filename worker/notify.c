#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tomo_codec.h"


static struct {
    int                 fd;
    struct sockaddr_un  address;
    socklen_t           len;
    int64_t             watchdog_us;
} notify_state = { .fd = -1 };


static void
notify_watchdog_read(void)
{
    uint64_t     n;
    const char  *text = getenv("WATCHDOG_USEC");

    if (text != NULL
        && tomo_u64_get(tomo_str_c(text), INT64_MAX, &n) == TOMO_OK)
    {
        notify_state.watchdog_us = (int64_t) n;
    }

    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}


void
notify_open(void)
{
    size_t       len;
    const char  *path = getenv("NOTIFY_SOCKET");

    notify_watchdog_read();

    if (path == NULL || (path[0] != '/' && path[0] != '@')) {
        return;
    }

    len = strlen(path);

    if (len >= sizeof(notify_state.address.sun_path)) {
        return;
    }

    notify_state.address.sun_family = AF_UNIX;
    memcpy(notify_state.address.sun_path, path, len);

    if (path[0] == '@') {
        notify_state.address.sun_path[0] = '\0';    /* abstract socket */
    }

    notify_state.len = (socklen_t) (offsetof(struct sockaddr_un, sun_path)
                                    + len);
    notify_state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    unsetenv("NOTIFY_SOCKET");
}


void
notify_send(const char *text)
{
    if (notify_state.fd < 0) {
        return;
    }

    /* a manager that is gone or does not listen must not stop us */
    (void) !sendto(notify_state.fd, text, strlen(text),
                   MSG_NOSIGNAL | MSG_DONTWAIT,
                   (struct sockaddr *) &notify_state.address,
                   notify_state.len);
}


int64_t
notify_watchdog_us(void)
{
    return notify_state.fd < 0 ? 0 : notify_state.watchdog_us;
}
