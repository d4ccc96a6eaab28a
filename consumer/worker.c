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
 *    (transact() in worker_commit.c: one transaction, one chunk after the other; on_position(): a
 *     restart reads from the stored position)
 * 4. A key has one outcome and at most one transfer; every transfer has two postings that sum to
 *    zero. (the unique index under the store's save; transfer() in ledger.c)
 * 5. What was acknowledged to a user was durable before it was acknowledged.
 *    (the store: WAL with synchronous=FULL, and what it finds is synced before it is answered)
 */
#include "consumer/worker.h"

#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/mutant.h"
#include "common/stop.h"
#include "consumer/worker_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define POLL_MS          100 /* how soon a stop is noticed while nothing arrives, */
#define POLL_WORKING_MS  1   /* and the end of a transaction */
#define PAUSE_MS         5   /* how soon acknowledgements are noticed while no chunk can be made */
#define SUMMARY_EVERY_MS 10000

/* Outcomes that are published in one step: while no chunk is in work, and while one is. */
#define PUBLISH_IDLE    8192
#define PUBLISH_WORKING 512

/* A chunk of so many messages says that more wait: payd is behind, and catches up. */
#define BEHIND_MESSAGES (CHUNK_MESSAGES_MAX / 4)

/* With until_end: how long all brokers may be away before it gives up. */
#define BROKERS_AWAY_MS 30000

/*
 * And how long another member may hold partitions: one that was killed is missed by the group only
 * after its session.timeout.ms, 10 s if it is a payd.
 */
#define HELD_MS 20000

/* ---- life ---- */

static int open_slots(struct worker *worker, struct error *err)
{
    for (size_t i = 0; i < COMMITTER_CHUNKS; i++) {
        struct worker_slot *slot = &worker->slots[i];
        slot->chunk = chunk_new(CHUNK_MESSAGES_MAX);
        slot->batch = inbox_batch_new();
        if (!slot->chunk || !slot->batch) {
            return error_set(err, EX_OSERR, "out of memory");
        }
    }
    return 0;
}

int worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
               const struct worker_options *options, struct error *err)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    worker->store = store;
    worker->committing.store = store;
    worker->options = *options;
    worker->callbacks = worker_inbox_callbacks(worker);
    worker->summary_due_ms = clock_monotonic_ms() + SUMMARY_EVERY_MS;
    for (size_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        worker->next[i] = WORKER_NOT_ASSIGNED;
    }
    if (open_slots(worker, err) != 0 || digest_open(&worker->digest, err) != 0 ||
        log_guard_open(&worker->guard, kafka, err) != 0 ||
        committer_open(&worker->committer, worker_commit, &worker->committing, err) != 0) {
        worker_free(worker);
        return -1;
    }
    *ret = worker;
    return 0;
}

void worker_free(struct worker *worker)
{
    if (!worker) {
        return;
    }
    committer_close(worker->committer); /* first: it works on what is freed below */
    for (size_t i = 0; i < COMMITTER_CHUNKS; i++) {
        chunk_free(worker->slots[i].chunk);
        inbox_batch_free(worker->slots[i].batch);
    }
    digest_close(worker->digest);
    log_guard_close(worker->guard);
    free(worker);
}

void worker_set_outbox(struct worker *worker, struct outbox *outbox)
{
    worker->outbox = outbox;
}

void worker_set_chore(struct worker *worker, const struct worker_chore *chore)
{
    worker->chore = chore;
}

const struct inbox_callbacks *worker_callbacks(struct worker *worker)
{
    return &worker->callbacks;
}

/* ---- what is committed ---- */

/* After the commit, and only then: the offsets for Kafka, the counts, the log. */
static void finish(struct worker *worker, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->range_count; i++) {
        inbox_commit(worker->inbox, chunk->ranges[i].partition, chunk->ranges[i].to);
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        worker->counts[chunk->items[i].decision.outcome]++;
    }
    worker_log_chunk(worker, chunk);
    outbox_saved(worker->outbox, chunk->published);
    worker->counts[OUTCOME_REDELIVERED] += chunk->redelivered;
    worker->chunks++;
    worker->self.chunks++;
}

/*
 * Takes back the chunks whose transaction is over, waiting up to timeout_ms for the oldest. Of
 * those that a stop has kept from their transaction nothing is changed.
 */
static int collect(struct worker *worker, int timeout_ms, struct error *err)
{
    enum store_status status;
    struct chunk *chunk;

    while ((chunk = committer_take(worker->committer, timeout_ms, &status, err))) {
        if (status == STORE_OK) {
            finish(worker, chunk);
        } else if (status == STORE_STALE) {
            return error_set(err, EX_IOERR,
                             "the store's position moved while a chunk was decided: another "
                             "hand is in the store. Nothing was changed");
        } else if (status == STORE_FAILED || !stop_requested()) {
            return -1;
        }
        timeout_ms = 0;
    }
    return 0;
}

int worker_drain(void *user, struct error *err)
{
    struct worker *worker = user;

    while (committer_given(worker->committer) > 0) {
        if (collect(worker, POLL_MS, err) != 0) {
            return -1;
        }
    }
    return worker->store->ops->identify(worker->store, &worker->self, err) == STORE_OK ? 0 : -1;
}

/* ---- one step ---- */

/* True when nothing is in work, and so the store is this thread's. */
static bool store_is_ours(const struct worker *worker)
{
    return committer_given(worker->committer) == 0;
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
    if (!inbox_at_end(inbox) || !store_is_ours(worker) || outbox_backlog(worker->outbox) > 0) {
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

/*
 * Money first, answers after: while payd catches up, what a chunk allows of outcomes is published,
 * and no more. That is nothing while few of them wait; beyond half of what may wait their share
 * grows, until as many are published as messages are taken.
 */
static void allow_publishing(struct worker *worker, size_t messages)
{
    const int64_t half = OUTBOX_BACKLOG_MAX / 2;
    int64_t beyond = outbox_backlog(worker->outbox) - half;

    worker->publish_left = SIZE_MAX;
    if (messages >= BEHIND_MESSAGES) {
        worker->publish_left = beyond > 0 ? (size_t)(beyond * (int64_t)messages / half) : 0;
    }
}

/* How many outcomes a step may publish. */
static size_t publish_max(const struct worker *worker)
{
    size_t max = store_is_ours(worker) ? PUBLISH_IDLE : PUBLISH_WORKING;

    return max < worker->publish_left ? max : worker->publish_left;
}

/* True when there is something to publish, and it may go now. */
static bool can_publish(const struct worker *worker)
{
    return worker->publish_left > 0 && outbox_can_send(worker->outbox);
}

static bool chore_is_due(const struct worker *worker)
{
    return worker->chore && worker->chore->is_due(worker->chore->user);
}

/*
 * A chore has its turn when nothing is in work, and so has an outbox that must write: until then no
 * chunk is given. *ret_waits: that is so now.
 */
static int do_chore(struct worker *worker, bool *ret_waits, struct error *err)
{
    bool is_ours = store_is_ours(worker);
    bool is_due = chore_is_due(worker);

    *ret_waits = !is_ours && (is_due || outbox_wants_store(worker->outbox));
    return is_ours && is_due ? worker->chore->step(worker->chore->user, err) : 0;
}

/* How long a poll may wait: not at all while there is something else to do. */
static int poll_ms(const struct worker *worker)
{
    if (can_publish(worker) || chore_is_due(worker)) {
        return 0;
    }
    return committer_given(worker->committer) > 0 ? POLL_WORKING_MS : POLL_MS;
}

/* Takes messages and, if there are some, gives them to the committer. */
static int take_chunk(struct worker *worker, struct error *err)
{
    const struct worker_slot *slot = &worker->slots[worker->next_slot];
    struct chunk *chunk = slot->chunk;

    FAILPOINT("before-poll");
    if (inbox_poll(worker->inbox, poll_ms(worker), slot->batch, err) != 0) {
        return -1;
    }
    if (slot->batch->count > 0) {
        FAILPOINT("after-poll");
        worker->brokers_away_ms = 0;
    }
    if (worker_fill(worker, slot, err) != 0) {
        return -1;
    }
    for (size_t i = 0; MUTANT("offset-first") && i < chunk->range_count; i++) {
        inbox_commit(worker->inbox, chunk->ranges[i].partition, chunk->ranges[i].to);
    }
    if (chunk->item_count > 0 || chunk->range_count > 0 || chunk->redelivered > 0) {
        chunk->one_partition = inbox_topic_partitions(worker->inbox) == 1;
        chunk->published = outbox_published(worker->outbox);
        allow_publishing(worker, chunk->item_count);
        committer_give(worker->committer, chunk);
        worker->next_slot = (worker->next_slot + 1) % COMMITTER_CHUNKS;
    } else if (store_is_ours(worker)) {
        worker->publish_left = SIZE_MAX; /* there is nothing else to do */
    }
    return 0;
}

static int publish(struct worker *worker, bool full, struct error *err)
{
    bool ours = store_is_ours(worker);
    int timeout_ms = full && ours ? POLL_MS : 0;
    int64_t before = outbox_sent(worker->outbox);
    int64_t published = outbox_published(worker->outbox);

    if (full) {
        worker->publish_left = SIZE_MAX; /* there is nothing to catch up with until some are gone */
    }
    if (outbox_step(worker->outbox, publish_max(worker), timeout_ms, ours, err) != 0) {
        return -1;
    }
    size_t sent = (size_t)(outbox_sent(worker->outbox) - before);
    worker->publish_left -= sent < worker->publish_left ? sent : worker->publish_left;
    if (worker->brokers_away_ms > 0 && outbox_published(worker->outbox) != published) {
        worker->brokers_away_ms = clock_monotonic_ms(); /* they answered not long ago */
    }
    return ours ? outbox_save_due(worker->outbox, err) : 0;
}

/* How long a step waits for a transaction's end: only when there is nothing else to do. */
static int collect_ms(const struct worker *worker, bool full)
{
    bool can_make = !full && committer_given(worker->committer) < COMMITTER_CHUNKS;

    return can_make || can_publish(worker) ? 0 : PAUSE_MS;
}

enum worker_result worker_step(struct worker *worker, struct inbox *inbox, struct error *err)
{
    bool full = outbox_is_full(worker);
    bool waits = false;

    worker->inbox = inbox;
    if (clock_monotonic_ms() >= worker->summary_due_ms) {
        worker_summary(worker, inbox, "summary");
        worker->summary_due_ms = clock_monotonic_ms() + SUMMARY_EVERY_MS;
    }
    if (do_chore(worker, &waits, err) != 0) {
        return WORKER_FAILED;
    }
    /* A group member that does not poll for max.poll.interval.ms leaves, and joins again later. */
    if (!full && !waits && committer_given(worker->committer) < COMMITTER_CHUNKS &&
        take_chunk(worker, err) != 0) {
        return WORKER_FAILED;
    }
    if (collect(worker, collect_ms(worker, full || waits), err) != 0 ||
        publish(worker, full, err) != 0 || worker_guard_log(worker, err) != 0) {
        return WORKER_FAILED;
    }
    return worker->options.until_end ? judge_end(worker, inbox, err) : WORKER_MORE;
}

int worker_end(struct worker *worker, struct inbox *inbox, bool failed, struct error *err)
{
    struct error unseen;

    worker->inbox = inbox;
    int result = failed ? 0 : worker_drain(worker, err);

    atomic_store(&worker->committing.is_ending, true); /* a full disk may stay full */
    if ((failed || result != 0) && committer_abandon(worker->committer, &unseen) == STORE_FAILED &&
        result == 0) {
        *err = unseen; /* it matters more than what a step failed with */
        result = -1;
    }
    for (size_t i = 0; i < COMMITTER_CHUNKS; i++) {
        inbox_batch_release(worker->slots[i].batch); /* one that is held can keep a close waiting */
    }
    return result;
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
