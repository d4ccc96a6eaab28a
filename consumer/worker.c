/*
 * Invariants, each with the function that keeps it:
 *
 * 1. An offset is committed to Kafka only after the transaction that contains its outcome.
 *    (finish(): the only caller of inbox_commit(), reached only after the store's commit)
 * 2. A stored position never passes a message without an outcome or a quarantine row.
 *    (worker_fill(): a range grows only with a decoded item, an end, or a message below the
 *     position; ledger_decide() gives every item a decision; save writes decisions and positions
 *     together)
 * 3. A crash at any instruction, then a restart, gives the ledger that no crash would have given.
 *    (transact(): one transaction; on_position(): a restart reads from the stored position)
 * 4. A key has one outcome and at most one transfer; every transfer has two postings that sum to
 *    zero. (the unique index under the store's save; transfer() in ledger.c)
 * 5. What was acknowledged to a user was durable before it was acknowledged.
 *    (the store: WAL with synchronous=FULL, and a checkpoint before anything is answered)
 */
#include "consumer/worker.h"

#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/mutant.h"
#include "common/stop.h"
#include "consumer/ledger.h"
#include "consumer/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define POLL_MS          100   /* how soon a stop is noticed while nothing arrives */
#define SUMMARY_EVERY_MS 10000 /* and how often a full disk is reported */
#define BUSY_WAIT_MS     100
#define BUSY_TRIES       10 /* each has waited for SQLite's own busy timeout before */
#define FULL_WAIT_MS     1000

/* With until_end: how long all brokers may be away before it gives up. */
#define BROKERS_AWAY_MS 30000

/*
 * And how long another member may hold partitions: one that was killed is missed by the group only
 * after its session.timeout.ms, 10 s if it is a payd.
 */
#define HELD_MS 20000

/* ---- life ---- */

int worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
               const struct worker_options *options, struct error *err)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    worker->store = store;
    worker->options = *options;
    worker->callbacks = worker_inbox_callbacks(worker);
    worker->summary_due_ms = clock_monotonic_ms() + SUMMARY_EVERY_MS;
    for (size_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        worker->next[i] = WORKER_NOT_ASSIGNED;
    }
    worker->chunk = chunk_new(CHUNK_MESSAGES_MAX);
    if (!worker->chunk) {
        worker_free(worker);
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (digest_open(&worker->digest, err) != 0 || log_guard_open(&worker->guard, kafka, err) != 0) {
        worker_free(worker);
        return -1;
    }
    *ret = worker;
    return 0;
}

void worker_free(struct worker *worker)
{
    if (worker) {
        chunk_free(worker->chunk);
        digest_close(worker->digest);
        log_guard_close(worker->guard);
        free(worker);
    }
}

void worker_set_outbox(struct worker *worker, struct outbox *outbox)
{
    worker->outbox = outbox;
}

const struct inbox_callbacks *worker_callbacks(struct worker *worker)
{
    return &worker->callbacks;
}

/* ---- one step ---- */

/* What a test that lets a step fail sees: the machinery failed, and nobody knows why. */
static enum store_status planted_failure(struct error *err)
{
    error_set(err, EX_IOERR, "a failpoint failed");
    return STORE_FAILED;
}

/* A step of the transaction, unless one before it failed. */
#define STEP(place, call)                                                                          \
    do {                                                                                           \
        if (status == STORE_OK) {                                                                  \
            status = FAILPOINT_FAILS(place) ? planted_failure(err) : (call);                       \
        }                                                                                          \
    } while (0)

/* One transaction, from the keys to the commit. After anything but STORE_OK nothing is changed. */
static enum store_status transact(struct worker *worker, struct error *err)
{
    struct store *store = worker->store;
    struct chunk *chunk = worker->chunk;
    enum store_status status = STORE_OK;

    chunk_index(chunk);
    STEP("before-begin", store->ops->begin(store, err));
    STEP("before-claim", store->ops->claim(store, chunk, err));
    STEP("before-load", store->ops->load(store, chunk, err));
    if (status == STORE_OK) {
        ledger_decide(chunk);
    }
    STEP("before-save", store->ops->save(store, chunk, err));
    STEP("before-store-commit", store->ops->commit(store, err));
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
}

/* Waits until a full disk has room again. False when a stop is requested. */
static bool wait_for_room(struct worker *worker, const struct error *err)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms >= worker->summary_due_ms || worker->summary_due_ms == 0) {
        log_error(LOG_LEVEL_ERROR, "store_full", err);
        worker->summary_due_ms = now_ms + SUMMARY_EVERY_MS;
    }
    return !stop_wait(FULL_WAIT_MS);
}

/* Tries again while the store is busy or full. */
static enum store_status transact_patiently(struct worker *worker, struct error *err)
{
    int tries = 0;

    worker->chunk->published = outbox_published(worker->outbox);
    worker->chunk->now_ms = clock_unix_ms();
    for (;;) {
        enum store_status status = transact(worker, err);
        if (status == STORE_BUSY && MUTANT("busy-swallowed")) {
            return STORE_OK;
        }
        if (status == STORE_FULL) {
            if (tries++ == 0) {
                worker->summary_due_ms = 0; /* the first time is reported at once */
            }
            if (!wait_for_room(worker, err)) {
                return status;
            }
        } else if (status == STORE_BUSY && ++tries < BUSY_TRIES) {
            log_error(LOG_LEVEL_WARN, "store_busy", err);
            if (stop_wait(BUSY_WAIT_MS)) {
                return status;
            }
        } else {
            return status;
        }
    }
}

/* After the commit, and only then: the position, the offsets for Kafka, the counts, the log. */
static void finish(struct worker *worker, struct inbox *inbox)
{
    const struct chunk *chunk = worker->chunk;

    FAILPOINT("after-store-commit");
    for (size_t i = 0; i < chunk->range_count; i++) {
        const struct chunk_range *range = &chunk->ranges[i];
        worker->next[range->partition] = range->to;
        if (range->marks.last.known) {
            worker->marks[range->partition] = range->marks;
        }
        inbox_commit(inbox, range->partition, range->to);
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        worker->counts[chunk->items[i].decision.outcome]++;
    }
    worker_log_chunk(worker);
    outbox_saved(worker->outbox);
    worker->counts[OUTCOME_REDELIVERED] += chunk->redelivered;
    worker->chunks++;
}

static enum worker_result commit_chunk(struct worker *worker, struct inbox *inbox,
                                       struct error *err)
{
    switch (transact_patiently(worker, err)) {
    case STORE_OK:
        finish(worker, inbox);
        return WORKER_MORE;
    case STORE_STALE:
        error_set(err, EX_IOERR,
                  "the store's position moved while a chunk was decided: another "
                  "hand is in the store. Nothing was changed");
        return WORKER_FAILED;
    case STORE_BUSY:
    case STORE_FULL:
        return stop_requested() ? WORKER_MORE : WORKER_FAILED;
    case STORE_FAILED:
    default:
        return WORKER_FAILED;
    }
}

/* Whether until_end is reached, or never will be. */
static enum worker_result judge_end(struct worker *worker, const struct inbox *inbox,
                                    struct error *err)
{
    size_t assigned = inbox_assigned(inbox);
    size_t all = inbox_topic_partitions(inbox);

    if (worker->brokers_away_ms > 0 &&
        clock_monotonic_ms() - worker->brokers_away_ms > BROKERS_AWAY_MS) {
        error_set(err, EX_UNAVAILABLE, "no broker answers since %d s: the end was not reached",
                  BROKERS_AWAY_MS / 1000);
        return WORKER_FAILED;
    }
    if (outbox_stuck_ms(worker->outbox) > BROKERS_AWAY_MS) {
        error_set(err, EX_UNAVAILABLE,
                  "outcomes cannot be published since %d s: %" PRId64 " wait. What was read is "
                  "paid; run it again for the rest",
                  BROKERS_AWAY_MS / 1000, outbox_backlog(worker->outbox));
        return WORKER_FAILED;
    }
    if (!inbox_at_end(inbox) || outbox_backlog(worker->outbox) > 0) {
        return WORKER_MORE;
    }
    if (assigned == all) {
        return WORKER_DONE;
    }
    if (worker->held_since_ms == 0) {
        worker->held_since_ms = clock_monotonic_ms();
    }
    if (clock_monotonic_ms() - worker->held_since_ms > HELD_MS) {
        error_set(err, EX_UNAVAILABLE,
                  "only %zu of %zu partitions were read: another member of the group holds the "
                  "others. Stop it, or use a group of this ledger's own (-g)",
                  assigned, all);
        return WORKER_FAILED;
    }
    return WORKER_MORE;
}

/* True while no more messages may be taken, because too many outcomes wait. */
static bool outbox_is_full(struct worker *worker)
{
    int64_t backlog = outbox_backlog(worker->outbox);
    bool full = backlog >= OUTBOX_BACKLOG_MAX;

    if (full != worker->outbox_was_full) {
        log_event(full ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, full ? "outbox_full" : "outbox_has_room",
                  "waiting=%" PRId64 " max=%d", backlog, OUTBOX_BACKLOG_MAX);
        worker->outbox_was_full = full;
    }
    return full;
}

/* Takes messages and, if there are some, through a transaction. */
static enum worker_result take_chunk(struct worker *worker, struct inbox *inbox, struct error *err)
{
    const struct inbox_message *messages;
    size_t count;
    const struct chunk *chunk = worker->chunk;

    FAILPOINT("before-poll");
    if (inbox_poll(inbox, POLL_MS, &messages, &count, err) != 0) {
        return WORKER_FAILED;
    }
    if (count > 0) {
        FAILPOINT("after-poll");
    }
    worker->chunk->one_partition = inbox_topic_partitions(inbox) == 1;
    if (worker_fill(worker, messages, count, err) != 0) {
        return WORKER_FAILED;
    }
    if (count > 0) {
        worker->brokers_away_ms = 0;
    }
    for (size_t i = 0; MUTANT("offset-first") && i < chunk->range_count; i++) {
        inbox_commit(inbox, chunk->ranges[i].partition, chunk->ranges[i].to);
    }
    if (chunk->item_count > 0 || chunk->range_count > 0 || chunk->redelivered > 0) {
        return commit_chunk(worker, inbox, err);
    }
    return WORKER_MORE;
}

enum worker_result worker_step(struct worker *worker, struct inbox *inbox, struct error *err)
{
    enum worker_result result = WORKER_MORE;
    bool full = outbox_is_full(worker);

    if (clock_monotonic_ms() >= worker->summary_due_ms) {
        worker_summary(worker, inbox, "summary");
        worker->summary_due_ms = clock_monotonic_ms() + SUMMARY_EVERY_MS;
    }
    /* A group member that does not poll for max.poll.interval.ms leaves, and joins again later. */
    if (!full) {
        result = take_chunk(worker, inbox, err);
    }
    if (result != WORKER_MORE) {
        return result;
    }
    if (outbox_step(worker->outbox, full ? POLL_MS : 0, err) != 0 ||
        outbox_save_due(worker->outbox, err) != 0 || worker_guard_log(worker, err) != 0) {
        return WORKER_FAILED;
    }
    return worker->options.until_end ? judge_end(worker, inbox, err) : WORKER_MORE;
}

void worker_summary(const struct worker *worker, struct inbox *inbox, const char *event)
{
    const int64_t *counts = worker->counts;

    log_event(LOG_LEVEL_INFO, event,
              "applied=%" PRId64 " duplicate=%" PRId64 " redelivered=%" PRId64 " conflict=%" PRId64
              " rejected=%" PRId64 " quarantined=%" PRId64 " chunks=%" PRId64 " lag=%" PRId64
              " outcomes_waiting=%" PRId64,
              counts[OUTCOME_APPLIED], counts[OUTCOME_DUPLICATE], counts[OUTCOME_REDELIVERED],
              counts[OUTCOME_CONFLICT], counts[OUTCOME_REJECTED], counts[OUTCOME_QUARANTINED],
              worker->chunks, inbox_lag(inbox), outbox_backlog(worker->outbox));
}
