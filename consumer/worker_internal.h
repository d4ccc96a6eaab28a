/*
 * What the files of the worker share. Nobody else includes this header.
 *
 *   worker.c         one step: the next chunk, the last one's end, the outbox
 *   worker_commit.c  a chunk through its transaction, on the committer's thread
 *   worker_fill.c    messages to a chunk
 *   worker_inbox.c   what the inbox asks and tells: where to start, whose the group is
 *   worker_log.c     what became of a chunk, for the log
 */
#ifndef CONSUMER_WORKER_INTERNAL_H
#define CONSUMER_WORKER_INTERNAL_H

#include "consumer/committer.h"
#include "consumer/log_guard.h"
#include "consumer/worker.h"

#include <stdatomic.h>

#define WORKER_NOT_ASSIGNED (-1)

/* A chunk, and the messages that it borrows from. */
struct worker_slot {
    struct chunk *chunk;
    struct inbox_batch *batch;
};

/* What a transaction needs: the user of worker_commit(). */
struct worker_committing {
    struct store *store;
    atomic_bool is_ending; /* wait for nothing any more */
};

/* All of it is the main thread's, but a given chunk and the store: those are the committer's. */
struct worker {
    struct store *store;
    struct worker_committing committing;
    struct outbox *outbox;
    struct inbox *inbox;              /* of the current step */
    const struct worker_chore *chore; /* NULL = none */
    struct committer *committer;
    struct worker_slot slots[COMMITTER_CHUNKS]; /* used in turn */
    size_t next_slot;                           /* to be filled */
    struct digest *digest;                      /* nothing in it between two uses */
    struct worker_options options;
    struct inbox_callbacks callbacks;
    int64_t next[CHUNK_PARTITIONS_MAX];           /* by partition: next offset to go into a chunk */
    struct log_marks marks[CHUNK_PARTITIONS_MAX]; /* by partition: what stands before next */
    struct store_identity self; /* as of the last chunk that is known to be committed */
    struct log_guard *guard;
    int64_t counts[OUTCOME_COUNT]; /* since the start, by outcome */
    int64_t chunks;
    int64_t summary_due_ms;
    int64_t brokers_away_ms; /* since when, 0 = not known to be */
    int64_t held_since_ms;   /* another member holds partitions, 0 = not known to */
    bool outbox_was_full;
    size_t publish_left; /* outcomes that may be published until the next chunk is given */
};

/* Compare, now and then, the log with what was read of it before. -1: it was replaced. */
MUST_CHECK int worker_guard_log(struct worker *worker, struct error *err);

/* The callbacks that stand in worker_inbox.c. */
struct inbox_callbacks worker_inbox_callbacks(struct worker *worker);

/* Make the chunk of what the inbox gave, indexed, without ranges in which nothing moves. */
MUST_CHECK int worker_fill(struct worker *worker, const struct worker_slot *slot,
                           struct error *err);

/*
 * Take an indexed chunk through its transaction: a committer_work, whose user is a struct
 * worker_committing. Tries again while the store is busy or full, until a stop is requested or all
 * is ending.
 */
enum store_status worker_commit(void *user, struct chunk *chunk, struct error *err);

/* Wait until every chunk that was given is committed. */
MUST_CHECK int worker_drain(void *user, struct error *err);

/* Log what someone should look at: conflicts and quarantined messages, bounded a chunk. */
void worker_log_chunk(const struct worker *worker, const struct chunk *chunk);

#endif
