#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "tomo_mac.h"


/* forbidden: permission bits that must not be set */

static const char *
conf_secret_stat(int fd, mode_t forbidden)
{
    struct stat  st;

    if (fstat(fd, &st) != 0) {
        return "cannot be examined";
    }

    if (!S_ISREG(st.st_mode)) {
        return "is not a regular file";
    }

    if ((st.st_mode & forbidden) != 0) {
        return "may be read by others: chmod 600 it";
    }

    return NULL;
}


static const char *
conf_secret_open(const char *path, mode_t forbidden, int *fd)
{
    /* O_NONBLOCK: opening a named pipe must not hang the start */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (*fd >= 0) {
        return conf_secret_stat(*fd, forbidden);
    }

    switch (errno) {

    case ENOENT:
        return "does not exist: create it, mode 0600";

    case ELOOP:
        return "is a symbolic link: name the file itself";

    case EACCES:
        return "may not be read by this user: change its owner";

    default:
        return "cannot be opened";
    }
}


/* Reads at most cap bytes; false: the system failed. */

static bool
conf_secret_fill(int fd, char *text, size_t cap, size_t *len)
{
    ssize_t  got;

    *len = 0;

    while (*len < cap) {
        got = read(fd, text + *len, cap - *len);

        if (got < 0 && errno == EINTR) {
            continue;
        }

        if (got <= 0) {
            return got == 0;
        }

        *len += (size_t) got;
    }

    return true;
}


static const char *
conf_secret_take(int fd, char *text, size_t max, size_t *len)
{
    if (text == NULL) {
        return "needs more memory than there is";
    }

    if (!conf_secret_fill(fd, text, max + 2, len)) {
        return "cannot be read";
    }

    if (*len > 0 && text[*len - 1] == '\n') {
        text[--*len] = '\0';
    }

    if (*len == 0) {
        return "is empty: write the secret into it";
    }

    return *len > max ? "is too long to be such a secret" : NULL;
}


static char *
conf_secret_get(const char *path, mode_t forbidden, size_t max, size_t *len,
    const char **why)
{
    int    fd;
    char  *text = NULL;

    *why = conf_secret_open(path, forbidden, &fd);

    if (*why == NULL) {
        text = calloc(1, max + 3);
        *why = conf_secret_take(fd, text, max, len);
    }

    if (fd >= 0) {
        close(fd);
    }

    if (*why != NULL && text != NULL) {
        tomo_mac_wipe(text, max + 3);
        free(text);
        text = NULL;
    }

    return text;
}


char *
conf_secret_read(const char *path, size_t max, size_t *len, const char **why)
{
    return conf_secret_get(path, 077, max, len, why);
}


char *
conf_text_read(const char *path, size_t max, size_t *len, const char **why)
{
    return conf_secret_get(path, 0, max, len, why);
}
