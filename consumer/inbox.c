#include "consumer/inbox_internal.h"

#include "common/bounded_call.h"
#include "common/clock.h"
#include "common/kafka_topic.h"
#include "common/kafka_waker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_OF(number)       #number
#define NUMBER_TEXT(constant) TEXT_OF(constant)

#define TOPIC_MS 2000 /* how long a question about the topic may take; payd asks again */

static const struct kafka_property defaults[] = {
    {"client.id", "payd"},
    {"session.timeout.ms", "10000"},
    /* Without a high mark here a fast consumer waits for the fetch back-off again and again. */
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", NUMBER_TEXT(INBOX_QUEUE_KIB)},
    /* As they come, compressed: what one answer brings may lie beyond the mark. */
    {"max.partition.fetch.bytes", "262144"},
    {"fetch.max.bytes", "4194304"},
    {NULL, NULL},
};

static const struct kafka_property fixed[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"isolation.level", "read_committed"},
    {"enable.partition.eof", "true"},
    {"check.crcs", "true"},
    {"allow.auto.create.topics", "false"},
    {"partition.assignment.strategy", "range,roundrobin"},
    {NULL, NULL},
};

/* ---- open ---- */

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct inbox *inbox = opaque;

    if (inbox->closing) {
        rd_kafka_assign(rk, NULL);
        return;
    }
    if (inbox->pending_list) {
        rd_kafka_topic_partition_list_destroy(inbox->pending_list);
    }
    inbox->pending_list = rd_kafka_topic_partition_list_copy(list);
    inbox->pending =
        code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? REBALANCE_ASSIGN : REBALANCE_REVOKE;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    inbox_note(opaque, rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

/* A property that is a number, as it was set. */
static uint64_t number_of(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32] = "";
    size_t size = sizeof(text);

    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK ? strtoull(text, NULL, 10)
                                                                          : 0;
}

int inbox_open(struct inbox **ret, const struct kafka_args *args, const char *group,
               const struct inbox_callbacks *callbacks, struct error *err)
{
    struct inbox *inbox = calloc(1, sizeof(*inbox));
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (inbox) {
        inbox->topic = strdup(args->topic);
        inbox->callbacks = *callbacks;
        inbox->skip_topic_check = args->skip_topic_check;
    }
    if (!inbox || !inbox->topic) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    if (kafka_conf_make(args, defaults, fixed, &conf, err) != 0) {
        goto fail;
    }
    if (rd_kafka_conf_set(conf, "group.id", group, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        error_set(err, EX_USAGE, "group \"%s\": %s", group, why);
        goto fail;
    }
    inbox->queue_bytes = number_of(conf, "queued.max.messages.kbytes") * 1024;
    inbox->queue_messages = number_of(conf, "queued.min.messages");
    rd_kafka_conf_set_opaque(conf, inbox);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, inbox_on_offset_commit);
    rd_kafka_conf_set_error_cb(conf, on_error);
    inbox->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!inbox->rk) {
        rd_kafka_conf_destroy(conf);
        error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
        goto fail;
    }
    /* rd_kafka_new() took conf over. */
    rd_kafka_poll_set_consumer(inbox->rk);
    inbox->queue = rd_kafka_queue_get_consumer(inbox->rk);
    if (kafka_waker_open(&inbox->waker, inbox->rk, err) != 0) {
        goto fail;
    }
    *ret = inbox;
    return 0;

fail:
    inbox_close(inbox);
    return -1;
}

int inbox_check_topic(struct inbox *inbox, struct error *err)
{
    int partitions;

    if (kafka_topic_partitions(inbox->rk, inbox->topic, TOPIC_MS, &partitions, err) != 0) {
        return -1;
    }
    if (partitions == 0) {
        return kafka_topic_missing(inbox->topic, err);
    }
    if (partitions > CHUNK_PARTITIONS_MAX) {
        return error_set(err, EX_CONFIG, "topic \"%s\" has %d partitions, payd reads at most %d",
                         inbox->topic, partitions, CHUNK_PARTITIONS_MAX);
    }
    inbox->topic_partitions = (size_t)partitions;
    return inbox->skip_topic_check ? 0 : kafka_topic_check(inbox->rk, inbox->topic, TOPIC_MS, err);
}

char *inbox_cluster(struct inbox *inbox, struct error *err)
{
    return kafka_topic_cluster(inbox->rk, TOPIC_MS, err);
}

int inbox_join(struct inbox *inbox, struct error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(topics, inbox->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(inbox->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, EX_UNAVAILABLE, "topic \"%s\" cannot be subscribed: %s", inbox->topic,
                         rd_kafka_err2str(code));
    }
    return 0;
}

/* ---- close ---- */

/* Leaves the group within INBOX_CLOSE_MS, or gives up. */
static bool leave_group(struct inbox *inbox)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(inbox->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(inbox->rk, queue);
    int64_t deadline = clock_monotonic_ms() + INBOX_CLOSE_MS;

    if (error) {
        rd_kafka_error_destroy(error);
        rd_kafka_queue_destroy(queue);
        return rd_kafka_consumer_closed(inbox->rk);
    }
    while (!rd_kafka_consumer_closed(inbox->rk) && clock_monotonic_ms() < deadline) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
        if (event) {
            if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) {
                rd_kafka_assign(inbox->rk, NULL);
            }
            rd_kafka_event_destroy(event);
        }
    }
    bool closed = rd_kafka_consumer_closed(inbox->rk);
    if (closed) {
        rd_kafka_queue_destroy(queue);
    }
    return closed;
}

static void destroy_client(void *user)
{
    rd_kafka_destroy(user);
}

static bool close_client(struct inbox *inbox)
{
    bool closed = true;

    kafka_waker_close(inbox->waker);
    if (inbox->queue) {
        inbox_commit_all(inbox);
        inbox->closing = true;
        closed = leave_group(inbox);
        rd_kafka_queue_destroy(inbox->queue);
    }
    if (closed) {
        closed = bounded_call(INBOX_CLOSE_MS, destroy_client, inbox->rk);
    }
    /* Destroying a client that cannot close waits for its broker: seen, 5 s with a hung one. */
    return closed;
}

bool inbox_close(struct inbox *inbox)
{
    bool closed = true;

    if (!inbox) {
        return true;
    }
    if (inbox->rk) {
        closed = close_client(inbox);
    }
    if (!closed) {
        return false; /* what the client may still use is left to it */
    }
    if (inbox->pending_list) {
        rd_kafka_topic_partition_list_destroy(inbox->pending_list);
    }
    free(inbox->partitions);
    free(inbox->topic);
    free(inbox);
    return true;
}
