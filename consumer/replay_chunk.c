#include "consumer/replay_chunk.h"

#include "consumer/store_audit.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/*
 * True for what stands in the store already, in a row or as a number. A repeat without a row was
 * counted only when its key has more repeats than are kept; else it was never read.
 */
static enum store_status is_counted(struct store *asked, const struct chunk_item *item, bool *ret,
                                    struct error *err)
{
    enum outcome outcome = item->decision.outcome;
    int64_t repeats = 0;
    enum store_status status = STORE_OK;

    if (outcome == OUTCOME_DUPLICATE || outcome == OUTCOME_CONFLICT) {
        status = store_sqlite_repeats(asked, item->command.payment.key, &repeats, err);
    }
    *ret = outcome == OUTCOME_REDELIVERED || repeats > STORE_REPEATS_KEPT;
    return status;
}

/* Leaves out of the chunk what is counted, as if it had been redelivered. */
static enum store_status set_apart(struct store *asked, struct chunk *chunk, enum outcome *kept,
                                   size_t *ret_left, struct error *err)
{
    enum store_status status = STORE_OK;

    *ret_left = 0;
    for (size_t i = 0; i < chunk->item_count; i++) {
        kept[i] = chunk->items[i].decision.outcome;
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        bool counted = false;
        status = is_counted(asked, &chunk->items[i], &counted, err);
        if (counted) {
            chunk->items[i].decision.outcome = OUTCOME_REDELIVERED;
        } else {
            *ret_left += 1;
        }
    }
    return status;
}

enum store_status replay_chunk_save(struct store *store, struct store *asked, struct chunk *chunk,
                                    struct error *err)
{
    enum outcome *kept = calloc(chunk->item_count + 1, sizeof(*kept));
    size_t left = 0;

    if (!kept) {
        store->ops->rollback(store);
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    enum store_status status = set_apart(asked, chunk, kept, &left, err);
    chunk->range_count = 0; /* these would move positions */
    if (status == STORE_OK && left == 0) {
        store->ops->rollback(store);
    } else {
        status = store_end_chunk(store, status, chunk, err);
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].decision.outcome = kept[i];
    }
    free(kept);
    return status;
}
