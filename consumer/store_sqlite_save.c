#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <string.h>

/* ISO 4217 has fewer codes than this, and only known currencies are applied. */
#define CURRENCIES_MAX 256

/* Compare and set: a chunk that was made before a rebalance finds another position here. */
static enum store_status move_position(struct store_sqlite *store, const struct chunk_range *range,
                                       struct error *err)
{
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 1, range->partition);
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 2, range->from);
    sqlite_bind_int(store, STATEMENT_MOVE_POSITION, 3, range->to);
    enum store_status status = sqlite_run(store, STATEMENT_MOVE_POSITION, "move a position", err);
    if (status == STORE_OK && sqlite3_changes(store->db) != 1) {
        status = STORE_STALE;
    }
    return status;
}

static enum store_status update_account(struct store_sqlite *store,
                                        const struct chunk_account *account, struct error *err)
{
    sqlite_bind_int(store, STATEMENT_UPDATE_ACCOUNT, 1, account->id);
    sqlite_bind_text(store, STATEMENT_UPDATE_ACCOUNT, 2, account->currency);
    sqlite_bind_int(store, STATEMENT_UPDATE_ACCOUNT, 3, account->balance_minor);
    return sqlite_run(store, STATEMENT_UPDATE_ACCOUNT, "update a balance", err);
}

/* Gives an account that a decision names its row, with what the ledger made of it. */
static enum store_status ensure_account(struct store_sqlite *store, struct chunk_account *account,
                                        struct error *err)
{
    if (account->id != 0) {
        return STORE_OK;
    }
    sqlite_bind_text(store, STATEMENT_ADD_ACCOUNT, 1, account->name);
    sqlite_bind_text(store, STATEMENT_ADD_ACCOUNT, 2,
                     account->currency[0] ? account->currency : NULL);
    sqlite_bind_int(store, STATEMENT_ADD_ACCOUNT, 3, account->balance_minor);
    enum store_status status = sqlite_run(store, STATEMENT_ADD_ACCOUNT, "add an account", err);
    account->id = sqlite3_last_insert_rowid(store->db);
    return status;
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
    return status;
}

/* A final decision: applied or rejected. */
static enum store_status add_decision(struct store_sqlite *store, struct chunk *chunk,
                                      const struct chunk_item *item, struct error *err)
{
    const enum statement id = STATEMENT_ADD_DECISION;
    unsigned char form[KEY_FORM_SIZE];
    size_t len = key_form(form, item->command.payment.key);
    struct chunk_account *src = &chunk->accounts[item->src];
    struct chunk_account *dest = &chunk->accounts[item->dest];

    enum store_status status = ensure_account(store, src, err);
    if (status == STORE_OK) {
        status = ensure_account(store, dest, err);
    }
    if (status != STORE_OK) {
        return status;
    }
    chunk->keys[item->key].seq = ++store->last_seq;
    sqlite_bind_int(store, id, 1, store->last_seq);
    sqlite_bind_blob(store, id, 2, form, len);
    sqlite_bind_int(store, id, 3, src->id);
    sqlite_bind_int(store, id, 4, dest->id);
    sqlite_bind_int(store, id, 5, item->command.payment.amount_minor);
    sqlite_bind_text(store, id, 6, item->command.payment.currency);
    if (item->batch != CHUNK_NONE) {
        sqlite_bind_int(store, id, 7, chunk->batches[item->batch].id);
    }
    sqlite_bind_int(store, id, 8, item->decision.outcome);
    sqlite_bind_int(store, id, 9, item->decision.reason);
    sqlite_bind_int(store, id, 10, item->origin.partition);
    sqlite_bind_int(store, id, 11, item->origin.offset);
    sqlite_bind_int(store, id, 12, chunk->now_ms);
    return sqlite_run(store, id, "add a decision", err);
}

static enum store_status add_repeat(struct store_sqlite *store, const struct chunk *chunk,
                                    const struct chunk_item *item, struct error *err)
{
    const enum statement id = STATEMENT_ADD_REPEAT;
    const struct chunk_key *key = &chunk->keys[item->key];
    bool conflict = item->decision.outcome == OUTCOME_CONFLICT;
    unsigned char form[KEY_FORM_SIZE];
    char fields[COMMAND_FIELDS_SIZE];
    size_t len = key_form(form, item->command.payment.key);

    sqlite_bind_int(store, id, 1, item->origin.partition);
    sqlite_bind_int(store, id, 2, item->origin.offset);
    sqlite_bind_blob(store, id, 3, form, len);
    if (key->seq > 0) { /* else the key is not decided yet, or only further on in this chunk */
        sqlite_bind_int(store, id, 4, key->seq);
    }
    sqlite_bind_int(store, id, 5, item->decision.outcome);
    sqlite_bind_int(store, id, 6, item->decision.reason);
    if (conflict) {
        sqlite_bind_text(store, id, 7, command_fields(fields, item->decision.fields));
        sqlite_bind_blob(store, id, 8, item->raw.value, item->raw.value_len);
    }
    sqlite_bind_int(store, id, 9, chunk->now_ms);
    return sqlite_run(store, id, "add a repeat", err);
}

static enum store_status add_headers(struct store_sqlite *store, const struct chunk_item *item,
                                     struct error *err)
{
    const enum statement id = STATEMENT_ADD_HEADER;
    enum store_status status = STORE_OK;
    const char *name;
    const void *value;
    size_t len;

    if (!store->headers || !item->raw.headers) {
        return STORE_OK;
    }
    for (size_t i = 0; status == STORE_OK && i < CHUNK_HEADERS_MAX &&
                       store->headers(item->raw.headers, i, &name, &value, &len);
         i++) {
        sqlite_bind_int(store, id, 1, item->origin.partition);
        sqlite_bind_int(store, id, 2, item->origin.offset);
        sqlite_bind_int(store, id, 3, (int64_t)i);
        sqlite_bind_blob(store, id, 4, name, strlen(name));
        sqlite_bind_blob(store, id, 5, value, len);
        status = sqlite_run(store, id, "add a header", err);
    }
    return status;
}

static enum store_status add_quarantine(struct store_sqlite *store, const struct chunk *chunk,
                                        const struct chunk_item *item, struct error *err)
{
    const enum statement id = STATEMENT_ADD_QUARANTINE;

    sqlite_bind_int(store, id, 1, item->origin.partition);
    sqlite_bind_int(store, id, 2, item->origin.offset);
    sqlite_bind_text(store, id, 3, unreadable_name(item->unreadable));
    sqlite_bind_text(store, id, 4, item->detail);
    sqlite_bind_blob(store, id, 5, item->raw.key, item->raw.key_len);
    sqlite_bind_blob(store, id, 6, item->raw.value, item->raw.value_len);
    sqlite_bind_int(store, id, 7, item->origin.timestamp_ms);
    sqlite_bind_int(store, id, 8, chunk->now_ms);
    enum store_status status = sqlite_run(store, id, "add to the quarantine", err);
    return status == STORE_OK ? add_headers(store, item, err) : status;
}

static enum store_status save_item(struct store_sqlite *store, struct chunk *chunk,
                                   const struct chunk_item *item, struct error *err)
{
    switch (item->decision.outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
        return add_decision(store, chunk, item, err);
    case OUTCOME_DUPLICATE:
    case OUTCOME_CONFLICT:
        return add_repeat(store, chunk, item, err);
    case OUTCOME_QUARANTINED:
        return add_quarantine(store, chunk, item, err);
    case OUTCOME_REDELIVERED:
        return STORE_OK; /* only counted */
    case OUTCOME_NONE:
    case OUTCOME_COUNT:
    default:
        return sqlite_damaged(store, "an item without a decision", err);
    }
}

/* In the keys' order, which dirties each page of the index once. */
static enum store_status save_keys(struct store_sqlite *store, const struct chunk *chunk,
                                   struct error *err)
{
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < chunk->key_count; i++) {
        const struct chunk_key *key = &chunk->keys[i];
        unsigned char form[KEY_FORM_SIZE];
        if (key->owner) {
            sqlite_bind_blob(store, STATEMENT_ADD_KEY, 1, form, key_form(form, key->key));
            sqlite_bind_int(store, STATEMENT_ADD_KEY, 2, key->seq);
            status = sqlite_run(store, STATEMENT_ADD_KEY, "add a key", err);
        }
    }
    return status;
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
        if (item->decision.outcome != OUTCOME_APPLIED) {
            continue;
        }
        while (at < count && strcmp(sums[at].currency, item->command.payment.currency) != 0) {
            at++;
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
    return status == STORE_OK ? sqlite_run(store, STATEMENT_COUNT_CHUNK, "count", err) : status;
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
        status = save_item(store, chunk, &chunk->items[i], err);
    }
    if (status == STORE_OK) {
        status = save_keys(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = save_totals(store, chunk, err);
    }
    return status == STORE_OK ? save_counters(store, chunk, err) : status;
}
