/*
 * The simulated inbox: consumer/inbox.h without Kafka. It keeps that header's contract and nothing
 * more: messages come late, again, in any interleaving of the partitions, and the partitions go and
 * come back at any poll.
 */
#include "consumer/inbox.h"

#include "tests/simulation/books.h"
#include "tests/simulation/commands.h"
#include "tests/simulation/group.h"
#include "tests/simulation/inbox_internal.h"
#include "tests/simulation/producers.h"
#include "tests/simulation/world.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define POLLS_MAX       2000 /* of one payd: a history has some dozens of messages */
#define COMMIT_EVERY_MS 100
#define RETRY_COMMIT_MS 1000
#define RUNS_MAX        10 /* of one partition's messages in a poll */
#define RUN_MAX         6
#define BACK_MAX        8
#define POISON          0xDD

static struct inbox *open_inbox; /* there is one at most */

/* ---- open ---- */

int inbox_open(struct inbox **ret, const struct kafka_args *args, const char *group,
               const struct inbox_callbacks *callbacks, struct error *err)
{
    struct inbox *inbox = calloc(1, sizeof(*inbox));

    (void)args;
    (void)group;
    if (!inbox) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    inbox->callbacks = *callbacks;
    *ret = open_inbox = inbox;
    return 0;
}

int inbox_check_topic(struct inbox *inbox, struct error *err)
{
    (void)inbox;
    world_step("inbox_check_topic");
    if (world_strikes(EVENT_TOPIC_AWAY, 50)) {
        world_event(EVENT_TOPIC_AWAY, 0, 0);
        world_excuse("no broker answers");
        return error_set(err, EX_UNAVAILABLE, "no broker answers");
    }
    return 0;
}

/* For the leak sanitizer: a payd that dies while the store is bound leaves the cluster's name. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:inbox_cluster\n";
}

char *inbox_cluster(struct inbox *inbox, struct error *err)
{
    char *cluster = strdup("cluster-1");

    (void)inbox;
    if (!cluster) {
        error_set(err, EX_OSERR, "out of memory");
    }
    return cluster;
}

int inbox_join(struct inbox *inbox, struct error *err)
{
    (void)err;
    world_step("inbox_join");
    inbox->pending = PENDING_ASSIGN;
    return 0;
}

/* ---- offsets ---- */

static void commit_noted(struct inbox *inbox)
{
    char text[INBOX_METADATA_SIZE];
    bool failed = world_strikes(EVENT_COMMIT_FAILED, 120);
    bool lost = !failed && world_strikes(EVENT_COMMIT_LOST, 80);

    inbox->commit_due_ms = 0;
    inbox->callbacks.sign(inbox->callbacks.user, text);
    for (int32_t i = 0; i < topic_partitions(); i++) {
        struct inbox_partition *entry = &inbox->partitions[i];
        if (entry->assigned && entry->noted != entry->committed) {
            entry->committed = failed || lost ? -1 : entry->noted;
            if (!failed) {
                group_commit(i, entry->noted, text);
            }
        }
    }
    if (failed || lost) {
        world_event(failed ? EVENT_COMMIT_FAILED : EVENT_COMMIT_LOST, 0, 0);
        inbox->callbacks.note(inbox->callbacks.user, "offset_commit", "timed out");
        inbox->commit_due_ms = world_now_ms() + RETRY_COMMIT_MS;
    }
}

void inbox_commit_noted(struct inbox *inbox)
{
    bool due = false;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        const struct inbox_partition *entry = &inbox->partitions[i];
        due = due || (entry->assigned && entry->noted != entry->committed);
    }
    if (due) {
        world_step("offsets");
        commit_noted(inbox);
    }
}

void inbox_commit(struct inbox *inbox, int32_t partition, int64_t next_offset)
{
    world_step("inbox_commit");
    if (!inbox->partitions[partition].assigned) {
        world_violated("partition %d: an offset of a partition that payd does not have",
                       (int)partition);
    }
    books_offset(partition, next_offset);
    inbox->partitions[partition].noted = next_offset;
    if (inbox->commit_due_ms == 0) {
        inbox->commit_due_ms = world_now_ms() + COMMIT_EVERY_MS;
    }
}

/* ---- messages ---- */

/* A message's bytes: its key and its value, each with a NUL behind. */
struct held {
    size_t len;
    char bytes[];
};

struct inbox_batch *inbox_batch_new(void)
{
    return calloc(1, sizeof(struct inbox_batch));
}

void inbox_batch_release(struct inbox_batch *batch)
{
    for (size_t i = 0; i < batch->held_count; i++) {
        struct held *held = (struct held *)batch->held[i];
        memset(held->bytes, POISON, held->len); /* whoever still reads it reads this */
        free(held);
    }
    batch->held_count = batch->count = 0;
}

void inbox_batch_free(struct inbox_batch *batch)
{
    if (batch) {
        inbox_batch_release(batch);
        free(batch);
    }
}

static const char *copy_bytes(struct held *held, const char *data, size_t len)
{
    if (!data) {
        return NULL;
    }
    char *copy = held->bytes + held->len;
    memcpy(copy, data, len);
    held->len += len + 1;
    return copy;
}

static void give(struct inbox_batch *batch, const struct record *record)
{
    const struct message *message = record->message;
    struct held *held = calloc(1, sizeof(*held) + message->key_len + message->value_len + 2);

    if (!held) {
        abort();
    }
    batch->held[batch->held_count++] = (struct rd_kafka_message_s *)held;
    batch->messages[batch->count++] = (struct inbox_message){
        .origin = {record->partition, record->offset, record->timestamp_ms},
        .raw = {copy_bytes(held, message->key, message->key_len), message->key_len,
                copy_bytes(held, message->value, message->value_len), message->value_len,
                message->traced ? message : NULL},
    };
}

static void give_end(struct inbox *inbox, struct inbox_batch *batch, int32_t partition)
{
    batch->messages[batch->count++] =
        (struct inbox_message){.origin = {partition, topic_high(partition), 0}, .is_end = true};
    inbox->partitions[partition].at_end = true;
}

/* Some of a partition's next messages. */
static void give_run(struct inbox *inbox, struct inbox_batch *batch, int32_t partition)
{
    struct inbox_partition *entry = &inbox->partitions[partition];

    for (size_t i = 1 + world_below(RUN_MAX); i > 0 && batch->count < INBOX_MESSAGES; i--) {
        const struct record *record = topic_next(partition, entry->fetch);
        if (!record) {
            if (!entry->at_end) {
                entry->fetch = topic_high(partition);
                give_end(inbox, batch, partition);
            }
            return;
        }
        give(batch, record);
        entry->fetch = record->offset + 1;
        entry->at_end = false;
    }
}

/* A client that lost its connection may begin further back than it was. */
static void go_back(struct inbox *inbox)
{
    for (int32_t i = 0; i < topic_partitions(); i++) {
        struct inbox_partition *entry = &inbox->partitions[i];
        if (entry->assigned && world_strikes(EVENT_REDELIVERED, 60)) {
            int64_t back = entry->fetch - 1 - (int64_t)world_below(BACK_MAX);
            entry->fetch = back > topic_low(i) ? back : topic_low(i);
            world_event(EVENT_REDELIVERED, i, entry->fetch);
        }
    }
}

static void take(struct inbox *inbox, struct inbox_batch *batch)
{
    go_back(inbox);
    for (size_t runs = world_below(RUNS_MAX + 1); runs > 0; runs--) {
        int32_t partition = (int32_t)world_below((size_t)topic_partitions());
        if (inbox->partitions[partition].assigned) {
            give_run(inbox, batch, partition);
        }
    }
}

/* ---- poll ---- */

static int check_client(struct inbox *inbox, struct error *err)
{
    if (world_strikes(EVENT_POLL_FATAL, 10)) {
        world_event(EVENT_POLL_FATAL, 0, 0);
        world_excuse("the client gave up");
        return error_set(err, EX_UNAVAILABLE, "the client gave up");
    }
    if (world_strikes(EVENT_POLL_ERROR, 60)) {
        static const char *const errors[] = {"_TRANSPORT", "_ALL_BROKERS_DOWN",
                                             "UNKNOWN_TOPIC_OR_PART"};
        world_event(EVENT_POLL_ERROR, 0, 0);
        inbox->callbacks.note(inbox->callbacks.user, errors[world_below(3)], "it passes");
        return 1;
    }
    return 0;
}

int inbox_poll(struct inbox *inbox, int timeout_ms, struct inbox_batch *batch, struct error *err)
{
    inbox_batch_release(batch);
    world_step("inbox_poll");
    if (world_has_to_end()) {
        world_violated("payd went on after %s", world_excused());
    }
    if (++inbox->polls > POLLS_MAX) {
        world_violated("payd does not come to an end within %d polls", POLLS_MAX);
    }
    world_pass((int64_t)world_below((size_t)timeout_ms + 1));
    producers_step();
    if (inbox->commit_due_ms != 0 && world_now_ms() >= inbox->commit_due_ms) {
        inbox_commit_noted(inbox);
    }
    int passing = check_client(inbox, err);
    if (passing != 0) {
        return passing < 0 ? -1 : 0;
    }
    inbox_draw_rebalance(inbox);
    if (inbox->pending != PENDING_NONE) {
        return inbox_follow_rebalance(inbox, err);
    }
    take(inbox, batch);
    world_event(EVENT_POLLED, (int64_t)batch->count, 0);
    return 0;
}

/* ---- questions ---- */

bool inbox_at_end(const struct inbox *inbox)
{
    bool at_end = inbox_assigned(inbox) > 0;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        at_end = at_end && (!inbox->partitions[i].assigned || inbox->partitions[i].at_end);
    }
    return at_end;
}

size_t inbox_assigned(const struct inbox *inbox)
{
    size_t count = 0;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        count += inbox->partitions[i].assigned;
    }
    return count;
}

size_t inbox_topic_partitions(const struct inbox *inbox)
{
    (void)inbox;
    return (size_t)topic_partitions();
}

int64_t inbox_lag(struct inbox *inbox)
{
    int64_t lag = inbox_assigned(inbox) > 0 ? 0 : -1;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        const struct inbox_partition *entry = &inbox->partitions[i];
        lag += entry->assigned ? topic_high(i) - entry->noted : 0;
    }
    return lag;
}

bool inbox_header(const void *headers, size_t index, const char **ret_name, const void **ret_value,
                  size_t *ret_value_len)
{
    static char value[COMMANDS_TRACE_SIZE];

    if (index > 0) {
        return false;
    }
    *ret_name = COMMANDS_TRACE_HEADER;
    *ret_value = commands_trace(value, headers);
    *ret_value_len = strlen(value);
    return true;
}

/* ---- close ---- */

bool inbox_close(struct inbox *inbox)
{
    if (inbox) {
        inbox_commit_noted(inbox);
        world_step("inbox_close");
        inbox_bury();
    }
    return true;
}

void inbox_bury(void)
{
    free(open_inbox);
    open_inbox = NULL;
}
