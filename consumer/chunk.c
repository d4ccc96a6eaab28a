#include "consumer/chunk.h"

#include "consumer/chunk_index.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

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
    chunk->firsts = calloc(capacity, sizeof(*chunk->firsts));
    chunk->accounts = calloc(capacity * 2, sizeof(*chunk->accounts));
    chunk->batches = calloc(capacity, sizeof(*chunk->batches));
    chunk->index = chunk_index_new(capacity);
    if (!chunk->items || !chunk->ranges || !chunk->keys || !chunk->firsts || !chunk->accounts ||
        !chunk->batches || !chunk->index) {
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
    free(chunk->firsts);
    free(chunk->accounts);
    free(chunk->batches);
    chunk_index_free(chunk->index);
    free(chunk);
}

void chunk_clear(struct chunk *chunk)
{
    chunk->item_count = 0;
    chunk->range_count = 0;
    chunk->key_count = 0;
    chunk->first_count = 0;
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

struct command *chunk_know(struct chunk *chunk, struct chunk_key *key, int64_t seq,
                           const struct origin *origin, struct decision decision)
{
    assert(chunk->first_count < chunk->key_count);
    key->known = true;
    key->seq = seq;
    key->origin = *origin;
    key->outcome = decision.outcome;
    key->reason = decision.reason;
    key->first = &chunk->firsts[chunk->first_count++];
    return key->first;
}

bool chunk_is_first(const struct chunk *chunk, const struct chunk_item *item)
{
    if (item->unreadable != READABLE) {
        return false;
    }
    const struct chunk_key *key = &chunk->keys[item->key];

    return key->known && key->origin.partition == item->origin.partition &&
           key->origin.offset == item->origin.offset;
}

bool chunk_bind_batch(struct chunk *chunk, const struct chunk_item *item)
{
    if (item->batch == CHUNK_NONE) {
        return true;
    }
    struct chunk_batch *batch = &chunk->batches[item->batch];
    /* The first row is at hand, while each other lies far away. */
    const struct payment_batch *content =
        item->as_first ? batch->first : &item->command.payment.batch;
    if (!batch->bound) {
        batch->content = *content;
        batch->bound = true;
    }
    return payment_batch_equal(&batch->content, content);
}

bool chunk_is_stale(const struct chunk *chunk, const struct chunk_item *item)
{
    const struct chunk_key *key = &chunk->keys[item->key];

    return !key->known && !key->owner &&
           (key->stale || (item->batch != CHUNK_NONE && chunk->batches[item->batch].forgotten));
}

void chunk_refuse_stale(struct chunk_item *item)
{
    item->unreadable = UNREADABLE_STALE;
    snprintf(item->detail, sizeof(item->detail), "the key is older than what is remembered");
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
