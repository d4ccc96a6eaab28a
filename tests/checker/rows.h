/*
 * What the store has recorded, row by row: decisions, repeats and quarantine in the one order of
 * their seq.
 */
#ifndef TESTS_CHECKER_ROWS_H
#define TESTS_CHECKER_ROWS_H

#include "tests/checker/ledger.h"

struct row {
    int64_t seq;
    int outcome;                     /* enum outcome */
    char reason[LEDGER_REASON_SIZE]; /* "" for none; of the quarantine its name for what is wrong */
    int32_t key; /* of words.keys; NAMES_NONE: quarantined without a key, or not kept */
    int64_t log;
    int64_t partition;
    int64_t offset;
    unsigned char digest[SHA_SIZE];
    /* Decisions. */
    struct order order;
    /* Repeats. */
    int64_t first_seq; /* 0: the key was not decided */
    char fields[ORDER_FIELDS_SIZE];
    bool is_kept;
    /* Repeats and quarantine: the value that is kept. */
    bool has_value;
    int64_t kept_len;
    unsigned char value_digest[SHA_SIZE];
    /* Quarantine. */
    int64_t key_len; /* -1: none */
    int64_t value_len;
    int64_t timestamp_ms;
};

/* Called with each row in the order of seq; the row is borrowed for the call. */
typedef void rows_visit(void *user, const struct row *row);

/* EX_DATAERR when a table cannot be read, or holds what cannot stand there. */
int rows_read(const struct ledger *ledger, struct words *words, rows_visit *visit, void *user,
              struct fault *fault);

#endif
