/*
 * What the files of the store in memory share. Nobody else includes this header.
 *
 *   store_memory.c         the tables, positions, transactions, close
 *   store_memory_chunk.c   claim, load, save
 *   store_memory_answer.c  outcomes, show, stats
 *
 * Everything is a plain array that is searched from its beginning: this store is for tests, where
 * being obviously right matters and size does not. A transaction is a copy of the arrays that
 * rollback() brings back.
 */
#ifndef CONSUMER_STORE_MEMORY_INTERNAL_H
#define CONSUMER_STORE_MEMORY_INTERNAL_H

#include "consumer/store.h"

struct account_row {
    char name[PAYMENT_ACCOUNT_MAX + 1];
    struct chunk_account account; /* its name points nowhere */
};

struct record_row {
    struct outcome_record record;
    int64_t log;
};

struct position_row {
    struct store_position position;
    struct log_marks marks;
};

struct array {
    char *rows;
    size_t count;
};

enum table {
    TABLE_ACCOUNTS,
    TABLE_BATCHES,
    TABLE_RECORDS, /* every answer, in the order of seq */
    TABLE_POSITIONS,
    TABLE_SKIPPED, /* int64_t: seq */
    TABLE_COUNT,
};

struct contents {
    struct array tables[TABLE_COUNT];
    int64_t counts[OUTCOME_COUNT];
    int64_t chunks;
    int64_t log;
    int64_t published;
    bool strict;
};

struct store_memory {
    struct store base;
    char *cluster;
    char *topic;
    struct contents now;
    struct contents before; /* what rollback brings back, while in_transaction */
    bool in_transaction;
};

static inline struct store_memory *memory_of(struct store *base)
{
    return (struct store_memory *)base; /* base is its first member */
}

/* NULL behind the last row. */
void *memory_row(const struct contents *contents, enum table table, size_t index);

/* A new row, all zero. Ends the process when memory ran out. */
void *memory_add(struct contents *contents, enum table table);

/* NULL when there is none. */
struct position_row *memory_find_position(const struct contents *contents, int32_t partition);
const struct record_row *memory_find_decision(const struct contents *contents, const char *key);

/* The operations that stand in files of their own. */
enum store_status memory_claim(struct store *base, struct chunk *chunk, struct error *err);
enum store_status memory_load(struct store *base, struct chunk *chunk, struct error *err);
enum store_status memory_save(struct store *base, struct chunk *chunk, struct error *err);
enum store_status memory_outcomes(struct store *base, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err);
enum store_status memory_show(struct store *base, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err);
enum store_status memory_is_stale(struct store *base, const char *key, bool *ret,
                                  struct error *err);
enum store_status memory_stats(struct store *base, struct store_stats *ret, struct error *err);

#endif
