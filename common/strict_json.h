/*
 * JSON read strictly: what cJSON lets pass and money must not is refused before and after it.
 *
 * cJSON keeps numbers as doubles, takes 007 and any control character as white space, cuts a string
 * at \u0000 or at a broken escape, answers the first of two equal fields, and ignores what stands
 * behind the object (tried with 1.7.15).
 */
#ifndef COMMON_STRICT_JSON_H
#define COMMON_STRICT_JSON_H

#include "common/compiler.h"

#include <stddef.h>

/* Limits: a deeper object, or one with more fields, is refused. */
#define STRICT_JSON_MAX_DEPTH  8
#define STRICT_JSON_MAX_FIELDS 64

/* Of each thread's memory for trees: a payment takes a fifth. What a larger tree needs beyond it
 * comes from the heap. */
#define STRICT_JSON_ARENA_BYTES 8192

enum strict_json_fault {
    STRICT_JSON_FINE = 0,
    STRICT_JSON_UTF8,      /* the bytes are not UTF-8 */
    STRICT_JSON_SYNTAX,    /* not one JSON object, or with something behind it */
    STRICT_JSON_DEPTH,     /* nested deeper than STRICT_JSON_MAX_DEPTH */
    STRICT_JSON_DUPLICATE, /* an object has a field twice */
    STRICT_JSON_FIELDS,    /* an object has more than STRICT_JSON_MAX_FIELDS fields */
    STRICT_JSON_NO_MEMORY, /* says nothing about the bytes */
};

#define STRICT_JSON_PROBLEM_SIZE 160

struct cJSON;

/*
 * Parse len bytes as one object. Returns it, to be released with cJSON_Delete() by the same thread,
 * or NULL with *ret_fault set and a sentence without control characters in problem. May be called
 * from several threads; the first call in the process sets cJSON's hooks.
 */
MUST_CHECK struct cJSON *strict_json_parse(const char *data, size_t len,
                                           enum strict_json_fault *ret_fault,
                                           char problem[STRICT_JSON_PROBLEM_SIZE]);

#endif
