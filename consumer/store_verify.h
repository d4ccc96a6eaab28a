/*
 * Proving a store from its file alone: is all that it says true to itself?
 */
#ifndef CONSUMER_STORE_VERIFY_H
#define CONSUMER_STORE_VERIFY_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/key_hash.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What is looked at, in this order. */
enum store_check {
    STORE_CHECK_FILE,       /* pages, tables and indices: SQLite's own check of the file */
    STORE_CHECK_SEGMENTS,   /* sealed segments have the keys that they were sealed with */
    STORE_CHECK_KEYS,       /* each key is there once, over all segments, with its decision */
    STORE_CHECK_DECISIONS,  /* each fits its payload's digest, all together the store's */
    STORE_CHECK_REPEATS,    /* each fits its key's decision and its digest, and all are counted */
    STORE_CHECK_QUARANTINE, /* what is kept fits its digest, and all are counted */
    STORE_CHECK_ACCOUNTS,   /* each balance is the sum of the account's postings */
    STORE_CHECK_CURRENCIES, /* balances sum to zero, and totals are the sums of payments */
    STORE_CHECK_POSITIONS,  /* no position stands before what was read */
    STORE_CHECK_COUNT,
};

/* "file", "segments", ...; a static string. */
const char *store_check_name(enum store_check check);

/* What was looked at and found wrong, by check. */
struct store_proof {
    int64_t looked_at[STORE_CHECK_COUNT];
    int64_t found[STORE_CHECK_COUNT];
    unsigned char digest[KEY_HASH_SIZE]; /* of the decisions that are there: decision_hash.h */
};

/* The sum over all checks: 0 when nothing is wrong. */
int64_t store_proof_found(const struct store_proof *proof);

/* Called with each thing that is wrong, in a sentence that names it; borrowed for the call. */
typedef void store_finding(void *user, enum store_check check, const char *text);

/*
 * Check the store in the file at path, of one moment, also while payd writes: it only reads, but
 * its WAL grows meanwhile. Memory: 40 bytes an account, some 20 KiB a key segment. What cannot be
 * read because the file is damaged is a finding. Fails as store_sqlite_open_readonly(), and with
 * EX_IOERR when reading fails, EX_OSERR when memory ran out.
 */
MUST_CHECK int store_sqlite_verify(const char *path, store_finding *found, void *user,
                                   struct store_proof *ret, struct error *err);

/* The same of a store that is open: of one of store_sqlite_open_moment(), its moment. */
MUST_CHECK int store_sqlite_verify_moment(struct store *moment, store_finding *found, void *user,
                                          struct store_proof *ret, struct error *err);

#endif
