/*
 * What the files of a purge share. Nobody else includes this header.
 *
 *   store_sqlite_purge.c            opening, batches, repeats
 *   store_sqlite_purge_decisions.c  decisions, and the sums of what was forgotten
 */
#ifndef CONSUMER_STORE_SQLITE_PURGE_H
#define CONSUMER_STORE_SQLITE_PURGE_H

#include "consumer/store_purge.h"
#include "consumer/store_sqlite_internal.h"

enum purge_query {
    PURGE_NEXT_BATCHES,
    PURGE_ROWS_OF_BATCH,
    PURGE_FORGET_BATCH,
    PURGE_NOTE_HELD,
    PURGE_END_OF_REPEATS,
    PURGE_FORGET_REPEATS,
    PURGE_NEXT_DECISIONS,
    PURGE_FORGET_KEY,
    PURGE_FORGET_DECISION,
    PURGE_FORGET_COUNT,
    PURGE_FIND_POSTINGS,
    PURGE_SET_POSTINGS,
    PURGE_FIND_TOTAL,
    PURGE_SET_TOTAL,
    PURGE_SET_KEYS,
    PURGE_SET_FORGOTTEN,
    PURGE_QUERY_COUNT,
};

/* ISO 4217 has fewer codes than this, and only known currencies are applied. */
#define PURGE_CURRENCIES_MAX 256

/* A posting that was forgotten. */
struct purge_posting {
    int64_t account;
    int64_t amount_minor;
};

/* What one step has forgotten, to be added to what was before. */
struct purge_gone {
    int64_t seqs[STORE_PURGE_ROWS];
    size_t count;
    struct purge_posting postings[2 * STORE_PURGE_ROWS];
    size_t posting_count;
    struct store_currency totals[PURGE_CURRENCIES_MAX];
    size_t total_count;
    int64_t applied;
    int64_t rejected;
    int64_t repeats; /* that were counted */
    int64_t segment; /* a sealed one that has lost keys, 0 = none */
    int64_t segment_keys;
    struct key_hash segment_sum;
};

enum purge_stage {
    PURGE_STAGE_BATCHES,
    PURGE_STAGE_REPEATS,
    PURGE_STAGE_DECISIONS,
    PURGE_STAGE_DONE
};

struct store_purge {
    struct store_sqlite *store;
    struct store_purged purged;
    enum purge_stage stage;
    int64_t cursor;       /* of the stage: an id, a seq */
    int64_t held_seq;     /* repeats up to it were looked at: held keys are in temp.purge_held */
    int64_t segment;      /* where the last key stood: keys come in the order of their segments */
    int64_t reset_seq;    /* postings up to it do not count */
    int64_t published;    /* as the step began */
    struct key_hash gone; /* the sum of all forgotten decisions' hashes */
    struct key_hash committed_gone;
    struct purge_gone now;
    sqlite3_stmt *queries[PURGE_QUERY_COUNT];
};

/* Step a query whose values are bound; a row stays until it is reset. */
enum store_status purge_row(struct store_purge *purge, enum purge_query id, bool *ret_row,
                            struct error *err);

/* Run one that gives no row that is wanted. */
enum store_status purge_run(struct store_purge *purge, enum purge_query id, struct error *err);

/* Bind floor, published seq and log: the first three values. */
void purge_bind_held(const struct store_purge *purge, enum purge_query id);

/* Repeats that came since the last step hold their keys too. In a step's transaction. */
enum store_status purge_note_held(struct store_purge *purge, struct error *err);

/* A step through the decisions. */
enum store_status purge_decisions(struct store_purge *purge, struct error *err);

#endif
