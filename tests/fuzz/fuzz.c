#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    FUZZ_CHECK(memory != NULL);
    return memory;
}

static struct fuzz_part copy(const uint8_t *data, size_t len)
{
    struct fuzz_part part = {NULL, len};

    /* One byte for nothing: malloc(0) may give NULL, which means that there is no part. */
    part.data = allocate(len ? len : 1);
    memcpy(part.data, data, len);
    return part;
}

struct fuzz_part fuzz_cut(const uint8_t **data, size_t *size, char separator)
{
    const uint8_t *end = *data && *size ? memchr(*data, separator, *size) : NULL;

    if (!end) {
        return fuzz_rest(data, size);
    }
    struct fuzz_part part = copy(*data, (size_t)(end - *data));
    *size -= part.len + 1;
    *data = end + 1;
    return part;
}

struct fuzz_part fuzz_rest(const uint8_t **data, size_t *size)
{
    struct fuzz_part part = {NULL, 0};

    if (*data) {
        part = copy(*data, *size);
    }
    *data = NULL;
    *size = 0;
    return part;
}

char *fuzz_string(const struct fuzz_part *part)
{
    char *string = allocate(part->len + 1);

    memcpy(string, part->data, part->len);
    string[part->len] = '\0';
    return string;
}

void fuzz_release(struct fuzz_part *part)
{
    free(part->data);
    *part = (struct fuzz_part){NULL, 0};
}
