/*
 * replay: runs a fuzz target over files, without a fuzzer.  Linked with one
 * t/fuzz/NAME.c; t/fuzz.t feeds it that target's corpus.  Each input stands
 * in memory of exactly its size, so that a sanitizer sees every overread.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
replay_file(const char *path)
{
    FILE     *file;
    long      size;
    size_t    n;
    uint8_t  *data;

    file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }

    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0
        || fseek(file, 0, SEEK_SET) != 0)
    {
        perror(path);
        fclose(file);
        return 1;
    }

    data = malloc((size_t) size);
    if (data == NULL && size > 0) {
        perror(path);
        fclose(file);
        return 1;
    }

    n = size > 0 ? fread(data, 1, (size_t) size, file) : 0;
    fclose(file);

    if (n != (size_t) size) {
        fprintf(stderr, "%s: short read\n", path);
        free(data);
        return 1;
    }

    LLVMFuzzerTestOneInput(data, n);
    free(data);

    return 0;
}


int
main(int argc, char **argv)
{
    int  i, failed;

    failed = 0;

    for (i = 1; i < argc; i++) {
        failed |= replay_file(argv[i]);
    }

    return failed;
}
