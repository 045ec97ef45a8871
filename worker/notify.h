/*
 * notify: messages to systemd over $NOTIFY_SOCKET (Type=notify), without
 * libsystemd.  Without that variable everything is a no-op.
 */

#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/* reads and unsets the environment; once, in the supervisor */
void notify_open(void);
/* e.g. "READY=1\nSTATUS=three roles run" */
void notify_send(const char *text);
/* µs between watchdog pings that systemd wants, 0: none */
int64_t notify_watchdog_us(void);

#endif
