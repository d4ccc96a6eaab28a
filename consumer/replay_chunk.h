/*
 * A chunk of messages that were read before, through the end of its transaction.
 */
#ifndef CONSUMER_REPLAY_CHUNK_H
#define CONSUMER_REPLAY_CHUNK_H

#include "consumer/chunk.h"
#include "consumer/store.h"

/*
 * Save and commit what is new of a decided chunk: messages that were never decided. A repeat
 * without a row, of a key that has more repeats than are kept (STORE_REPEATS_KEPT), was counted
 * when it was read, and is not saved again; asked is the store that knows how many it has.
 * Positions do not move. When nothing is new, nothing is changed. The items keep their decisions.
 * Rolls back after a failure.
 */
enum store_status replay_chunk_save(struct store *store, struct store *asked, struct chunk *chunk,
                                    struct error *err);

#endif
