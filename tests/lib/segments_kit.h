/*
 * A SQLite store with key segments of five keys, in a folder of the test's own: payments in chunks,
 * and changes of the file behind the store's back.
 */
#ifndef TESTS_LIB_SEGMENTS_KIT_H
#define TESTS_LIB_SEGMENTS_KIT_H

#include "tests/lib/ledger_kit.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENTS_KEYS  5
#define SEGMENTS_BYTES 16 /* of a segment's filter */

/* What the failed call said. */
extern struct error segments_err;

/* The store; NULL while it is closed. */
extern struct store *segments_store;

/* Its file. */
extern char segments_path[KIT_PATH_SIZE + 32];

/* Make folder and store, and begin; close it and remove all. */
void segments_make(void);
void segments_remove(void);

void segments_open(void);
void segments_close(void);

/* How many filters were damaged at the opening. */
int64_t segments_rebuilt(void);

/* Run SQL on the file through a connection of its own; the number that a query gives. */
void segments_change(const char *sql);
int64_t segments_number(const char *sql);

/* The file; the caller closes it. */
sqlite3 *segments_database(void);

/*
 * Write a segment's row with a filter of SEGMENTS_BYTES and the checksum that fits, as
 * store_sqlite_segments.c does.
 */
void segments_set_filter(sqlite3 *db, int64_t id, int64_t keys, const void *checksum,
                         const void *filter);

/* The key of payment number n, a static text. */
const char *segments_key(int n);

/* Pay numbers first to end - 1 in chunks, and assert that each gets the answer. */
void segments_pay(int first, int end, int chunk, const char *answer);

/* The payments of count numbers as a chunk at the partition's position. The caller frees it. */
struct chunk *segments_chunk(int first, size_t count);

/* Take a chunk of payments through the store up to the save, without a commit. */
enum store_status segments_save(struct chunk *chunk);

#endif
