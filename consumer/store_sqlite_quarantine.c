#include "consumer/store_quarantine.h"
#include "consumer/store_sqlite_internal.h"

#include <string.h>

/* Columns of the query below. */
enum column {
    SEQ,
    TOPIC,
    PARTITION,
    OFFSET,
    REASON,
    DETAIL,
    KEY,
    KEY_LEN,
    VALUE,
    VALUE_LEN,
    DIGEST,
    TIMESTAMP_MS,
    DECIDED_MS,
};

#define MESSAGES                                                                                   \
    "SELECT q.seq, ifnull(l.topic, ''), q.partition, q.offset, q.reason, q.detail, q.key,"         \
    " q.key_len, q.value, q.value_len, q.digest, q.timestamp_ms, q.decided_ms"                     \
    " FROM quarantine q LEFT JOIN logs l ON l.id = q.log"

static const char messages_sql[] =
    MESSAGES " WHERE (?1 IS NULL OR q.reason = ?1) AND (?2 < 0 OR q.partition = ?2)"
             " AND (?3 < 0 OR q.offset = ?3) AND (?4 = 0 OR q.timestamp_ms >= ?4) ORDER BY q.seq";

/* A blob's bytes: not NULL when it is there but empty. */
static const void *blob(sqlite3_stmt *row, int column)
{
    const void *bytes = sqlite3_column_blob(row, column);

    return !bytes && sqlite3_column_type(row, column) != SQLITE_NULL ? "" : bytes;
}

static struct store_bytes read_bytes(sqlite3_stmt *row, int column)
{
    bool is_there = sqlite3_column_type(row, column + 1) != SQLITE_NULL;

    return (struct store_bytes){
        .bytes = blob(row, column),
        .len = (size_t)sqlite3_column_bytes(row, column),
        .whole_len = is_there ? sqlite3_column_int64(row, column + 1) : -1,
    };
}

static enum store_status visit_row(struct store_sqlite *store, sqlite3_stmt *row,
                                   store_visit_quarantined *visit, void *user, struct error *err)
{
    struct store_quarantined message = {
        .seq = sqlite3_column_int64(row, SEQ),
        .topic = (const char *)sqlite3_column_text(row, TOPIC),
        .partition = sqlite3_column_int(row, PARTITION),
        .offset = sqlite3_column_int64(row, OFFSET),
        .reason = (const char *)sqlite3_column_text(row, REASON),
        .detail = (const char *)sqlite3_column_text(row, DETAIL),
        .key = read_bytes(row, KEY),
        .value = read_bytes(row, VALUE),
        .timestamp_ms = sqlite3_column_int64(row, TIMESTAMP_MS),
        .decided_ms = sqlite3_column_int64(row, DECIDED_MS),
    };

    if (!message.topic || !message.reason || !message.detail ||
        sqlite3_column_bytes(row, DIGEST) != DIGEST_SHORT_SIZE) {
        return sqlite_damaged(store, "a quarantined message that cannot be read", err);
    }
    memcpy(message.digest, sqlite3_column_blob(row, DIGEST), DIGEST_SHORT_SIZE);
    visit(user, &message);
    return STORE_OK;
}

enum store_status store_sqlite_quarantine(struct store *base,
                                          const struct store_quarantine_filter *filter,
                                          store_visit_quarantined *visit, void *user,
                                          struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, messages_sql, -1, &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_text(row, 1, filter->reason, -1, SQLITE_STATIC);
        sqlite3_bind_int(row, 2, filter->partition);
        sqlite3_bind_int64(row, 3, filter->offset);
        code = sqlite3_bind_int64(row, 4, filter->since_ms);
    }
    while (status == STORE_OK && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            status = visit_row(store, row, visit, user, err);
        }
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        status = sqlite_failed(store, "quarantine", err);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status store_sqlite_quarantined(struct store *base, int64_t seq,
                                           store_visit_quarantined *visit, void *user,
                                           struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, MESSAGES " WHERE q.seq = ?", -1, &row, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(row, 1, seq);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(row);
    }
    if (code == SQLITE_ROW) {
        status = visit_row(store, row, visit, user, err);
    } else if (code != SQLITE_DONE) {
        status = sqlite_failed(store, "quarantine", err);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status store_sqlite_quarantine_headers(struct store *base, int64_t seq,
                                                  store_visit_header *visit, void *user,
                                                  struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(
        store->db, "SELECT name, value FROM quarantine_headers WHERE seq = ? ORDER BY place", -1,
        &row, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(row, 1, seq);
    }
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            const char *name = sqlite3_column_blob(row, 0);
            const struct store_quarantined_header header = {
                .name = name ? name : "",
                .name_len = (size_t)sqlite3_column_bytes(row, 0),
                .value = blob(row, 1),
                .value_len = (size_t)sqlite3_column_bytes(row, 1),
            };
            visit(user, &header);
        }
    }
    enum store_status status =
        code == SQLITE_DONE ? STORE_OK : sqlite_failed(store, "quarantine", err);
    sqlite3_finalize(row);
    return status;
}
