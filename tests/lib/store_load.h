/*
 * A fixed load for the SQLite store, in steps, and the state of the file after each: what a test
 * that lets a step fail compares with.
 *
 * It makes and binds a store, takes chunks of everything that a chunk may have (payments, repeats,
 * conflicts, unreadable messages, account commands, a batch), notes outcomes as published and
 * skipped, and opens the store again, once with a WAL that a killed process left. It asserts
 * nothing, so that it may also run outside of a test.
 */
#ifndef TESTS_LIB_STORE_LOAD_H
#define TESTS_LIB_STORE_LOAD_H

#include "consumer/store.h"

#include <stdint.h>

enum store_load_step {
    LOAD_OPEN,
    LOAD_BIND,
    LOAD_ADOPT_0,
    LOAD_ADOPT_1,
    LOAD_PAYMENTS, /* a chunk */
    LOAD_MIXED,    /* a chunk */
    LOAD_PUBLISHED,
    LOAD_SKIPPED,
    LOAD_OPEN_WITH_WAL,
    LOAD_BATCH, /* a chunk */
    LOAD_AGAIN, /* a chunk: the payments of the first one at other offsets */
    LOAD_OPEN_AGAIN,
    LOAD_STEPS,
};

/* Messages that all chunks have together. */
#define STORE_LOAD_MESSAGES 106

struct store_load {
    const char *path;
    struct store *store; /* NULL while it is closed */
};

const char *store_load_name(int step);

/* True for a step that is a chunk: taken again it must be STORE_STALE. */
bool store_load_is_chunk(int step);

/* Take a step. Steps that open a store close it first. */
enum store_status store_load_step(struct store_load *load, int step, struct error *err);

/* Open the store, between two steps. */
enum store_status store_load_open(struct store_load *load, struct error *err);

/* Close what is open. */
void store_load_close(struct store_load *load);

/*
 * A digest of all that the file at path says, without the store's id and how often it was opened;
 * of its tables, not its pages. STORE_LOAD_NOTHING without tables, STORE_LOAD_DAMAGED when
 * integrity_check finds something or the file cannot be read.
 */
#define STORE_LOAD_NOTHING 0
#define STORE_LOAD_DAMAGED 1
uint64_t store_load_state(const char *path);

/*
 * Take all steps on a new store in folder, and note the state after each. False when a step or the
 * file failed.
 */
bool store_load_states(const char *folder, uint64_t states[LOAD_STEPS]);

#endif
