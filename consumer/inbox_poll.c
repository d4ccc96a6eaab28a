#include "consumer/inbox_internal.h"

#include "common/kafka_error.h"
#include "common/kafka_waker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

struct inbox_batch *inbox_batch_new(void)
{
    return calloc(1, sizeof(struct inbox_batch));
}

void inbox_batch_release(struct inbox_batch *batch)
{
    for (size_t i = 0; i < batch->held_count; i++) {
        rd_kafka_message_destroy(batch->held[i]);
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

/* A lone message goes at once; what else is there already comes along. */
static void take(struct inbox *inbox, int timeout_ms, struct inbox_batch *batch)
{
    rd_kafka_message_t *first = rd_kafka_consumer_poll(inbox->rk, timeout_ms);

    if (!first) {
        return;
    }
    batch->held[batch->held_count++] = first;
    if (inbox->pending == REBALANCE_NONE) {
        ssize_t more =
            rd_kafka_consume_batch_queue(inbox->queue, 0, batch->held + 1, CHUNK_MESSAGES_MAX - 1);
        batch->held_count += more > 0 ? (size_t)more : 0;
    }
}

/* Anything that is not known to pass stops: behind it the client may skip records. */
static int check_error(struct inbox *inbox, const rd_kafka_message_t *message, struct error *err)
{
    const char *text = rd_kafka_message_errstr(message);
    struct kafka_place place = {inbox->topic, message->partition, message->offset};

    if (kafka_error_passes(message->err)) {
        inbox_note(inbox, rd_kafka_err2name(message->err), text);
        return 0;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32
                         "]: the log does not hold the store's position any more: %s. "
                         "Start payd again: it says from where it can go on",
                         inbox->topic, message->partition, text);
    }
    return kafka_error_stops(message->err, text, &place, err);
}

static void show_message(struct inbox_message *shown, rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;

    rd_kafka_message_headers(message, &headers);
    *shown = (struct inbox_message){
        .origin = {message->partition, message->offset, rd_kafka_message_timestamp(message, NULL)},
        .raw = {message->key, message->key_len, message->payload, message->len, headers},
    };
}

/* Turns what was taken into messages and ends. */
static int show_taken(struct inbox *inbox, struct inbox_batch *batch, struct error *err)
{
    for (size_t i = 0; i < batch->held_count; i++) {
        rd_kafka_message_t *message = batch->held[i];
        struct inbox_partition *entry = inbox_find_partition(inbox, message->partition);
        bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;

        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end) {
            if (check_error(inbox, message, err) != 0) {
                return -1;
            }
            continue;
        }
        if (!entry) {
            continue; /* left over from an assignment that is gone */
        }
        entry->at_end = is_end;
        if (is_end) {
            entry->end = message->offset;
            batch->messages[batch->count++] = (struct inbox_message){
                .origin = {message->partition, message->offset, 0}, .is_end = true};
        } else {
            show_message(&batch->messages[batch->count++], message);
        }
    }
    return 0;
}

/*
 * A poll takes all there is, up to a chunk: so what it took shows whether the client may have
 * stopped fetching because of its queue's size.
 */
static bool may_have_stopped(const struct inbox *inbox, const struct inbox_batch *batch)
{
    uint64_t bytes = 0;

    if (batch->held_count == CHUNK_MESSAGES_MAX || batch->held_count >= inbox->queue_messages) {
        return true;
    }
    for (size_t i = 0; i < batch->count; i++) {
        bytes += batch->messages[i].raw.key_len + batch->messages[i].raw.value_len;
    }
    return bytes >= inbox->queue_bytes;
}

static void fetch_on(struct inbox *inbox)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)inbox->partition_count);

    for (size_t i = 0; i < inbox->partition_count; i++) {
        rd_kafka_topic_partition_list_add(list, inbox->topic, inbox->partitions[i].partition);
    }
    kafka_waker_wake(inbox->waker, list);
}

int inbox_poll(struct inbox *inbox, int timeout_ms, struct inbox_batch *batch, struct error *err)
{
    inbox_batch_release(batch);
    inbox_commit_due(inbox);
    /* Also while a rebalance could not be followed yet: it may be over, and another has begun. */
    take(inbox, timeout_ms, batch);
    if (inbox->pending != REBALANCE_NONE) {
        /* What was taken belongs to the old assignment; the new one starts from the store. */
        inbox_batch_release(batch);
        return inbox_follow_rebalance(inbox, err);
    }
    inbox_note_stuck(inbox);
    if (show_taken(inbox, batch, err) != 0) {
        return -1;
    }
    if (may_have_stopped(inbox, batch)) {
        fetch_on(inbox);
    }
    return 0;
}

bool inbox_at_end(const struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->partition_count; i++) {
        if (!inbox->partitions[i].at_end) {
            return false;
        }
    }
    return inbox->partition_count > 0;
}

bool inbox_header(const void *headers, size_t index, const char **ret_name, const void **ret_value,
                  size_t *ret_value_len)
{
    return rd_kafka_header_get_all(headers, index, ret_name, ret_value, ret_value_len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}
