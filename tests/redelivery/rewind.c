#include "tests/redelivery/redeliver.h"

#include "common/clock.h"
#include "common/kafka_topic.h"
#include "common/stop.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <sysexits.h>

#define ASK_MS  15000
#define POLL_MS 100

int redeliver_open(const struct redeliver *options, const char *group, struct rd_kafka_s **ret,
                   int *ret_partitions, struct error *err)
{
    const struct kafka_property defaults[] = {
        {"client.id", "pay-redeliver"},
        /* The embedded broker lets nobody join for so long after a member has left. */
        {"session.timeout.ms", "6000"},
        {NULL, NULL},
    };
    const struct kafka_property fixed[] = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},
        {"partition.assignment.strategy", "range,roundrobin"},
        {"allow.auto.create.topics", "false"},
        {group ? "group.id" : NULL, group},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (kafka_conf_make(&options->kafka, defaults, fixed, &conf, err) != 0) {
        return -1;
    }
    /* On success the client owns conf. */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
    }
    int result = kafka_topic_partitions(rk, options->kafka.topic, ASK_MS, ret_partitions, err);
    if (result == 0 && *ret_partitions == 0) {
        result = kafka_topic_missing(options->kafka.topic, err);
    }
    if (result != 0) {
        rd_kafka_destroy(rk);
        return -1;
    }
    *ret = rk;
    return 0;
}

/* Where a partition with an offset between low and here is moved to. */
static int64_t target_of(const struct redeliver *options, int64_t low, int64_t here)
{
    int64_t behind = here > low ? here - low : 0;
    int64_t by = options->rewind_by_percent
                     ? behind / 100 * options->rewind_by + behind % 100 * options->rewind_by / 100
                     : options->rewind_by;

    return here - (by < behind ? by : behind);
}

/* Moves the entries of the list, with the metadata that stands there. */
static int move(rd_kafka_t *rk, const struct redeliver *options,
                rd_kafka_topic_partition_list_t *list, int64_t *ret_by, struct error *err)
{
    int64_t low;
    int64_t high;

    for (int i = list->cnt - 1; i >= 0; i--) {
        rd_kafka_topic_partition_t *entry = &list->elems[i];
        if (entry->offset < 0) { /* nothing was committed */
            rd_kafka_topic_partition_list_del_by_idx(list, i);
            continue;
        }
        if (kafka_topic_ends(rk, entry->topic, entry->partition, ASK_MS, &low, &high, err) != 0) {
            return -1;
        }
        int64_t to = target_of(options, low, entry->offset);
        printf("partition %" PRId32 ": %" PRId64 " -> %" PRId64 "\n", entry->partition,
               entry->offset, to);
        *ret_by += entry->offset - to;
        entry->offset = to;
    }
    return list->cnt > 0
               ? 0
               : error_set(err, EX_DATAERR, "group \"%s\" has no offsets for topic \"%s\"",
                           options->group, options->kafka.topic);
}

static rd_kafka_resp_err_t commit(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_commit(rk, list, 0);

    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        code = list->elems[i].err;
    }
    return code;
}

static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/* The embedded broker takes offsets from nobody but a member, even when there is none. */
static bool needs_member(rd_kafka_t *rk, const char *group)
{
    const struct rd_kafka_group_list *groups;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, group, &groups, ASK_MS);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_group_list_destroy(groups);
    }
    return code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
}

/* Join the group. Returns how many partitions of the topic it gives us; all, when we are alone. */
static int join(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t deadline_ms = clock_monotonic_ms() + ASK_MS;
    int assigned = 0;

    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (code == RD_KAFKA_RESP_ERR_NO_ERROR && assigned == 0 && !stop_requested() &&
           clock_monotonic_ms() < deadline_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, POLL_MS);
        if (message) {
            rd_kafka_message_destroy(message);
        }
        code = rd_kafka_assignment(rk, &list);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            assigned = list->cnt;
            rd_kafka_topic_partition_list_destroy(list);
        }
    }
    return assigned;
}

/* A broker takes offsets from outside of a group only while the group has no members. */
static int commit_empty(rd_kafka_t *rk, const struct redeliver *options, int partitions,
                        const rd_kafka_topic_partition_list_t *list, struct error *err)
{
    rd_kafka_resp_err_t code = commit(rk, list);

    if (is_refusal(code) && needs_member(rk, options->group)) {
        if (join(rk, options->kafka.topic) == partitions) {
            code = commit(rk, list);
        }
        (void)rd_kafka_consumer_close(rk); /* leaves the group */
    }
    if (is_refusal(code)) {
        return error_set(err, EX_CONFIG,
                         "group \"%s\" is not empty, and nothing was moved: stop its payd, wait "
                         "for the session timeout if it was killed, and try again",
                         options->group);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : error_set(err, EX_UNAVAILABLE, "the offsets cannot be committed: %s",
                           rd_kafka_err2str(code));
}

int redeliver_rewind(const struct redeliver *options, struct error *err)
{
    rd_kafka_t *rk = NULL;
    int partitions = 0;
    int64_t by = 0;
    int result = -1;

    if (redeliver_open(options, options->group, &rk, &partitions, err) != 0) {
        return -1;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(list, options->kafka.topic, 0, partitions - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(rk, list, ASK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, EX_UNAVAILABLE, "the offsets of group \"%s\" cannot be read: %s",
                  options->group, rd_kafka_err2str(code));
    } else if (move(rk, options, list, &by, err) == 0) {
        result = options->dry_run ? 0 : commit_empty(rk, options, partitions, list, err);
    }
    if (result == 0) {
        printf("%s by %" PRId64 " records in %d partitions\n",
               options->dry_run ? "would be moved back" : "moved back", by, list->cnt);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return result;
}
