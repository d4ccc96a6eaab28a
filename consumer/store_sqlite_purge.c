/*
 * A purge in steps, each a transaction: first batches are marked whose rows may all go, then the
 * repeats of old keys go, then the keys with their decisions. An old key has no repeat when it
 * goes.
 */
#include "consumer/store_sqlite_purge.h"

#include "consumer/key_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Batches that one step looks at. */
#define BATCHES_AT_ONCE 100

/* ?1 the floor, ?2 the last published seq, ?3 the current log: true for what cannot go yet. */
#define IS_HELD(row)                                                                               \
    "(" row ".decided_ms >= ?1 OR " row ".seq > ?2 OR (" row ".log = ?3 AND NOT EXISTS"            \
    " (SELECT 1 FROM temp.purge_log p WHERE p.partition = " row ".partition AND " row              \
    ".offset < p.start)))"

static const char *const query_sql[PURGE_QUERY_COUNT] = {
    [PURGE_NEXT_BATCHES] =
        "SELECT id, name, rows FROM batches WHERE id > ? AND forgotten = 0 ORDER BY id"
        " LIMIT ?",
    [PURGE_ROWS_OF_BATCH] = "SELECT count(*), ifnull(max(" IS_HELD(
        "d") "), 0)"
             " FROM (SELECT id FROM segments UNION ALL"
             " SELECT ifnull(max(id), 0) + 1 FROM segments) g CROSS JOIN keys k"
             " CROSS JOIN decisions d ON d.seq = k.seq"
             " WHERE k.segment = g.id AND k.key BETWEEN ?4 AND ?5"
             " AND length(k.key) = length(?4)"
             " AND CAST(substr(k.key, -?6) AS TEXT) NOT GLOB '*[^0-9]*'",
    [PURGE_FORGET_BATCH] = "UPDATE batches SET forgotten = 1 WHERE id = ?",
    [PURGE_NOTE_HELD] = "INSERT OR IGNORE INTO temp.purge_held SELECT key FROM repeats r"
                        " WHERE r.seq > ?4 AND " IS_HELD("r") " AND is_old_key(r.key)",
    [PURGE_END_OF_REPEATS] = "SELECT max(seq) FROM"
                             " (SELECT seq FROM repeats WHERE seq > ? ORDER BY seq LIMIT ?)",
    [PURGE_FORGET_REPEATS] = "DELETE FROM repeats WHERE seq > ? AND seq <= ? AND is_old_key(key)"
                             " AND key NOT IN (SELECT key FROM temp.purge_held)",
    [PURGE_NEXT_DECISIONS] =
        "SELECT d.seq, d.key, d.type, d.src, d.dest, d.amount_minor, d.currency,"
        " d.outcome, d.reason, d.digest, d.decided_ms, " IS_HELD(
            "d") " OR d.key IN"
                 " (SELECT key FROM temp.purge_held), is_old_key(d.key)"
                 " FROM decisions d WHERE d.seq > ?4 ORDER BY d.seq LIMIT ?5",
    [PURGE_FORGET_KEY] = "DELETE FROM keys WHERE segment = ? AND key = ? AND seq = ?",
    [PURGE_FORGET_DECISION] = "DELETE FROM decisions WHERE seq = ?",
    [PURGE_FORGET_COUNT] = "DELETE FROM repeat_counts WHERE key = ? RETURNING count",
    [PURGE_FIND_POSTINGS] = "SELECT high, low FROM forgotten_postings WHERE account = ?",
    [PURGE_SET_POSTINGS] = "REPLACE INTO forgotten_postings VALUES (?, ?, ?)",
    [PURGE_FIND_TOTAL] = "SELECT applied, high, low FROM forgotten_totals WHERE currency = ?",
    [PURGE_SET_TOTAL] = "REPLACE INTO forgotten_totals VALUES (?, ?, ?, ?)",
    [PURGE_SET_KEYS] = "REPLACE INTO forgotten_keys VALUES (?, ?, ?)",
    [PURGE_SET_FORGOTTEN] = "UPDATE forgotten SET applied = applied + ?, rejected = rejected + ?,"
                            " repeats = repeats + ?, digest = ?",
};

/* ---- queries ---- */

static enum store_status failed(struct store_purge *purge, struct error *err)
{
    return sqlite_failed(purge->store, "purge", err);
}

enum store_status purge_row(struct store_purge *purge, enum purge_query id, bool *ret_row,
                            struct error *err)
{
    int code = sqlite3_step(purge->queries[id]);

    *ret_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? STORE_OK : failed(purge, err);
}

enum store_status purge_run(struct store_purge *purge, enum purge_query id, struct error *err)
{
    bool ignored;
    enum store_status status = purge_row(purge, id, &ignored, err);

    sqlite3_reset(purge->queries[id]);
    return status;
}

void purge_bind_held(const struct store_purge *purge, enum purge_query id)
{
    sqlite3_bind_int64(purge->queries[id], 1, purge->purged.floor_ms);
    sqlite3_bind_int64(purge->queries[id], 2, purge->published);
    sqlite3_bind_int64(purge->queries[id], 3, purge->store->log);
}

/* ---- batches ---- */

static int row_form(unsigned char form[KEY_FORM_SIZE], const char *id, int64_t row)
{
    char key[PAYMENT_KEY_MAX + 1];

    snprintf(key, sizeof(key), "%s:%0*" PRId64, id, KEY_FORM_ROW_DIGITS, row);
    return (int)key_form(form, key);
}

/*
 * All its rows are decided under keys of its own, and none of them is held. Between its first and
 * last row only keys of the same length with digits at the end are rows.
 */
static enum store_status may_go(struct store_purge *purge, const char *id, int64_t rows, bool *ret,
                                struct error *err)
{
    sqlite3_stmt *query = purge->queries[PURGE_ROWS_OF_BATCH];
    unsigned char first[KEY_FORM_SIZE];
    unsigned char last[KEY_FORM_SIZE];
    bool has_row;

    purge_bind_held(purge, PURGE_ROWS_OF_BATCH);
    sqlite3_bind_blob(query, 4, first, row_form(first, id, 1), SQLITE_STATIC);
    sqlite3_bind_blob(query, 5, last, row_form(last, id, rows), SQLITE_STATIC);
    sqlite3_bind_int64(query, 6, KEY_FORM_ROW_DIGITS);
    enum store_status status = purge_row(purge, PURGE_ROWS_OF_BATCH, &has_row, err);
    *ret = status == STORE_OK && has_row && sqlite3_column_int64(query, 0) == rows &&
           sqlite3_column_int(query, 1) == 0;
    sqlite3_reset(query);
    return status;
}

static enum store_status look_at_batch(struct store_purge *purge, sqlite3_stmt *row,
                                       int64_t *forgotten, struct error *err)
{
    const char *id = (const char *)sqlite3_column_text(row, 1);
    bool goes = false;

    purge->cursor = sqlite3_column_int64(row, 0);
    if (!id || strlen(id) > PAYMENT_BATCH_ID_MAX) {
        return sqlite_damaged(purge->store, "a batch's id", err);
    }
    enum store_status status = may_go(purge, id, sqlite3_column_int64(row, 2), &goes, err);
    if (status == STORE_OK && goes) {
        sqlite3_bind_int64(purge->queries[PURGE_FORGET_BATCH], 1, purge->cursor);
        status = purge_run(purge, PURGE_FORGET_BATCH, err);
        *forgotten += 1;
    }
    return status;
}

static enum store_status step_batches(struct store_purge *purge, struct error *err)
{
    sqlite3_stmt *row = purge->queries[PURGE_NEXT_BATCHES];
    int64_t from = purge->cursor;
    int64_t forgotten = 0;
    bool has_row = true;

    sqlite3_bind_int64(row, 1, from);
    sqlite3_bind_int(row, 2, BATCHES_AT_ONCE);
    enum store_status status = purge->store->base.ops->begin(&purge->store->base, err);
    while (status == STORE_OK && has_row) {
        status = purge_row(purge, PURGE_NEXT_BATCHES, &has_row, err);
        if (status == STORE_OK && has_row) {
            status = look_at_batch(purge, row, &forgotten, err);
        }
    }
    sqlite3_reset(row);
    status = sqlite_end(&purge->store->base, status, err);
    if (status != STORE_OK) {
        purge->cursor = from;
        return status;
    }
    purge->store->forgotten.batches += forgotten;
    purge->purged.batches += forgotten;
    if (purge->cursor == from) {
        purge->stage = PURGE_STAGE_REPEATS;
        purge->cursor = 0;
    }
    return STORE_OK;
}

/* ---- repeats ---- */

enum store_status purge_note_held(struct store_purge *purge, struct error *err)
{
    purge_bind_held(purge, PURGE_NOTE_HELD);
    sqlite3_bind_int64(purge->queries[PURGE_NOTE_HELD], 4, purge->held_seq);
    enum store_status status = purge_run(purge, PURGE_NOTE_HELD, err);
    if (status == STORE_OK) {
        purge->held_seq = purge->store->committed.last_seq;
    }
    return status;
}

static enum store_status forget_repeats(struct store_purge *purge, int64_t *ret_end,
                                        struct error *err)
{
    sqlite3_stmt *row = purge->queries[PURGE_END_OF_REPEATS];
    sqlite3_stmt *query = purge->queries[PURGE_FORGET_REPEATS];
    bool has_row;

    sqlite3_bind_int64(row, 1, purge->cursor);
    sqlite3_bind_int(row, 2, STORE_PURGE_ROWS);
    enum store_status status = purge_row(purge, PURGE_END_OF_REPEATS, &has_row, err);
    *ret_end = status == STORE_OK && has_row ? sqlite3_column_int64(row, 0) : 0;
    sqlite3_reset(row);
    if (status != STORE_OK || *ret_end == 0) {
        return status;
    }
    sqlite3_bind_int64(query, 1, purge->cursor);
    sqlite3_bind_int64(query, 2, *ret_end);
    return purge_run(purge, PURGE_FORGET_REPEATS, err);
}

static enum store_status step_repeats(struct store_purge *purge, struct error *err)
{
    struct store *base = &purge->store->base;
    int64_t end = 0;
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = purge_note_held(purge, err);
    }
    if (status == STORE_OK) {
        status = forget_repeats(purge, &end, err);
    }
    int64_t forgotten = end > 0 ? sqlite3_changes64(purge->store->db) : 0;
    status = sqlite_end(base, status, err);
    if (status != STORE_OK) {
        purge->held_seq = 0; /* what was noted is taken back too */
        return status;
    }
    purge->purged.repeats += forgotten;
    purge->cursor = end;
    if (end == 0) {
        purge->stage = PURGE_STAGE_DECISIONS;
    }
    return STORE_OK;
}

enum store_status store_sqlite_purge_step(struct store_purge *purge, bool *ret_done,
                                          struct error *err)
{
    enum store_status status =
        sqlite_ask_int(purge->store, "SELECT published_seq FROM store", &purge->published, err);

    if (status == STORE_OK && purge->stage == PURGE_STAGE_BATCHES) {
        status = step_batches(purge, err);
    } else if (status == STORE_OK && purge->stage == PURGE_STAGE_REPEATS) {
        status = step_repeats(purge, err);
    } else if (status == STORE_OK && purge->stage == PURGE_STAGE_DECISIONS) {
        status = purge_decisions(purge, err);
    }
    *ret_done = purge->stage == PURGE_STAGE_DONE;
    return status;
}

const struct store_purged *store_sqlite_purged(const struct store_purge *purge)
{
    return &purge->purged;
}

/* ---- life ---- */

/* is_old_key(key), for SQL. */
static void is_old_key(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct store_purge *purge = sqlite3_user_data(context);
    const unsigned char *form = sqlite3_value_blob(values[0]);
    struct error err;
    bool is_old = false;

    (void)count;
    if (form && sqlite_is_old_key(purge->store, form, (size_t)sqlite3_value_bytes(values[0]),
                                  &is_old, &err) != STORE_OK) {
        sqlite3_result_error(context, err.text, -1);
        return;
    }
    sqlite3_result_int(context, is_old);
}

static enum store_status note_log(struct store_purge *purge, const struct store_purge_terms *terms,
                                  struct error *err)
{
    char sql[96];
    enum store_status status =
        sqlite_exec(purge->store,
                    "CREATE TEMP TABLE purge_log (partition INTEGER PRIMARY KEY, start INTEGER);"
                    "CREATE TEMP TABLE purge_held (key BLOB PRIMARY KEY) WITHOUT ROWID",
                    "purge", err);

    for (size_t i = 0; status == STORE_OK && i < terms->partitions; i++) {
        sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO temp.purge_log VALUES (%lld, %lld)",
                         (long long)i, (long long)terms->log_starts[i]);
        status = sqlite_exec(purge->store, sql, "purge", err);
    }
    return status;
}

static enum store_status raise_floor(struct store_purge *purge, int64_t floor_ms, struct error *err)
{
    struct store *base = &purge->store->base;
    char sql[96];
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        sqlite3_snprintf(sizeof(sql), sql, "UPDATE forgotten SET floor_ms = max(floor_ms, %lld)",
                         (long long)floor_ms);
        status = sqlite_exec(purge->store, sql, "raise the floor", err);
    }
    status = sqlite_end(base, status, err);
    if (status == STORE_OK) {
        status = sqlite_read_forgotten(purge->store, err);
    }
    purge->purged.floor_ms = purge->store->forgotten.floor_ms;
    return status;
}

static enum store_status read_sums(struct store_purge *purge, struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_ask(
        purge->store, "SELECT digest, reset_seq FROM forgotten, store", NULL, NULL, &row, err);

    if (status == STORE_OK && sqlite3_column_bytes(row, 0) != KEY_HASH_SIZE) {
        status = sqlite_damaged(purge->store, "what was forgotten", err);
    }
    if (status == STORE_OK) {
        purge->gone = key_hash_load(sqlite3_column_blob(row, 0));
        purge->committed_gone = purge->gone;
        purge->reset_seq = sqlite3_column_int64(row, 1);
    }
    sqlite3_finalize(row);
    return status;
}

static enum store_status prepare(struct store_purge *purge, struct error *err)
{
    sqlite3 *db = purge->store->db;

    if (sqlite3_create_function(db, "is_old_key", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, purge,
                                is_old_key, NULL, NULL) != SQLITE_OK) {
        return failed(purge, err);
    }
    for (int i = 0; i < PURGE_QUERY_COUNT; i++) {
        if (sqlite3_prepare_v2(db, query_sql[i], -1, &purge->queries[i], NULL) != SQLITE_OK) {
            return failed(purge, err);
        }
    }
    return STORE_OK;
}

enum store_status store_sqlite_purge_open(struct store_purge **ret, struct store *store,
                                          const struct store_purge_terms *terms, struct error *err)
{
    struct store_purge *purge = calloc(1, sizeof(*purge));

    if (!purge) {
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    purge->store = sqlite_of(store);
    purge->segment = 1;
    enum store_status status = note_log(purge, terms, err);
    if (status == STORE_OK) {
        status = prepare(purge, err);
    }
    if (status == STORE_OK) {
        status = raise_floor(purge, terms->floor_ms, err);
    }
    if (status == STORE_OK) {
        status = read_sums(purge, err);
    }
    if (status != STORE_OK) {
        store_sqlite_purge_close(purge);
        return status;
    }
    *ret = purge;
    return STORE_OK;
}

void store_sqlite_purge_close(struct store_purge *purge)
{
    if (!purge) {
        return;
    }
    for (int i = 0; i < PURGE_QUERY_COUNT; i++) {
        sqlite3_finalize(purge->queries[i]);
    }
    sqlite3_exec(purge->store->db,
                 "DROP TABLE IF EXISTS temp.purge_log; DROP TABLE IF EXISTS temp.purge_held", NULL,
                 NULL, NULL);
    sqlite3_create_function(purge->store->db, "is_old_key", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    free(purge);
}
