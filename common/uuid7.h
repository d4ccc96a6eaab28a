/*
 * UUIDv7: an idempotency key that nobody else will draw.
 */
#ifndef COMMON_UUID7_H
#define COMMON_UUID7_H

#include "common/compiler.h"
#include "common/error.h"

/* Bytes of the text form with its ending NUL. */
#define UUID7_TEXT_SIZE 37

/*
 * Write a new UUID of version 7 (RFC 9562, section 5.7) in canonical lower-case text: 48 bits of
 * Unix time in milliseconds, then 74 random bits from the kernel. Fails, with EX_OSERR, only when
 * the kernel gives no random bytes.
 */
MUST_CHECK int uuid7_new(char text[UUID7_TEXT_SIZE], struct error *err);

#endif
