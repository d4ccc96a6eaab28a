/*
 * Digests: the first half of a SHA-256. Two values with the same one are taken for the same.
 */
#ifndef TESTS_CHECKER_SHA_H
#define TESTS_CHECKER_SHA_H

#include <stddef.h>

#define SHA_SIZE 16

/* The library failing is like having no memory: it ends the program. data may be NULL with len 0.
 */
void sha_short(unsigned char ret[SHA_SIZE], const void *data, size_t len);

#define SHA_HEX_SIZE (2 * SHA_SIZE + 1)

/* Write a digest as lower-case hex with a NUL. Returns hex. */
char *sha_hex(char hex[SHA_HEX_SIZE], const unsigned char digest[SHA_SIZE]);

#endif
