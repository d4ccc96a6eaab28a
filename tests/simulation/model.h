/*
 * The model: the rules once more, message by message, in the simplest words, without the product's
 * code. It is told the messages in the order in which the ledger decided them.
 */
#ifndef TESTS_SIMULATION_MODEL_H
#define TESTS_SIMULATION_MODEL_H

#include "common/outcome.h"
#include "tests/simulation/commands.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The decision that a key has for good. */
struct model_key {
    bool decided;
    const struct record *record;
    int64_t seq;
    enum outcome outcome;
    const char *reason;
};

struct model_account {
    bool open;
    bool closed;
    const char *currency; /* "" while nobody has opened it */
    int64_t balance;
    bool limited;
    int64_t limit;
};

struct model {
    bool one_partition;
    bool strict;
    struct model_key keys[COMMANDS_KEYS];
    struct model_account accounts[COMMANDS_ACCOUNTS];
    const struct payment_batch *batches[COMMANDS_MAX];
    size_t batch_count;
    int64_t counts[OUTCOME_COUNT];
};

struct model_answer {
    enum outcome verdict;
    const char *reason;            /* "" for none */
    unsigned fields;               /* that differ, bits of enum command_field */
    const struct model_key *first; /* the key's decision, NULL while it has none */
};

void model_begin(struct model *model, bool one_partition);

/* What becomes of a record that is decided as number seq. */
struct model_answer model_decide(struct model *model, const struct record *record, int64_t seq);

/* True when two payloads of one key are the same payload. */
bool model_same_payload(const struct command *a, const struct command *b);

#endif
