#include "consumer/store_sqlite_internal.h"

/* How many repeats the keys have that get some now. */
static enum store_status find_counts(struct store_sqlite *store, struct chunk *chunk,
                                     struct error *err)
{
    const enum statement id = STATEMENT_FIND_COUNTS;
    sqlite3_stmt *row;
    enum store_status status;

    while ((status = sqlite_row(store, id, "look up repeats", &row, err)) == STORE_OK && row) {
        chunk->keys[sqlite3_column_int64(row, 0)].repeats = sqlite3_column_int64(row, 1);
    }
    if (status == STORE_OK) {
        sqlite_done(store, id);
    }
    return status;
}

/* Which keys get some; false when none does. */
static bool mark_keys(struct chunk *chunk)
{
    bool some = false;

    for (size_t i = 0; i < chunk->item_count; i++) {
        if (sqlite_is_repeat(&chunk->items[i])) {
            struct chunk_key *key = &chunk->keys[chunk->items[i].key];
            key->repeated = true;
            key->repeats = 0;
            some = true;
        }
    }
    return some;
}

/* Counts on, and chooses what is kept: the first ones of each key. */
static void count_on(struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        if (sqlite_is_repeat(item)) {
            item->kept = ++chunk->keys[item->key].repeats <= STORE_REPEATS_KEPT;
        }
    }
}

enum store_status sqlite_save_repeats(struct store_sqlite *store, struct chunk *chunk,
                                      struct error *err)
{
    if (!mark_keys(chunk)) {
        return STORE_OK;
    }
    enum store_status status = find_counts(store, chunk, err);
    if (status == STORE_OK) {
        count_on(chunk);
        status = sqlite_run(store, STATEMENT_ADD_REPEATS, "add the repeats", err);
    }
    if (status == STORE_OK) {
        status = sqlite_run(store, STATEMENT_COUNT_REPEATS, "count the repeats", err);
    }
    return status;
}
