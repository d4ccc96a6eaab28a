#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <stdlib.h>
#include <string.h>

/* ---- outcomes in the order of seq, merged from their three tables ---- */

struct stream {
    enum statement id;
    sqlite_reader *read;
    sqlite3_stmt *row; /* NULL = at its end */
};

#define STREAMS 3

static enum store_status open_stream(struct store_sqlite *store, struct stream *stream,
                                     int64_t after_seq, size_t max, struct error *err)
{
    sqlite_bind_int(store, stream->id, 1, after_seq);
    sqlite_bind_int(store, stream->id, 2, (int64_t)max);
    return sqlite_row(store, stream->id, "read outcomes", &stream->row, err);
}

static struct stream *lowest(struct stream *streams)
{
    struct stream *found = NULL;

    for (int i = 0; i < STREAMS; i++) {
        if (streams[i].row && (!found || sqlite3_column_int64(streams[i].row, 0) <
                                             sqlite3_column_int64(found->row, 0))) {
            found = &streams[i];
        }
    }
    return found;
}

static enum store_status take(struct store_sqlite *store, struct stream *stream,
                              struct store_outcome *ret, struct error *err)
{
    enum store_status status = stream->read(store, stream->row, &ret->record, err);

    ret->traceparent_len = ret->tracestate_len = 0;
    if (status != STORE_OK) {
        return status;
    }
    return sqlite_row(store, stream->id, "read outcomes", &stream->row, err);
}

static size_t copy_trace(sqlite3_stmt *row, int column, char *field)
{
    const void *bytes = sqlite3_column_blob(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);

    if (!bytes || len > STORE_TRACE_MAX) {
        return 0;
    }
    memcpy(field, bytes, len);
    return len;
}

/* Few messages have trace headers, so they are looked up apart. */
static enum store_status add_traces(struct store_sqlite *store, struct store_outcome *outcomes,
                                    size_t count, struct error *err)
{
    const enum statement id = STATEMENT_NEXT_TRACES;
    sqlite3_stmt *row;
    size_t at = 0;

    sqlite_bind_int(store, id, 1, outcomes[0].record.seq);
    sqlite_bind_int(store, id, 2, outcomes[count - 1].record.seq);
    enum store_status status = sqlite_row(store, id, "read traces", &row, err);
    while (status == STORE_OK && row) {
        while (at < count && outcomes[at].record.seq < sqlite3_column_int64(row, 0)) {
            at++;
        }
        if (at < count && outcomes[at].record.seq == sqlite3_column_int64(row, 0)) {
            outcomes[at].traceparent_len = copy_trace(row, 1, outcomes[at].traceparent);
            outcomes[at].tracestate_len = copy_trace(row, 2, outcomes[at].tracestate);
        }
        status = sqlite_row(store, id, "read traces", &row, err);
    }
    sqlite_done(store, id);
    return status;
}

static enum store_status merge_streams(struct store_sqlite *store, int64_t after_seq,
                                       struct store_outcome *ret, size_t max, size_t *ret_count,
                                       struct error *err)
{
    struct stream streams[STREAMS] = {{STATEMENT_NEXT_DECISIONS, sqlite_read_decision, NULL},
                                      {STATEMENT_NEXT_REPEATS, sqlite_read_repeat, NULL},
                                      {STATEMENT_NEXT_QUARANTINED, sqlite_read_quarantined, NULL}};
    enum store_status status = STORE_OK;
    struct stream *next = NULL;
    size_t count = 0;

    for (int i = 0; status == STORE_OK && i < STREAMS; i++) {
        status = open_stream(store, &streams[i], after_seq, max, err);
    }
    while (status == STORE_OK && count < max && (next = lowest(streams))) {
        memcpy(ret[count].record.store, store->uuid, sizeof(store->uuid));
        status = take(store, next, &ret[count++], err);
    }
    for (int i = 0; i < STREAMS; i++) {
        sqlite_done(store, streams[i].id);
    }
    *ret_count = count;
    return status;
}

/*
 * One read transaction: of a chunk that another connection commits meanwhile there is all or
 * nothing. Else its repeats could be seen and its decisions passed over.
 */
enum store_status sqlite_outcomes(struct store *base, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = sqlite_run(store, STATEMENT_BEGIN_READING, "read outcomes", err);

    *ret_count = 0;
    if (status != STORE_OK) {
        return status;
    }
    status = merge_streams(store, after_seq, ret, max, ret_count, err);
    if (status == STORE_OK && *ret_count > 0) {
        status = add_traces(store, ret, *ret_count, err);
    }
    /* Some failures have ended it already. */
    if (!sqlite3_get_autocommit(store->db)) {
        struct error ignored;
        enum store_status ended = sqlite_run(store, STATEMENT_END_READING, "read outcomes",
                                             status == STORE_OK ? err : &ignored);
        status = status == STORE_OK ? ended : status;
    }
    return status;
}

/* ---- what is published ---- */

static enum store_status read_number(struct store_sqlite *store, enum statement id, int64_t *ret,
                                     struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_row(store, id, "read the outbox", &row, err);

    if (status == STORE_OK) {
        *ret = row ? sqlite3_column_int64(row, 0) : 0;
        sqlite_done(store, id);
    }
    return status;
}

enum store_status sqlite_outbox(struct store *base, int64_t *ret_published, int64_t *ret_last,
                                struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = STORE_OK;

    *ret_last = store->committed.last_seq;
    if (store->lock_fd < 0) { /* another one writes */
        status = read_number(store, STATEMENT_LAST_SEQ, ret_last, err);
    }
    return status == STORE_OK && ret_published
               ? read_number(store, STATEMENT_PUBLISHED, ret_published, err)
               : status;
}

enum store_status sqlite_set_published(struct store_sqlite *store, int64_t seq, struct error *err)
{
    static const enum statement steps[] = {STATEMENT_SET_PUBLISHED, STATEMENT_TRIM_REPEATS,
                                           STATEMENT_TRIM_TRACES};
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        sqlite_bind_int(store, steps[i], 1, seq);
        status = sqlite_run(store, steps[i], "note what is published", err);
    }
    return status;
}

enum store_status sqlite_published(struct store *base, int64_t seq, struct error *err)
{
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = sqlite_set_published(sqlite_of(base), seq, err);
    }
    return sqlite_end(base, status, err);
}

enum store_status sqlite_skip(struct store *base, int64_t seq, const char *why, int64_t now_ms,
                              struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *insert = NULL;
    enum store_status status = STORE_OK;

    if (sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO outcomes_skipped VALUES (?, ?, ?)",
                           -1, &insert, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(insert, 1, seq) != SQLITE_OK ||
        sqlite3_bind_text(insert, 2, why, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(insert, 3, now_ms) != SQLITE_OK || sqlite3_step(insert) != SQLITE_DONE) {
        status = sqlite_failed(store, "skip an outcome", err);
    }
    sqlite3_finalize(insert);
    return status;
}

/* ---- show ---- */

/* Visits each row of a query about one key's stored form. */
static enum store_status visit_rows(struct store_sqlite *store, const char *sql,
                                    const unsigned char *form, size_t len, sqlite_reader *read,
                                    store_visit *visit, void *user, struct error *err)
{
    struct outcome_record record = {.rules = OUTCOME_RULES};
    sqlite3_stmt *rows = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &rows, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob64(rows, 1, form, len, SQLITE_STATIC);
    }
    while (status == STORE_OK && code == SQLITE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        status = read(store, rows, &record, err);
        if (status == STORE_OK) {
            memcpy(record.store, store->uuid, sizeof(store->uuid));
            visit(user, &record);
        }
        code = SQLITE_OK;
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        status = sqlite_failed(store, "show", err);
    }
    sqlite3_finalize(rows);
    return status;
}

enum store_status sqlite_count_repeats(struct store_sqlite *store, const unsigned char *form,
                                       size_t len, int64_t *ret, struct error *err)
{
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, "SELECT count FROM repeat_counts WHERE key = ?", -1,
                                  &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_blob64(row, 1, form, len, SQLITE_STATIC);
        code = sqlite3_step(row);
    }
    *ret = code == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        status = sqlite_failed(store, "show", err);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status sqlite_show(struct store *base, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err)
{
    static const char repeats[] =
        "SELECT" REPEAT_COLUMNS "WHERE r.key = ? AND r.kept = 1 ORDER BY r.seq";
    struct store_sqlite *store = sqlite_of(base);
    unsigned char form[KEY_FORM_SIZE];
    size_t len = key_form(form, key);
    enum store_status status =
        visit_rows(store, FIND_KEY_SQL, form, len, sqlite_read_decision, visit, user, err);

    if (status == STORE_OK) {
        status = sqlite_count_repeats(store, form, len, ret_repeats, err);
    }
    /* The table is searched from its beginning, so only for a key that has some. */
    return status == STORE_OK && *ret_repeats > 0
               ? visit_rows(store, repeats, form, len, sqlite_read_repeat, visit, user, err)
               : status;
}
