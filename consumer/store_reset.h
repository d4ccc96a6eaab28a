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

#endif
