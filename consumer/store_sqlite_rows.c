/*
 * The chunk that is being worked on, as tables for SQL: chunk_decisions and chunk_keys, which are
 * saved, chunk_sought and chunk_known, which are looked up.
 *
 * One statement then writes all of its rows, with one cursor that goes from page to page, where a
 * statement a row would find its way from the root each time. The tables are read only and exist in
 * this connection alone, not in the file. Values are handed over as they stand in the chunk, which
 * outlives the statement.
 */
#include "consumer/store_sqlite_internal.h"

#include <string.h>

/* Items are large and lie far apart: so many ahead their memory is asked for. */
#define AHEAD 4

/* The first column of the tables of keys. */
#define KEY_FORM 0

/* One of the tables. */
struct rows_kind {
    const char *name;
    const char *declaration;
    size_t (*count)(const struct store_sqlite *store);
    /* Whether the place at is one of the table's rows. */
    bool (*has)(const struct store_sqlite *store, size_t at);
    void (*column)(const struct store_sqlite *store, size_t at, int column, sqlite3_context *ret);
};

struct rows_table {
    sqlite3_vtab base;
    const struct rows_kind *kind;
    const struct store_sqlite *store;
};

struct rows_cursor {
    sqlite3_vtab_cursor base;
    size_t at;
    size_t count; /* of the places, rows or not */
};

/* ---- decisions ---- */

static size_t count_items(const struct store_sqlite *store)
{
    return store->shown->item_count;
}

static bool is_decision(const struct store_sqlite *store, size_t at)
{
    const struct chunk *chunk = store->shown;

    if (at + AHEAD < chunk->item_count) {
        const struct chunk_item *ahead = &chunk->items[at + AHEAD];
        PREFETCH(ahead);
        PREFETCH(ahead->digest);
        PREFETCH(&ahead->command.type);
        PREFETCH(&ahead->command.payment.amount_minor);
    }
    return sqlite_is_decision(&chunk->items[at]);
}

/* Stays NULL when there is none. */
static void result_optional(sqlite3_context *ret, bool is_there, int64_t value)
{
    if (is_there) {
        sqlite3_result_int64(ret, value);
    }
}

static void result_account(sqlite3_context *ret, const struct chunk *chunk, size_t account)
{
    if (account != CHUNK_NONE) {
        sqlite3_result_int64(ret, chunk->accounts[account].id);
    }
}

static void payload_column(const struct chunk *chunk, const struct chunk_item *item, int column,
                           sqlite3_context *ret)
{
    const struct command *command = &item->command;

    switch (column) {
    case DECISION_TYPE:
        sqlite3_result_int(ret, (int)command->type);
        break;
    case DECISION_SRC:
        result_account(ret, chunk, item->src);
        break;
    case DECISION_DEST:
        result_account(ret, chunk, item->dest);
        break;
    case DECISION_AMOUNT:
        sqlite3_result_int64(ret, command->payment.amount_minor);
        break;
    case DECISION_CURRENCY:
        sqlite3_result_text(ret, command->payment.currency, -1, SQLITE_STATIC);
        break;
    case DECISION_BATCH:
        if (item->batch != CHUNK_NONE) {
            sqlite3_result_int64(ret, chunk->batches[item->batch].id);
        }
        break;
    case DECISION_MIN:
        result_optional(ret, command->has_min, command->min_minor);
        break;
    case DECISION_STRICT:
        result_optional(ret, command->type == COMMAND_ACCOUNTS, command->strict);
        break;
    default: /* the columns of the decision itself have been given */
        break;
    }
}

static void decision_column(const struct store_sqlite *store, size_t at, int column,
                            sqlite3_context *ret)
{
    const struct chunk *chunk = store->shown;
    const struct chunk_item *item = &chunk->items[at];
    const struct chunk_key *key = &chunk->keys[item->key];

    switch (column) {
    case DECISION_SEQ:
        sqlite3_result_int64(ret, key->seq);
        break;
    case DECISION_KEY:
        sqlite3_result_blob(ret, key->form, (int)key->form_len, SQLITE_STATIC);
        break;
    case DECISION_OUTCOME:
        sqlite3_result_int(ret, (int)item->decision.outcome);
        break;
    case DECISION_REASON:
        sqlite3_result_int(ret, (int)item->decision.reason);
        break;
    case DECISION_DIGEST:
        sqlite3_result_blob(ret, item->digest, sizeof(item->digest), SQLITE_STATIC);
        break;
    case DECISION_LOG:
        sqlite3_result_int64(ret, store->log);
        break;
    case DECISION_PARTITION:
        sqlite3_result_int(ret, item->origin.partition);
        break;
    case DECISION_OFFSET:
        sqlite3_result_int64(ret, item->origin.offset);
        break;
    case DECISION_DECIDED_MS:
        sqlite3_result_int64(ret, chunk->now_ms);
        break;
    case DECISION_RULES:
        sqlite3_result_int(ret, OUTCOME_RULES);
        break;
    default:
        payload_column(chunk, item, column, ret);
    }
}

static const struct rows_kind decisions = {
    .name = "chunk_decisions",
    .declaration = "CREATE TABLE chunk_decisions (" DECISION_FIELDS ")",
    .count = count_items,
    .has = is_decision,
    .column = decision_column,
};

/* ---- new keys ---- */

static size_t count_keys(const struct store_sqlite *store)
{
    return store->shown->key_count;
}

static bool is_new_key(const struct store_sqlite *store, size_t at)
{
    return store->shown->keys[at].owner != NULL;
}

static void result_form(sqlite3_context *ret, const struct chunk_key *key)
{
    sqlite3_result_blob(ret, key->form, (int)key->form_len, SQLITE_STATIC);
}

static void key_column(const struct store_sqlite *store, size_t at, int column,
                       sqlite3_context *ret)
{
    const struct chunk_key *key = &store->shown->keys[at];

    if (column == KEY_FORM) {
        result_form(ret, key);
    } else {
        sqlite3_result_int64(ret, key->seq);
    }
}

static const struct rows_kind keys = {
    .name = "chunk_keys",
    .declaration = "CREATE TABLE chunk_keys (key, seq)",
    .count = count_keys,
    .has = is_new_key,
    .column = key_column,
};

/* ---- what is sought ---- */

static size_t count_sought(const struct store_sqlite *store)
{
    return store->sought_to - store->sought_from;
}

static bool is_any(const struct store_sqlite *store, size_t at)
{
    (void)store;
    (void)at;
    return true;
}

static void sought_column(const struct store_sqlite *store, size_t at, int column,
                          sqlite3_context *ret)
{
    const struct sqlite_sought *sought = &store->sought[store->sought_from + at];

    if (column == KEY_FORM) {
        result_form(ret, &store->shown->keys[sought->place]);
    } else {
        sqlite3_result_int64(ret, sought->place);
    }
}

static const struct rows_kind sought_keys = {
    .name = "chunk_sought",
    .declaration = "CREATE TABLE chunk_sought (key, place)",
    .count = count_sought,
    .has = is_any,
    .column = sought_column,
};

static void known_column(const struct store_sqlite *store, size_t at, int column,
                         sqlite3_context *ret)
{
    const struct sqlite_sought *sought = &store->sought[store->sought_from + at];

    sqlite3_result_int64(ret, column == 0 ? sought->order : sought->place);
}

static const struct rows_kind known_keys = {
    .name = "chunk_known",
    .declaration = "CREATE TABLE chunk_known (seq, place)",
    .count = count_sought,
    .has = is_any,
    .column = known_column,
};

/* ---- what SQLite calls ---- */

static struct rows_table *table_of(const sqlite3_vtab_cursor *cursor)
{
    return (struct rows_table *)cursor->pVtab; /* base is its first member */
}

static const struct rows_kind *const kinds[] = {&decisions, &keys, &sought_keys, &known_keys};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A table without xCreate bears the name of its module, which says its kind. */
static const struct rows_kind *kind_of(const char *name)
{
    size_t at = 0;

    while (at < KINDS - 1 && strcmp(kinds[at]->name, name) != 0) {
        at++;
    }
    return kinds[at];
}

static int connect_rows(sqlite3 *db, void *store, int argc, const char *const *argv,
                        sqlite3_vtab **ret, char **ret_message)
{
    const struct rows_kind *kind = kind_of(argv[0]);
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

    for (size_t at = 0; at < KINDS && code == SQLITE_OK; at++) {
        code = sqlite3_create_module(store->db, kinds[at]->name, &rows_module, store);
    }
    return code;
}
