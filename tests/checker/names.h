/*
 * Names as numbers: each different string of bytes (a key, an account, a batch) is kept once and
 * has a number, 0 for the first one and rising.
 */
#ifndef TESTS_CHECKER_NAMES_H
#define TESTS_CHECKER_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE (-1)

struct names;

struct names *names_new(void);

/* NULL is accepted. */
void names_free(struct names *names);

/* The number of a name, which is added when it is new. */
int32_t names_add(struct names *names, const char *name, size_t len);

/* The number of a name, or NAMES_NONE. */
int32_t names_find(const struct names *names, const char *name, size_t len);

/* How many there are: all numbers are below it. */
size_t names_count(const struct names *names);

/* The bytes of a number, ended with a NUL that is not counted; borrowed from names. */
const char *names_text(const struct names *names, int32_t number, size_t *ret_len);

#endif
