#include "consumer/store.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/*
 * Everything is a plain array that is searched from its beginning: this store is for tests, where
 * being obviously right matters and size does not. A transaction is a copy of the arrays that
 * rollback() brings back.
 */
struct decision_row {
    struct command command;
    struct origin origin;
    enum outcome outcome;
    int64_t seq;
};

struct account_row {
    char name[PAYMENT_ACCOUNT_MAX + 1];
    char currency[MONEY_CURRENCY_SIZE];
    int64_t balance_minor;
};

struct recorded_row {
    int32_t partition;
    int64_t offset;
};

struct array {
    char *rows;
    size_t count;
};

enum table {
    TABLE_DECISIONS,
    TABLE_ACCOUNTS,
    TABLE_BATCHES,
    TABLE_RECORDED,
    TABLE_POSITIONS,
    TABLE_COUNT,
};

static const size_t row_sizes[TABLE_COUNT] = {
    [TABLE_DECISIONS] = sizeof(struct decision_row),
    [TABLE_ACCOUNTS] = sizeof(struct account_row),
    [TABLE_BATCHES] = sizeof(struct payment_batch),
    [TABLE_RECORDED] = sizeof(struct recorded_row),
    [TABLE_POSITIONS] = sizeof(struct store_position),
};

struct contents {
    struct array tables[TABLE_COUNT];
    int64_t counts[OUTCOME_COUNT];
    int64_t chunks;
};

struct store_memory {
    struct store base;
    char *cluster;
    char *topic;
    struct contents now;
    struct contents before; /* what rollback brings back, while in_transaction */
    bool in_transaction;
};

static struct store_memory *memory_of(struct store *base)
{
    return (struct store_memory *)base;
}

static void *row_at(const struct contents *contents, enum table table, size_t index)
{
    const struct array *array = &contents->tables[table];
    return index < array->count ? array->rows + index * row_sizes[table] : NULL;
}

static void *row_add(struct contents *contents, enum table table)
{
    struct array *array = &contents->tables[table];
    char *grown = realloc(array->rows, (array->count + 1) * row_sizes[table]);

    if (!grown) {
        abort(); /* a test machine without memory has no use for a recovery here */
    }
    array->rows = grown;
    array->count++;
    return memset(row_at(contents, table, array->count - 1), 0, row_sizes[table]);
}

static void contents_release(struct contents *contents)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        free(contents->tables[i].rows);
    }
    *contents = (struct contents){.counts = {0}};
}

static struct contents contents_copy(const struct contents *from)
{
    struct contents copy = *from;

    for (int i = 0; i < TABLE_COUNT; i++) {
        size_t size = from->tables[i].count * row_sizes[i];
        copy.tables[i].rows = malloc(size + 1);
        if (!copy.tables[i].rows) {
            abort();
        }
        if (size > 0) {
            memcpy(copy.tables[i].rows, from->tables[i].rows, size);
        }
    }
    return copy;
}

static struct account_row *find_account(const struct contents *contents, const char *name)
{
    struct account_row *row;

    for (size_t i = 0; (row = row_at(contents, TABLE_ACCOUNTS, i)); i++) {
        if (strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct payment_batch *find_batch(const struct contents *contents, const char *id)
{
    struct payment_batch *row;

    for (size_t i = 0; (row = row_at(contents, TABLE_BATCHES, i)); i++) {
        if (strcmp(row->id, id) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct decision_row *find_decision(const struct contents *contents, const char *key)
{
    struct decision_row *row;

    for (size_t i = 0; (row = row_at(contents, TABLE_DECISIONS, i)); i++) {
        if (strcmp(row->command.payment.key, key) == 0) {
            return row;
        }
    }
    return NULL;
}

static struct store_position *find_position(const struct contents *contents, int32_t partition)
{
    struct store_position *row;

    for (size_t i = 0; (row = row_at(contents, TABLE_POSITIONS, i)); i++) {
        if (row->partition == partition) {
            return row;
        }
    }
    return NULL;
}

static bool is_recorded(const struct contents *contents, const struct origin *origin)
{
    const struct recorded_row *row;

    for (size_t i = 0; (row = row_at(contents, TABLE_RECORDED, i)); i++) {
        if (row->partition == origin->partition && row->offset == origin->offset) {
            return true;
        }
    }
    return false;
}

/* ---- the operations ---- */

static enum store_status memory_bind(struct store *base, const char *cluster, const char *topic,
                                     struct error *err)
{
    struct store_memory *store = memory_of(base);

    if (!store->topic) {
        store->cluster = strdup(cluster);
        store->topic = strdup(topic);
        if (!store->cluster || !store->topic) {
            abort();
        }
    }
    if (strcmp(store->cluster, cluster) != 0 || strcmp(store->topic, topic) != 0) {
        error_set(err, EX_CONFIG, "the store belongs to topic \"%s\" of Kafka cluster %s",
                  store->topic, store->cluster);
        return STORE_FAILED;
    }
    return STORE_OK;
}

static enum store_status memory_identify(struct store *base, struct store_identity *ret,
                                         struct error *err)
{
    (void)err;
    *ret = (struct store_identity){"memory", "memory", 1, memory_of(base)->now.chunks};
    return STORE_OK;
}

static enum store_status memory_position(struct store *base, int32_t partition, bool *ret_found,
                                         int64_t *ret_offset, struct error *err)
{
    const struct store_position *row = find_position(&memory_of(base)->now, partition);

    (void)err;
    *ret_found = row != NULL;
    *ret_offset = row ? row->next_offset : 0;
    return STORE_OK;
}

static enum store_status memory_adopt(struct store *base, int32_t partition, int64_t offset,
                                      struct error *err)
{
    struct store_memory *store = memory_of(base);

    if (find_position(&store->now, partition)) {
        error_set(err, EX_IOERR, "partition %d has a position already", partition);
        return STORE_FAILED;
    }
    *(struct store_position *)row_add(&store->now, TABLE_POSITIONS) =
        (struct store_position){partition, offset};
    return STORE_OK;
}

static enum store_status memory_begin(struct store *base, struct error *err)
{
    struct store_memory *store = memory_of(base);

    (void)err;
    store->before = contents_copy(&store->now);
    store->in_transaction = true;
    return STORE_OK;
}

static enum store_status memory_claim(struct store *base, struct chunk *chunk, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;

    (void)err;
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].recorded = is_recorded(now, &chunk->items[i].origin);
    }
    for (size_t i = 0; i < chunk->key_count; i++) {
        struct chunk_key *key = &chunk->keys[i];
        const struct decision_row *row = find_decision(now, key->key);
        key->known = row != NULL;
        if (row) {
            key->seq = row->seq;
            key->origin = row->origin;
            key->first = row->command;
        }
    }
    return STORE_OK;
}

static enum store_status memory_load(struct store *base, struct chunk *chunk, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;

    (void)err;
    for (size_t i = 0; i < chunk->account_count; i++) {
        struct chunk_account *account = &chunk->accounts[i];
        const struct account_row *row = find_account(now, account->name);
        if (row) {
            account->id = 1;
            memcpy(account->currency, row->currency, sizeof(account->currency));
            account->balance_minor = row->balance_minor;
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

static void save_item(struct contents *now, struct chunk *chunk, const struct chunk_item *item)
{
    enum outcome outcome = item->decision.outcome;

    now->counts[outcome]++;
    if (outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED) {
        int64_t seq = (int64_t)now->tables[TABLE_DECISIONS].count + 1;
        *(struct decision_row *)row_add(now, TABLE_DECISIONS) =
            (struct decision_row){item->command, item->origin, outcome, seq};
        chunk->keys[item->key].seq = seq;
    } else if (outcome != OUTCOME_REDELIVERED) {
        *(struct recorded_row *)row_add(now, TABLE_RECORDED) =
            (struct recorded_row){item->origin.partition, item->origin.offset};
    }
}

static void save_account(struct contents *now, const struct chunk_account *account)
{
    struct account_row *row = find_account(now, account->name);

    if (!row) {
        row = row_add(now, TABLE_ACCOUNTS);
        payment_copy(row->name, account->name, strlen(account->name));
    }
    memcpy(row->currency, account->currency, sizeof(row->currency));
    row->balance_minor = account->balance_minor;
}

static enum store_status memory_save(struct store *base, struct chunk *chunk, struct error *err)
{
    struct contents *now = &memory_of(base)->now;

    (void)err;
    for (size_t i = 0; i < chunk->range_count; i++) {
        struct store_position *row = find_position(now, chunk->ranges[i].partition);
        if (!row || row->next_offset != chunk->ranges[i].from) {
            return STORE_STALE;
        }
        row->next_offset = chunk->ranges[i].to;
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        save_item(now, chunk, &chunk->items[i]);
    }
    for (size_t i = 0; i < chunk->account_count; i++) {
        if (chunk->accounts[i].changed) {
            save_account(now, &chunk->accounts[i]);
        }
    }
    for (size_t i = 0; i < chunk->batch_count; i++) {
        if (chunk->batches[i].bound && chunk->batches[i].id == 0) {
            *(struct payment_batch *)row_add(now, TABLE_BATCHES) = chunk->batches[i].content;
        }
    }
    now->counts[OUTCOME_REDELIVERED] += chunk->redelivered;
    now->chunks++;
    return STORE_OK;
}

static enum store_status memory_commit(struct store *base, struct error *err)
{
    struct store_memory *store = memory_of(base);

    (void)err;
    contents_release(&store->before);
    store->in_transaction = false;
    return STORE_OK;
}

static void memory_rollback(struct store *base)
{
    struct store_memory *store = memory_of(base);

    if (store->in_transaction) {
        contents_release(&store->now);
        store->now = store->before;
        store->before = (struct contents){.counts = {0}};
        store->in_transaction = false;
    }
}

static int compare_currencies(const void *a, const void *b)
{
    return strcmp(((const struct store_currency *)a)->currency,
                  ((const struct store_currency *)b)->currency);
}

static int compare_positions(const void *a, const void *b)
{
    int32_t left = ((const struct store_position *)a)->partition;
    int32_t right = ((const struct store_position *)b)->partition;

    return (left > right) - (left < right);
}

static struct store_currency *stats_currency(struct store_stats *stats, const char *code)
{
    for (size_t i = 0; i < stats->currency_count; i++) {
        if (strcmp(stats->currencies[i].currency, code) == 0) {
            return &stats->currencies[i];
        }
    }
    struct store_currency *entry = &stats->currencies[stats->currency_count++];
    memcpy(entry->currency, code, MONEY_CURRENCY_SIZE);
    return entry;
}

static enum store_status memory_stats(struct store *base, struct store_stats *ret,
                                      struct error *err)
{
    const struct store_memory *store = memory_of(base);
    const struct contents *now = &store->now;
    size_t positions = now->tables[TABLE_POSITIONS].count;

    *ret = (struct store_stats){.topic = store->topic ? strdup(store->topic) : NULL};
    ret->currencies = calloc(now->tables[TABLE_ACCOUNTS].count + 1, sizeof(*ret->currencies));
    ret->positions = calloc(positions + 1, sizeof(*ret->positions));
    if (!ret->currencies || !ret->positions || (store->topic && !ret->topic)) {
        store_stats_release(ret);
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    memcpy(ret->counts, now->counts, sizeof(ret->counts));
    const struct account_row *account;
    for (size_t i = 0; (account = row_at(now, TABLE_ACCOUNTS, i)); i++) {
        struct store_currency *currency = stats_currency(ret, account->currency);
        currency->accounts++;
        money_sum_add(&currency->balances, account->balance_minor);
    }
    const struct decision_row *row;
    for (size_t i = 0; (row = row_at(now, TABLE_DECISIONS, i)); i++) {
        if (row->outcome == OUTCOME_APPLIED) {
            struct store_currency *currency = stats_currency(ret, row->command.payment.currency);
            currency->applied++;
            money_sum_add(&currency->total, row->command.payment.amount_minor);
        }
    }
    ret->position_count = positions;
    if (positions > 0) {
        memcpy(ret->positions, row_at(now, TABLE_POSITIONS, 0),
               positions * sizeof(*ret->positions));
    }
    qsort(ret->currencies, ret->currency_count, sizeof(*ret->currencies), compare_currencies);
    qsort(ret->positions, positions, sizeof(*ret->positions), compare_positions);
    return STORE_OK;
}

static void memory_close(struct store *base)
{
    struct store_memory *store = memory_of(base);

    contents_release(&store->now);
    contents_release(&store->before);
    free(store->cluster);
    free(store->topic);
    free(store);
}

static const struct store_ops memory_ops = {
    .bind = memory_bind,
    .identify = memory_identify,
    .position = memory_position,
    .adopt = memory_adopt,
    .begin = memory_begin,
    .claim = memory_claim,
    .load = memory_load,
    .save = memory_save,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .stats = memory_stats,
    .close = memory_close,
};

struct store *store_memory_new(void)
{
    struct store_memory *store = calloc(1, sizeof(*store));

    if (!store) {
        return NULL;
    }
    store->base.ops = &memory_ops;
    return &store->base;
}
