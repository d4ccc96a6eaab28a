/*
 * What the files of the SQLite store share. Nobody else includes this header.
 *
 *   store_sqlite.c        the helpers, begin, commit, rollback, positions, close
 *   store_sqlite_open.c   opening and making a store
 *   store_sqlite_claim.c  claim, load
 *   store_sqlite_save.c   save
 *   store_sqlite_stats.c  stats
 */
#ifndef CONSUMER_STORE_SQLITE_INTERNAL_H
#define CONSUMER_STORE_SQLITE_INTERNAL_H

#include "consumer/store.h"

#include <sqlite3.h>

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_FIND_KEY,
    STATEMENT_HIGHEST_RECORDED,
    STATEMENT_FIND_RECORDED,
    STATEMENT_FIND_ACCOUNT,
    STATEMENT_FIND_BATCH,
    STATEMENT_MOVE_POSITION,
    STATEMENT_UPDATE_ACCOUNT,
    STATEMENT_ADD_ACCOUNT,
    STATEMENT_ADD_BATCH,
    STATEMENT_ADD_DECISION,
    STATEMENT_ADD_KEY,
    STATEMENT_ADD_REPEAT,
    STATEMENT_ADD_QUARANTINE,
    STATEMENT_ADD_HEADER,
    STATEMENT_COUNT_OUTCOME,
    STATEMENT_FIND_TOTAL,
    STATEMENT_SET_TOTAL,
    STATEMENT_COUNT_CHUNK,
    STATEMENT_COUNT,
};

struct store_sqlite {
    struct store base;
    sqlite3 *db;
    char opening[STORE_UUID_SIZE];
    int lock_fd; /* -1 when opened to read only */
    char *path;
    store_header_reader *headers;
    int64_t last_seq; /* of the last decision in the open transaction, or committed */
    int64_t committed_seq;
    int bind_code; /* the first failure of a bind since the last run */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static inline struct store_sqlite *sqlite_of(struct store *base)
{
    return (struct store_sqlite *)base; /* base is its first member */
}

/* The status and the error for what the database answered last. doing: "PATH: doing: why". */
enum store_status sqlite_failed(struct store_sqlite *store, const char *doing, struct error *err);

/* Values for a prepared statement. Text and blobs are borrowed until the statement was run. */
void sqlite_bind_int(struct store_sqlite *store, enum statement id, int place, int64_t value);
void sqlite_bind_text(struct store_sqlite *store, enum statement id, int place, const char *text);
void sqlite_bind_blob(struct store_sqlite *store, enum statement id, int place, const void *data,
                      size_t len);

/* Run a statement that returns no row, and make it ready for the next time. */
enum store_status sqlite_run(struct store_sqlite *store, enum statement id, const char *doing,
                             struct error *err);

/*
 * Step a statement that returns at most one row: *ret_row is NULL when there is none. The row is
 * valid until sqlite_done(), which must be called in any case but failure.
 */
enum store_status sqlite_row(struct store_sqlite *store, enum statement id, const char *doing,
                             sqlite3_stmt **ret_row, struct error *err);
void sqlite_done(struct store_sqlite *store, enum statement id);

/* Copy a text column into a field of size bytes; false when it does not fit, which is damage. */
bool sqlite_copy_text(sqlite3_stmt *row, int column, char *field, size_t size);

/* Prepare, bind up to two texts, and step once. The caller finalizes *ret, also on failure. */
enum store_status sqlite_ask(struct store_sqlite *store, const char *sql, const char *first,
                             const char *second, sqlite3_stmt **ret, struct error *err);

/* A row that this program cannot have written. */
enum store_status sqlite_damaged(struct store_sqlite *store, const char *what, struct error *err);

extern const struct store_ops sqlite_ops;

/* Close what is open of it and free it. */
void sqlite_close(struct store *base);

/* The operations that stand in files of their own. */
enum store_status sqlite_claim(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_load(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_save(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_stats(struct store *base, struct store_stats *ret, struct error *err);

#endif
