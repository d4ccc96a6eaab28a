#include "consumer/store_memory_internal.h"

#include <string.h>

static struct account_row *find_account(const struct contents *contents, const char *name)
{
    struct account_row *row;

    for (size_t i = 0; (row = memory_row(contents, TABLE_ACCOUNTS, i)); i++) {
        if (strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct payment_batch *find_batch(const struct contents *contents, const char *id)
{
    struct payment_batch *row;

    for (size_t i = 0; (row = memory_row(contents, TABLE_BATCHES, i)); i++) {
        if (strcmp(row->id, id) == 0) {
            return row;
        }
    }
    return NULL;
}

/* Whether a repeat or a quarantined message of the current log stood there. */
static bool is_recorded(const struct contents *contents, const struct origin *origin)
{
    const struct record_row *row;

    for (size_t i = 0; (row = memory_row(contents, TABLE_RECORDS, i)); i++) {
        const struct outcome_record *record = &row->record;
        if (row->log == contents->log && record->verdict != OUTCOME_APPLIED &&
            record->verdict != OUTCOME_REJECTED && record->origin.partition == origin->partition &&
            record->origin.offset == origin->offset) {
            return true;
        }
    }
    return false;
}

enum store_status memory_claim(struct store *base, struct chunk *chunk, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;

    (void)err;
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].recorded = is_recorded(now, &chunk->items[i].origin);
    }
    for (size_t i = 0; i < chunk->key_count; i++) {
        struct chunk_key *key = &chunk->keys[i];
        const struct record_row *row = memory_find_decision(now, key->key);
        if (row) {
            struct origin origin = {.partition =
                                        row->log == now->log ? row->record.origin.partition : -1,
                                    .offset = row->record.origin.offset};
            const struct decision decision = {row->record.first.outcome, row->record.first.reason,
                                              0};
            *chunk_know(chunk, key, row->record.seq, &origin, decision) = row->record.first.command;
        }
    }
    return STORE_OK;
}

enum store_status memory_load(struct store *base, struct chunk *chunk, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;

    (void)err;
    chunk->strict = now->strict;
    chunk->strict_changed = false;
    for (size_t i = 0; i < chunk->account_count; i++) {
        struct chunk_account *account = &chunk->accounts[i];
        const struct account_row *row = find_account(now, account->name);
        if (row) {
            const char *name = account->name;
            *account = row->account;
            account->name = name;
            account->id = 1;
            account->changed = false;
        }
    }
    for (size_t i = 0; i < chunk->batch_count; i++) {
        struct chunk_batch *batch = &chunk->batches[i];
        const struct payment_batch *row = find_batch(now, batch->content.id);
        if (row) {
            batch->id = 1;
            batch->content = *row;
            batch->bound = true;
        }
    }
    return STORE_OK;
}

/* ---- save ---- */

static void set_reason(struct outcome_record *record, const char *name)
{
    payment_copy(record->reason, name, strlen(name));
}

static void set_first(struct outcome_record *record, const struct chunk_item *item)
{
    record->has_first = true;
    record->first = (struct outcome_first){
        .outcome = item->decision.outcome,
        .reason = item->decision.reason,
        .seq = record->seq,
        .command = item->command,
        .origin = record->origin,
        .decided_ms = record->decided_ms,
    };
    memcpy(record->first.digest, item->digest, sizeof(item->digest));
}

static void set_key(struct outcome_record *record, const struct chunk_item *item)
{
    const struct raw_message *raw = &item->raw;

    if (item->unreadable == READABLE) {
        memcpy(record->key, item->command.payment.key, sizeof(record->key));
    } else if (raw->key && !payment_key_problem(raw->key, raw->key_len)) {
        payment_copy(record->key, raw->key, raw->key_len);
    }
}

static void save_item(struct store_memory *store, struct chunk *chunk,
                      const struct chunk_item *item)
{
    struct contents *now = &store->now;
    enum outcome verdict = item->decision.outcome;

    now->counts[verdict]++;
    if (verdict == OUTCOME_REDELIVERED) {
        return;
    }
    struct record_row *row = memory_add(now, TABLE_RECORDS);
    struct outcome_record *record = &row->record;
    row->log = now->log;
    set_key(record, item);
    payment_copy(record->store, "memory", 6);
    record->rules = OUTCOME_RULES;
    record->seq = (int64_t)now->tables[TABLE_RECORDS].count;
    record->verdict = verdict;
    record->fields = item->decision.fields;
    memcpy(record->digest, item->digest, sizeof(record->digest));
    record->origin.partition = item->origin.partition;
    record->origin.offset = item->origin.offset;
    if (store->topic) {
        payment_copy(record->origin.topic, store->topic, strlen(store->topic));
    }
    record->decided_ms = chunk->now_ms;
    if (verdict == OUTCOME_QUARANTINED) {
        set_reason(record, unreadable_name(item->unreadable));
        return;
    }
    if (item->decision.reason != REASON_NONE) {
        set_reason(record, reason_name(item->decision.reason));
    }
    struct chunk_key *key = &chunk->keys[item->key];
    if (verdict == OUTCOME_APPLIED || verdict == OUTCOME_REJECTED) {
        key->seq = record->seq;
        set_first(record, item);
    } else if (key->seq > 0) {
        const struct record_row *first = memory_row(now, TABLE_RECORDS, (size_t)key->seq - 1);
        record->has_first = true;
        record->first = first->record.first;
    }
}

static void save_account(struct contents *now, const struct chunk_account *account)
{
    struct account_row *row = find_account(now, account->name);

    if (!row) {
        row = memory_add(now, TABLE_ACCOUNTS);
        payment_copy(row->name, account->name, strlen(account->name));
    }
    row->account = *account;
    row->account.name = NULL;
}

static enum store_status save_positions(struct contents *now, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->range_count; i++) {
        const struct chunk_range *range = &chunk->ranges[i];
        struct position_row *row = memory_find_position(now, range->partition);
        if (!row || row->position.next_offset != range->from) {
            return STORE_STALE;
        }
        row->position.next_offset = range->to;
        if (range->marks.last.known) {
            row->marks.last = range->marks.last;
        }
        if (range->marks.anchor.known) {
            row->marks.anchor = range->marks.anchor;
        }
    }
    return STORE_OK;
}

enum store_status memory_save(struct store *base, struct chunk *chunk, struct error *err)
{
    struct store_memory *store = memory_of(base);
    struct contents *now = &store->now;

    (void)err;
    if (save_positions(now, chunk) != STORE_OK) {
        return STORE_STALE;
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        save_item(store, chunk, &chunk->items[i]);
    }
    for (size_t i = 0; i < chunk->account_count; i++) {
        if (chunk->accounts[i].changed) {
            save_account(now, &chunk->accounts[i]);
        }
    }
    for (size_t i = 0; i < chunk->batch_count; i++) {
        if (chunk->batches[i].bound && chunk->batches[i].id == 0) {
            *(struct payment_batch *)memory_add(now, TABLE_BATCHES) = chunk->batches[i].content;
        }
    }
    now->strict = chunk->strict;
    now->published = chunk->published > now->published ? chunk->published : now->published;
    now->counts[OUTCOME_REDELIVERED] += chunk->redelivered;
    now->chunks++;
    return STORE_OK;
}
