#include "consumer/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A mention of a name by an item, to be sorted by name. */
struct chunk_ref {
    const char *name;
    size_t *index; /* the item's index field that the name's place goes into */
};

#define REFS_PER_ITEM 2 /* an item names two accounts */

struct chunk *chunk_new(size_t capacity)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));

    if (!chunk) {
        return NULL;
    }
    chunk->capacity = capacity;
    chunk->items = calloc(capacity, sizeof(*chunk->items));
    chunk->ranges = calloc(CHUNK_PARTITIONS_MAX, sizeof(*chunk->ranges));
    chunk->keys = calloc(capacity, sizeof(*chunk->keys));
    chunk->accounts = calloc(capacity * 2, sizeof(*chunk->accounts));
    chunk->batches = calloc(capacity, sizeof(*chunk->batches));
    chunk->refs = calloc(capacity * REFS_PER_ITEM, sizeof(*chunk->refs));
    if (!chunk->items || !chunk->ranges || !chunk->keys || !chunk->accounts || !chunk->batches ||
        !chunk->refs) {
        chunk_free(chunk);
        return NULL;
    }
    return chunk;
}

void chunk_free(struct chunk *chunk)
{
    if (!chunk) {
        return;
    }
    free(chunk->items);
    free(chunk->ranges);
    free(chunk->keys);
    free(chunk->accounts);
    free(chunk->batches);
    free(chunk->refs);
    free(chunk);
}

void chunk_clear(struct chunk *chunk)
{
    chunk->item_count = 0;
    chunk->range_count = 0;
    chunk->key_count = 0;
    chunk->account_count = 0;
    chunk->batch_count = 0;
    chunk->published = 0;
    chunk->redelivered = 0;
    chunk->now_ms = 0;
}

struct chunk_item *chunk_add(struct chunk *chunk)
{
    assert(chunk->item_count < chunk->capacity);
    struct chunk_item *item = &chunk->items[chunk->item_count++];

    item->origin = (struct origin){0, 0, 0};
    item->raw = (struct raw_message){.key = NULL};
    item->unreadable = READABLE;
    item->recorded = false;
    item->decision = (struct decision){OUTCOME_NONE, REASON_NONE, 0};
    return item;
}

struct chunk_range *chunk_range(struct chunk *chunk, int32_t partition, int64_t from)
{
    for (size_t i = chunk->range_count; i-- > 0;) {
        if (chunk->ranges[i].partition == partition) {
            return &chunk->ranges[i];
        }
    }
    assert(chunk->range_count < CHUNK_PARTITIONS_MAX);
    struct chunk_range *range = &chunk->ranges[chunk->range_count++];
    *range = (struct chunk_range){.partition = partition, .from = from, .to = from};
    return range;
}

static int compare_refs(const void *a, const void *b)
{
    const struct chunk_ref *left = a;
    const struct chunk_ref *right = b;

    return strcmp(left->name, right->name);
}

/* Calls add() for each different name and puts the place that it returns into every mention. */
static void rank(struct chunk *chunk, size_t count, size_t (*add)(struct chunk *, const char *))
{
    struct chunk_ref *refs = chunk->refs;
    size_t place = 0;

    qsort(refs, count, sizeof(*refs), compare_refs);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(refs[i - 1].name, refs[i].name) != 0) {
            place = add(chunk, refs[i].name);
        }
        *refs[i].index = place;
    }
}

static size_t add_key(struct chunk *chunk, const char *name)
{
    struct chunk_key *key = &chunk->keys[chunk->key_count];

    key->key = name;
    key->known = false;
    key->seq = 0;
    key->owner = NULL;
    return chunk->key_count++;
}

static size_t add_account(struct chunk *chunk, const char *name)
{
    chunk->accounts[chunk->account_count] = (struct chunk_account){.name = name};
    return chunk->account_count++;
}

static size_t add_batch(struct chunk *chunk, const char *name)
{
    struct chunk_batch *batch = &chunk->batches[chunk->batch_count];

    *batch = (struct chunk_batch){.bound = false};
    payment_copy(batch->content.id, name, strlen(name));
    return chunk->batch_count++;
}

void chunk_index(struct chunk *chunk)
{
    size_t keys = 0;
    size_t accounts = 0;
    size_t batches = 0;

    chunk->key_count = chunk->account_count = chunk->batch_count = 0;
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        if (item->unreadable == READABLE) {
            chunk->refs[keys++] = (struct chunk_ref){item->command.payment.key, &item->key};
        }
    }
    rank(chunk, keys, add_key);
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        const struct payment *payment = &item->command.payment;
        item->src = item->dest = CHUNK_NONE;
        if (item->unreadable == READABLE && payment->src[0] != '\0') {
            chunk->refs[accounts++] = (struct chunk_ref){payment->src, &item->src};
        }
        if (item->unreadable == READABLE && payment->dest[0] != '\0') {
            chunk->refs[accounts++] = (struct chunk_ref){payment->dest, &item->dest};
        }
    }
    rank(chunk, accounts, add_account);
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        item->batch = CHUNK_NONE;
        if (item->unreadable == READABLE && item->command.payment.batch.id[0] != '\0') {
            chunk->refs[batches++] =
                (struct chunk_ref){item->command.payment.batch.id, &item->batch};
        }
    }
    rank(chunk, batches, add_batch);
}
