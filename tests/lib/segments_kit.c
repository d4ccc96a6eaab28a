#include "tests/lib/segments_kit.h"

#include "consumer/key_filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS  1000
#define ROWS_MAX 64

struct error segments_err;
struct store *segments_store;
char segments_path[KIT_PATH_SIZE + 32];

static char folder[KIT_PATH_SIZE];
static char keys[NUMBERS][8];
static struct kit_row rows[ROWS_MAX];

/* ---- life ---- */

void segments_open(void)
{
    cr_assert_eq(store_sqlite_open_segments(&segments_store, segments_path, NULL, SEGMENTS_KEYS,
                                            &segments_err),
                 0, "%s", segments_err.text);
}

void segments_close(void)
{
    store_close(segments_store);
    segments_store = NULL;
}

void segments_make(void)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%03zu", i);
    }
    kit_folder_make(folder);
    snprintf(segments_path, sizeof(segments_path), "%s/ledger.db", folder);
    segments_open();
    kit_begin(segments_store);
}

void segments_remove(void)
{
    segments_close();
    kit_folder_remove(folder);
}

int64_t segments_rebuilt(void)
{
    struct store_identity self;

    cr_assert_eq(segments_store->ops->identify(segments_store, &self, &segments_err), STORE_OK,
                 "%s", segments_err.text);
    return self.filters_rebuilt;
}

/* ---- the file ---- */

sqlite3 *segments_database(void)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(segments_path, &db), SQLITE_OK);
    return db;
}

void segments_change(const char *sql)
{
    sqlite3 *db = segments_database();

    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t segments_number(const char *sql)
{
    sqlite3 *db = segments_database();
    sqlite3_stmt *row;

    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return value;
}

void segments_set_filter(sqlite3 *db, int64_t id, int64_t count, const void *checksum,
                         const void *filter)
{
    unsigned char parts[3 * KEY_HASH_SIZE];
    unsigned char all[KEY_HASH_SIZE];
    sqlite3_stmt *set;

    cr_assert_eq(key_filter_bytes(SEGMENTS_KEYS), SEGMENTS_BYTES);
    key_hash_store(parts, (struct key_hash){(uint64_t)id, (uint64_t)count});
    memcpy(parts + KEY_HASH_SIZE, checksum, KEY_HASH_SIZE);
    key_hash_store(parts + 2 * KEY_HASH_SIZE, key_hash(filter, SEGMENTS_BYTES));
    key_hash_store(all, key_hash(parts, sizeof(parts)));
    cr_assert_eq(sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)",
                                    -1, &set, NULL),
                 SQLITE_OK);
    sqlite3_bind_int64(set, 1, id);
    sqlite3_bind_int64(set, 2, count);
    sqlite3_bind_blob(set, 3, checksum, KEY_HASH_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(set, 4, all, sizeof(all), SQLITE_STATIC);
    sqlite3_bind_blob(set, 5, filter, SEGMENTS_BYTES, SQLITE_STATIC);
    cr_assert_eq(sqlite3_step(set), SQLITE_DONE, "%s", sqlite3_errmsg(db));
    sqlite3_finalize(set);
}

/* ---- payments ---- */

const char *segments_key(int n)
{
    cr_assert(n >= 0 && n < NUMBERS);
    return keys[n];
}

static void fill_rows(int first, size_t count, const char *answer)
{
    cr_assert_leq(count, ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        rows[i] =
            (struct kit_row){segments_key(first + (int)i), "ann", "bob", 100, "EUR", NULL, answer};
    }
}

void segments_pay(int first, int end, int chunk, const char *answer)
{
    for (int at = first; at < end; at += chunk) {
        size_t count = (size_t)(end - at < chunk ? end - at : chunk);
        fill_rows(at, count, answer);
        kit_run(segments_store, 0, rows, count);
    }
}

struct chunk *segments_chunk(int first, size_t count)
{
    struct chunk *chunk = chunk_new(count);
    int64_t position = kit_position(segments_store, 0);

    cr_assert_not_null(chunk);
    fill_rows(first, count, NULL);
    for (size_t i = 0; i < count; i++) {
        kit_add(chunk, &rows[i], 0, position + (int64_t)i);
    }
    return chunk;
}

enum store_status segments_save(struct chunk *chunk)
{
    const struct store_ops *ops = segments_store->ops;

    chunk_index(chunk);
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].decision.outcome = OUTCOME_APPLIED;
        chunk->keys[chunk->items[i].key].owner = &chunk->items[i];
    }
    enum store_status status = ops->begin(segments_store, &segments_err);
    if (status == STORE_OK) {
        status = ops->claim(segments_store, chunk, &segments_err);
    }
    if (status == STORE_OK) {
        status = ops->load(segments_store, chunk, &segments_err);
    }
    return status == STORE_OK ? ops->save(segments_store, chunk, &segments_err) : status;
}
