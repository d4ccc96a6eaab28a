/*
 * Evidence made by code: messages go through the real rules and the real store without a broker,
 * and into the files that pay-checker reads. Tests then doctor one of them.
 */
#ifndef TESTS_CHECKER_TEST_FOLDER_H
#define TESTS_CHECKER_TEST_FOLDER_H

#include "tests/lib/ledger_kit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLDER_PARTITIONS_MAX 4

struct folder {
    char dir[KIT_PATH_SIZE];
    char db[KIT_PATH_SIZE + 32];
    struct store *store; /* open until folder_end() */
    int partitions;
    int64_t ends[FOLDER_PARTITIONS_MAX];
};

/* A message; NULL = none. The value may have bytes of any kind, but no NUL. */
struct folder_message {
    int32_t partition;
    const char *key;
    const char *value;
};

#define FOLDER_PAYMENT(src, dest, amount)                                                          \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"" src "\",\"dest\":\"" dest "\",\"amount\":\"" amount \
    "\"}"

/* A row of batch "b" of 2; byte stands for the batch's digest: two hex digits. */
#define FOLDER_ROW(src, dest, amount, byte)                                                        \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"" src "\",\"dest\":\"" dest "\",\"amount\":\"" amount \
    "\",\"batch\":{\"id\":\"b\",\"rows\":2,\"digest\":\"" byte                                     \
    "11112222333344445555666677778888111122223333444455556666777788\"}}"

/*
 * For most tests: a clean folder with one of each: payments, a rejected one, duplicates of which 6
 * are only counted, conflicts, quarantined messages, a cancel, a changed batch, an account command,
 * a snapshot, outcomes. Two partitions.
 */
void folder_make_sample(struct folder *folder);

/* Take away its snapshot and outcomes, which would show a changed ledger, too. */
void folder_strip(const struct folder *folder);

/* ---- making ---- */

/* A new folder and store, on a topic of so many partitions. */
void folder_begin(struct folder *folder, int partitions, bool strict);

/* The messages are sent, acknowledged, and decided as one chunk. */
void folder_send(struct folder *folder, const struct folder_message *messages, size_t count);

/* The same, without payd having seen them. */
void folder_send_only(struct folder *folder, const struct folder_message *messages, size_t count);

/* Copy the store as it is into snapshots/NAME.db. */
void folder_snapshot(struct folder *folder, const char *name);

/* Publish the outcomes that are not published yet. */
void folder_publish(struct folder *folder);

/* The topic is made anew, and payd is told to go on with it: its file is empty again. */
void folder_new_log(struct folder *folder);

/* Commit the positions, close the store: the evidence is complete. */
void folder_end(struct folder *folder);

void folder_remove(struct folder *folder);

/* ---- doctoring ---- */

/* Change the store by SQL, whatever its constraints say. */
void folder_sql(const struct folder *folder, const char *sql);

/* Replace the first occurrence of a text in a file of the folder, which must have it. */
void folder_replace(const struct folder *folder, const char *file, const char *from,
                    const char *to);

void folder_append(const struct folder *folder, const char *file, const char *text);

/* Remove every line that has the text; at least one. */
void folder_cut(const struct folder *folder, const char *file, const char *text);

void folder_delete(const struct folder *folder, const char *file);

/* ---- the verdict ---- */

/*
 * Assert the exit code of `pay-checker check` and which invariants it reports: "" for none, else
 * such as "I2 I4". says: a text that its output must have, or NULL.
 */
void folder_expect(const struct folder *folder, bool settled, int code, const char *invariants,
                   const char *says);

#endif
