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


static char *
conf_secret_get(const char *path, mode_t forbidden, size_t max, size_t *len,
    const char **why)
{
    int      fd;
    char    *text = NULL;
    size_t   n = 0;
    ssize_t  got;

    *why = conf_secret_open(path, forbidden, &fd);

    if (*why != NULL) {
        goto failed;
    }

    text = calloc(1, max + 3);

    if (text == NULL) {
        *why = "needs more memory than there is";
        goto failed;
    }

    while (n < max + 2) {
        got = read(fd, text + n, max + 2 - n);

        if (got < 0 && errno == EINTR) {
            continue;
        }

        if (got < 0) {
            *why = "cannot be read";
            goto failed;
        }

        if (got == 0) {
            break;
        }

        n += (size_t) got;
    }

    if (n > 0 && text[n - 1] == '\n') {
        text[--n] = '\0';
    }

    if (n == 0) {
        *why = "is empty: write the secret into it";
        goto failed;
    }

    if (n > max) {
        *why = "is too long to be such a secret";
        goto failed;
    }

    close(fd);
    *len = n;

    return text;

failed:

    if (fd >= 0) {
        close(fd);
    }

    if (text != NULL) {
        tomo_mac_wipe(text, max + 3);
        free(text);
    }

    return NULL;
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
