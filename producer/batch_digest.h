/*
 * The digest of a batch: SHA-256 over all its rows in their order, so that no two different
 * contents share one. It is stored with payments: its encoding must never change.
 *
 *   "pay batch 1" with its NUL, then each row as in batch_row.h
 */
#ifndef PRODUCER_BATCH_DIGEST_H
#define PRODUCER_BATCH_DIGEST_H

#include "common/compiler.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/payment.h"

struct batch_digest;

/* Fails with EX_OSERR. On success the caller closes *ret. */
MUST_CHECK int batch_digest_open(struct batch_digest **ret, struct error *err);

/* Add a row; its batch is not looked at. Fails with EX_OSERR. */
MUST_CHECK int batch_digest_add(struct batch_digest *digest, const struct payment *payment,
                                struct error *err);

/* Add rows as batch_row_put() has written them, one behind the other. Fails with EX_OSERR. */
MUST_CHECK int batch_digest_add_rows(struct batch_digest *digest, const void *rows, size_t len,
                                     struct error *err);

/* Write the digest as lower-case hex. No row can be added after it. Fails with EX_OSERR. */
MUST_CHECK int batch_digest_finish(struct batch_digest *digest, char ret[PAYMENT_DIGEST_LEN + 1],
                                   struct error *err);

/* NULL is accepted. */
void batch_digest_close(struct batch_digest *digest);

#endif
