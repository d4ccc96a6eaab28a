/*
 * UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef TESTS_CHECKER_UTF8_H
#define TESTS_CHECKER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *data, size_t len);

/* Valid, and without controls (C0, DEL, C1) and the line separators U+2028 and U+2029. */
bool utf8_printable(const char *data, size_t len);

#endif
