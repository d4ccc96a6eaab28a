#include "common/topic_reader.h"

#include "common/bounded_call.h"
#include "common/clock.h"
#include "common/kafka_error.h"
#include "common/kafka_topic.h"
#include "common/kafka_waker.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TROUBLE_SIZE 256
#define CLOSE_MS     3000 /* how long the client's own threads may take to end */

/* The limits of the client's own properties. */
#define FETCH_BYTES_MAX 1000000000
#define QUEUE_KIB_MAX   2097151

static const struct kafka_property defaults[] = {
    {"client.id", "pay-reader"},
    /* A partition that is started has to wait until an idle fetch of the others is answered. */
    {"fetch.wait.max.ms", "100"},
    {NULL, NULL},
};

struct partition {
    bool started;
    int64_t next; /* where it was started, then behind what came last */
};

struct topic_reader {
    rd_kafka_t *rk;
    char *name;                /* of the topic */
    rd_kafka_topic_t *topic;   /* NULL until a partition is started: a handle asks for the topic by
                                  name, and some brokers create what is asked for */
    rd_kafka_queue_t *queue;   /* of all started partitions */
    rd_kafka_message_t *held;  /* what the last poll gave */
    struct kafka_waker *waker; /* NULL until the queue was full once */
    size_t queue_bytes;        /* above it, the client stops fetching */
    size_t taken_bytes;        /* since the queue was empty */
    struct partition *partitions;
    int32_t partition_count;
    char trouble[TROUBLE_SIZE];
};

/* ---- open and close ---- */

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct topic_reader *reader = opaque;

    (void)rk;
    kafka_error_keep(reader->trouble, sizeof(reader->trouble), code, reason);
}

static int make_conf(const struct kafka_args *args, size_t fetch_bytes, rd_kafka_conf_t **ret,
                     struct error *err)
{
    char bytes[24];
    char kib[24];
    size_t queue_kib = fetch_bytes / 1024 + 1;
    const struct kafka_property fixed[] = {
        {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},        {"isolation.level", "read_committed"},
        {"enable.partition.eof", "true"},      {"check.crcs", "true"},
        {"allow.auto.create.topics", "false"}, {"fetch.message.max.bytes", bytes},
        {"queued.max.messages.kbytes", kib},   {NULL, NULL},
    };

    snprintf(bytes, sizeof(bytes), "%zu",
             fetch_bytes < FETCH_BYTES_MAX ? fetch_bytes : FETCH_BYTES_MAX);
    snprintf(kib, sizeof(kib), "%zu", queue_kib < QUEUE_KIB_MAX ? queue_kib : QUEUE_KIB_MAX);
    return kafka_conf_make(args, defaults, fixed, ret, err);
}

int topic_reader_open(struct topic_reader **ret, const struct kafka_args *args, const char *topic,
                      size_t fetch_bytes, struct error *err)
{
    struct topic_reader *reader = calloc(1, sizeof(*reader));
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (reader) {
        reader->name = strdup(topic);
    }
    if (!reader || !reader->name) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    if (make_conf(args, fetch_bytes, &conf, err) != 0) {
        goto fail;
    }
    rd_kafka_conf_set_opaque(conf, reader);
    rd_kafka_conf_set_error_cb(conf, on_error);
    reader->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!reader->rk) {
        rd_kafka_conf_destroy(conf);
        error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
        goto fail;
    }
    /* rd_kafka_new() took conf over. */
    reader->queue_bytes = fetch_bytes;
    reader->queue = rd_kafka_queue_new(reader->rk);
    *ret = reader;
    return 0;

fail:
    topic_reader_close(reader);
    return -1;
}

/* The queue may have been full and is empty now: see kafka_waker.h. One more thread, if it can be.
 */
static void fetch_on(struct topic_reader *reader)
{
    rd_kafka_topic_partition_list_t *list;
    struct error ignored;

    if (!reader->waker && kafka_waker_open(&reader->waker, reader->rk, &ignored) != 0) {
        reader->waker = NULL;
        return;
    }
    list = rd_kafka_topic_partition_list_new(reader->partition_count);
    for (int32_t i = 0; i < reader->partition_count; i++) {
        if (reader->partitions[i].started) {
            rd_kafka_topic_partition_list_add(list, reader->name, i);
        }
    }
    kafka_waker_wake(reader->waker, list);
}

static void drop_held(struct topic_reader *reader)
{
    if (reader->held) {
        rd_kafka_message_destroy(reader->held);
        reader->held = NULL;
    }
}

static void close_client(void *user)
{
    struct topic_reader *reader = user;

    drop_held(reader);
    kafka_waker_close(reader->waker);
    for (int32_t i = 0; i < reader->partition_count; i++) {
        topic_reader_stop(reader, i);
    }
    if (reader->topic) {
        rd_kafka_topic_destroy(reader->topic);
    }
    if (reader->queue) {
        rd_kafka_queue_destroy(reader->queue);
    }
    if (reader->rk) {
        rd_kafka_destroy_flags(reader->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    free(reader->partitions);
    free(reader->name);
    free(reader);
}

void topic_reader_close(struct topic_reader *reader)
{
    if (reader) {
        (void)bounded_call(CLOSE_MS, close_client, reader); /* main() asks bounded_call_runs() */
    }
}

/* ---- questions ---- */

int topic_reader_partitions(struct topic_reader *reader, int timeout_ms, int *ret_partitions,
                            struct error *err)
{
    int partitions;

    if (kafka_topic_partitions(reader->rk, reader->name, timeout_ms, &partitions, err) != 0) {
        rd_kafka_poll(reader->rk, 0); /* lets on_error() hear why */
        return -1;
    }
    if (partitions == 0) {
        return kafka_topic_missing(reader->name, err);
    }
    *ret_partitions = partitions;
    return 0;
}

int topic_reader_ends(struct topic_reader *reader, int32_t partition, int timeout_ms,
                      int64_t *ret_low, int64_t *ret_high, struct error *err)
{
    int result =
        kafka_topic_ends(reader->rk, reader->name, partition, timeout_ms, ret_low, ret_high, err);

    rd_kafka_poll(reader->rk, 0);
    return result;
}

int topic_reader_offset_at(struct topic_reader *reader, int32_t partition, int64_t unix_ms,
                           int timeout_ms, int64_t *ret, struct error *err)
{
    int result =
        kafka_topic_offset_at(reader->rk, reader->name, partition, unix_ms, timeout_ms, ret, err);

    rd_kafka_poll(reader->rk, 0);
    return result;
}

int topic_reader_retention(struct topic_reader *reader, int timeout_ms, int64_t *ret_ms,
                           struct error *err)
{
    return kafka_topic_retention(reader->rk, reader->name, timeout_ms, ret_ms, err);
}

char *topic_reader_cluster(struct topic_reader *reader, int timeout_ms, struct error *err)
{
    return kafka_topic_cluster(reader->rk, timeout_ms, err);
}

const char *topic_reader_trouble(const struct topic_reader *reader)
{
    return reader->trouble;
}

int32_t topic_reader_partition_of(struct topic_reader *reader, const char *key, size_t key_len,
                                  int partitions)
{
    /* The partitioner does not look at the topic. */
    return rd_kafka_msg_partitioner_murmur2(reader->topic, key, key_len, partitions, NULL, NULL);
}

/* ---- start and stop ---- */

static struct partition *find_started(struct topic_reader *reader, int32_t partition)
{
    bool known = partition >= 0 && partition < reader->partition_count;

    return known && reader->partitions[partition].started ? &reader->partitions[partition] : NULL;
}

static int make_room(struct topic_reader *reader, int32_t partition, struct error *err)
{
    if (partition < reader->partition_count) {
        return 0;
    }
    size_t old = (size_t)reader->partition_count;
    size_t count = (size_t)partition + 1;
    struct partition *grown = reallocarray(reader->partitions, count, sizeof(*grown));
    if (!grown) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    memset(grown + old, 0, (count - old) * sizeof(*grown));
    reader->partitions = grown;
    reader->partition_count = partition + 1;
    return 0;
}

int topic_reader_start(struct topic_reader *reader, int32_t partition, int64_t offset,
                       struct error *err)
{
    if (make_room(reader, partition, err) != 0) {
        return -1;
    }
    if (!reader->topic) {
        reader->topic = rd_kafka_topic_new(reader->rk, reader->name, NULL);
    }
    if (!reader->topic ||
        rd_kafka_consume_start_queue(reader->topic, partition, offset, reader->queue) != 0) {
        return error_set(err, EX_UNAVAILABLE, "%s[%" PRId32 "]@%" PRId64 " cannot be read: %s",
                         reader->name, partition, offset, rd_kafka_err2str(rd_kafka_last_error()));
    }
    reader->partitions[partition] = (struct partition){.started = true, .next = offset};
    return 0;
}

void topic_reader_stop(struct topic_reader *reader, int32_t partition)
{
    struct partition *entry = find_started(reader, partition);

    if (entry) {
        drop_held(reader);
        entry->started = false;
        /* Fails only for a partition that the client does not know, and so does not read. */
        (void)rd_kafka_consume_stop(reader->topic, partition);
    }
}

/* ---- poll ---- */

/*
 * The client drops what was fetched before a stop, but not the error that an offset is out of
 * range. One that is not about the next offset may be such a rest; but if it is not, the client has
 * stopped fetching. To start again is right in both cases.
 */
static enum topic_reader_result out_of_range(struct topic_reader *reader, int32_t partition,
                                             int64_t offset, struct topic_record *ret,
                                             struct error *err)
{
    int64_t next = reader->partitions[partition].next;

    if (offset == next) {
        *ret = (struct topic_record){.partition = partition, .offset = offset};
        return TOPIC_READER_GONE;
    }
    topic_reader_stop(reader, partition);
    return topic_reader_start(reader, partition, next, err) == 0 ? TOPIC_READER_NOTHING
                                                                 : TOPIC_READER_FAILED;
}

static enum topic_reader_result take_error(struct topic_reader *reader,
                                           const rd_kafka_message_t *message,
                                           struct topic_record *ret, struct error *err)
{
    const char *text = rd_kafka_message_errstr(message);
    struct kafka_place place = {reader->name, message->partition, message->offset};

    if (kafka_error_passes(message->err)) {
        snprintf(reader->trouble, sizeof(reader->trouble), "%s", text);
        return TOPIC_READER_NOTHING;
    }
    if (find_started(reader, message->partition) &&
        (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
         message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)) {
        return out_of_range(reader, place.partition, place.offset, ret, err);
    }
    kafka_error_stops(message->err, text, &place, err);
    return TOPIC_READER_FAILED;
}

/* Looks at the held message. NOTHING: it was of no interest. */
static enum topic_reader_result take_held(struct topic_reader *reader, struct topic_record *ret,
                                          struct error *err)
{
    rd_kafka_message_t *message = reader->held;
    struct partition *entry = find_started(reader, message->partition);
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    rd_kafka_headers_t *headers = NULL;

    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end) {
        return take_error(reader, message, ret, err);
    }
    if (!entry || message->offset < entry->next) {
        return TOPIC_READER_NOTHING; /* left over from before a stop */
    }
    reader->trouble[0] = '\0';
    entry->next = message->offset + !is_end;
    *ret = (struct topic_record){
        .partition = message->partition,
        .offset = message->offset,
        .is_end = is_end,
    };
    if (!is_end) {
        ret->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
        ret->key = message->key;
        ret->key_len = message->key_len;
        ret->value = message->payload;
        ret->value_len = message->len;
        rd_kafka_message_headers(message, &headers);
        ret->headers = headers;
    }
    return TOPIC_READER_RECORD;
}

bool topic_reader_header(const void *headers, size_t index, const char **ret_name,
                         const void **ret_value, size_t *ret_value_len)
{
    return rd_kafka_header_get_all(headers, index, ret_name, ret_value, ret_value_len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The next message, at once when there is one. */
static void take_next(struct topic_reader *reader, int timeout_ms)
{
    drop_held(reader);
    reader->held = rd_kafka_consume_queue(reader->queue, 0);
    if (reader->held) {
        reader->taken_bytes += reader->held->len + reader->held->key_len;
        return;
    }
    if (reader->taken_bytes >= reader->queue_bytes) {
        fetch_on(reader);
    }
    reader->taken_bytes = 0;
    rd_kafka_poll(reader->rk, 0); /* lets on_error() hear */
    reader->held = rd_kafka_consume_queue(reader->queue, timeout_ms);
    rd_kafka_poll(reader->rk, 0);
}

enum topic_reader_result topic_reader_poll(struct topic_reader *reader, int timeout_ms,
                                           struct topic_record *ret, struct error *err)
{
    enum topic_reader_result result = TOPIC_READER_NOTHING;
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    int64_t left = timeout_ms;

    do {
        take_next(reader, (int)left);
        if (reader->held) {
            result = take_held(reader, ret, err);
        }
        left = deadline - clock_monotonic_ms();
        left = left > 0 ? left : 0; /* a negative time would be forever */
    } while (result == TOPIC_READER_NOTHING && (left > 0 || reader->held));
    return result;
}
