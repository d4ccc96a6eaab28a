/*
 * Evidence as JSON Lines: files of one JSON object a line. A string that is not UTF-8 or has a NUL
 * stands as hex under its name with "_hex" behind it; an absent one is null.
 */
#ifndef TESTS_CHECKER_LINES_H
#define TESTS_CHECKER_LINES_H

#include "tests/checker/fault.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- reading ---- */

struct lines {
    FILE *file;
    const char *path; /* borrowed */
    size_t number;    /* of the line, from 1 */
    char *line;
    size_t room;
    bool torn_is_end; /* a last line without its newline was cut by a crash, and says nothing */
    cJSON *object;
};

/* Open a file. EX_DATAERR when it is not there. */
int lines_open(struct lines *lines, const char *path, bool torn_is_end, struct fault *fault);
void lines_close(struct lines *lines);

/*
 * The next line's object, borrowed until the next call. Returns 1, 0 at the end of the file, -1
 * with EX_DATAERR for a line that is no object.
 */
int lines_next(struct lines *lines, cJSON **ret, struct fault *fault);

/* Set the fault for the current line: EX_DATAERR, "FILE:LINE: what". Returns -1. */
int lines_refuse(const struct lines *lines, const char *what, struct fault *fault);

struct line_bytes {
    bool is_there;    /* the line has such a field */
    const char *data; /* NULL for null; borrowed from the object */
    size_t len;
};

/* A field of bytes. False when it is neither text nor null nor hex. */
bool line_get_bytes(const cJSON *object, const char *name, struct line_bytes *ret);

/* A field that is a whole number from min on. False when it is not. */
bool line_get_int(const cJSON *object, const char *name, int64_t min, int64_t *ret);

/* ---- writing ---- */

/* Write `"name":...` for bytes; data may be NULL. */
void line_put_bytes(FILE *file, const char *name, const char *data, size_t len);

#endif
