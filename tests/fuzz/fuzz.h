/*
 * What the fuzz targets share. A target is one function that is given bytes from outside, puts them
 * through a parser of the product, and aborts when a property of it does not hold. libFuzzer calls
 * it with bytes that it makes up (tests/fuzz/run); replay.c calls it with the files of the corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort, and say which property does not hold, when the condition is false. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* A copy of bytes with nothing behind them, so that a sanitizer sees each byte read too far. */
struct fuzz_part {
    char *data; /* owned; NULL = there is no such part */
    size_t len;
};

/*
 * Cut the first part off *data, up to the separator, which belongs to no part. Without a separator
 * all of it is the part, and *data is NULL from then on; of NULL the part is NULL.
 */
struct fuzz_part fuzz_cut(const uint8_t **data, size_t *size, char separator);

/* As fuzz_cut(), of all that is left. */
struct fuzz_part fuzz_rest(const uint8_t **data, size_t *size);

/* The same with a NUL behind it, for what takes C strings; a NUL inside ends the string earlier. */
char *fuzz_string(const struct fuzz_part *part);

void fuzz_release(struct fuzz_part *part);

#endif
