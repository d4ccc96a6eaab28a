#include "consumer/store_sqlite_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* ---- the log ---- */

enum store_status sqlite_bind(struct store *base, const char *cluster, const char *topic,
                              struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    bool to_read = store->lock_fd < 0;
    sqlite3_stmt *row = NULL;
    enum store_status status =
        to_read ? STORE_OK
                : sqlite_ask(store,
                             "INSERT INTO logs (id, cluster, topic) SELECT log, ?1, ?2 FROM store"
                             " WHERE log NOT IN (SELECT id FROM logs)",
                             cluster, topic, &row, err);

    sqlite3_finalize(row);
    if (status != STORE_OK) {
        return status;
    }
    status = sqlite_ask(store, "SELECT cluster, topic FROM logs WHERE id = (SELECT log FROM store)",
                        NULL, NULL, &row, err);
    if (status == STORE_OK) {
        const char *own_cluster = (const char *)sqlite3_column_text(row, 0);
        const char *own_topic = (const char *)sqlite3_column_text(row, 1);
        if (to_read && !own_topic) {
            error_set(err, EX_CONFIG, "%s has not read a topic yet", store->path);
            status = STORE_FAILED;
        } else if (!own_cluster || !own_topic) {
            status = sqlite_damaged(store, "its own row is missing", err);
        } else if (strcmp(own_cluster, cluster) != 0 || strcmp(own_topic, topic) != 0) {
            error_set(err, EX_CONFIG,
                      "%s belongs to topic \"%s\" of Kafka cluster %s, not to topic \"%s\" of "
                      "cluster %s: use another --db for another log (to go on with this one on "
                      "purpose: payd position --db %s --new-log)",
                      store->path, own_topic, own_cluster, topic, cluster, store->path);
            status = STORE_FAILED;
        }
    }
    sqlite3_finalize(row);
    return status;
}

/* ---- the order that accounts may need ---- */

enum store_status sqlite_set_mode(struct store *base, bool strict, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    int64_t found = 0;
    enum store_status status = sqlite_ask_int(store, "SELECT strict FROM store", &found, err);

    if (status != STORE_OK || (found != 0) == strict) {
        return status;
    }
    status = sqlite_ask_int(store, "SELECT chunks FROM store", &found, err);
    if (status == STORE_OK && found > 0) {
        error_set(err, EX_CONFIG,
                  "%s: its accounts are %s, not %s: pay account mode %s changes that, as a "
                  "command with its place among the others",
                  store->path, strict ? "open" : "strict", strict ? "strict" : "open",
                  strict ? "strict" : "open");
        return STORE_FAILED;
    }
    return status == STORE_OK
               ? sqlite_exec(store,
                             strict ? "UPDATE store SET strict = 1" : "UPDATE store SET strict = 0",
                             "set the mode", err)
               : status;
}

enum store_status sqlite_ordered(struct store *base, bool *ret, struct error *err)
{
    int64_t found = 0;
    enum store_status status = sqlite_ask_int(
        sqlite_of(base),
        "SELECT strict OR EXISTS (SELECT 1 FROM accounts WHERE min_minor IS NOT NULL) FROM store",
        &found, err);

    *ret = found != 0;
    return status;
}

/* ---- positions ---- */

/* Prepares a statement about a partition, with a second and a third number if it has them. */
static enum store_status prepare(struct store_sqlite *store, const char *sql, int32_t partition,
                                 int64_t second, int64_t third, sqlite3_stmt **ret,
                                 struct error *err)
{
    int code = sqlite3_prepare_v2(store->db, sql, -1, ret, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_int(*ret, 1, partition);
    }
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(*ret) > 1) {
        code = sqlite3_bind_int64(*ret, 2, second);
    }
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(*ret) > 2) {
        code = sqlite3_bind_int64(*ret, 3, third);
    }
    return code == SQLITE_OK ? STORE_OK : sqlite_failed(store, "position", err);
}

/* Prepares and runs a statement that gives no row. *ret_changes counts the rows that it changed. */
static enum store_status run(struct store_sqlite *store, const char *sql, int32_t partition,
                             int64_t second, int64_t third, int *ret_changes, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum store_status status = prepare(store, sql, partition, second, third, &statement, err);

    if (status == STORE_OK && sqlite3_step(statement) != SQLITE_DONE) {
        status = sqlite_failed(store, "position", err);
    }
    *ret_changes = sqlite3_changes(store->db);
    sqlite3_finalize(statement);
    return status;
}

static bool read_mark(sqlite3_stmt *row, int column, struct fingerprint *ret)
{
    ret->known = sqlite3_column_type(row, column) != SQLITE_NULL;
    ret->offset = sqlite3_column_int64(row, column);
    if (ret->known) {
        const void *print = sqlite3_column_blob(row, column + 1);
        if (!print || sqlite3_column_bytes(row, column + 1) != sizeof(ret->print)) {
            return false;
        }
        memcpy(ret->print, print, sizeof(ret->print));
    }
    return true;
}

enum store_status sqlite_position(struct store *base, int32_t partition, bool *ret_found,
                                  int64_t *ret_offset, struct log_marks *ret_marks,
                                  struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    enum store_status status =
        prepare(store,
                "SELECT next_offset, last_offset, last_print, anchor_offset, anchor_print"
                " FROM positions WHERE partition = ?",
                partition, 0, 0, &row, err);

    if (status == STORE_OK) {
        int code = sqlite3_step(row);
        *ret_found = code == SQLITE_ROW;
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            status = sqlite_failed(store, "position", err);
        } else if (!read_mark(row, 1, &ret_marks->last) || !read_mark(row, 3, &ret_marks->anchor)) {
            status = sqlite_damaged(store, "a position's fingerprint", err);
        }
        *ret_offset = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status sqlite_adopt(struct store *base, int32_t partition, int64_t offset,
                               struct error *err)
{
    int changes;

    return run(sqlite_of(base), "INSERT INTO positions (partition, next_offset) VALUES (?, ?)",
               partition, offset, 0, &changes, err);
}

enum store_status sqlite_move(struct store *base, int32_t partition, int64_t offset, int64_t now_ms,
                              struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    int changes = 0;
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = run(store,
                     "INSERT INTO position_changes (log, partition, from_offset, to_offset,"
                     " changed_ms) SELECT s.log, p.partition, p.next_offset, ?2, ?3"
                     " FROM positions p JOIN store s WHERE p.partition = ?1",
                     partition, offset, now_ms, &changes, err);
    }
    if (status == STORE_OK && changes == 0) {
        error_set(err, EX_USAGE, "%s: partition %" PRId32 " has no position", store->path,
                  partition);
        status = STORE_FAILED;
    }
    if (status == STORE_OK) {
        status = run(store,
                     "UPDATE positions SET next_offset = ?2, last_offset = NULL, last_print = NULL,"
                     " anchor_offset = NULL, anchor_print = NULL WHERE partition = ?1",
                     partition, offset, 0, &changes, err);
    }
    return sqlite_end(base, status, err);
}

enum store_status sqlite_new_log(struct store *base, int64_t now_ms, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    int changes;
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = run(store,
                     "INSERT INTO position_changes (log, partition, from_offset, changed_ms)"
                     " SELECT s.log, p.partition, p.next_offset, ?2 FROM positions p JOIN store s"
                     " WHERE p.partition >= ?1",
                     0, now_ms, 0, &changes, err);
    }
    if (status == STORE_OK) {
        status = sqlite_exec(store, "DELETE FROM positions; UPDATE store SET log = log + 1",
                             "begin a new log", err);
    }
    status = sqlite_end(base, status, err);
    if (status == STORE_OK) {
        store->log++;
    }
    return status;
}
