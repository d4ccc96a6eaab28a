/*
 * Invariants, each with the function that keeps it:
 *
 * 1. An offset is committed to Kafka only after the transaction that contains its outcome.
 *    (finish(): the only caller of inbox_commit(), reached only after the store's commit)
 * 2. A stored position never passes a message without an outcome or a quarantine row.
 *    (fill(): a range grows only with a decoded item, an end, or a message below the position;
 *     ledger_decide() gives every item a decision; save writes decisions and positions together)
 * 3. A crash at any instruction, then a restart, gives the ledger that no crash would have given.
 *    (transact(): one transaction; on_position(): a restart reads from the stored position)
 * 4. A key has one outcome and at most one transfer; every transfer has two postings that sum to
 *    zero. (the unique index under the store's save; transfer() in ledger.c)
 * 5. What was acknowledged to a user was durable before it was acknowledged.
 *    (the store: WAL with synchronous=FULL, and a checkpoint before anything is answered)
 */
#include "consumer/worker.h"

#include "common/failpoint.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/text.h"
#include "consumer/ledger.h"
#include "consumer/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define POLL_MS          100   /* how soon a stop is noticed while nothing arrives */
#define SUMMARY_EVERY_MS 10000 /* and how often a full disk is reported */
#define BUSY_WAIT_MS     100
#define BUSY_TRIES       10 /* each has waited for SQLite's own busy timeout before */
#define FULL_WAIT_MS     1000
#define NOT_ASSIGNED     (-1)

/* With until_end: how long all brokers may be away before it gives up. */
#define BROKERS_AWAY_MS 30000

struct worker {
    struct store *store;
    struct chunk *chunk;
    struct worker_options options;
    struct inbox_callbacks callbacks;
    int64_t next[CHUNK_PARTITIONS_MAX]; /* next offset by partition, as the store has it */
    int64_t counts[OUTCOME_COUNT];      /* since the start, by outcome */
    int64_t chunks;
    int64_t summary_due_ms;
    int64_t brokers_away_ms; /* since when, 0 = not known to be */
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what the inbox asks and tells ---- */

int worker_start(bool found, int64_t stored, int64_t low, int64_t high, bool from_log_start,
                 int64_t *ret, struct error *err)
{
    if (found && stored < low) {
        return error_set(err, EX_CONFIG,
                         "the log begins at offset %" PRId64 ", the store is at %" PRId64
                         ": %" PRId64 " records are gone unread. Nothing was skipped; bring them "
                         "back, or keep this store and begin another",
                         low, stored, low - stored);
    }
    if (found && stored > high) {
        return error_set(err, EX_CONFIG,
                         "the log ends at offset %" PRId64 ", the store is at %" PRId64
                         ": the topic was truncated or made anew. Nothing was read; use another "
                         "--db for another log",
                         high, stored);
    }
    if (!found && low > 0 && !from_log_start) {
        return error_set(err, EX_CONFIG,
                         "the log begins at offset %" PRId64 " and this store has read nothing of "
                         "it: --from-log-start accepts that the records before are gone",
                         low);
    }
    *ret = found ? stored : low;
    return 0;
}

static int on_position(void *user, int32_t partition, int64_t low, int64_t high, int64_t *ret,
                       struct error *err)
{
    struct worker *worker = user;
    struct store *store = worker->store;
    int64_t stored = 0;
    bool found = false;

    if (store->ops->position(store, partition, &found, &stored, err) != STORE_OK) {
        return -1;
    }
    if (worker_start(found, stored, low, high, worker->options.from_log_start, ret, err) != 0) {
        return error_wrap(err, "%s[%" PRId32 "]", worker->options.topic, partition);
    }
    if (!found && store->ops->adopt(store, partition, *ret, err) != STORE_OK) {
        return -1;
    }
    return 0;
}

static void on_sign(void *user, char text[INBOX_METADATA_SIZE])
{
    const struct worker *worker = user;
    struct store_identity self;
    struct error err;

    text[0] = '\0';
    if (worker->store->ops->identify(worker->store, &self, &err) == STORE_OK) {
        owner_write(text, &self);
    }
}

static int on_owner(void *user, int32_t partition, const char *text, bool claimed,
                    struct error *err)
{
    struct worker *worker = user;
    struct store_identity self;
    char shown[TEXT_ESCAPED_SIZE];

    if (worker->store->ops->identify(worker->store, &self, err) != STORE_OK) {
        return -1;
    }
    enum owner owner = owner_judge(&self, claimed, text);
    if (worker->options.take_group || owner == OWNER_NOBODY || owner == OWNER_SELF) {
        return 0;
    }
    text_escape(shown, sizeof(shown), text, strlen(text));
    return error_set(err, EX_CONFIG,
                     "%s: group \"%s\" at %s[%" PRId32 "] says \"%s\", and this one is %s, "
                     "incarnation %" PRId64 ", chunk %" PRId64 ". Nothing was read. Use the ledger "
                     "that owns the group, another group (-g), or --take-group to go on with this "
                     "one on purpose",
                     owner == OWNER_FOREIGN
                         ? "the group belongs to another ledger"
                         : "this ledger is a copy or an old backup: its later self owns the group",
                     worker->options.group, worker->options.topic, partition, shown, self.uuid,
                     self.incarnation, self.chunks);
}

static void on_assigned(void *user, const int32_t *partitions, const int64_t *offsets, size_t count)
{
    struct worker *worker = user;

    for (size_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        worker->next[i] = NOT_ASSIGNED;
    }
    for (size_t i = 0; i < count; i++) {
        worker->next[partitions[i]] = offsets[i];
        log_event(LOG_LEVEL_INFO, "assigned", "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64,
                  worker->options.topic, partitions[i], offsets[i]);
    }
    if (count == 0) {
        log_event(LOG_LEVEL_INFO, "unassigned", "topic=\"%s\"", worker->options.topic);
    }
}

static void on_note(void *user, const char *what, const char *text)
{
    struct worker *worker = user;
    char shown[TEXT_ESCAPED_SIZE];

    if (strcmp(what, "_ALL_BROKERS_DOWN") == 0 && worker->brokers_away_ms == 0) {
        worker->brokers_away_ms = clock_ms(CLOCK_MONOTONIC);
    }
    log_event(LOG_LEVEL_WARN, "kafka", "error=%s text=\"%s\"", what,
              text_escape(shown, sizeof(shown), text, strlen(text)));
}

/* ---- life ---- */

struct worker *worker_new(struct store *store, const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker) {
        return NULL;
    }
    worker->store = store;
    worker->options = *options;
    worker->callbacks =
        (struct inbox_callbacks){worker, on_position, on_sign, on_owner, on_assigned, on_note};
    worker->summary_due_ms = clock_ms(CLOCK_MONOTONIC) + SUMMARY_EVERY_MS;
    worker->chunk = chunk_new(CHUNK_MESSAGES_MAX);
    if (!worker->chunk) {
        free(worker);
        return NULL;
    }
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker) {
        chunk_free(worker->chunk);
        free(worker);
    }
}

const struct inbox_callbacks *worker_callbacks(struct worker *worker)
{
    return &worker->callbacks;
}

/* ---- one step ---- */

static int add_message(struct worker *worker, const struct inbox_message *message,
                       struct error *err)
{
    struct chunk *chunk = worker->chunk;
    const struct origin *origin = &message->origin;
    struct chunk_range *range =
        chunk_range(chunk, origin->partition, worker->next[origin->partition]);

    if (message->is_end) {
        /* The end may lie behind records that nobody sees: those of aborted transactions. */
        range->to = origin->offset > range->to ? origin->offset : range->to;
        return 0;
    }
    if (origin->offset < range->to) {
        chunk->redelivered++;
        return 0;
    }
    struct chunk_item *item = chunk_add(chunk);
    item->origin = *origin;
    item->raw = message->raw;
    range->to = origin->offset + 1;
    if (command_json_decode(message->raw.key, message->raw.key_len, message->raw.value,
                            message->raw.value_len, &item->command, &item->unreadable,
                            item->detail) != 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    return 0;
}

/* Makes the chunk of what the inbox gave, without ranges in which nothing moves. */
static int fill(struct worker *worker, const struct inbox_message *messages, size_t count,
                struct error *err)
{
    struct chunk *chunk = worker->chunk;
    size_t kept = 0;

    chunk_clear(chunk);
    for (size_t i = 0; i < count; i++) {
        if (add_message(worker, &messages[i], err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < chunk->range_count; i++) {
        if (chunk->ranges[i].to > chunk->ranges[i].from) {
            chunk->ranges[kept++] = chunk->ranges[i];
        }
    }
    chunk->range_count = kept;
    return 0;
}

/* One transaction, from the keys to the commit. After anything but STORE_OK nothing is changed. */
static enum store_status transact(struct worker *worker, struct error *err)
{
    struct store *store = worker->store;
    struct chunk *chunk = worker->chunk;
    enum store_status status = store->ops->begin(store, err);

    chunk_index(chunk);
    if (status == STORE_OK) {
        status = store->ops->claim(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->load(store, chunk, err);
    }
    if (status == STORE_OK) {
        ledger_decide(chunk);
        status = store->ops->save(store, chunk, err);
    }
    if (status == STORE_OK) {
        FAILPOINT("before-store-commit");
        status = store->ops->commit(store, err);
    }
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
}

/* Waits until a full disk has room again. False when a stop is requested. */
static bool wait_for_room(struct worker *worker, const struct error *err)
{
    int64_t now_ms = clock_ms(CLOCK_MONOTONIC);

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

    worker->chunk->now_ms = clock_ms(CLOCK_REALTIME);
    for (;;) {
        enum store_status status = transact(worker, err);
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

static void log_item(const struct worker *worker, const struct chunk_item *item)
{
    char key[TEXT_ESCAPED_SIZE];
    char detail[2 * UNREADABLE_DETAIL_SIZE];
    char fields[COMMAND_FIELDS_SIZE];
    const struct origin *origin = &item->origin;

    if (item->decision.outcome == OUTCOME_QUARANTINED) {
        log_event(LOG_LEVEL_WARN, "quarantined",
                  "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64
                  " key=\"%s\" reason=%s detail=\"%s\"",
                  worker->options.topic, origin->partition, origin->offset,
                  text_escape(key, sizeof(key), item->raw.key, item->raw.key_len),
                  unreadable_name(item->unreadable),
                  text_escape(detail, sizeof(detail), item->detail, strlen(item->detail)));
    } else if (item->decision.outcome == OUTCOME_CONFLICT) {
        log_event(
            LOG_LEVEL_WARN, "conflict",
            "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64 " key=\"%s\" reason=%s fields=%s",
            worker->options.topic, origin->partition, origin->offset,
            text_escape(key, sizeof(key), item->raw.key, item->raw.key_len),
            reason_name(item->decision.reason), command_fields(fields, item->decision.fields));
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
        inbox_commit(inbox, range->partition, range->to);
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        worker->counts[chunk->items[i].decision.outcome]++;
        log_item(worker, &chunk->items[i]);
    }
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
        clock_ms(CLOCK_MONOTONIC) - worker->brokers_away_ms > BROKERS_AWAY_MS) {
        error_set(err, EX_UNAVAILABLE, "no broker answers since %d s: the end was not reached",
                  BROKERS_AWAY_MS / 1000);
        return WORKER_FAILED;
    }
    if (!inbox_at_end(inbox)) {
        return WORKER_MORE;
    }
    if (assigned < all) {
        error_set(err, EX_UNAVAILABLE,
                  "only %zu of %zu partitions were read: another member of the group holds the "
                  "others. Stop it, or use a group of this ledger's own (-g)",
                  assigned, all);
        return WORKER_FAILED;
    }
    return WORKER_DONE;
}

enum worker_result worker_step(struct worker *worker, struct inbox *inbox, struct error *err)
{
    const struct inbox_message *messages;
    size_t count;
    const struct chunk *chunk = worker->chunk;

    if (clock_ms(CLOCK_MONOTONIC) >= worker->summary_due_ms) {
        worker_summary(worker, inbox, "summary");
        worker->summary_due_ms = clock_ms(CLOCK_MONOTONIC) + SUMMARY_EVERY_MS;
    }
    if (inbox_poll(inbox, POLL_MS, &messages, &count, err) != 0 ||
        fill(worker, messages, count, err) != 0) {
        return WORKER_FAILED;
    }
    if (count > 0) {
        worker->brokers_away_ms = 0;
    }
    if (chunk->item_count > 0 || chunk->range_count > 0 || chunk->redelivered > 0) {
        enum worker_result result = commit_chunk(worker, inbox, err);
        if (result != WORKER_MORE) {
            return result;
        }
    }
    return worker->options.until_end ? judge_end(worker, inbox, err) : WORKER_MORE;
}

void worker_summary(const struct worker *worker, struct inbox *inbox, const char *event)
{
    const int64_t *counts = worker->counts;

    log_event(LOG_LEVEL_INFO, event,
              "applied=%" PRId64 " duplicate=%" PRId64 " redelivered=%" PRId64 " conflict=%" PRId64
              " rejected=%" PRId64 " quarantined=%" PRId64 " chunks=%" PRId64 " lag=%" PRId64,
              counts[OUTCOME_APPLIED], counts[OUTCOME_DUPLICATE], counts[OUTCOME_REDELIVERED],
              counts[OUTCOME_CONFLICT], counts[OUTCOME_REJECTED], counts[OUTCOME_QUARANTINED],
              worker->chunks, inbox_lag(inbox));
}
