/*
 * Forgetting old keys for good, so that a store does not grow for ever.
 *
 * Only keys are forgotten that tell their age themselves: a UUIDv7 that was made before the floor,
 * and the rows of a batch (keys "ID:NNNNNNNNNN") as one, whose id and digest stay. Such a key that
 * comes again is stale: quarantined, never run. All other keys stay.
 *
 * With a key go its decision and its repeats. What followed from them is kept as sums, so that
 * balances, totals, counts and the digest of all decisions still prove.
 */
#ifndef CONSUMER_STORE_PURGE_H
#define CONSUMER_STORE_PURGE_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decisions, or repeats, that one step looks at: so many are changed in a transaction at the most.
 */
#define STORE_PURGE_ROWS 1000

struct store_purge_terms {
    int64_t floor_ms;          /* Unix milliseconds: older keys may be forgotten */
    const int64_t *log_starts; /* by partition: the log's first offset; borrowed for the opening */
    size_t partitions;
};

struct store_purged {
    int64_t floor_ms; /* that is in force: it never falls */
    int64_t batches;  /* that were forgotten now, */
    int64_t keys;     /* with their decisions, and */
    int64_t repeats;  /* rows of repeats */
    int64_t ageless;  /* of decisions before the floor, those kept because the key has no age, */
    int64_t retained; /* or because the log still has the record, or its outcome is not published */
};

struct store_purge;

/*
 * Begin a purge of a store that is open to write: raises the floor, in a transaction. The caller
 * knows that nothing unread in the log may have an older key. It keeps an old key whose record, or
 * that of a repeat, the log still has. On success the caller closes *ret, before the store.
 */
MUST_CHECK enum store_status store_sqlite_purge_open(struct store_purge **ret, struct store *store,
                                                     const struct store_purge_terms *terms,
                                                     struct error *err);

/*
 * One small transaction; *ret_done when there is nothing left to do. A crash between two steps
 * leaves a store that is whole, and the next purge goes on. May be called between any two chunks.
 * Decisions are looked at in their order, up to a step's worth that are all younger than the floor:
 * what was decided after a clock that was ahead waits until the floor comes there.
 * Memory: that of the step, and each old key that was repeated lately.
 */
MUST_CHECK enum store_status store_sqlite_purge_step(struct store_purge *purge, bool *ret_done,
                                                     struct error *err);

/* What was forgotten so far, borrowed. */
const struct store_purged *store_sqlite_purged(const struct store_purge *purge);

/* NULL is accepted. */
void store_sqlite_purge_close(struct store_purge *purge);

#endif
