#include "consumer/store_sqlite_verify.h"

#include "common/text.h"
#include "consumer/key_form.h"
#include "consumer/store_schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Findings of SQLite's own check at the most; one damaged page makes many. */
#define INTEGRITY_SQL "PRAGMA integrity_check(100)"

/* A sentence with a key and an account in it, both escaped. */
#define FINDING_SIZE 4096

const char *store_check_name(enum store_check check)
{
    static const char *const names[STORE_CHECK_COUNT] = {
        [STORE_CHECK_FILE] = "file",           [STORE_CHECK_SEGMENTS] = "segments",
        [STORE_CHECK_KEYS] = "keys",           [STORE_CHECK_DECISIONS] = "decisions",
        [STORE_CHECK_REPEATS] = "repeats",     [STORE_CHECK_QUARANTINE] = "quarantine",
        [STORE_CHECK_ACCOUNTS] = "accounts",   [STORE_CHECK_CURRENCIES] = "currencies",
        [STORE_CHECK_POSITIONS] = "positions",
    };

    return names[check];
}

int64_t store_proof_found(const struct store_proof *proof)
{
    int64_t sum = 0;

    for (int i = 0; i < STORE_CHECK_COUNT; i++) {
        sum += proof->found[i];
    }
    return sum;
}

/* ---- findings ---- */

void verify_found(struct verify *verify, enum store_check check, const char *format, ...)
{
    char text[FINDING_SIZE];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    verify->proof->found[check]++;
    verify->found(verify->user, check, text);
}

enum store_status verify_damage(struct verify *verify, enum store_check check,
                                const struct error *err)
{
    if (err->code == EX_OSERR) {
        return STORE_FAILED;
    }
    switch (sqlite3_errcode(verify->store->db) & 0xFF) {
    case SQLITE_OK: /* it was us who could not read a row */
    case SQLITE_ROW:
    case SQLITE_DONE:
    case SQLITE_CORRUPT:
        verify_found(verify, check, "%s", err->text);
        return STORE_OK;
    default:
        return STORE_FAILED;
    }
}

static enum store_status visit_rows(struct verify *verify, enum store_check check, const char *sql,
                                    verify_row *visit, int64_t *count, struct error *err)
{
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(verify->store->db, sql, -1, &row, NULL);

    while (status == STORE_OK && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            *count += 1;
            status = visit(verify, row, err);
        }
        if (status != STORE_OK) {
            status = verify_damage(verify, check, err);
        }
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        sqlite_failed(verify->store, "verify", err);
        status = verify_damage(verify, check, err);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status verify_rows(struct verify *verify, enum store_check check, const char *sql,
                              verify_row *visit, struct error *err)
{
    return visit_rows(verify, check, sql, visit, &verify->proof->looked_at[check], err);
}

enum store_status verify_faults(struct verify *verify, enum store_check check, const char *sql,
                                verify_row *visit, struct error *err)
{
    int64_t count = 0;

    return visit_rows(verify, check, sql, visit, &count, err);
}

void verify_seen(struct verify *verify, int64_t log, int64_t partition, int64_t offset)
{
    if (log == verify->store->log && partition >= 0 && partition < CHUNK_PARTITIONS_MAX &&
        offset > verify->highest[partition]) {
        verify->highest[partition] = offset;
    }
}

const char *verify_form_text(char *buf, const void *form, size_t form_len)
{
    char key[PAYMENT_KEY_MAX + 1];

    if (!form || !key_form_text(key, form, form_len)) {
        return "a key that is none";
    }
    return text_escape(buf, TEXT_ESCAPED_SIZE, key, strlen(key));
}

const char *verify_key_text(char *buf, sqlite3_stmt *row, int column)
{
    return verify_form_text(buf, sqlite3_column_blob(row, column),
                            (size_t)sqlite3_column_bytes(row, column));
}

/* ---- the file ---- */

static enum store_status on_integrity(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    const char *text = (const char *)sqlite3_column_text(row, 0);

    (void)err;
    if (text && strcmp(text, "ok") != 0) {
        verify_found(verify, STORE_CHECK_FILE, "%s", text);
    }
    return STORE_OK;
}

static enum store_status on_lost_reference(struct verify *verify, sqlite3_stmt *row,
                                           struct error *err)
{
    (void)err;
    verify_found(verify, STORE_CHECK_FILE, "row %lld of %s names a row of %s that is not there",
                 sqlite3_column_int64(row, 1), (const char *)sqlite3_column_text(row, 0),
                 (const char *)sqlite3_column_text(row, 2));
    return STORE_OK;
}

/* One table, index or view as this program makes it: the file's must have the same text. */
static enum store_status check_schema_row(struct verify *verify, sqlite3_stmt *made,
                                          struct error *err)
{
    const char *name = (const char *)sqlite3_column_text(made, 0);
    const char *sql = (const char *)sqlite3_column_text(made, 1);
    sqlite3_stmt *row;
    enum store_status status =
        sqlite_ask(verify->store, "SELECT 1 FROM sqlite_schema WHERE name = ? AND sql = ?", name,
                   sql, &row, err);

    if (status == STORE_OK && sqlite3_data_count(row) == 0) {
        verify_found(verify, STORE_CHECK_FILE, "%s is not defined as payd defines it", name);
    }
    sqlite3_finalize(row);
    return status == STORE_OK ? status : verify_damage(verify, STORE_CHECK_FILE, err);
}

/* A connection that only reads does not notice all that is wrong with a definition. */
static enum store_status verify_schema(struct verify *verify, struct error *err)
{
    static const char list[] = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    sqlite3 *made = NULL;
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_open(":memory:", &made);

    if (code == SQLITE_OK) {
        code = sqlite3_exec(made, store_schema_sql, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(made, list, -1, &row, NULL);
    }
    while (status == STORE_OK && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            status = check_schema_row(verify, row, err);
        }
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        error_set(err, EX_OSERR, "a store in memory: %s", sqlite3_errmsg(made));
        status = STORE_FAILED;
    }
    sqlite3_finalize(row);
    sqlite3_close(made);
    return status;
}

static enum store_status verify_file(struct verify *verify, struct error *err)
{
    enum store_status status =
        verify_faults(verify, STORE_CHECK_FILE, INTEGRITY_SQL, on_integrity, err);

    verify->proof->looked_at[STORE_CHECK_FILE] = 1;
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_FILE, "PRAGMA foreign_key_check",
                               on_lost_reference, err);
    }
    return status == STORE_OK ? verify_schema(verify, err) : status;
}

/* ---- positions ---- */

static enum store_status on_position(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    int64_t partition = sqlite3_column_int64(row, 0);
    int64_t next = sqlite3_column_int64(row, 1);
    bool set_back = sqlite3_column_int(row, 2) != 0;

    (void)err;
    if (partition >= CHUNK_PARTITIONS_MAX) {
        verify_found(verify, STORE_CHECK_POSITIONS, "partition %" PRId64 " cannot be one",
                     partition);
        return STORE_OK;
    }
    if (next <= verify->highest[partition] && !set_back) {
        verify_found(verify, STORE_CHECK_POSITIONS,
                     "partition %" PRId64 ": the next offset is %" PRId64 ", but %" PRId64
                     " was read already",
                     partition, next, verify->highest[partition]);
    }
    if (sqlite3_column_int(row, 3)) {
        verify_found(verify, STORE_CHECK_POSITIONS,
                     "partition %" PRId64 ": a mark stands behind the position", partition);
    }
    verify->highest[partition] = -1; /* done */
    return STORE_OK;
}

static enum store_status verify_positions(struct verify *verify, struct error *err)
{
    enum store_status status = verify_rows(
        verify, STORE_CHECK_POSITIONS,
        "SELECT partition, next_offset, EXISTS (SELECT 1 FROM position_changes c, store s"
        " WHERE c.log = s.log AND c.partition = p.partition AND c.to_offset < c.from_offset),"
        " ifnull(last_offset >= next_offset, 0) FROM positions p ORDER BY partition",
        on_position, err);

    for (int64_t i = 0; status == STORE_OK && i < CHUNK_PARTITIONS_MAX; i++) {
        if (verify->highest[i] >= 0) {
            verify_found(verify, STORE_CHECK_POSITIONS,
                         "partition %" PRId64 " was read, but has no position", i);
        }
    }
    return status;
}

/* ---- all of it ---- */

static enum store_status verify_all(struct verify *verify, struct error *err)
{
    static enum store_status (*const parts[])(struct verify *, struct error *) = {
        verify_file,    verify_segments,  verify_books, verify_keys_of_decisions,
        verify_records, verify_positions,
    };
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = parts[i](verify, err);
    }
    return status;
}

/* All is of one moment: of the read transaction, which a snapshot has already. */
static enum store_status verify_moment(struct verify *verify, struct error *err)
{
    struct store_sqlite *store = verify->store;
    enum store_status status = STORE_OK;

    if (!store->is_snapshot) {
        status = sqlite_exec(store, "BEGIN", "verify", err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "SELECT log FROM store", &store->log, err);
    }
    if (status == STORE_OK) {
        status = verify_all(verify, err);
    }
    if (!store->is_snapshot) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

int store_sqlite_verify_moment(struct store *moment, store_finding *found, void *user,
                               struct store_proof *ret, struct error *err)
{
    struct verify *verify = calloc(1, sizeof(*verify));
    int result = -1;

    *ret = (struct store_proof){.looked_at = {0}};
    if (!verify) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    memset(verify->highest, 0xFF, sizeof(verify->highest)); /* -1 */
    verify->store = sqlite_of(moment);
    verify->found = found;
    verify->user = user;
    verify->proof = ret;
    if (digest_open(&verify->digest, err) == 0) {
        result = verify_moment(verify, err) == STORE_OK ? 0 : -1;
    }
    digest_close(verify->digest);
    free(verify->accounts);
    free(verify);
    return result;
}

int store_sqlite_verify(const char *path, store_finding *found, void *user, struct store_proof *ret,
                        struct error *err)
{
    struct store *store = NULL;

    *ret = (struct store_proof){.looked_at = {0}};
    if (store_sqlite_open_readonly(&store, path, err) != 0) {
        return -1;
    }
    int result = store_sqlite_verify_moment(store, found, user, ret, err);
    store_close(store);
    return result;
}
