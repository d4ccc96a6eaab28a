/*
 * Setting the money of a store back to zero.
 */
#ifndef CONSUMER_STORE_RESET_H
#define CONSUMER_STORE_RESET_H

#include "consumer/store.h"

/*
 * In one transaction: all balances and totals become zero, and the postings so far do not count any
 * more. Decisions, keys, positions, limits and what is closed stay: what was paid is not paid
 * again.
 */
MUST_CHECK enum store_status store_sqlite_reset(struct store *store, struct error *err);

/*
 * Remove the files of a store, which may be gone already: EX_IOERR otherwise. The caller holds the
 * store open to write, or nobody else can.
 */
MUST_CHECK int store_sqlite_remove(const char *path, struct error *err);

#endif
