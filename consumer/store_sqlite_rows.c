/*
 * The chunk that is being worked on, as tables for SQL: what is to be saved and what is to be
 * looked up. They stand in store_sqlite_columns.c.
 *
 * One statement then writes all of its rows, with one cursor that goes from page to page, where a
 * statement a row would find its way from the root each time. The tables are read only and exist in
 * this connection alone, not in the file. Values are handed over as they stand in the chunk, which
 * outlives the statement.
 */
#include "consumer/store_sqlite_internal.h"

#include <string.h>

struct rows_table {
    sqlite3_vtab base;
    const struct sqlite_rows *kind;
    const struct store_sqlite *store;
};

struct rows_cursor {
    sqlite3_vtab_cursor base;
    size_t at;
    size_t count; /* of the places, rows or not */
};

static struct rows_table *table_of(const sqlite3_vtab_cursor *cursor)
{
    return (struct rows_table *)cursor->pVtab; /* base is its first member */
}

/* A table without xCreate bears the name of its module, which says its kind. */
static const struct sqlite_rows *kind_of(const char *name)
{
    size_t at = 0;

    while (at < SQLITE_ROWS_KINDS - 1 && strcmp(sqlite_rows_kinds[at]->name, name) != 0) {
        at++;
    }
    return sqlite_rows_kinds[at];
}

static int connect_rows(sqlite3 *db, void *store, int argc, const char *const *argv,
                        sqlite3_vtab **ret, char **ret_message)
{
    const struct sqlite_rows *kind = kind_of(argv[0]);
    struct rows_table *table;
    int code = sqlite3_declare_vtab(db, kind->declaration);

    (void)argc;
    (void)ret_message;
    if (code != SQLITE_OK) {
        return code;
    }
    table = sqlite3_malloc(sizeof(*table));
    if (!table) {
        return SQLITE_NOMEM;
    }
    *table = (struct rows_table){.kind = kind, .store = store};
    *ret = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* There is one way to read: all of it, in its order. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = CHUNK_MESSAGES_MAX;
    info->estimatedRows = CHUNK_MESSAGES_MAX;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
    struct rows_cursor *cursor = sqlite3_malloc(sizeof(*cursor));

    (void)table;
    if (!cursor) {
        return SQLITE_NOMEM;
    }
    *cursor = (struct rows_cursor){.at = 0};
    *ret = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static void skip_others(struct rows_cursor *cursor)
{
    const struct rows_table *table = table_of(&cursor->base);

    while (cursor->at < cursor->count && !table->kind->has(table->store, cursor->at)) {
        cursor->at++;
    }
}

static int filter(sqlite3_vtab_cursor *base, int index, const char *name, int argc,
                  sqlite3_value **argv)
{
    struct rows_cursor *cursor = (struct rows_cursor *)base;
    const struct rows_table *table = table_of(base);

    (void)index;
    (void)name;
    (void)argc;
    (void)argv;
    cursor->at = 0;
    cursor->count = table->store->shown ? table->kind->count(table->store) : 0;
    skip_others(cursor);
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    struct rows_cursor *cursor = (struct rows_cursor *)base;

    cursor->at++;
    skip_others(cursor);
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    const struct rows_cursor *cursor = (const struct rows_cursor *)base;

    return cursor->at >= cursor->count;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *ret, int number)
{
    const struct rows_cursor *cursor = (const struct rows_cursor *)base;
    const struct rows_table *table = table_of(base);

    table->kind->column(table->store, cursor->at, number, ret);
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)((const struct rows_cursor *)base)->at;
    return SQLITE_OK;
}

/* Without xCreate a table exists by its name alone, and without xUpdate it is read only. */
static const sqlite3_module rows_module = {
    .xConnect = connect_rows,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = row_id,
};

int sqlite_register_rows(struct store_sqlite *store)
{
    int code = SQLITE_OK;

    for (size_t at = 0; at < SQLITE_ROWS_KINDS && code == SQLITE_OK; at++) {
        code = sqlite3_create_module(store->db, sqlite_rows_kinds[at]->name, &rows_module, store);
    }
    return code;
}
