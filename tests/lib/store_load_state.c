#include "tests/lib/process.h"
#include "tests/lib/store_load.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLAIN_VFS "unix"

/* FNV-1a. */
static void add_text(uint64_t *state, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *state = (*state ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
}

/* Adds the rows of a query; false when it failed. */
static bool add_rows(sqlite3 *db, const char *sql, uint64_t *state)
{
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);

    while (code == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            int type = sqlite3_column_type(rows, i);
            const char *text = (const char *)sqlite3_column_blob(rows, i);
            add_text(state, "\n0123456" + type, 1);
            add_text(state, text ? text : "", (size_t)sqlite3_column_bytes(rows, i));
        }
    }
    return sqlite3_finalize(rows) == SQLITE_OK && code == SQLITE_OK;
}

static bool is_whole(sqlite3 *db)
{
    sqlite3_stmt *row = NULL;
    bool whole = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &row, NULL) == SQLITE_OK &&
                 sqlite3_step(row) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(row, 0), "ok") == 0;

    sqlite3_finalize(row);
    return whole;
}

static uint64_t read_state(sqlite3 *db)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325);
    sqlite3_stmt *tables = NULL;
    bool read = true;
    int count = 0;
    char sql[160];

    if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
                           -1, &tables, NULL) != SQLITE_OK) {
        return STORE_LOAD_DAMAGED;
    }
    for (; read && sqlite3_step(tables) == SQLITE_ROW; count++) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        if (strcmp(name, "store") == 0) {
            snprintf(sql, sizeof(sql),
                     "SELECT log, chunks, strict, published_seq, quarantine_bytes FROM store");
        } else {
            sqlite3_snprintf(sizeof(sql), sql, "SELECT * FROM \"%w\" ORDER BY 1, 2", name);
        }
        add_text(&state, name, strlen(name));
        read = add_rows(db, sql, &state);
    }
    read = sqlite3_finalize(tables) == SQLITE_OK && read;
    if (!read || !is_whole(db)) {
        return STORE_LOAD_DAMAGED;
    }
    return count == 0 ? STORE_LOAD_NOTHING : state;
}

/* A journal that a crash left can be read only after a rollback, which is left to the store. */
static int open_file(const char *path, sqlite3 **ret)
{
    static const char *const endings[] = {"-journal", "-wal", ""};
    char copy[PROCESS_PATH_MAX];

    snprintf(copy, sizeof(copy), "%s.copy", path);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char from[PROCESS_PATH_MAX + 16];
        char to[PROCESS_PATH_MAX + 16];
        snprintf(from, sizeof(from), "%s%s", path, endings[i]);
        snprintf(to, sizeof(to), "%s%s", copy, endings[i]);
        unlink(to);
        if (!file_copy(from, to) && i == 0) {
            return sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY, PLAIN_VFS);
        }
    }
    return sqlite3_open_v2(copy, ret, SQLITE_OPEN_READWRITE, PLAIN_VFS);
}

uint64_t store_load_state(const char *path)
{
    sqlite3 *db = NULL;
    uint64_t state = STORE_LOAD_DAMAGED;

    if (access(path, F_OK) != 0) {
        return STORE_LOAD_NOTHING;
    }
    if (open_file(path, &db) == SQLITE_OK) {
        state = read_state(db);
    }
    sqlite3_close(db);
    return state;
}

bool store_load_states(const char *folder, uint64_t states[LOAD_STEPS])
{
    char path[PROCESS_PATH_MAX];
    struct store_load load = {path, NULL};
    struct error err;
    bool done = true;

    snprintf(path, sizeof(path), "%s/states.db", folder);
    for (int step = 0; done && step < LOAD_STEPS; step++) {
        done = store_load_step(&load, step, &err) == STORE_OK;
        states[step] = store_load_state(path);
        done = done && states[step] > STORE_LOAD_DAMAGED;
    }
    store_load_close(&load);
    return done;
}
