/*
 * JSON written from the first byte to the last into the caller's buffer: no tree, no memory. The
 * bytes are those that cJSON prints of the same values, unformatted.
 *
 * A writer that has failed stays so; only json_finish() tells. Whoever uses it sees to it that what
 * is opened is closed, and that no name stands twice.
 */
#ifndef COMMON_WRITER_JSON_H
#define COMMON_WRITER_JSON_H

#include "common/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
    char *begin; /* borrowed */
    char *at;
    char *end;
    bool failed; /* the buffer is too small */
};

/* Begin an object in a buffer of size bytes, 2 or more. */
void json_begin(struct json_writer *writer, char *buf, size_t size);

/* Open an object or a list in an object. */
void json_open(struct json_writer *writer, const char *name);
void json_open_list(struct json_writer *writer, const char *name);

/* Close the innermost one. */
void json_close(struct json_writer *writer);
void json_close_list(struct json_writer *writer);

/*
 * Add a value to the innermost object under a name, or to the innermost list with NULL for a name.
 * Names must need no escape. Texts are UTF-8. json_digits() adds a number as a text of digits.
 */
void json_text(struct json_writer *writer, const char *name, const char *text);
void json_int(struct json_writer *writer, const char *name, int64_t number);
void json_digits(struct json_writer *writer, const char *name, int64_t number);
void json_true(struct json_writer *writer, const char *name);
void json_null(struct json_writer *writer, const char *name);

/* Add a value of len bytes that a writer has written before. */
void json_written(struct json_writer *writer, const char *name, const char *value, size_t len);

/* Close the object and end the text with NUL. Returns its length, or 0 when the buffer is too
 * small. */
MUST_CHECK size_t json_finish(struct json_writer *writer);

#endif
