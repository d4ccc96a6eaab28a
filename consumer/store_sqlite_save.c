#include "consumer/store_sqlite_internal.h"

#include "common/mutant.h"

#include <string.h>
#include <sysexits.h>

/*
 * ISO 4217 has fewer codes than this, and the rules apply only known ones. A decision that was told
 * may have any three letters.
 */
#define CURRENCIES_MAX 256

/* A mark that is not known leaves the stored one as it is. */
static void bind_mark(struct store_sqlite *store, int place, const struct fingerprint *mark)
{
    if (mark->known) {
        sqlite_bind_int(store, STATEMENT_MOVE_POSITION, place, mark->offset);
        sqlite_bind_blob(store, STATEMENT_MOVE_POSITION, place + 1, mark->print,
                         sizeof(mark->print));
    }
}

/* Compare and set: a chunk that was made before a rebalance finds another position here. */
static enum store_status move_position(struct store_sqlite *store, const struct chunk_range *range,
                                       struct error *err)
{
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 1, range->partition);
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 2, range->from);
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 3, range->to);
    bind_mark(store, 4, &range->marks.last);
    bind_mark(store, 6, &range->marks.anchor);
    enum store_status status = sqlite_run(store, STATEMENT_MOVE_POSITION, "move a position", err);
    if (status == STORE_OK && sqlite3_changes(store->db) != 1) {
        status = STORE_STALE;
    }
    return status;
}

static enum store_status update_account(struct store_sqlite *store,
                                        const struct chunk_account *account, struct error *err)
{
    const enum statement id = STATEMENT_UPDATE_ACCOUNT;

    sqlite_bind_int(store, id, 1, account->id);
    sqlite_bind_text(store, id, 2, account->currency);
    sqlite_bind_int(store, id, 3, account->balance_minor);
    sqlite_bind_int(store, id, 4, account->state);
    if (account->has_min) {
        sqlite_bind_int(store, id, 5, account->min_minor);
    }
    return sqlite_run(store, id, "update an account", err);
}

static enum store_status add_batch(struct store_sqlite *store, struct chunk_batch *batch,
                                   struct error *err)
{
    sqlite_bind_text(store, STATEMENT_ADD_BATCH, 1, batch->content.id);
    sqlite_bind_int(store, STATEMENT_ADD_BATCH, 2, batch->content.rows);
    sqlite_bind_text(store, STATEMENT_ADD_BATCH, 3, batch->content.digest);
    enum store_status status = sqlite_run(store, STATEMENT_ADD_BATCH, "add a batch", err);
    batch->id = sqlite3_last_insert_rowid(store->db);
    return status;
}

static enum store_status save_tables(struct store_sqlite *store, struct chunk *chunk,
                                     struct error *err)
{
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < chunk->account_count; i++) {
        if (chunk->accounts[i].changed && chunk->accounts[i].id != 0) {
            status = update_account(store, &chunk->accounts[i], err);
        }
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->batch_count; i++) {
        if (chunk->batches[i].bound && chunk->batches[i].id == 0) {
            status = add_batch(store, &chunk->batches[i], err);
        }
    }
    if (status == STORE_OK && chunk->strict_changed) {
        sqlite_bind_int(store, STATEMENT_SET_STRICT, 1, chunk->strict);
        status = sqlite_run(store, STATEMENT_SET_STRICT, "set the mode", err);
    }
    return status;
}

/* Commands to accounts are few: most chunks have payments only, whose rows have less to say. */
static enum store_status save_decisions(struct store_sqlite *store, const struct chunk *chunk,
                                        struct error *err)
{
    enum statement id = chunk->only_payments ? STATEMENT_ADD_PAYMENTS : STATEMENT_ADD_DECISIONS;

    sqlite_bind_int(store, id, 1, store->log);
    sqlite_bind_int(store, id, 2, chunk->now_ms);
    sqlite_bind_int(store, id, 3, OUTCOME_RULES);
    return sqlite_run(store, id, "add the decisions", err);
}

/* In the keys' order, which dirties each page of the index once. */
static enum store_status save_keys(struct store_sqlite *store, const struct chunk *chunk,
                                   struct error *err)
{
    if (MUTANT("no-dedupe")) {
        return STORE_OK;
    }
    sqlite_bind_int(store, STATEMENT_ADD_KEYS, 1, store->keys.current);
    enum store_status status = sqlite_run(store, STATEMENT_ADD_KEYS, "add the keys", err);

    return status == STORE_OK ? sqlite_keys_added(store, chunk, sqlite3_changes64(store->db), err)
                              : status;
}

static enum store_status add_to_total(struct store_sqlite *store, const struct store_currency *more,
                                      struct error *err)
{
    struct money_sum total = more->total;
    int64_t applied = more->applied;
    sqlite3_stmt *row;

    sqlite_bind_text(store, STATEMENT_FIND_TOTAL, 1, more->currency);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_TOTAL, "look up a total", &row, err);
    if (status != STORE_OK) {
        return status;
    }
    if (row) {
        applied += sqlite3_column_int64(row, 0);
        total.high += sqlite3_column_int64(row, 1);
        money_sum_add(&total, sqlite3_column_int64(row, 2));
    }
    sqlite_done(store, STATEMENT_FIND_TOTAL);
    sqlite_bind_text(store, STATEMENT_SET_TOTAL, 1, more->currency);
    sqlite_bind_int(store, STATEMENT_SET_TOTAL, 2, applied);
    sqlite_bind_int(store, STATEMENT_SET_TOTAL, 3, total.high);
    sqlite_bind_int(store, STATEMENT_SET_TOTAL, 4, total.low);
    return sqlite_run(store, STATEMENT_SET_TOTAL, "set a total", err);
}

static enum store_status save_totals(struct store_sqlite *store, const struct chunk *chunk,
                                     struct error *err)
{
    struct store_currency sums[CURRENCIES_MAX];
    size_t count = 0;
    enum store_status status = STORE_OK;

    for (size_t i = 0; i < chunk->item_count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        size_t at = 0;
        if (item->decision.outcome != OUTCOME_APPLIED || item->command.type != COMMAND_PAYMENT) {
            continue;
        }
        while (at < count && strcmp(sums[at].currency, item->command.payment.currency) != 0) {
            at++;
        }
        if (at == CURRENCIES_MAX) {
            error_set(err, EX_DATAERR,
                      "%s: payments in more than %d currencies at once, which are more than there "
                      "are",
                      store->path, CURRENCIES_MAX);
            return STORE_FAILED;
        }
        if (at == count) {
            sums[count] = (struct store_currency){.applied = 0};
            memcpy(sums[count++].currency, item->command.payment.currency, MONEY_CURRENCY_SIZE);
        }
        sums[at].applied++;
        money_sum_add(&sums[at].total, item->command.payment.amount_minor);
    }
    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        status = add_to_total(store, &sums[i], err);
    }
    return status;
}

static enum store_status save_counters(struct store_sqlite *store, const struct chunk *chunk,
                                       struct error *err)
{
    int64_t counts[OUTCOME_COUNT] = {[OUTCOME_REDELIVERED] = chunk->redelivered};
    enum store_status status = STORE_OK;

    for (size_t i = 0; i < chunk->item_count; i++) {
        counts[chunk->items[i].decision.outcome]++;
    }
    for (int i = 0; status == STORE_OK && i < OUTCOME_COUNT; i++) {
        if (counts[i] > 0) {
            sqlite_bind_int(store, STATEMENT_COUNT_OUTCOME, 1, i);
            sqlite_bind_int(store, STATEMENT_COUNT_OUTCOME, 2, counts[i]);
            status = sqlite_run(store, STATEMENT_COUNT_OUTCOME, "count", err);
        }
    }
    if (status != STORE_OK) {
        return status;
    }
    unsigned char decided[KEY_HASH_SIZE];
    key_hash_store(decided, store->now.decided);
    sqlite_bind_int(store, STATEMENT_COUNT_CHUNK, 1, store->now.quarantine_bytes);
    sqlite_bind_blob(store, STATEMENT_COUNT_CHUNK, 2, decided, sizeof(decided));
    return sqlite_run(store, STATEMENT_COUNT_CHUNK, "count", err);
}

enum store_status sqlite_save(struct store *base, struct chunk *chunk, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < chunk->range_count; i++) {
        status = move_position(store, &chunk->ranges[i], err);
    }
    if (status == STORE_OK) {
        status = save_tables(store, chunk, err);
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        status = sqlite_save_item(store, chunk, &chunk->items[i], err);
    }
    store->shown = chunk;
    if (status == STORE_OK) {
        status = sqlite_save_repeats(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = save_decisions(store, chunk, err);
    }
    if (status == STORE_OK && MUTANT("marker-outside")) {
        status = sqlite_run(store, STATEMENT_COMMIT, "commit", err);
        status = status == STORE_OK ? sqlite_run(store, STATEMENT_BEGIN, "begin", err) : status;
    }
    if (status == STORE_OK) {
        status = save_keys(store, chunk, err);
    }
    store->shown = NULL;
    if (status == STORE_OK) {
        status = save_totals(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = save_counters(store, chunk, err);
    }
    return status == STORE_OK && chunk->published > 0
               ? sqlite_set_published(store, chunk->published, err)
               : status;
}
