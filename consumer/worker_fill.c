#include "common/mutant.h"
#include "consumer/decode.h"
#include "consumer/fingerprint.h"
#include "consumer/worker_internal.h"

static int add_message(struct worker *worker, struct chunk *chunk,
                       const struct inbox_message *message, struct error *err)
{
    const struct origin *origin = &message->origin;
    struct chunk_range *range =
        chunk_range(chunk, origin->partition, worker->next[origin->partition]);

    if (message->is_end) {
        /* The end may lie behind records that nobody sees: those of aborted transactions. */
        range->to = origin->offset > range->to ? origin->offset : range->to;
        return 0;
    }
    if (origin->offset < range->to) {
        chunk->redelivered++;
        return 0;
    }
    if (MUTANT("skip-one") && origin->offset % 97 == 13) {
        range->to = origin->offset + 1;
        return 0;
    }
    struct chunk_item *item = chunk_add(chunk);
    item->origin = *origin;
    item->raw = message->raw;
    range->to = origin->offset + 1;
    return decode_item(item, worker->digest, err);
}

/* The next chunk goes on behind this one, which is not committed yet. */
static void advance(struct worker *worker, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->range_count; i++) {
        const struct chunk_range *range = &chunk->ranges[i];
        worker->next[range->partition] = range->to;
    }
}

int worker_fill(struct worker *worker, const struct worker_slot *slot, struct error *err)
{
    struct chunk *chunk = slot->chunk;
    size_t kept = 0;

    chunk_clear(chunk);
    for (size_t i = 0; i < slot->batch->count; i++) {
        if (add_message(worker, chunk, &slot->batch->messages[i], err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < chunk->range_count; i++) {
        if (chunk->ranges[i].to > chunk->ranges[i].from) {
            chunk->ranges[kept++] = chunk->ranges[i];
        }
    }
    chunk->range_count = kept;
    if (fingerprint_ranges(worker->digest, chunk, worker->marks, err) != 0) {
        return -1;
    }
    advance(worker, chunk);
    chunk_index(chunk);
    return 0;
}
