/*
 * struct error: why a call failed, as one sentence for people and one exit code for scripts.
 *
 * The caller owns the struct; a function that fails fills it, a function that succeeds leaves it
 * alone. An error says that the machinery failed. A business answer ("rejected") is not an error.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/compiler.h"

/* Bytes of the sentence with its ending NUL. A longer sentence is cut and ends in "...". */
#define ERROR_TEXT_SIZE 1024

struct error {
    int code; /* what the process exits with: a value of <sysexits.h> */
    char text[ERROR_TEXT_SIZE];
};

/*
 * Set err to code and the formatted sentence. Returns -1, so that a failing function can end with
 * `return error_set(err, EX_DATAERR, "...")`.
 */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put the formatted words and ": " before the sentence that err holds. Returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
