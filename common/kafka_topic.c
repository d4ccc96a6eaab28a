#include "common/kafka_topic.h"

#include "common/clock.h"
#include "common/failpoint.h"
#include "common/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/*
 * Questions are asked in slices, so that a stop is noticed; each is longer than the one before,
 * since a late answer is not waited for again.
 */
#define SLICE_MS     500
#define SLICE_MAX_MS 2000

#define ASK_MS   5000 /* what one question is given, */
#define AGAIN_MS 100  /* and what is waited before the next */

static const struct {
    const char *name;
    const char *value;
    const char *why;
} wanted[] = {
    {"cleanup.policy", "delete", "compaction would drop payments"},
    {"message.timestamp.type", "LogAppendTime",
     "with a client's clock the broker may delete payments that it acknowledged"},
};

/* Asks until there is an answer, the time is over, or a stop is requested. */
static rd_kafka_resp_err_t list_topics(rd_kafka_t *rk, int timeout_ms,
                                       const struct rd_kafka_metadata **ret)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    int left = timeout_ms;

    for (int next = SLICE_MS; left > 0 && !stop_requested();) {
        int slice = next;
        next = 2 * slice < SLICE_MAX_MS ? 2 * slice : SLICE_MAX_MS;
        slice = left - slice < next ? left : slice; /* the last one takes what is left */
        code = rd_kafka_metadata(rk, 1 /* all */, NULL, ret, slice);
        left -= slice;
        if (code != RD_KAFKA_RESP_ERR__TIMED_OUT && code != RD_KAFKA_RESP_ERR__TRANSPORT) {
            break;
        }
    }
    return code;
}

int kafka_topic_partitions(struct rd_kafka_s *rk, const char *topic, int timeout_ms,
                           int *ret_partitions, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = list_topics(rk, timeout_ms, &metadata);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, EX_UNAVAILABLE, "no broker answers: %s", rd_kafka_err2str(code));
    }
    *ret_partitions = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, topic) == 0) {
            *ret_partitions = metadata->topics[i].partition_cnt;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* The first offset that is not older than a time; below 0 when there is none. */
static rd_kafka_resp_err_t look_up(rd_kafka_t *rk, const char *topic, int32_t partition,
                                   int timeout_ms, int64_t unix_ms, int64_t *ret)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry = rd_kafka_topic_partition_list_add(list, topic, partition);

    entry->offset = unix_ms;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    code = code == RD_KAFKA_RESP_ERR_NO_ERROR ? entry->err : code;
    *ret = entry->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/*
 * One end: a look-up by time takes the protocol's names for the ends as times. The library's call
 * for both ends, rd_kafka_query_watermark_offsets(), waits for ever once the broker is gone (seen
 * with 2.0.2: its time limit covers only the search for the leader).
 */
static rd_kafka_resp_err_t find_end(rd_kafka_t *rk, const char *topic, int32_t partition,
                                    int timeout_ms, int64_t name, int64_t *ret)
{
    rd_kafka_resp_err_t code = look_up(rk, topic, partition, timeout_ms, name, ret);

    return code == RD_KAFKA_RESP_ERR_NO_ERROR && *ret < 0 ? RD_KAFKA_RESP_ERR__FAIL : code;
}

int kafka_topic_ends(struct rd_kafka_s *rk, const char *topic, int32_t partition, int timeout_ms,
                     int64_t *ret_low, int64_t *ret_high, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    int64_t low;
    int64_t high = 0;
    rd_kafka_resp_err_t code =
        find_end(rk, topic, partition, timeout_ms, RD_KAFKA_OFFSET_BEGINNING, &low);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t left = deadline - clock_monotonic_ms();
        code = find_end(rk, topic, partition, left > 1 ? (int)left : 1, RD_KAFKA_OFFSET_END, &high);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, EX_UNAVAILABLE,
                         "%s[%" PRId32 "]: the broker does not tell what it holds: %s", topic,
                         partition, rd_kafka_err2str(code));
    }
    *ret_low = low;
    *ret_high = high;
    return 0;
}

int kafka_topic_offset_at(struct rd_kafka_s *rk, const char *topic, int32_t partition,
                          int64_t unix_ms, int timeout_ms, int64_t *ret, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    rd_kafka_resp_err_t code = look_up(rk, topic, partition, timeout_ms, unix_ms, ret);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && *ret < 0) { /* nothing is so new */
        int64_t left = deadline - clock_monotonic_ms();
        code = find_end(rk, topic, partition, left > 1 ? (int)left : 1, RD_KAFKA_OFFSET_END, ret);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : error_set(err, EX_UNAVAILABLE,
                           "%s[%" PRId32 "]: the broker does not tell what it held then: %s", topic,
                           partition, rd_kafka_err2str(code));
}

char *kafka_topic_cluster(struct rd_kafka_s *rk, int timeout_ms, struct error *err)
{
    char *id = rd_kafka_clusterid(rk, timeout_ms);
    char *copy = id ? strdup(id) : NULL;

    if (id) {
        rd_kafka_mem_free(rk, id);
    }
    if (!copy) {
        error_set(err, EX_UNAVAILABLE, "the broker does not tell the id of its cluster");
    }
    return copy;
}

int kafka_topic_missing(const char *topic, struct error *err)
{
    return error_set(err, EX_UNAVAILABLE,
                     "there is no topic \"%s\": create it with cleanup.policy=delete and "
                     "message.timestamp.type=LogAppendTime",
                     topic);
}

/* The value of a setting, NULL when the broker does not tell it. */
static const char *setting(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0) {
            return rd_kafka_ConfigEntry_value(entries[i]);
        }
    }
    return NULL;
}

/* Reads what is wanted from a topic's settings. */
typedef int settings_reader(const rd_kafka_ConfigResource_t *resource, const char *topic,
                            void *user, struct error *err);

static int check_settings(const rd_kafka_ConfigResource_t *resource, const char *topic, void *user,
                          struct error *err)
{
    (void)user;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const char *value = setting(resource, wanted[i].name);
        if (!value || strcmp(value, wanted[i].value) != 0) {
            return error_set(err, EX_CONFIG, "topic \"%s\" has %s=%s: set it to %s (%s)", topic,
                             wanted[i].name, value ? value : "?", wanted[i].value, wanted[i].why);
        }
    }
    return 0;
}

static int read_retention(const rd_kafka_ConfigResource_t *resource, const char *topic, void *user,
                          struct error *err)
{
    const char *value = setting(resource, "retention.ms");
    char *end = NULL;
    int64_t *ret_ms = user;

    errno = 0;
    *ret_ms = value ? strtoll(value, &end, 10) : 0;
    return value && *end == '\0' && errno == 0 && *ret_ms >= -1
               ? 0
               : error_set(err, EX_CONFIG, "topic \"%s\" has retention.ms=%s, which is no time",
                           topic, value ? value : "?");
}

static bool is_away(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT;
}

static rd_kafka_resp_err_t answer_code(rd_kafka_event_t *event, const char **ret_text)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    size_t count;

    *ret_text = rd_kafka_event_error_string(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (count != 1) {
        return RD_KAFKA_RESP_ERR__BAD_MSG;
    }
    *ret_text = rd_kafka_ConfigResource_error_string(resources[0]);
    return rd_kafka_ConfigResource_error(resources[0]);
}

static int read_answer(rd_kafka_event_t *event, const char *topic, settings_reader *read,
                       void *user, struct error *err)
{
    size_t count;
    const char *text = "no answer";
    rd_kafka_resp_err_t code = event ? answer_code(event, &text) : RD_KAFKA_RESP_ERR__TIMED_OUT;

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, is_away(code) ? EX_UNAVAILABLE : EX_CONFIG,
                         "the settings of topic \"%s\" cannot be read: %s "
                         "(--skip-topic-check goes on without, at your risk)",
                         topic, text ? text : rd_kafka_err2str(code));
    }
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    return read(resources[0], topic, user, err);
}

/* One question. Returns its answer, NULL when there is none until the deadline or a stop. */
static rd_kafka_event_t *ask_settings(rd_kafka_t *rk, const char *topic, int timeout_ms,
                                      rd_kafka_queue_t *queue)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_event_t *event = NULL;
    char why[128];

    /* The defaults of these options are not longer than ours, so a refusal changes nothing. */
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
    FAILPOINT("before-topic-check");
    rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
    for (int left = timeout_ms; !event && left > 0 && !stop_requested(); left -= SLICE_MS) {
        event = rd_kafka_queue_poll(queue, SLICE_MS);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    return event;
}

static int read_settings(rd_kafka_t *rk, const char *topic, int timeout_ms, settings_reader *read,
                         void *user, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_event_t *event = NULL;
    const char *text;
    bool answered = false;

    /* The client asks once, and may wait for a broker that is gone: it is told to ask again. */
    for (int64_t left = timeout_ms; !answered && left > 0 && !stop_requested();
         left = deadline - clock_monotonic_ms()) {
        if (event) {
            rd_kafka_event_destroy(event);
            (void)stop_wait(AGAIN_MS);
        }
        event = ask_settings(rk, topic, left < ASK_MS ? (int)left : ASK_MS, queue);
        answered = event && !is_away(answer_code(event, &text));
    }
    int result = read_answer(event, topic, read, user, err);

    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return result;
}

int kafka_topic_check(struct rd_kafka_s *rk, const char *topic, int timeout_ms, struct error *err)
{
    return read_settings(rk, topic, timeout_ms, check_settings, NULL, err);
}

int kafka_topic_retention(struct rd_kafka_s *rk, const char *topic, int timeout_ms, int64_t *ret_ms,
                          struct error *err)
{
    return read_settings(rk, topic, timeout_ms, read_retention, ret_ms, err);
}
