/*
 * The store, read only: the SQLite file of payd and what stands in it.
 */
#ifndef TESTS_CHECKER_LEDGER_H
#define TESTS_CHECKER_LEDGER_H

#include "tests/checker/fault.h"
#include "tests/checker/order.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a message, by the numbers that stand in the store. */
enum outcome {
    OUTCOME_NONE = 0,
    OUTCOME_APPLIED = 1,
    OUTCOME_REJECTED = 2,
    OUTCOME_DUPLICATE = 3,
    OUTCOME_CONFLICT = 4,
    OUTCOME_REDELIVERED = 5,
    OUTCOME_QUARANTINED = 6,
    OUTCOME_END
};

/* "applied", ...; a static string. */
const char *outcome_text(int outcome);

#define LEDGER_REASON_SIZE 32
#define LEDGER_UUID_SIZE   64

struct ledger {
    sqlite3 *db;
    const char *path; /* borrowed */
    char uuid[LEDGER_UUID_SIZE];
    int64_t log; /* the number of the topic that is read now */
    int64_t incarnation;
    int64_t chunks;
    int64_t published_seq;
    bool strict;
    int64_t counts[OUTCOME_END]; /* messages by outcome, as the store counted them */
};

/* Open a store; EX_DATAERR when it is not there. Nothing is read yet: it may be damaged. */
int ledger_open(struct ledger *ledger, const char *path, struct fault *fault);
void ledger_close(struct ledger *ledger);

/* Read all but path and db. EX_DATAERR for what is no store. */
int ledger_read(struct ledger *ledger, struct fault *fault);

/* Prepare a query; EX_DATAERR with SQLite's words when that fails. The caller finalizes it. */
int ledger_query(const struct ledger *ledger, const char *sql, sqlite3_stmt **ret,
                 struct fault *fault);

/* The query's next row: 1, 0 at its end, -1 with a fault. */
int ledger_step(const struct ledger *ledger, sqlite3_stmt *query, struct fault *fault);

/* The one number that a query gives, 0 for NULL. */
int ledger_int(const struct ledger *ledger, const char *sql, int64_t *ret, struct fault *fault);

/* A text or blob of the current row; *ret_len is 0 for NULL, for which the answer is NULL. */
const char *ledger_bytes(sqlite3_stmt *row, int column, size_t *ret_len);

/* The key of a stored form, which stands in a column, as a number of words.keys. */
int32_t ledger_key(struct words *words, sqlite3_stmt *row, int column);

#endif
