/*
 * The quarantine is bounded: of a large message the beginning is kept, and beyond its budget only
 * what tells which message it was. Nothing is dropped without a trace.
 */
#include "consumer/store_quarantine.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 32];
static struct store *store;
static struct error err;

static void open_store(void)
{
    cr_assert_eq(store_sqlite_open(&store, path, NULL, &err), 0, "%s", err.text);
}

static void open_all(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    open_store();
    kit_begin(store);
}

static void close_all(void)
{
    store_close(store);
    kit_folder_remove(folder);
}

TestSuite(store_quarantine, .init = open_all, .fini = close_all);

static int64_t ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;

    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_step(row);
    int64_t number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return number;
}

/* Takes in an unreadable message with a key and a value of these lengths. */
static void add(size_t key_len, size_t value_len)
{
    static const struct kit_row unreadable = {NULL, NULL, NULL, 0, NULL, NULL, NULL};
    struct chunk *chunk = chunk_new(1);
    char *bytes = malloc(key_len + value_len + 1);

    cr_assert(chunk && bytes);
    memset(bytes, 'x', key_len + value_len);
    struct chunk_item *item = kit_add(chunk, &unreadable, 0, kit_position(store, 0));
    item->raw = (struct raw_message){bytes, key_len, bytes + key_len, value_len, NULL};
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    free(bytes);
    chunk_free(chunk);
}

Test(store_quarantine, keeps_the_beginning_of_a_large_message_and_its_whole_length)
{
    static const struct {
        size_t key;
        size_t value;
        int64_t kept_key;
        int64_t kept_value;
    } rows[] = {
        {10, 65526, 10, 65526}, {10, 65527, 10, 65526}, {10, 1000000, 10, 65526},
        {65536, 5, 65536, 0},   {100000, 5, 65536, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[256];
        add(rows[i].key, rows[i].value);
        snprintf(sql, sizeof(sql),
                 "SELECT length(key) = %lld AND length(value) = %lld AND key_len = %zu"
                 " AND value_len = %zu FROM quarantined WHERE offset = %zu",
                 (long long)rows[i].kept_key, (long long)rows[i].kept_value, rows[i].key,
                 rows[i].value, i);
        cr_expect_eq(ask(sql), 1, "row %zu", i);
    }
    cr_expect_eq(ask("SELECT quarantine_bytes FROM store"), 5 * 65536);
}

Test(store_quarantine, beyond_its_budget_keeps_which_message_it_was)
{
    char sql[128];

    add(1, 9);
    store_close(store);
    snprintf(sql, sizeof(sql), "UPDATE store SET quarantine_bytes = %lld",
             (long long)STORE_QUARANTINE_BYTES - 1);
    ask(sql);
    open_store();
    add(1, 99); /* the last one with room */
    add(1, 999);
    cr_expect_eq(ask("SELECT count(*) FROM quarantined"), 3);
    cr_expect_eq(ask("SELECT length(value) FROM quarantined WHERE offset = 1"), 99);
    cr_expect_eq(ask("SELECT CAST(key AS TEXT) = 'x' AND value IS NULL AND key_len = 1"
                     " AND value_len = 999 AND length(digest) = 32 FROM quarantined"
                     " WHERE offset = 2"),
                 1, "its sender gets an answer");
    add(300, 9); /* no usable key: nobody to answer */
    cr_expect_eq(ask("SELECT key IS NULL AND key_len = 300 FROM quarantined WHERE offset = 3"), 1);
    cr_expect_eq(ask("SELECT quarantine_bytes FROM store"), STORE_QUARANTINE_BYTES + 99);
    cr_expect_eq(kit_position(store, 0), 4, "and the others go on");
}

Test(store_quarantine, bytes_of_a_chunk_that_was_rolled_back_do_not_count)
{
    static const struct kit_row unreadable = {NULL, NULL, NULL, 0, NULL, NULL, NULL};
    struct chunk *chunk = chunk_new(1);

    cr_assert_not_null(chunk);
    kit_add(chunk, &unreadable, 0, 0);
    chunk_index(chunk);
    cr_assert_eq(store->ops->begin(store, &err), STORE_OK);
    cr_assert_eq(store->ops->claim(store, chunk, &err), STORE_OK);
    cr_assert_eq(store->ops->load(store, chunk, &err), STORE_OK);
    chunk->items[0].decision.outcome = OUTCOME_QUARANTINED;
    cr_assert_eq(store->ops->save(store, chunk, &err), STORE_OK);
    store->ops->rollback(store);
    chunk_free(chunk);
    add(1, 9);
    cr_expect_eq(ask("SELECT quarantine_bytes FROM store"), 10);
}

static void count(void *user, const struct store_quarantined *message)
{
    (void)message;
    ++*(int *)user;
}

static int listed_since(int64_t since_ms)
{
    const struct store_quarantine_filter filter = {
        .partition = -1, .offset = -1, .since_ms = since_ms};
    int found = 0;

    cr_assert_eq(store_sqlite_quarantine(store, &filter, count, &found, &err), STORE_OK, "%s",
                 err.text);
    return found;
}

/* Kafka gives such a message the time -1. */
Test(store_quarantine, a_message_without_a_time_is_listed_unless_one_is_asked_for)
{
    add(2, 2);
    add(2, 2);
    ask("UPDATE quarantine SET timestamp_ms = CASE seq WHEN 1 THEN -1 ELSE 1000 END");
    cr_expect_eq(listed_since(0), 2);
    cr_expect_eq(listed_since(1), 1);
    cr_expect_eq(listed_since(1001), 0);
}
