/*
 * The spool: the checked rows of a batch, kept on disk between checking and publishing, so that
 * what was checked is what is sent. The file has no name and goes when the process does. The
 * batch's digest is computed over the very bytes that are written.
 */
#ifndef PRODUCER_SPOOL_H
#define PRODUCER_SPOOL_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/payment.h"

#include <stdint.h>

struct spool;

/* A place between two payments, to read on from there again. Its fields are the spool's business.
 */
struct spool_mark {
    int64_t rows;  /* that stand before it */
    int64_t bytes; /* of these */
};

/*
 * Make an empty spool in a directory. Fails with EX_IOERR or EX_OSERR. On success the caller closes
 * *ret.
 */
MUST_CHECK int spool_open(struct spool **ret, const char *directory, struct error *err);

/*
 * Add a payment; its batch is not kept. Fails with EX_IOERR, for one when the disk is full, and
 * says what to do. After a failure only spool_close() may be called.
 */
MUST_CHECK int spool_append(struct spool *spool, const struct payment *payment, struct error *err);

/*
 * Write the digest of all payments that were added (batch_digest.h). No payment can be added after
 * it. Fails with EX_IOERR or EX_OSERR.
 */
MUST_CHECK int spool_finish(struct spool *spool, char ret[PAYMENT_DIGEST_LEN + 1],
                            struct error *err);

/* Begin to read at the first payment. No payment can be added after it. Fails with EX_IOERR. */
MUST_CHECK int spool_rewind(struct spool *spool, struct error *err);

/*
 * Read the next payment. The batch in *ret stays as it is. Returns 1, 0 behind the last one that
 * was added, or -1 (EX_IOERR: the file is not what was written, or cannot be read).
 */
MUST_CHECK int spool_next(struct spool *spool, struct payment *ret, struct error *err);

/* Where spool_next() reads next; only after spool_rewind(). */
struct spool_mark spool_here(const struct spool *spool);

/* Read on from a mark of this spool. Fails with EX_IOERR. */
MUST_CHECK int spool_return(struct spool *spool, struct spool_mark mark, struct error *err);

/* NULL is accepted. */
void spool_close(struct spool *spool);

#endif
