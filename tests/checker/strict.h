/*
 * A message's value read by the documented rules, without a JSON library: one object, RFC 8259 to
 * the letter, UTF-8, no NUL, no field twice, 8 levels, 64 fields an object, 16,384 bytes.
 */
#ifndef TESTS_CHECKER_STRICT_H
#define TESTS_CHECKER_STRICT_H

#include <stdbool.h>
#include <stddef.h>

#define STRICT_BYTES_MAX  16384
#define STRICT_DEPTH_MAX  8
#define STRICT_FIELDS_MAX 64

enum strict_type { STRICT_OBJECT, STRICT_ARRAY, STRICT_STRING, STRICT_NUMBER, STRICT_WORD };

/* A value; the ones inside an object or an array form a list. Borrowed from its tree. */
struct strict_value {
    enum strict_type type;
    const char *name; /* of a field, with its escapes resolved; NULL elsewhere */
    const char *text; /* of a string, likewise; the word itself; NULL else */
    size_t text_len;
    double number;
    struct strict_value *first;
    struct strict_value *next;
};

/* Room for one message at a time; large, so make it once. */
struct strict_tree {
    struct strict_value values[STRICT_BYTES_MAX];
    size_t value_count;
    char texts[STRICT_BYTES_MAX];
    size_t text_bytes;
    const char *at; /* where the reader stands */
    const char *end;
    int depth;
};

/* The object that the bytes are, valid until the next call; NULL when the rules refuse them. */
const struct strict_value *strict_read(struct strict_tree *tree, const char *data, size_t len);

/* A field of an object, or NULL. */
const struct strict_value *strict_field(const struct strict_value *object, const char *name);

#endif
