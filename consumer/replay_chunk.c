#include "consumer/replay_chunk.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* True for what stands in the store already, in a row or as a number. */
static bool is_counted(const struct chunk *chunk, const struct chunk_item *item)
{
    switch (item->decision.outcome) {
    case OUTCOME_REDELIVERED:
        return true;
    case OUTCOME_DUPLICATE:
    case OUTCOME_CONFLICT:
        return chunk->keys[item->key].known;
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
    case OUTCOME_QUARANTINED:
    case OUTCOME_NONE:
    case OUTCOME_COUNT:
    default:
        return false;
    }
}

/* Leaves out of the chunk what is counted, as if it had been redelivered. */
static size_t set_apart(struct chunk *chunk, enum outcome *kept)
{
    size_t left = chunk->item_count;

    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        kept[i] = item->decision.outcome;
        if (is_counted(chunk, item)) {
            item->decision.outcome = OUTCOME_REDELIVERED;
            left--;
        }
    }
    return left;
}

enum store_status replay_chunk_save(struct store *store, struct chunk *chunk, struct error *err)
{
    enum outcome *kept = calloc(chunk->item_count + 1, sizeof(*kept));
    enum store_status status = STORE_OK;

    if (!kept) {
        store->ops->rollback(store);
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    if (set_apart(chunk, kept) == 0) {
        store->ops->rollback(store);
    } else {
        chunk->range_count = 0; /* these would move positions */
        status = store->ops->save(store, chunk, err);
        if (status == STORE_OK) {
            status = store->ops->commit(store, err);
        }
        if (status != STORE_OK) {
            store->ops->rollback(store);
        }
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].decision.outcome = kept[i];
    }
    free(kept);
    return status;
}
