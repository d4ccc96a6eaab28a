/*
 * bench-count: reads a topic from its beginning to its end, and prints how many records it has and
 * their sum (records.h). It shows that what was produced is what should have been. With --last it
 * reads only the last record of each partition, and prints when the broker appended the last of
 * all.
 */
#include "tests/bench/records.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define TIMEOUT_MS  10000
#define TAKE_MAX    10000
#define REASON_SIZE 512

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-count: %s: %s\n", what, why);
    return EX_UNAVAILABLE;
}

static rd_kafka_t *connect_to(const char *brokers)
{
    char why[REASON_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "bench-count", NULL, 0);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_conf_set(conf, "check.crcs", "true", NULL, 0);
    rd_kafka_conf_set(conf, "queued.min.messages", "1000000", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        fail("the Kafka client cannot start", why);
    }
    return rk;
}

/* Reads all partitions from their beginning, or from their last record. Returns how many there are,
 * 0 after a failure. */
static int assign_all(rd_kafka_t *rk, const char *topic, bool last)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    int partitions = 0;

    if (rd_kafka_metadata(rk, 0, handle, &metadata, TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset =
            last ? RD_KAFKA_OFFSET_TAIL(1) : RD_KAFKA_OFFSET_BEGINNING;
    }
    if (partitions == 0 || rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        partitions = 0;
        fail(topic, "its partitions are not known");
    }
    rd_kafka_topic_partition_list_destroy(list);
    return partitions;
}

static int read_all(rd_kafka_t *rk, int partitions, struct record_sum *sum, int64_t *last_ms)
{
    static rd_kafka_message_t *messages[TAKE_MAX];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    int code = EX_OK;

    while (partitions > 0 && code == EX_OK) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, TIMEOUT_MS, messages, TAKE_MAX);
        if (count <= 0) {
            code = fail("topic", "nothing comes any more, and this is not the end");
        }
        for (ssize_t i = 0; i < count; i++) {
            rd_kafka_message_t *message = messages[i];
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                partitions--;
            } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                code = fail("topic", rd_kafka_message_errstr(message));
            } else {
                int64_t ms = rd_kafka_message_timestamp(message, NULL);
                *last_ms = ms > *last_ms ? ms : *last_ms;
                record_sum_add(sum, message->key, message->key_len, message->payload, message->len);
            }
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_queue_destroy(queue);
    return code;
}

int main(int argc, char **argv)
{
    struct record_sum sum = {0};
    int64_t last_ms = 0;
    bool last = argc == 6 && strcmp(argv[5], "--last") == 0;

    if ((argc != 5 && !last) || strcmp(argv[1], "-b") != 0 || strcmp(argv[3], "-t") != 0) {
        fputs("Usage: bench-count -b BROKERS -t TOPIC [--last]\n", stderr);
        return EX_USAGE;
    }
    rd_kafka_t *rk = connect_to(argv[2]);
    if (!rk) {
        return EX_UNAVAILABLE;
    }
    rd_kafka_poll_set_consumer(rk);
    int partitions = assign_all(rk, argv[4], last);
    int code = partitions > 0 ? read_all(rk, partitions, &sum, &last_ms) : EX_UNAVAILABLE;
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    if (code == EX_OK && last) {
        printf("{\"last_append_ms\": %" PRId64 "}\n", last_ms);
    } else if (code == EX_OK) {
        printf("{\"records\": %" PRId64 ", \"sum\": \"%016" PRIx64 "\", \"bytes\": %" PRId64 "}\n",
               sum.records, sum.sum, sum.bytes);
    }
    return code;
}
