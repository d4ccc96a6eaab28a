/*
 * A rebuild: a topic into a new ledger, where what an old ledger has decided holds.
 */
#ifndef CONSUMER_REBUILD_H
#define CONSUMER_REBUILD_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/chunk.h"
#include "consumer/store.h"

#include <stdbool.h>

struct rebuild;

/*
 * Begin to rebuild into store, which is new, bound to the topic, and has a position in each
 * partition. old is a snapshot (store_sqlite_open_snapshot()) of the ledger whose decisions hold,
 * NULL = none: then all is decided anew. Both are borrowed until close. On success the caller
 * closes *ret. Fails with EX_OSERR.
 */
MUST_CHECK int rebuild_open(struct rebuild **ret, struct store *store, struct store *old,
                            struct error *err);

/*
 * Take the next chunk into the store, whose positions go on behind it: sets each item's decision. A
 * key, and a batch, that the old ledger knows is decided, and bound, as it was there.
 */
MUST_CHECK int rebuild_chunk(struct rebuild *rebuild, struct chunk *chunk, struct error *err);

/* True for an item of the last chunk whose key the old ledger had decided. */
bool rebuild_was_bound(const struct rebuild *rebuild, const struct chunk *chunk,
                       const struct chunk_item *item);

/*
 * The end, with the new store's file. With an old ledger, the new one must say the same as it:
 * fails with EX_CONFIG when something was decided that the old one has not, with EX_SOFTWARE when a
 * key or an account differs. Its outcomes are published as far as the old one's are.
 */
MUST_CHECK int rebuild_end(struct rebuild *rebuild, const char *path, struct error *err);

/* NULL is accepted. */
void rebuild_close(struct rebuild *rebuild);

#endif
