#include "tests/checker/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BUSY_MS 5000

/* The stored forms of a key: a tag, then 16 bytes of a UUID, or the text as it is. */
#define FORM_UUID     1
#define UUID_BYTES    16
#define UUID_TEXT_MAX 40

const char *outcome_text(int outcome)
{
    static const char *const texts[OUTCOME_END] = {
        "undecided", "applied", "rejected", "duplicate", "conflict", "redelivered", "quarantined"};

    return outcome >= 0 && outcome < OUTCOME_END ? texts[outcome] : "of no known outcome";
}

static int refuse(const struct ledger *ledger, struct fault *fault)
{
    return fault_set(fault, EX_DATAERR, "%s: %s", ledger->path, sqlite3_errmsg(ledger->db));
}

int ledger_open(struct ledger *ledger, const char *path, struct fault *fault)
{
    *ledger = (struct ledger){.path = path};
    if (access(path, R_OK) != 0) {
        return fault_set(fault, EX_DATAERR, "%s: is not there", path);
    }
    if (sqlite3_open_v2(path, &ledger->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        return refuse(ledger, fault);
    }
    sqlite3_busy_timeout(ledger->db, BUSY_MS);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return 0;
}

void ledger_close(struct ledger *ledger)
{
    sqlite3_close(ledger->db);
    ledger->db = NULL;
}

int ledger_query(const struct ledger *ledger, const char *sql, sqlite3_stmt **ret,
                 struct fault *fault)
{
    *ret = NULL;
    return sqlite3_prepare_v2(ledger->db, sql, -1, ret, NULL) == SQLITE_OK ? 0
                                                                           : refuse(ledger, fault);
}

int ledger_step(const struct ledger *ledger, sqlite3_stmt *query, struct fault *fault)
{
    int code = sqlite3_step(query);

    if (code == SQLITE_ROW) {
        return 1;
    }
    return code == SQLITE_DONE ? 0 : refuse(ledger, fault);
}

int ledger_int(const struct ledger *ledger, const char *sql, int64_t *ret, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(ledger, sql, &row, fault);

    if (result == 0) {
        result = ledger_step(ledger, row, fault);
        *ret = result == 1 ? sqlite3_column_int64(row, 0) : 0;
    }
    sqlite3_finalize(row);
    return result < 0 ? -1 : 0;
}

const char *ledger_bytes(sqlite3_stmt *row, int column, size_t *ret_len)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL) {
        *ret_len = 0;
        return NULL;
    }
    const char *bytes = sqlite3_column_blob(row, column);
    *ret_len = (size_t)sqlite3_column_bytes(row, column);
    return bytes ? bytes : "";
}

int32_t ledger_key(struct words *words, sqlite3_stmt *row, int column)
{
    size_t len;
    const char *form = ledger_bytes(row, column, &len);
    char text[UUID_TEXT_MAX] = "";
    size_t used = 0;

    if (!form || len == 0) {
        return names_add(words->keys, "", 0);
    }
    if (form[0] != FORM_UUID || len != 1 + UUID_BYTES) {
        return names_add(words->keys, form + 1, len - 1);
    }
    for (size_t i = 0; i < UUID_BYTES; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%02x", dash ? "-" : "",
                                 (unsigned char)form[1 + i]);
    }
    return names_add(words->keys, text, used);
}

/* ---- what there is one of ---- */

static int read_self(struct ledger *ledger, sqlite3_stmt *row, struct fault *fault)
{
    int result = ledger_step(ledger, row, fault);

    if (result < 0) {
        return -1;
    }
    if (result == 0) {
        return fault_set(fault, EX_DATAERR, "%s: its own row is missing", ledger->path);
    }
    snprintf(ledger->uuid, sizeof(ledger->uuid), "%s", (const char *)sqlite3_column_text(row, 0));
    ledger->log = sqlite3_column_int64(row, 1);
    ledger->incarnation = sqlite3_column_int64(row, 2);
    ledger->chunks = sqlite3_column_int64(row, 3);
    ledger->strict = sqlite3_column_int(row, 4) != 0;
    ledger->published_seq = sqlite3_column_int64(row, 5);
    return 0;
}

static int read_counts(struct ledger *ledger, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(ledger, "SELECT outcome, count FROM counters", &row, fault);

    while (result == 0 && (result = ledger_step(ledger, row, fault)) == 1) {
        int64_t outcome = sqlite3_column_int64(row, 0);
        if (outcome >= 0 && outcome < OUTCOME_END) {
            ledger->counts[outcome] = sqlite3_column_int64(row, 1);
        }
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

int ledger_read(struct ledger *ledger, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(ledger,
                              "SELECT uuid, log, incarnation, chunks, strict, published_seq"
                              " FROM store",
                              &row, fault);

    if (result == 0) {
        result = read_self(ledger, row, fault);
    }
    sqlite3_finalize(row);
    return result == 0 ? read_counts(ledger, fault) : -1;
}
