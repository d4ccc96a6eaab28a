/*
 * SHA-256 (FIPS 180-4), computed by OpenSSL.
 */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SIZE 32 /* bytes of a SHA-256 */

/* The first bytes of one, where it names a payload or a record rather than guards it. */
#define DIGEST_SHORT_SIZE 16

/* Bytes of a digest in lower-case hex with its ending NUL. */
#define DIGEST_HEX_SIZE       (2 * DIGEST_SIZE + 1)
#define DIGEST_SHORT_HEX_SIZE (2 * DIGEST_SHORT_SIZE + 1)

struct digest;

/* A digest of nothing yet. Fails with EX_OSERR. On success the caller closes *ret. */
MUST_CHECK int digest_open(struct digest **ret, struct error *err);

/* Add bytes. Fails with EX_OSERR. */
MUST_CHECK int digest_add(struct digest *digest, const void *data, size_t len, struct error *err);

/* Write the digest of all that was added, and begin anew with nothing. Fails with EX_OSERR. */
MUST_CHECK int digest_finish(struct digest *digest, unsigned char ret[DIGEST_SIZE],
                             struct error *err);

/* NULL is accepted. */
void digest_close(struct digest *digest);

/* Write bytes as lower-case hex; buf holds 2 * len + 1. Returns buf. */
char *digest_hex(char *buf, const unsigned char *bytes, size_t len);

/* Read len bytes from 2 * len lower-case hex digits. False for any other text. */
bool digest_from_hex(unsigned char *bytes, size_t len, const char *hex);

/* The version of OpenSSL, a static string. */
const char *digest_library_version(void);

#endif
