#include "consumer/store_memory_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- tables ---- */

static const size_t row_sizes[TABLE_COUNT] = {
    [TABLE_ACCOUNTS] = sizeof(struct account_row),
    [TABLE_BATCHES] = sizeof(struct payment_batch),
    [TABLE_RECORDS] = sizeof(struct record_row),
    [TABLE_POSITIONS] = sizeof(struct position_row),
    [TABLE_SKIPPED] = sizeof(int64_t),
};

void *memory_row(const struct contents *contents, enum table table, size_t index)
{
    const struct array *array = &contents->tables[table];
    return index < array->count ? array->rows + index * row_sizes[table] : NULL;
}

void *memory_add(struct contents *contents, enum table table)
{
    struct array *array = &contents->tables[table];
    char *grown = realloc(array->rows, (array->count + 1) * row_sizes[table]);

    if (!grown) {
        abort(); /* a test machine without memory has no use for a recovery here */
    }
    array->rows = grown;
    array->count++;
    return memset(memory_row(contents, table, array->count - 1), 0, row_sizes[table]);
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

struct position_row *memory_find_position(const struct contents *contents, int32_t partition)
{
    struct position_row *row;

    for (size_t i = 0; (row = memory_row(contents, TABLE_POSITIONS, i)); i++) {
        if (row->position.partition == partition) {
            return row;
        }
    }
    return NULL;
}

const struct record_row *memory_find_decision(const struct contents *contents, const char *key)
{
    const struct record_row *row;

    for (size_t i = 0; (row = memory_row(contents, TABLE_RECORDS, i)); i++) {
        enum outcome verdict = row->record.verdict;
        if ((verdict == OUTCOME_APPLIED || verdict == OUTCOME_REJECTED) &&
            strcmp(row->record.key, key) == 0) {
            return row;
        }
    }
    return NULL;
}

/* ---- what it is bound to ---- */

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
    *ret = (struct store_identity){"memory", "memory", 1, memory_of(base)->now.chunks, 0};
    return STORE_OK;
}

static enum store_status memory_set_mode(struct store *base, bool strict, struct error *err)
{
    struct contents *now = &memory_of(base)->now;

    if (now->strict != strict && now->chunks > 0) {
        error_set(err, EX_CONFIG, "the store's accounts are %s", now->strict ? "strict" : "open");
        return STORE_FAILED;
    }
    now->strict = strict;
    return STORE_OK;
}

static enum store_status memory_ordered(struct store *base, bool *ret, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;
    const struct account_row *row;

    (void)err;
    *ret = now->strict;
    for (size_t i = 0; (row = memory_row(now, TABLE_ACCOUNTS, i)); i++) {
        *ret = *ret || row->account.has_min;
    }
    return STORE_OK;
}

/* ---- positions ---- */

static enum store_status memory_position(struct store *base, int32_t partition, bool *ret_found,
                                         int64_t *ret_offset, struct log_marks *ret_marks,
                                         struct error *err)
{
    const struct position_row *row = memory_find_position(&memory_of(base)->now, partition);

    (void)err;
    *ret_found = row != NULL;
    *ret_offset = row ? row->position.next_offset : 0;
    *ret_marks = row ? row->marks : (struct log_marks){.last = {.known = false}};
    return STORE_OK;
}

static enum store_status memory_adopt(struct store *base, int32_t partition, int64_t offset,
                                      struct error *err)
{
    struct store_memory *store = memory_of(base);

    if (memory_find_position(&store->now, partition)) {
        error_set(err, EX_IOERR, "partition %d has a position already", partition);
        return STORE_FAILED;
    }
    struct position_row *row = memory_add(&store->now, TABLE_POSITIONS);
    row->position = (struct store_position){partition, offset};
    return STORE_OK;
}

static enum store_status memory_move(struct store *base, int32_t partition, int64_t offset,
                                     int64_t now_ms, struct error *err)
{
    struct position_row *row = memory_find_position(&memory_of(base)->now, partition);

    (void)now_ms;
    if (!row) {
        error_set(err, EX_USAGE, "partition %d has no position", partition);
        return STORE_FAILED;
    }
    row->position.next_offset = offset;
    row->marks = (struct log_marks){.last = {.known = false}};
    return STORE_OK;
}

static enum store_status memory_new_log(struct store *base, int64_t now_ms, struct error *err)
{
    struct store_memory *store = memory_of(base);

    (void)now_ms;
    (void)err;
    free(store->cluster);
    free(store->topic);
    store->cluster = store->topic = NULL;
    store->now.tables[TABLE_POSITIONS].count = 0;
    store->now.log++;
    return STORE_OK;
}

/* ---- transactions ---- */

static enum store_status memory_begin(struct store *base, struct error *err)
{
    struct store_memory *store = memory_of(base);

    (void)err;
    store->before = contents_copy(&store->now);
    store->in_transaction = true;
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

/* ---- the outbox ---- */

static enum store_status memory_outbox(struct store *base, int64_t *ret_published,
                                       int64_t *ret_last, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;

    (void)err;
    if (ret_published) {
        *ret_published = now->published;
    }
    *ret_last = (int64_t)now->tables[TABLE_RECORDS].count;
    return STORE_OK;
}

static enum store_status memory_published(struct store *base, int64_t seq, struct error *err)
{
    struct contents *now = &memory_of(base)->now;

    (void)err;
    now->published = seq > now->published ? seq : now->published;
    return STORE_OK;
}

static enum store_status memory_skip(struct store *base, int64_t seq, const char *why,
                                     int64_t now_ms, struct error *err)
{
    struct contents *now = &memory_of(base)->now;
    const int64_t *row;

    (void)why;
    (void)now_ms;
    (void)err;
    for (size_t i = 0; (row = memory_row(now, TABLE_SKIPPED, i)); i++) {
        if (*row == seq) {
            return STORE_OK;
        }
    }
    *(int64_t *)memory_add(now, TABLE_SKIPPED) = seq;
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
    .set_mode = memory_set_mode,
    .ordered = memory_ordered,
    .position = memory_position,
    .adopt = memory_adopt,
    .move = memory_move,
    .new_log = memory_new_log,
    .begin = memory_begin,
    .claim = memory_claim,
    .load = memory_load,
    .save = memory_save,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .outcomes = memory_outcomes,
    .outbox = memory_outbox,
    .published = memory_published,
    .skip = memory_skip,
    .show = memory_show,
    .is_stale = memory_is_stale,
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
    store->now.log = 1;
    return &store->base;
}
