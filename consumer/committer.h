/*
 * The committer: a thread that takes chunks through their transaction, one after the other in the
 * order in which they were given, while the one who gives them makes the next.
 *
 * All calls come from one thread. Between committer_give() and committer_take() a chunk, and the
 * store that the work uses, belong to the committer; what one side wrote the other then sees.
 */
#ifndef CONSUMER_COMMITTER_H
#define CONSUMER_COMMITTER_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/chunk.h"
#include "consumer/store.h"

#include <stddef.h>

/* Chunks that are given and not taken, at the most: one in work, one that waits. */
#define COMMITTER_CHUNKS 2

struct committer;

/* One chunk's transaction. *err is set unless it returns STORE_OK. Runs on the committer's thread.
 */
typedef enum store_status committer_work(void *user, struct chunk *chunk, struct error *err);

/* Start the thread. Fails with EX_OSERR. On success the caller closes *ret. */
MUST_CHECK int committer_open(struct committer **ret, committer_work *work, void *user,
                              struct error *err);

/*
 * Give a chunk, when fewer than COMMITTER_CHUNKS are given. After one that was not committed no
 * other is begun, and all that are not taken yet, also one before it, are handed back with its
 * status and error: nothing may be told of the store any more.
 */
void committer_give(struct committer *committer, struct chunk *chunk);

/*
 * Take the oldest chunk back when its transaction is over, waiting up to timeout_ms for it: sets
 * *ret_status, and *err unless it is STORE_OK. NULL when it is not over, or none is given.
 */
struct chunk *committer_take(struct committer *committer, int timeout_ms,
                             enum store_status *ret_status, struct error *err);

/*
 * Begin no other chunk, wait for the transaction in work, and forget all chunks. Nothing may be
 * given any more. Returns what became of the first transaction that was not committed, with *err
 * set, or STORE_OK: of one that nobody has taken it is told here.
 */
enum store_status committer_abandon(struct committer *committer, struct error *err);

/* How many are given and not taken. */
size_t committer_given(const struct committer *committer);

/* Abandon, and end the thread. NULL is accepted. */
void committer_close(struct committer *committer);

#endif
