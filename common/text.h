/*
 * Text from outside: is it UTF-8, may it be printed, and how to print it when it may not.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True when the len bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing over-long). */
bool text_is_utf8(const char *data, size_t len);

/*
 * True when the len bytes are well-formed UTF-8 without control characters (U+0000-U+001F,
 * U+007F-U+009F) and without the line and paragraph separators U+2028 and U+2029. A space is
 * printable.
 */
bool text_is_printable(const char *data, size_t len);

/*
 * How many of the len bytes stand in a JSON string as they are: up to the first control character
 * below U+0020, '"' or '\'.
 */
size_t text_unescaped_len(const char *data, size_t len);

/*
 * Write the bytes for a log line or a message: printable text as it is, '"' and '\' with a
 * backslash, every other byte as \xHH. What does not fit is cut and ends in "...". buf always
 * ends in NUL (size must be at least 4). Returns buf.
 */
char *text_escape(char *buf, size_t size, const char *data, size_t len);

/* Bytes that show a key, an account or a name of any allowed length, escaped. */
#define TEXT_ESCAPED_SIZE 1100

#endif
