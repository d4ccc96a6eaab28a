/*
 * Runs a fuzz target over files, for compilers without libFuzzer.
 *
 *   fuzz_command FOLDER|FILE...
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define INPUT_MAX (1 << 20)
#define PATH_SIZE 4096

static int try_file(const char *path, int *count)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(INPUT_MAX);

    if (!file || !bytes) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        free(bytes);
        if (file) {
            fclose(file);
        }
        return EX_NOINPUT;
    }
    size_t len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* before it runs: the last one named is the one that failed */
    uint8_t *exact = malloc(len ? len : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, bytes, len);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    (*count)++;
    return 0;
}

static int try_folder(const char *path, int *count)
{
    char name[PATH_SIZE];
    struct dirent **entries;
    int found = scandir(path, &entries, NULL, alphasort);
    int code = found < 0 ? EX_NOINPUT : 0;

    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] != '.' && code == 0) {
            snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
            code = try_file(name, count);
        }
        free(entries[i]);
    }
    if (found >= 0) {
        free(entries);
    }
    return code;
}

int main(int argc, char **argv)
{
    struct stat status;
    int count = 0;
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++) {
        bool is_folder = stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode);
        code = is_folder ? try_folder(argv[i], &count) : try_file(argv[i], &count);
    }
    printf("%d inputs\n", count);
    return code == 0 && count == 0 ? EX_USAGE : code;
}
