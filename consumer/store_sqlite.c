#include "consumer/store_sqlite_internal.h"

#include "consumer/store_lock.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- helpers that all the store's files use ---- */

enum store_status sqlite_failed(struct store_sqlite *store, const char *doing, struct error *err)
{
    int code = sqlite3_extended_errcode(store->db);
    int primary = code & 0xFF;
    int exit_code = EX_IOERR;

    if (primary == SQLITE_NOMEM) {
        exit_code = EX_OSERR;
    } else if (primary == SQLITE_NOTADB) {
        exit_code = EX_CONFIG;
    }
    /* Of a failed call of the system SQLite only says "disk I/O error". */
    int system_code =
        primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? sqlite3_system_errno(store->db) : 0;
    error_set(err, exit_code, "%s: %s: %s%s%s (SQLite %d)", store->path, doing,
              sqlite3_errmsg(store->db), system_code ? ": " : "",
              system_code ? strerror(system_code) : "", code);
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
        return STORE_BUSY;
    }
    return primary == SQLITE_FULL ? STORE_FULL : STORE_FAILED;
}

enum store_status sqlite_damaged(struct store_sqlite *store, const char *what, struct error *err)
{
    error_set(err, EX_IOERR, "%s: the store is damaged: %s", store->path, what);
    return STORE_FAILED;
}

static void note_bind(struct store_sqlite *store, int code)
{
    if (store->bind_code == SQLITE_OK) {
        store->bind_code = code;
    }
}

/* A store that is opened to read only prepares what it comes to need. NULL after a failure. */
static sqlite3_stmt *statement_of(struct store_sqlite *store, enum statement id)
{
    if (!store->statements[id] && store->bind_code == SQLITE_OK) {
        note_bind(store, sqlite_prepare(store, id));
    }
    return store->statements[id];
}

void sqlite_bind_int(struct store_sqlite *store, enum statement id, int place, int64_t value)
{
    note_bind(store, sqlite3_bind_int64(statement_of(store, id), place, value));
}

void sqlite_bind_text(struct store_sqlite *store, enum statement id, int place, const char *text)
{
    note_bind(store, sqlite3_bind_text(statement_of(store, id), place, text, -1, SQLITE_STATIC));
}

void sqlite_bind_blob(struct store_sqlite *store, enum statement id, int place, const void *data,
                      size_t len)
{
    sqlite3_stmt *statement = statement_of(store, id);

    /* An empty blob and no blob are two things; SQLite tells them apart by the pointer. */
    note_bind(store,
              data ? sqlite3_bind_blob64(statement, place, len > 0 ? data : "", len, SQLITE_STATIC)
                   : sqlite3_bind_null(statement, place));
}

void sqlite_done(struct store_sqlite *store, enum statement id)
{
    if (store->statements[id]) {
        sqlite3_reset(store->statements[id]);
        sqlite3_clear_bindings(store->statements[id]);
    }
}

enum store_status sqlite_row(struct store_sqlite *store, enum statement id, const char *doing,
                             sqlite3_stmt **ret_row, struct error *err)
{
    enum store_status status = STORE_OK;
    sqlite3_stmt *statement = statement_of(store, id);
    int code = SQLITE_ERROR;

    if (store->bind_code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    store->bind_code = SQLITE_OK;
    *ret_row = code == SQLITE_ROW ? statement : NULL;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        status = sqlite_failed(store, doing, err);
        sqlite_done(store, id);
    }
    return status;
}

enum store_status sqlite_run(struct store_sqlite *store, enum statement id, const char *doing,
                             struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_row(store, id, doing, &row, err);

    if (status == STORE_OK) {
        sqlite_done(store, id);
    }
    return status;
}

bool sqlite_copy_text(sqlite3_stmt *row, int column, char *field, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);

    if (!text || len >= size) {
        return false;
    }
    payment_copy(field, text, len);
    return true;
}

enum store_status sqlite_ask(struct store_sqlite *store, const char *sql, const char *first,
                             const char *second, sqlite3_stmt **ret, struct error *err)
{
    *ret = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, ret, NULL) != SQLITE_OK ||
        (first && sqlite3_bind_text(*ret, 1, first, -1, SQLITE_STATIC) != SQLITE_OK) ||
        (second && sqlite3_bind_text(*ret, 2, second, -1, SQLITE_STATIC) != SQLITE_OK)) {
        return sqlite_failed(store, "query", err);
    }
    int code = sqlite3_step(*ret);
    return code == SQLITE_ROW || code == SQLITE_DONE ? STORE_OK
                                                     : sqlite_failed(store, "query", err);
}

enum store_status sqlite_exec(struct store_sqlite *store, const char *sql, const char *doing,
                              struct error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_failed(store, doing, err);
}

enum store_status sqlite_ask_int(struct store_sqlite *store, const char *sql, int64_t *ret,
                                 struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_ask(store, sql, NULL, NULL, &row, err);

    if (status == STORE_OK) {
        *ret = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    return status;
}

/* ---- the operations ---- */

static enum store_status sqlite_identify(struct store *base, struct store_identity *ret,
                                         struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row;
    enum store_status status =
        sqlite_ask(store, "SELECT uuid, incarnation, chunks FROM store", NULL, NULL, &row, err);

    if (status == STORE_OK && !sqlite_copy_text(row, 0, ret->uuid, sizeof(ret->uuid))) {
        status = sqlite_damaged(store, "its own row is missing", err);
    }
    if (status == STORE_OK) {
        ret->incarnation = sqlite3_column_int64(row, 1);
        ret->chunks = sqlite3_column_int64(row, 2);
        ret->filters_rebuilt = store->keys.rebuilt;
        memcpy(ret->opening, store->opening, sizeof(ret->opening));
    }
    sqlite3_finalize(row);
    return status;
}

static enum store_status sqlite_begin(struct store *base, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);

    store->now = store->committed;
    if (store->is_snapshot) {
        return STORE_OK;
    }
    if (store_lock_check(store->path, store->lock_fd, err) != 0) {
        return STORE_FAILED;
    }
    return sqlite_run(store, STATEMENT_BEGIN, "begin", err);
}

static void sqlite_rollback(struct store *base)
{
    struct store_sqlite *store = sqlite_of(base);

    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite_done(store, (enum statement)i); /* values that a failure left bound */
    }
    /* Some failures have rolled back already, and then there is nothing to do. */
    if (!sqlite3_get_autocommit(store->db) && !store->is_snapshot) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    store->now = store->committed;
    sqlite_keys_rolled_back(store);
}

/*
 * BUSY and FULL leave the WAL without a commit record, so the transaction surely did not happen.
 * After any other failure (an I/O error in the sync) the record may be on the disk.
 */
static enum store_status sqlite_commit(struct store *base, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = sqlite_run(store, STATEMENT_COMMIT, "commit", err);

    if (status == STORE_FAILED) {
        error_wrap(err, "it is not known whether the last chunk was committed; the next start "
                        "will see");
    } else if (status == STORE_OK) {
        store->committed = store->now;
        sqlite_keys_committed(store);
    }
    return status;
}

enum store_status sqlite_end(struct store *base, enum store_status status, struct error *err)
{
    if (status == STORE_OK) {
        status = sqlite_commit(base, err);
    }
    if (status != STORE_OK) {
        sqlite_rollback(base);
    }
    return status;
}

void sqlite_close(struct store *base)
{
    struct store_sqlite *store = sqlite_of(base);

    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    sqlite3_close(store->db);
    if (store->lock_fd >= 0) {
        close(store->lock_fd); /* after the database: see store_lock.h */
    }
    key_filter_free(store->keys.filter);
    free(store->keys.newest);
    free(store->sought);
    free(store->path);
    free(store);
}

const struct store_ops sqlite_ops = {
    .bind = sqlite_bind,
    .identify = sqlite_identify,
    .set_mode = sqlite_set_mode,
    .ordered = sqlite_ordered,
    .position = sqlite_position,
    .adopt = sqlite_adopt,
    .move = sqlite_move,
    .new_log = sqlite_new_log,
    .begin = sqlite_begin,
    .claim = sqlite_claim,
    .load = sqlite_load,
    .save = sqlite_save,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .outcomes = sqlite_outcomes,
    .outbox = sqlite_outbox,
    .published = sqlite_published,
    .skip = sqlite_skip,
    .show = sqlite_show,
    .is_stale = sqlite_is_stale,
    .stats = sqlite_stats,
    .close = sqlite_close,
};
