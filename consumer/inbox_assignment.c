#include "consumer/inbox_internal.h"

#include "common/clock.h"
#include "common/failpoint.h"
#include "common/kafka_topic.h"
#include "common/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define COMMIT_EVERY_MS 100  /* offsets committed to Kafka are for lag tools: no hurry */
#define RETRY_COMMIT_MS 1000 /* after one that failed */
#define NOT_COMMITTED   (-1)
#define WATERMARK_MS    1500 /* how long the question for a partition's ends may take */

void inbox_note(struct inbox *inbox, const char *what, const char *text)
{
    inbox->callbacks.note(inbox->callbacks.user, what, text);
}

void inbox_on_offset_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                            rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct inbox *inbox = opaque;

    (void)rk;
    (void)list;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        FAILPOINT("after-offset-commit");
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        inbox_note(inbox, "offset_commit", rd_kafka_err2str(code));
        for (size_t i = 0; i < inbox->partition_count; i++) {
            inbox->partitions[i].committed = NOT_COMMITTED;
        }
        inbox->commit_due_ms = clock_monotonic_ms() + RETRY_COMMIT_MS;
    }
}

/* ---- offsets to Kafka ---- */

struct inbox_partition *inbox_find_partition(struct inbox *inbox, int32_t partition)
{
    size_t low = 0;
    size_t high = inbox->partition_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (inbox->partitions[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < inbox->partition_count && inbox->partitions[low].partition == partition
               ? &inbox->partitions[low]
               : NULL;
}

/* What is noted and not committed yet; NULL when there is nothing. */
static rd_kafka_topic_partition_list_t *list_noted(struct inbox *inbox)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    for (size_t i = 0; i < inbox->partition_count; i++) {
        struct inbox_partition *partition = &inbox->partitions[i];
        if (partition->noted == partition->committed) {
            continue;
        }
        if (!list) {
            list = rd_kafka_topic_partition_list_new((int)inbox->partition_count);
        }
        rd_kafka_topic_partition_list_add(list, inbox->topic, partition->partition)->offset =
            partition->noted;
        partition->committed = partition->noted;
    }
    inbox->commit_due_ms = 0;
    if (list) {
        inbox_sign(inbox, list);
    }
    return list;
}

/* Sends what is due; the answer comes to inbox_on_offset_commit(). */
void inbox_commit_due(struct inbox *inbox)
{
    if (inbox->commit_due_ms == 0 || clock_monotonic_ms() < inbox->commit_due_ms) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = list_noted(inbox);
    if (list && FAILPOINT_FAILS("before-offset-commit")) {
        inbox_on_offset_commit(inbox->rk, RD_KAFKA_RESP_ERR__FAIL, list, inbox);
        rd_kafka_topic_partition_list_destroy(list);
    } else if (list) {
        rd_kafka_commit(inbox->rk, list, 1 /* asynchronous */);
        rd_kafka_topic_partition_list_destroy(list);
    }
}

rd_kafka_resp_err_t inbox_commit_list(struct inbox *inbox,
                                      const rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    rd_kafka_queue_t *answer = rd_kafka_queue_new(inbox->rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(inbox->rk, list, answer, NULL, NULL);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(answer, timeout_ms);
        code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event) {
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(answer);
    return code;
}

/* Sends all that is noted and waits for the answer, but not for long. */
void inbox_commit_all(struct inbox *inbox)
{
    rd_kafka_topic_partition_list_t *list = list_noted(inbox);

    if (!list) {
        return;
    }
    rd_kafka_resp_err_t code = inbox_commit_list(inbox, list, INBOX_CLOSE_MS);
    inbox_on_offset_commit(inbox->rk, code, list, inbox);
    rd_kafka_topic_partition_list_destroy(list);
}

void inbox_commit(struct inbox *inbox, int32_t partition, int64_t next_offset)
{
    struct inbox_partition *entry = inbox_find_partition(inbox, partition);

    if (entry && entry->noted != next_offset) {
        entry->noted = next_offset;
        if (inbox->commit_due_ms == 0) {
            inbox->commit_due_ms = clock_monotonic_ms() + COMMIT_EVERY_MS;
        }
    }
}

size_t inbox_assigned(const struct inbox *inbox)
{
    return inbox->partition_count;
}

size_t inbox_topic_partitions(const struct inbox *inbox)
{
    return inbox->topic_partitions;
}

int64_t inbox_lag(struct inbox *inbox)
{
    int64_t lag = inbox->partition_count > 0 ? 0 : -1;

    for (size_t i = 0; i < inbox->partition_count; i++) {
        const struct inbox_partition *entry = &inbox->partitions[i];
        int64_t low;
        int64_t high;
        if (rd_kafka_get_watermark_offsets(inbox->rk, inbox->topic, entry->partition, &low,
                                           &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > entry->noted) {
            lag += high - entry->noted;
        }
    }
    return lag;
}

#define LOOK_EVERY_MS  1000
#define STUCK_AFTER_MS 10000 /* how long records may wait behind an end before it is told */
#define STUCK_AGAIN_MS 60000 /* and told again */

static void note_stuck(struct inbox *inbox, struct inbox_partition *entry, int64_t high,
                       int64_t now_ms)
{
    char text[512];

    if (!entry->at_end || high <= entry->end) {
        entry->stuck_since_ms = 0;
        return;
    }
    if (entry->stuck_since_ms == 0) {
        entry->stuck_since_ms = now_ms;
    }
    if (now_ms - entry->stuck_since_ms >= STUCK_AFTER_MS) {
        snprintf(text, sizeof(text),
                 "%s[%" PRId32 "]: the records from offset %" PRId64 " to %" PRId64
                 " wait for a transaction that is not ended",
                 inbox->topic, entry->partition, entry->end, high - 1);
        inbox_note(inbox, "open_transaction", text);
        entry->stuck_since_ms = now_ms + STUCK_AGAIN_MS - STUCK_AFTER_MS;
    }
}

void inbox_note_stuck(struct inbox *inbox)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t low;
    int64_t high;

    if (now_ms < inbox->look_due_ms) {
        return;
    }
    inbox->look_due_ms = now_ms + LOOK_EVERY_MS;
    for (size_t i = 0; i < inbox->partition_count; i++) {
        struct inbox_partition *entry = &inbox->partitions[i];
        /* What the client knows from its last fetch: the end of the log, open transactions too. */
        if (rd_kafka_get_watermark_offsets(inbox->rk, inbox->topic, entry->partition, &low,
                                           &high) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_stuck(inbox, entry, high, now_ms);
        }
    }
}

/* ---- rebalance ---- */

static int compare_partitions(const void *a, const void *b)
{
    int32_t left = ((const struct inbox_partition *)a)->partition;
    int32_t right = ((const struct inbox_partition *)b)->partition;

    return (left > right) - (left < right);
}

/* Returns 1 when the broker did not answer and the question should be asked again. */
static int find_start(struct inbox *inbox, rd_kafka_topic_partition_t *partition, struct error *err)
{
    int64_t low;
    int64_t high;
    struct error why;

    if (kafka_topic_ends(inbox->rk, inbox->topic, partition->partition, WATERMARK_MS, &low, &high,
                         &why) != 0) {
        inbox_note(inbox, "watermarks", why.text);
        return 1;
    }
    return inbox->callbacks.position(inbox->callbacks.user, partition->partition, low, high,
                                     &partition->offset, err);
}

static void tell_assigned(struct inbox *inbox, const rd_kafka_topic_partition_list_t *list)
{
    int32_t numbers[CHUNK_PARTITIONS_MAX];
    int64_t offsets[CHUNK_PARTITIONS_MAX];
    size_t count = list ? (size_t)list->cnt : 0;

    for (size_t i = 0; i < count; i++) {
        numbers[i] = list->elems[i].partition;
        offsets[i] = list->elems[i].offset;
    }
    inbox->callbacks.assigned(inbox->callbacks.user, numbers, offsets, count);
}

/* The topic may have grown since its start was checked. */
static int check_numbers(const struct inbox *inbox, const rd_kafka_topic_partition_list_t *list,
                         struct error *err)
{
    for (int i = 0; i < list->cnt; i++) {
        if (i >= CHUNK_PARTITIONS_MAX || list->elems[i].partition >= CHUNK_PARTITIONS_MAX) {
            return error_set(err, EX_CONFIG, "topic \"%s\" has more than %d partitions",
                             inbox->topic, CHUNK_PARTITIONS_MAX);
        }
    }
    return 0;
}

static int take_partitions(struct inbox *inbox, const rd_kafka_topic_partition_list_t *list,
                           struct error *err)
{
    size_t count = (size_t)list->cnt;

    inbox->partitions = calloc(count + 1, sizeof(*inbox->partitions));
    if (!inbox->partitions) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        inbox->partitions[i].partition = list->elems[i].partition;
        inbox->partitions[i].noted = list->elems[i].offset;
        inbox->partitions[i].committed = NOT_COMMITTED;
        if (list->elems[i].partition >= (int32_t)inbox->topic_partitions) {
            inbox->topic_partitions = (size_t)list->elems[i].partition + 1; /* it has grown */
        }
    }
    inbox->partition_count = count;
    /* Kafka hears the start too: before a crash, the store may have gone further than it knows. */
    inbox->commit_due_ms = clock_monotonic_ms();
    qsort(inbox->partitions, count, sizeof(*inbox->partitions), compare_partitions);
    return 0;
}

static void forget_partitions(struct inbox *inbox)
{
    free(inbox->partitions);
    inbox->partitions = NULL;
    inbox->partition_count = 0;
    inbox->commit_due_ms = 0;
}

static void pending_done(struct inbox *inbox)
{
    rd_kafka_topic_partition_list_destroy(inbox->pending_list);
    inbox->pending_list = NULL;
    inbox->pending = REBALANCE_NONE;
}

/* Answers a rebalance without taking a partition: with answer, an empty list or NULL. */
static int take_none(struct inbox *inbox, const rd_kafka_topic_partition_list_t *answer,
                     struct error *err)
{
    forget_partitions(inbox);
    pending_done(inbox);
    tell_assigned(inbox, NULL);
    rd_kafka_resp_err_t code = rd_kafka_assign(inbox->rk, answer);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : error_set(err, EX_UNAVAILABLE, "unassign: %s", rd_kafka_err2str(code));
}

static int revoke(struct inbox *inbox, struct error *err)
{
    FAILPOINT("before-revoke");
    if (!rd_kafka_assignment_lost(inbox->rk)) {
        inbox_commit_all(inbox);
    }
    return take_none(inbox, NULL, err);
}

/*
 * The group has forgotten the assignment, and the client joins again only after it was answered: by
 * an assignment of nothing, since it still waits for one (rd_kafka_cgrp_assign() of 2.0.2).
 */
static int decline(struct inbox *inbox, struct error *err)
{
    rd_kafka_topic_partition_list_t *nothing = rd_kafka_topic_partition_list_new(0);
    int result = take_none(inbox, nothing, err);

    rd_kafka_topic_partition_list_destroy(nothing);
    return result;
}

/* Everything that must be known before the partitions are read. Returns 1 to ask again. */
static int prepare(struct inbox *inbox, rd_kafka_topic_partition_list_t *list, struct error *err)
{
    int32_t numbers[CHUNK_PARTITIONS_MAX];
    int result = check_numbers(inbox, list, err);

    for (int i = 0; result == 0 && i < list->cnt; i++) {
        numbers[i] = list->elems[i].partition;
        result = stop_requested() ? 1 : find_start(inbox, &list->elems[i], err);
    }
    if (result == 0) {
        result = inbox->callbacks.ready(inbox->callbacks.user, numbers, (size_t)list->cnt, err);
    }
    return result == 0 ? inbox_claim(inbox, list, err) : result;
}

static int assign(struct inbox *inbox, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = inbox->pending_list;

    FAILPOINT("before-assign");
    inbox->pending_is_stale = false;
    int result = prepare(inbox, list, err);
    if (result > 0 && inbox->pending_is_stale) {
        return decline(inbox, err);
    }
    if (result != 0) {
        return result < 0 ? -1 : 0; /* still pending: the next poll asks again */
    }
    forget_partitions(inbox);
    if (take_partitions(inbox, list, err) != 0) {
        return -1;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(inbox->rk, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, EX_UNAVAILABLE, "assign: %s", rd_kafka_err2str(code));
    }
    tell_assigned(inbox, list);
    pending_done(inbox);
    return 0;
}

int inbox_follow_rebalance(struct inbox *inbox, struct error *err)
{
    if (inbox->callbacks.drain(inbox->callbacks.user, err) != 0) {
        return -1;
    }
    switch (inbox->pending) {
    case REBALANCE_ASSIGN:
        return assign(inbox, err);
    case REBALANCE_REVOKE:
        return revoke(inbox, err);
    case REBALANCE_NONE:
    default:
        return 0;
    }
}
