#include "consumer/store_sqlite_internal.h"

#include "common/mutant.h"

/* ---- claim ---- */

static enum store_status read_first(struct store_sqlite *store, sqlite3_stmt *row,
                                    struct chunk *chunk, struct chunk_key *key, struct error *err)
{
    struct outcome_first first;
    enum store_status status = sqlite_read_first(store, row, 0, &first, err);

    if (status != STORE_OK) {
        return status;
    }
    /* Offsets of an earlier log say nothing about the messages of this one. */
    bool same_log = sqlite3_column_int64(row, DECISION_LOG) == store->log;
    struct origin origin = {.partition = same_log ? first.origin.partition : -1,
                            .offset = first.origin.offset};
    const struct decision decision = {first.outcome, first.reason, 0};
    *chunk_know(chunk, key, key->seq, &origin, decision) = first.command;
    return STORE_OK;
}

/* The decisions of what is sought, in their order, by one statement. */
static enum store_status read_decisions(struct store_sqlite *store, struct chunk *chunk,
                                        struct error *err)
{
    const enum statement id = STATEMENT_FIND_DECISIONS;
    sqlite3_stmt *row;
    enum store_status status;

    sqlite_sort_sought(store);
    while ((status = sqlite_row(store, id, "look up decisions", &row, err)) == STORE_OK && row) {
        struct chunk_key *key = &chunk->keys[sqlite3_column_int64(row, DECISION_PLACE)];
        status = read_first(store, row, chunk, key, err);
        if (status != STORE_OK) {
            break;
        }
    }
    sqlite_done(store, id);
    store->sought_count = 0;
    return status;
}

/* The decision of each key that has one. */
static enum store_status claim_keys(struct store_sqlite *store, struct chunk *chunk,
                                    struct error *err)
{
    enum store_status status = STORE_OK;

    store->sought_count = 0;
    for (size_t i = 0; status == STORE_OK && i < chunk->key_count; i++) {
        if (chunk->keys[i].seq > 0) {
            struct sqlite_sought sought = {.order = chunk->keys[i].seq, .place = (uint32_t)i};
            status = sqlite_seek(store, chunk, sought, read_decisions, err);
        }
    }
    if (status == STORE_OK && store->sought_count > 0) {
        status = read_decisions(store, chunk, err);
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->key_count; i++) {
        if (chunk->keys[i].seq > 0 && !chunk->keys[i].known) {
            status = sqlite_damaged(store, "a key without its decision", err);
        }
    }
    return status;
}

/* The highest offset of the partition among repeats and quarantine, -1 when there is none. */
static enum store_status highest_recorded(struct store_sqlite *store, int32_t partition,
                                          int64_t *ret, struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_HIGHEST_RECORDED, 1, partition);
    sqlite_bind_int(store, STATEMENT_HIGHEST_RECORDED, 2, store->log);
    enum store_status status =
        sqlite_row(store, STATEMENT_HIGHEST_RECORDED, "look up repeats", &row, err);
    if (status == STORE_OK) {
        *ret = row ? sqlite3_column_int64(row, 0) : -1;
        sqlite_done(store, STATEMENT_HIGHEST_RECORDED);
    }
    return status;
}

static enum store_status find_recorded(struct store_sqlite *store, struct chunk_item *item,
                                       struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_FIND_RECORDED, 1, item->origin.partition);
    sqlite_bind_int(store, STATEMENT_FIND_RECORDED, 2, item->origin.offset);
    sqlite_bind_int(store, STATEMENT_FIND_RECORDED, 3, store->log);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_RECORDED, "look up a repeat", &row, err);
    if (status == STORE_OK) {
        item->recorded = row != NULL;
        sqlite_done(store, STATEMENT_FIND_RECORDED);
    }
    return status;
}

/*
 * Messages come with rising offsets, so nothing of a range is recorded unless the position was set
 * back. One look a partition tells.
 */
static enum store_status claim_range(struct store_sqlite *store, struct chunk *chunk,
                                     const struct chunk_range *range, struct error *err)
{
    int64_t highest = -1;
    enum store_status status = highest_recorded(store, range->partition, &highest, err);

    if (highest < range->from) {
        return status;
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        if (item->origin.partition == range->partition && item->origin.offset <= highest &&
            !chunk_is_first(chunk, item)) {
            status = find_recorded(store, item, err);
        }
    }
    return status;
}

enum store_status sqlite_claim(struct store *base, struct chunk *chunk, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = STORE_OK;

    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].recorded = false;
    }
    store->shown = chunk;
    if (!MUTANT("no-dedupe")) {
        status = sqlite_find_keys(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = claim_keys(store, chunk, err);
    }
    store->shown = NULL;
    if (status == STORE_OK) {
        status = sqlite_mark_stale(store, chunk, err);
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->range_count; i++) {
        status = claim_range(store, chunk, &chunk->ranges[i], err);
    }
    return status;
}

/* ---- load ---- */

static enum store_status load_account(struct store_sqlite *store, struct chunk_account *account,
                                      struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_text(store, STATEMENT_FIND_ACCOUNT, 1, account->name);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_ACCOUNT, "look up an account", &row, err);
    if (status != STORE_OK) {
        return status;
    }
    if (row) {
        account->id = sqlite3_column_int64(row, 0);
        account->balance_minor = sqlite3_column_int64(row, 2);
        account->state = (enum account_state)sqlite3_column_int(row, 3);
        account->has_min = sqlite3_column_type(row, 4) != SQLITE_NULL;
        account->min_minor = sqlite3_column_int64(row, 4);
        if (sqlite3_column_type(row, 1) != SQLITE_NULL &&
            !sqlite_copy_text(row, 1, account->currency, sizeof(account->currency))) {
            status = sqlite_damaged(store, "an account's currency", err);
        }
    }
    sqlite_done(store, STATEMENT_FIND_ACCOUNT);
    return status;
}

static enum store_status load_batch(struct store_sqlite *store, struct chunk_batch *batch,
                                    struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_text(store, STATEMENT_FIND_BATCH, 1, batch->content.id);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_BATCH, "look up a batch", &row, err);
    if (status != STORE_OK) {
        return status;
    }
    if (row) {
        batch->bound = true;
        batch->id = sqlite3_column_int64(row, 0);
        batch->content.rows = sqlite3_column_int64(row, 1);
        if (!sqlite_copy_text(row, 2, batch->content.digest, sizeof(batch->content.digest))) {
            status = sqlite_damaged(store, "a batch's digest", err);
        }
    }
    sqlite_done(store, STATEMENT_FIND_BATCH);
    return status;
}

static enum store_status load_strict(struct store_sqlite *store, struct chunk *chunk,
                                     struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_STRICT, "look up the mode", &row, err);

    if (status == STORE_OK) {
        chunk->strict = row && sqlite3_column_int(row, 0) != 0;
        chunk->strict_changed = false;
        sqlite_done(store, STATEMENT_FIND_STRICT);
    }
    return status;
}

enum store_status sqlite_load(struct store *base, struct chunk *chunk, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = load_strict(store, chunk, err);

    for (size_t i = 0; status == STORE_OK && i < chunk->account_count; i++) {
        status = load_account(store, &chunk->accounts[i], err);
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->batch_count; i++) {
        status = load_batch(store, &chunk->batches[i], err);
    }
    return status;
}
