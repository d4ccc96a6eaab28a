/*
 * The fingerprint of a record: tells whether a log is still the one that was read before.
 */
#ifndef CONSUMER_FINGERPRINT_H
#define CONSUMER_FINGERPRINT_H

#include "common/compiler.h"
#include "common/digest.h"
#include "consumer/chunk.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Fill *ret with the fingerprint of a record at an offset. key and value may be NULL, which is not
 * the same as empty; timestamp_ms is the broker's append time, which a topic that was made anew has
 * never twice. digest is used for it and must have nothing in it. Fails with EX_OSERR.
 *
 * The print is stored and must never change: the first bytes of the SHA-256 over
 *   "payd record 1" with its NUL, then key and value, each as one byte (1, or 0 for NULL), eight
 *   bytes of length (big-endian) and the bytes; the timestamp as eight bytes (big-endian)
 */
MUST_CHECK int fingerprint_make(struct digest *digest, const struct raw_message *raw,
                                int64_t offset, int64_t timestamp_ms, struct fingerprint *ret,
                                struct error *err);

/*
 * Set the marks of each range of a chunk that has a record: its last record, and the anchor, by
 * which the next start knows the log again. known has those of what was read before, by partition,
 * and then these. digest as above. Fails with EX_OSERR.
 */
MUST_CHECK int fingerprint_ranges(struct digest *digest, struct chunk *chunk,
                                  struct log_marks *known, struct error *err);

#endif
