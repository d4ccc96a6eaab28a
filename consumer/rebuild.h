/*
 * A rebuild: a topic into a ledger, where what was decided before, in an old ledger or as the
 * outcomes topic tells, holds.
 */
#ifndef CONSUMER_REBUILD_H
#define CONSUMER_REBUILD_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/chunk.h"
#include "consumer/findings.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

struct rebuild;

/* Whose decisions hold. */
struct rebuild_old {
    struct store *store; /* a snapshot (store_sqlite_open_snapshot()); NULL = nobody's */
    bool is_told; /* it has what an outcomes topic tells (told.h): no balances, not all of it */
};

/*
 * Begin to rebuild into store, which is bound to the topic, and has a position in each partition.
 * Without an old store all is decided anew. Both stores are borrowed until close. On success the
 * caller closes *ret. Fails with EX_OSERR.
 */
MUST_CHECK int rebuild_open(struct rebuild **ret, struct store *store,
                            const struct rebuild_old *old, struct error *err);

/*
 * A partition is read from an offset on; marks of what was read before it, NULL = nothing. Once a
 * partition, before the first chunk.
 */
void rebuild_start(struct rebuild *rebuild, int32_t partition, int64_t from,
                   const struct log_marks *marks);

/*
 * Take the next chunk into the store, whose positions go on behind it: sets each item's decision. A
 * key, and a batch, that the old store knows is decided, and bound, as it was there. So is the
 * quarantine, by place, key and digest: what is there though it can be read stays there for the
 * same reason, but without its headers, which are not at hand.
 */
MUST_CHECK int rebuild_chunk(struct rebuild *rebuild, struct chunk *chunk, struct error *err);

/* True for an item of the last chunk that is decided as the old store has it. */
bool rebuild_was_bound(const struct rebuild *rebuild, const struct chunk *chunk,
                       const struct chunk_item *item);

/*
 * The end, with the new store's file, whose decisions must be the old ones: fails with EX_SOFTWARE
 * when they are not, and names what differs in rebuild_findings().
 *
 *   an old ledger   all keys and accounts are the same, no other message stands where it has one in
 *                   quarantine, and nothing was decided that it has not (EX_CONFIG); outcomes are
 *                   published as far as its own are
 *   what was told   all that was told is decided, or quarantined, again, but for what stood before
 *                   the offsets where reading began, or in another topic: that is counted
 */
MUST_CHECK int rebuild_end(struct rebuild *rebuild, const char *path, struct error *err);

/* What differs, borrowed until close. */
const struct findings *rebuild_findings(const struct rebuild *rebuild);

/* After the end: decisions that were told, of messages that are not in what was read. */
int64_t rebuild_gone(const struct rebuild *rebuild);

/* NULL is accepted. */
void rebuild_close(struct rebuild *rebuild);

#endif
