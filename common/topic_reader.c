#include "common/topic_reader.h"

#include "common/kafka_topic.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TROUBLE_SIZE 256

static const struct kafka_property defaults[] = {
    {"client.id", "pay"},
    {"queued.min.messages", "10000"},
    {NULL, NULL},
};

static const struct kafka_property fixed[] = {
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},        {"isolation.level", "read_committed"},
    {"enable.partition.eof", "true"},      {"check.crcs", "true"},
    {"allow.auto.create.topics", "false"}, {NULL, NULL},
};

struct topic_reader {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *message; /* that was lent out last */
    char *name;
    int32_t *started; /* the partitions that are read */
    size_t started_count;
    char trouble[TROUBLE_SIZE];
};

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct topic_reader *reader = opaque;

    (void)rk;
    /* "All brokers are down" follows the sentence that says why, and would hide it. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || reader->trouble[0] == '\0') {
        snprintf(reader->trouble, sizeof(reader->trouble), "%s", reason);
    }
}

static int set_bytes(rd_kafka_conf_t *conf, const char *name, size_t bytes, struct error *err)
{
    char value[24];
    char why[256];

    snprintf(value, sizeof(value), "%zu", bytes);
    return rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK
               ? 0
               : error_set(err, EX_SOFTWARE, "property %s: %s", name, why);
}

static int make_client(struct topic_reader *reader, const struct kafka_args *args,
                       size_t fetch_bytes, struct error *err)
{
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (kafka_conf_make(args, defaults, fixed, &conf, err) != 0) {
        return -1;
    }
    if (set_bytes(conf, "fetch.message.max.bytes", fetch_bytes, err) != 0 ||
        set_bytes(conf, "queued.max.messages.kbytes", fetch_bytes / 1024 + 1, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    rd_kafka_conf_set_opaque(conf, reader);
    rd_kafka_conf_set_error_cb(conf, on_error);
    reader->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!reader->rk) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
    }
    /* rd_kafka_new() took conf over. */
    return 0;
}

int topic_reader_open(struct topic_reader **ret, const struct kafka_args *args, const char *topic,
                      size_t fetch_bytes, struct error *err)
{
    struct topic_reader *reader = calloc(1, sizeof(*reader));

    if (!reader) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    reader->name = strdup(topic);
    if (!reader->name) {
        topic_reader_close(reader);
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (make_client(reader, args, fetch_bytes, err) != 0) {
        topic_reader_close(reader);
        return -1;
    }
    reader->topic = rd_kafka_topic_new(reader->rk, topic, NULL);
    reader->queue = rd_kafka_queue_new(reader->rk);
    if (!reader->topic) {
        topic_reader_close(reader);
        return error_set(err, EX_USAGE, "topic \"%s\": %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    }
    *ret = reader;
    return 0;
}

int topic_reader_partitions(struct topic_reader *reader, int timeout_ms, int *ret_partitions,
                            struct error *err)
{
    if (kafka_topic_partitions(reader->rk, reader->name, timeout_ms, ret_partitions, err) != 0) {
        rd_kafka_poll(reader->rk, 0); /* lets on_error() hear why */
        if (reader->trouble[0]) {
            error_set(err, err->code, "no broker answers: %s", reader->trouble);
        }
        return -1;
    }
    return *ret_partitions > 0
               ? 0
               : error_set(err, EX_UNAVAILABLE, "there is no topic \"%s\"", reader->name);
}

int topic_reader_ends(struct topic_reader *reader, int32_t partition, int timeout_ms,
                      int64_t *ret_low, int64_t *ret_high, struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(reader->rk, reader->name, partition,
                                                                ret_low, ret_high, timeout_ms);

    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : error_set(err, EX_UNAVAILABLE, "%s[%" PRId32 "]: its ends are not known: %s",
                           reader->name, partition, rd_kafka_err2str(code));
}

/* ---- which partitions are read ---- */

static bool is_started(const struct topic_reader *reader, int32_t partition)
{
    for (size_t i = 0; i < reader->started_count; i++) {
        if (reader->started[i] == partition) {
            return true;
        }
    }
    return false;
}

int topic_reader_start(struct topic_reader *reader, int32_t partition, int64_t offset,
                       struct error *err)
{
    int32_t *grown =
        realloc(reader->started, (reader->started_count + 1) * sizeof(*reader->started));

    if (!grown) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    reader->started = grown;
    if (rd_kafka_consume_start_queue(reader->topic, partition, offset, reader->queue) != 0) {
        return error_set(err, EX_UNAVAILABLE, "%s[%" PRId32 "] cannot be read: %s", reader->name,
                         partition, rd_kafka_err2str(rd_kafka_last_error()));
    }
    reader->started[reader->started_count++] = partition;
    return 0;
}

static void return_message(struct topic_reader *reader)
{
    if (reader->message) {
        rd_kafka_message_destroy(reader->message);
        reader->message = NULL;
    }
}

void topic_reader_stop(struct topic_reader *reader, int32_t partition)
{
    size_t kept = 0;

    if (!is_started(reader, partition)) {
        return;
    }
    return_message(reader);
    rd_kafka_consume_stop(reader->topic, partition);
    for (size_t i = 0; i < reader->started_count; i++) {
        if (reader->started[i] != partition) {
            reader->started[kept++] = reader->started[i];
        }
    }
    reader->started_count = kept;
}

/* ---- reading ---- */

static void show(const rd_kafka_message_t *message, struct topic_record *ret)
{
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;

    *ret = (struct topic_record){
        .partition = message->partition, .offset = message->offset, .is_end = is_end};
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ret->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
        ret->key = message->key;
        ret->key_len = message->key_len;
        ret->value = message->payload;
        ret->value_len = message->len;
    }
}

/* What an error in place of a record means. */
static enum topic_reader_result judge_error(struct topic_reader *reader,
                                            const rd_kafka_message_t *message, struct error *err)
{
    const char *text = rd_kafka_message_errstr(message);

    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return TOPIC_READER_GONE;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        error_set(err, EX_CONFIG, "%s: access is refused: %s", reader->name, text);
        return TOPIC_READER_FAILED;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
        error_set(err, EX_IOERR, "%s[%" PRId32 "]@%" PRId64 ": a record cannot be read: %s",
                  reader->name, message->partition, message->offset, text);
        return TOPIC_READER_FAILED;
    default: /* the client gets over it by itself */
        snprintf(reader->trouble, sizeof(reader->trouble), "%s", text);
        return TOPIC_READER_NOTHING;
    }
}

enum topic_reader_result topic_reader_poll(struct topic_reader *reader, int timeout_ms,
                                           struct topic_record *ret, struct error *err)
{
    return_message(reader);
    rd_kafka_poll(reader->rk, 0); /* errors */
    do {
        return_message(reader); /* left over from a partition that was stopped */
        reader->message = rd_kafka_consume_queue(reader->queue, timeout_ms);
    } while (reader->message && !is_started(reader, reader->message->partition));
    if (!reader->message) {
        return TOPIC_READER_NOTHING;
    }
    show(reader->message, ret);
    if (ret->is_end || reader->message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return TOPIC_READER_RECORD;
    }
    return judge_error(reader, reader->message, err);
}

const char *topic_reader_trouble(const struct topic_reader *reader)
{
    return reader->trouble;
}

int32_t topic_reader_partition_of(struct topic_reader *reader, const char *key, size_t key_len,
                                  int partitions)
{
    return rd_kafka_msg_partitioner_murmur2(reader->topic, key, key_len, partitions, NULL, NULL);
}

void topic_reader_close(struct topic_reader *reader)
{
    if (!reader) {
        return;
    }
    return_message(reader);
    while (reader->started_count > 0) {
        topic_reader_stop(reader, reader->started[reader->started_count - 1]);
    }
    if (reader->queue) {
        rd_kafka_queue_destroy(reader->queue);
    }
    if (reader->topic) {
        rd_kafka_topic_destroy(reader->topic);
    }
    if (reader->rk) {
        rd_kafka_destroy_flags(reader->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    free(reader->started);
    free(reader->name);
    free(reader);
}
