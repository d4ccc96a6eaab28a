/*
 * The books: what the simulation knows of the ledger without looking into it, to compare it with
 * when it does.
 *
 * What payd calls on its way through (the store's commits, offsets, publications, acknowledgements)
 * is noted and judged at once; what is durable is compared each time that the store is opened.
 */
#ifndef TESTS_SIMULATION_BOOKS_H
#define TESTS_SIMULATION_BOOKS_H

#include "consumer/store.h"
#include "tests/simulation/model.h"

#include <stdbool.h>
#include <stdint.h>

void books_begin(void);

/* ---- what the store is asked to do ---- */

/* A transaction holds this chunk; its positions are not durable yet. */
void books_saving(const struct chunk *chunk);
/* It is durable, with all records up to last_seq; or nobody knows; or it surely is not. */
void books_committed(int64_t last_seq);
void books_uncertain(void);
void books_forget(void);
void books_rolled_back(void);
/* Whether a range does not begin where its partition's durable position is. */
bool books_is_stale(const struct chunk *chunk);
/* A partition gets another position, the first one or by hand. */
void books_adopting(int32_t partition, int64_t offset);
/* The durable position; -1 = none, or not known. */
int64_t books_position(int32_t partition);

/* ---- what payd tells the world ---- */

/* It begins to read a partition. */
void books_starting(int32_t partition, int64_t offset);
/* It notes an offset for the group. */
void books_offset(int32_t partition, int64_t next_offset);
/* It hands over an outcome, or passes one over. */
void books_publishing(int64_t seq);
void books_skipping(int64_t seq);

/* ---- comparing ---- */

/*
 * Look at the whole store: nothing that was there is gone or changed, what is new is what the model
 * decides, positions are where they must be, and the cursor has not passed an outcome that nobody
 * has. Notes each violation.
 */
void books_compare(struct store *store);

/* At the end of a history: also the balances, the counts, the outcomes topic, the producers. */
void books_close(struct store *store);

/* What was found, in all histories. */
int64_t books_total(enum outcome outcome);

#endif
