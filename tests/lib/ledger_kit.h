/*
 * What the tests of ledger and store share: messages as rows, chunks made of them, a chunk's way
 * through a store, and a folder for files.
 */
#ifndef TESTS_LIB_LEDGER_KIT_H
#define TESTS_LIB_LEDGER_KIT_H

#include "consumer/store.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A message and the answer that it must get, as kit_answer() writes it. A row without a key is an
 * unreadable message.
 */
struct kit_row {
    const char *key;
    const char *src;
    const char *dest;
    int64_t amount_minor;
    const char *currency;
    const struct payment_batch *batch; /* NULL = none */
    const char *answer;
};

#define KIT_ANSWER_SIZE 128

/* Write a decision as text: "applied", "rejected same_account", "conflict payload_differs dest". */
const char *kit_answer(char buf[KIT_ANSWER_SIZE], const struct decision *decision);

/* The payment of a row that has a key. */
struct payment kit_payment(const struct kit_row *row);

/*
 * Add the row's message to the chunk, and move the end of its partition's range behind it. The raw
 * key is a static text; so is the value of an unreadable one. Another value is the command's, and
 * stands until 256 more are added.
 */
struct chunk_item *kit_add(struct chunk *chunk, const struct kit_row *row, int32_t partition,
                           int64_t offset);

/* The same for any command; its key stands in it. */
struct chunk_item *kit_add_command(struct chunk *chunk, const struct command *command,
                                   int32_t partition, int64_t offset);

/* begin, index, claim, load, decide, save, commit; rollback after a failure. */
MUST_CHECK enum store_status kit_transact(struct store *store, struct chunk *chunk,
                                          struct error *err);

/*
 * Take the rows through the store as one chunk, as partition's messages from its position on, and
 * assert each answer.
 */
void kit_run(struct store *store, int32_t partition, const struct kit_row *rows, size_t count);

/* A command of any type, and the answer that it must get. */
struct kit_command {
    struct command command;
    const char *answer;
};

/* As kit_run(); one_partition: the topic has no other. */
void kit_run_commands(struct store *store, bool one_partition, const struct kit_command *rows,
                      size_t count);

/* The partition's position; -1 = it has none. */
int64_t kit_position(struct store *store, int32_t partition);

/* An account as the store has it: currency "" and balance 0 when no payment used it yet. */
struct chunk_account kit_account(struct store *store, const char *name);

/* Bind a new store to topic `payments` of cluster `c1`; partitions 0 and 1 begin at offset 0. */
void kit_begin(struct store *store);

/*
 * Run a check on a new store in memory, and on two new ones in SQLite, one of which seals a key
 * segment with almost each chunk; which names the store.
 */
void kit_on_each_store(void (*check)(struct store *store, const char *which));

#define KIT_PATH_SIZE 256

/* Make a folder of the test's own, and remove it with all that is in it. */
void kit_folder_make(char path[KIT_PATH_SIZE]);
void kit_folder_remove(const char *path);

#endif
