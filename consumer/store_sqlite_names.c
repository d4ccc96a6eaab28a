/*
 * The accounts, batches and logs that decisions refer to by number.
 *
 * Rows of these tables are never removed, and what is read here of them never changes, so what was
 * read once is remembered. Only committed rows may be read: a number whose row was rolled back is
 * given again, to another name. So this is for claim, before anything is written, and for readers.
 */
#include "consumer/store_sqlite_internal.h"

#include <string.h>

/* Looks up the row of a number; it must be there. The caller calls sqlite_done(). */
static enum store_status find_row(struct store_sqlite *store, enum statement id, int64_t number,
                                  sqlite3_stmt **ret_row, struct error *err)
{
    sqlite_bind_int(store, id, 1, number);
    enum store_status status = sqlite_row(store, id, "look up a name", ret_row, err);
    if (status == STORE_OK && !*ret_row) {
        sqlite_done(store, id);
        status = sqlite_damaged(store, "a decision names what is not there", err);
    }
    return status;
}

enum store_status sqlite_account_name(struct store_sqlite *store, int64_t id,
                                      char ret[PAYMENT_ACCOUNT_MAX + 1], struct error *err)
{
    struct account_name *known = &store->names.accounts[(uint64_t)id % ACCOUNT_NAMES_KEPT];
    sqlite3_stmt *row;

    if (known->id != id) {
        enum store_status status = find_row(store, STATEMENT_ACCOUNT_NAME, id, &row, err);
        if (status != STORE_OK) {
            return status;
        }
        bool is_copied = sqlite_copy_text(row, 0, known->name, sizeof(known->name));
        known->id = is_copied ? id : 0;
        sqlite_done(store, STATEMENT_ACCOUNT_NAME);
        if (!is_copied) {
            return sqlite_damaged(store, "an account's name", err);
        }
    }
    memcpy(ret, known->name, strlen(known->name) + 1);
    return STORE_OK;
}

static bool read_batch(sqlite3_stmt *row, struct payment_batch *batch)
{
    batch->rows = sqlite3_column_int64(row, 1);
    return sqlite_copy_text(row, 0, batch->id, sizeof(batch->id)) &&
           sqlite_copy_text(row, 2, batch->digest, sizeof(batch->digest));
}

enum store_status sqlite_batch(struct store_sqlite *store, int64_t id, struct payment_batch *ret,
                               struct error *err)
{
    struct batch_name *known = &store->names.batches[(uint64_t)id % BATCHES_KEPT];
    sqlite3_stmt *row;

    if (known->id != id) {
        enum store_status status = find_row(store, STATEMENT_BATCH_OF, id, &row, err);
        if (status != STORE_OK) {
            return status;
        }
        bool is_read = read_batch(row, &known->batch);
        known->id = is_read ? id : 0;
        sqlite_done(store, STATEMENT_BATCH_OF);
        if (!is_read) {
            return sqlite_damaged(store, "a batch", err);
        }
    }
    *ret = known->batch;
    return STORE_OK;
}

enum store_status sqlite_topic(struct store_sqlite *store, int64_t log,
                               char ret[OUTCOME_TOPIC_SIZE], struct error *err)
{
    struct log_name *known = &store->names.log;
    sqlite3_stmt *row;

    if (known->id != log) {
        enum store_status status = find_row(store, STATEMENT_TOPIC_OF, log, &row, err);
        if (status != STORE_OK) {
            return status;
        }
        bool is_copied = sqlite_copy_text(row, 0, known->topic, sizeof(known->topic));
        known->id = is_copied ? log : 0;
        sqlite_done(store, STATEMENT_TOPIC_OF);
        if (!is_copied) {
            return sqlite_damaged(store, "a log's topic", err);
        }
    }
    memcpy(ret, known->topic, strlen(known->topic) + 1);
    return STORE_OK;
}
