/*
 * What the files of the worker share. Nobody else includes this header.
 *
 *   worker.c        one step: a chunk through its transaction, and the outbox
 *   worker_fill.c   messages to a chunk
 *   worker_inbox.c  what the inbox asks and tells: where to start, whose the group is
 *   worker_log.c    what became of a chunk, for the log
 */
#ifndef CONSUMER_WORKER_INTERNAL_H
#define CONSUMER_WORKER_INTERNAL_H

#include "consumer/log_guard.h"
#include "consumer/worker.h"

#define WORKER_NOT_ASSIGNED (-1)

struct worker {
    struct store *store;
    struct outbox *outbox;
    struct chunk *chunk;
    struct digest *digest; /* nothing in it between two uses */
    struct worker_options options;
    struct inbox_callbacks callbacks;
    int64_t next[CHUNK_PARTITIONS_MAX]; /* next offset by partition, as the store has it */
    struct log_marks marks[CHUNK_PARTITIONS_MAX]; /* by partition: what stands before next */
    struct log_guard *guard;
    int64_t counts[OUTCOME_COUNT]; /* since the start, by outcome */
    int64_t chunks;
    int64_t summary_due_ms;
    int64_t brokers_away_ms; /* since when, 0 = not known to be */
    int64_t held_since_ms;   /* another member holds partitions, 0 = not known to */
    bool outbox_was_full;
};

/* Compare, now and then, the log with what was read of it before. -1: it was replaced. */
MUST_CHECK int worker_guard_log(struct worker *worker, struct error *err);

/* The callbacks that stand in worker_inbox.c. */
struct inbox_callbacks worker_inbox_callbacks(struct worker *worker);

/* Make the chunk of what the inbox gave, without ranges in which nothing moves. */
MUST_CHECK int worker_fill(struct worker *worker, const struct inbox_message *messages,
                           size_t count, struct error *err);

/* Log what someone should look at: conflicts and quarantined messages, bounded a chunk. */
void worker_log_chunk(const struct worker *worker);

#endif
