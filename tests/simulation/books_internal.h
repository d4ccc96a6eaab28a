/*
 * What the files of the books share. Nobody else includes this header.
 *
 *   books.c           what payd says and does on its way, and the positions
 *   books_compare.c   the store's records against the model and against what was there before
 *   books_close.c     the end of a history: balances, counts, the outcomes topic, the producers
 */
#ifndef TESTS_SIMULATION_BOOKS_INTERNAL_H
#define TESTS_SIMULATION_BOOKS_INTERNAL_H

#include "tests/simulation/books.h"
#include "tests/simulation/outcomes.h"

#define BOOKS_NONE (-1)

/* A record of the ledger that was seen. */
struct seen {
    uint64_t hash; /* of all that must never change */
    const struct record *record;
    struct model_answer answer;
};

enum open_save { SAVE_NONE, SAVE_OPEN, SAVE_UNCERTAIN };

struct books {
    int64_t positions[TOPIC_PARTITIONS_MAX];
    int64_t highest[TOPIC_PARTITIONS_MAX]; /* a position that there ever was */
    /*
     * As highest, since payd started to read the partition. Another hand may set a position back
     * before payd tells the group of the chunk that it saw committed.
     */
    int64_t reached[TOPIC_PARTITIONS_MAX];
    /* The positions that a transaction would give, BOOKS_NONE where it moves none. */
    enum open_save save;
    int64_t saving[TOPIC_PARTITIONS_MAX];
    struct seen seen[OUTCOMES_MAX + 1]; /* by seq */
    int64_t last_seq;
    int64_t durable_seq; /* the last one of a transaction whose end was seen */
    int64_t last_offset[TOPIC_PARTITIONS_MAX]; /* of the records that were seen */
    int64_t published;
    bool skipped[OUTCOMES_MAX + 1]; /* by seq */
    struct model model;
};

extern struct books books;

/* Whether an outcome is where it must be before the cursor may pass it. */
bool books_is_settled(int64_t seq);

/* The durable positions, where an end that nobody saw is decided now. */
void books_compare_positions(struct store *store);

/* Call visit with each record of the store, by seq. */
void books_each_record(struct store *store, void (*visit)(const struct store_outcome *outcome));

#endif
