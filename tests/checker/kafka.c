#include "tests/checker/kafka.h"

#include "tests/checker/memory.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define ASK_MS   5000 /* one question */
#define PAUSE_MS 100  /* between two of them, and one poll */

struct kafka {
    rd_kafka_t *rk;
    int64_t deadline_ms;
};

/* ---- life ---- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_ms(const struct kafka *kafka)
{
    int64_t left = kafka->deadline_ms - now_ms();

    return left > 0 ? (int)left : 0;
}

/* How long the next question may take; at least 1, as 0 would be no time and below it for ever. */
static int ask_ms(const struct kafka *kafka)
{
    int left = left_ms(kafka);

    return left < 1 ? 1 : left < ASK_MS ? left : ASK_MS;
}

/* Whether a question that failed is to be asked again; waits a little when it is. */
static bool ask_again(const struct kafka *kafka, rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || left_ms(kafka) == 0) {
        return false;
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    return true;
}

static int unavailable(const char *what, rd_kafka_resp_err_t code, struct fault *fault)
{
    return fault_set(fault, EX_UNAVAILABLE, "%s: %s", what, rd_kafka_err2str(code));
}

int kafka_open(struct kafka **ret, const char *brokers, const char *group, int timeout_ms,
               struct fault *fault)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},
        {"group.id", group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"enable.partition.eof", "true"},
        {"allow.auto.create.topics", "false"},
        {"check.crcs", "true"},
        {"fetch.wait.max.ms", "100"},
        {"queued.min.messages", "1000000"},
        {"log_level", "0"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
            RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return fault_set(fault, EX_USAGE, "%s", why);
        }
    }
    struct kafka *kafka = memory_new(1, sizeof(*kafka));
    kafka->deadline_ms = now_ms() + timeout_ms;
    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        free(kafka);
        return fault_set(fault, EX_UNAVAILABLE, "the Kafka client cannot start: %s", why);
    }
    /* rd_kafka_new() took conf over. */
    rd_kafka_poll_set_consumer(kafka->rk);
    *ret = kafka;
    return 0;
}

void kafka_close(struct kafka *kafka)
{
    if (kafka) {
        rd_kafka_destroy_flags(kafka->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        free(kafka);
    }
}

/* ---- what there is ---- */

int kafka_partitions(struct kafka *kafka, const char *topic, int *ret, struct fault *fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;

    do { /* of all topics: some brokers create the one that is asked for by name */
        code = rd_kafka_metadata(kafka->rk, 1, NULL, &metadata, ask_ms(kafka));
    } while (ask_again(kafka, code));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return unavailable("no broker answers", code, fault);
    }
    *ret = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, topic) == 0) {
            *ret = metadata->topics[i].partition_cnt;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/*
 * The ends are looked up as times, of which the protocol has two that mean them: the library's own
 * call for ends can hang for ever when the leader is known and gone (2.0.2).
 */
static int find_end(struct kafka *kafka, const char *topic, int32_t partition, int64_t which,
                    int64_t *ret, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry = rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code;

    do {
        entry->offset = which;
        entry->err = RD_KAFKA_RESP_ERR_NO_ERROR;
        code = rd_kafka_offsets_for_times(kafka->rk, list, ask_ms(kafka));
        code = code == RD_KAFKA_RESP_ERR_NO_ERROR ? entry->err : code;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && entry->offset < 0) {
            code = RD_KAFKA_RESP_ERR__FAIL;
        }
    } while (ask_again(kafka, code));
    *ret = entry->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : unavailable("the broker does not tell where a partition ends", code, fault);
}

int kafka_find_ends(struct kafka *kafka, const char *topic, int partitions, struct kafka_ends *ret,
                    struct fault *fault)
{
    for (int32_t i = 0; i < partitions; i++) {
        if (find_end(kafka, topic, i, RD_KAFKA_OFFSET_BEGINNING, &ret[i].low, fault) != 0 ||
            find_end(kafka, topic, i, RD_KAFKA_OFFSET_END, &ret[i].high, fault) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- messages ---- */

static int start(struct kafka *kafka, const char *topic, int partitions,
                 const struct kafka_ends *ends, int *ret_open, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);

    for (int32_t i = 0; i < partitions; i++) {
        if (ends[i].low < ends[i].high) {
            rd_kafka_topic_partition_list_add(list, topic, i)->offset = ends[i].low;
        }
    }
    *ret_open = list->cnt;
    rd_kafka_resp_err_t code = rd_kafka_assign(kafka->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : unavailable(topic, code, fault);
}

/* Whether reading cannot go on, however long one waits. */
static bool is_final(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__FATAL ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

int kafka_read(struct kafka *kafka, const char *topic, int partitions,
               const struct kafka_ends *ends,
               void (*visit)(void *user, const struct kafka_message *message), void *user,
               struct fault *fault)
{
    bool *is_done = memory_new((size_t)partitions, sizeof(*is_done));
    int open = 0;
    int result = start(kafka, topic, partitions, ends, &open, fault);

    while (result == 0 && open > 0 && left_ms(kafka) > 0) {
        rd_kafka_message_t *got = rd_kafka_consumer_poll(kafka->rk, PAUSE_MS);
        bool is_end = got && got->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (got && is_final(got->err)) {
            result = unavailable(rd_kafka_message_errstr(got), got->err, fault);
        } else if (got && (is_end || !got->err) && !is_done[got->partition]) {
            int64_t high = ends[got->partition].high;
            if (!is_end && got->offset < high) {
                visit(user,
                      &(struct kafka_message){.partition = got->partition,
                                              .offset = got->offset,
                                              .timestamp_ms = rd_kafka_message_timestamp(got, NULL),
                                              .key = got->key,
                                              .key_len = got->key_len,
                                              .value = got->payload,
                                              .value_len = got->len});
            }
            is_done[got->partition] = got->offset + !is_end >= high;
            open -= is_done[got->partition];
        }
        if (got) {
            rd_kafka_message_destroy(got);
        }
    }
    rd_kafka_assign(kafka->rk, NULL);
    free(is_done);
    return result == 0 && open > 0
               ? fault_set(fault, EX_UNAVAILABLE, "%s: %d partitions were not read to their ends",
                           topic, open)
               : result;
}

/* ---- the group ---- */

int kafka_read_committed(struct kafka *kafka, const char *topic, int partitions,
                         void (*visit)(void *user, int32_t partition, int64_t offset,
                                       const char *metadata, size_t metadata_len),
                         void *user, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_resp_err_t code;

    rd_kafka_topic_partition_list_add_range(list, topic, 0, partitions - 1);
    do {
        code = rd_kafka_committed(kafka->rk, list, ask_ms(kafka));
        for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
            code = list->elems[i].err;
        }
    } while (ask_again(kafka, code));
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[i];
        bool is_there = entry->offset >= 0;
        visit(user, entry->partition, is_there ? entry->offset : -1,
              is_there ? entry->metadata : NULL, is_there ? entry->metadata_size : 0);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : unavailable("what the group has committed is not known", code, fault);
}
