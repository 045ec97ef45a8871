/* A folder of its own for each test, removed with all that is in it. */

#ifndef UNIT_FOLDER_H
#define UNIT_FOLDER_H

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

static char  folder[64];


static int
make_folder(void **state)
{
    (void) state;
    snprintf(folder, sizeof(folder), "/tmp/tomo-unit-XXXXXX");

    return mkdtemp(folder) == NULL;
}


static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
    (void) st;
    (void) type;
    (void) at;

    return remove(path);
}


static int
remove_folder(void **state)
{
    (void) state;

    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}


#define WITH_FOLDER(f)  cmocka_unit_test_setup_teardown(f, make_folder,       \
                                                        remove_folder)

#endif
