/*
 * An object of JSON as one line, for scripts.
 */
#ifndef COMMON_LINE_JSON_H
#define COMMON_LINE_JSON_H

#include "common/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;

/*
 * Write root as a line and free it; it may be NULL. good: whether it could be built. Returns -1
 * when it could not, or memory ran out. Whether out took it, ferror() says.
 */
MUST_CHECK int line_json_print(struct cJSON *root, bool good, FILE *out);

/*
 * Add a whole number: cJSON keeps numbers as doubles, and prints those from 2^53 on in another
 * form. False when memory ran out.
 */
bool line_json_add_int(struct cJSON *object, const char *name, int64_t value);

/* Add an array of texts. False when memory ran out. */
bool line_json_add_texts(struct cJSON *object, const char *name, char *const *texts, size_t count);

#endif
