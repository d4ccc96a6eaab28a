#include "consumer/inbox.h"

#include "common/kafka_topic.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define TEXT_OF(number)       #number
#define NUMBER_TEXT(constant) TEXT_OF(constant)

#define COMMIT_EVERY_MS 100  /* offsets committed to Kafka are for lag tools: no hurry */
#define WATERMARK_MS    1500 /* how long the question for a partition's ends may take */
#define TOPIC_MS        2000 /* the same for the topic; payd asks again */

static const struct kafka_property defaults[] = {
    {"client.id", "payd"},
    {"session.timeout.ms", "10000"},
    /* Without a high mark here a fast consumer waits for the fetch back-off again and again. */
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", NUMBER_TEXT(INBOX_QUEUE_KIB)},
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

/* What is known of one assigned partition. */
struct inbox_partition {
    int32_t partition;
    int64_t noted;     /* the next offset to commit to Kafka */
    int64_t committed; /* the last one that was sent there */
    bool at_end;
};

enum rebalance { REBALANCE_NONE, REBALANCE_ASSIGN, REBALANCE_REVOKE };

struct inbox {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    char *topic;
    bool skip_topic_check;
    bool closing;
    struct inbox_callbacks callbacks;

    /* The rebalance callback only takes notes; inbox_poll() acts on them between two batches. */
    enum rebalance pending;
    rd_kafka_topic_partition_list_t *pending_list;

    struct inbox_partition *partitions; /* by partition number, for the assigned ones */
    size_t partition_count;
    int64_t commit_due_ms; /* 0 = nothing to commit */

    rd_kafka_message_t *taken[CHUNK_MESSAGES_MAX];
    size_t taken_count;
    struct inbox_message messages[CHUNK_MESSAGES_MAX];
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note(struct inbox *inbox, const char *what, const char *text)
{
    inbox->callbacks.note(inbox->callbacks.user, what, text);
}

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
    note(opaque, rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static void on_offset_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                             rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)rk;
    (void)list;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        note(opaque, "offset_commit", rd_kafka_err2str(code));
    }
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
    rd_kafka_conf_set_opaque(conf, inbox);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_offset_commit);
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
    return inbox->skip_topic_check ? 0 : kafka_topic_check(inbox->rk, inbox->topic, TOPIC_MS, err);
}

char *inbox_cluster(struct inbox *inbox, struct error *err)
{
    char *id = rd_kafka_clusterid(inbox->rk, TOPIC_MS);
    char *copy = id ? strdup(id) : NULL;

    if (id) {
        rd_kafka_mem_free(inbox->rk, id);
    }
    if (!copy) {
        error_set(err, EX_UNAVAILABLE, "the broker does not tell the id of its cluster");
    }
    return copy;
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

/* ---- offsets to Kafka ---- */

static struct inbox_partition *find_partition(struct inbox *inbox, int32_t partition)
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
    return list;
}

/* Sends what is due; the answer comes to on_offset_commit(). */
static void commit_due(struct inbox *inbox)
{
    if (inbox->commit_due_ms == 0 || monotonic_ms() < inbox->commit_due_ms) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = list_noted(inbox);
    if (list) {
        rd_kafka_commit(inbox->rk, list, 1 /* asynchronous */);
        rd_kafka_topic_partition_list_destroy(list);
    }
}

/* Sends all that is noted and waits for the answer, but not for long. */
static void commit_all(struct inbox *inbox)
{
    rd_kafka_topic_partition_list_t *list = list_noted(inbox);

    if (!list) {
        return;
    }
    rd_kafka_queue_t *answer = rd_kafka_queue_new(inbox->rk);
    if (rd_kafka_commit_queue(inbox->rk, list, answer, NULL, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(answer, INBOX_CLOSE_MS);
        rd_kafka_resp_err_t code =
            event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        on_offset_commit(inbox->rk, code, list, inbox);
        if (event) {
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(answer);
    rd_kafka_topic_partition_list_destroy(list);
}

void inbox_commit(struct inbox *inbox, int32_t partition, int64_t next_offset)
{
    struct inbox_partition *entry = find_partition(inbox, partition);

    if (entry && entry->noted != next_offset) {
        entry->noted = next_offset;
        if (inbox->commit_due_ms == 0) {
            inbox->commit_due_ms = monotonic_ms() + COMMIT_EVERY_MS;
        }
    }
}

int64_t inbox_lag(struct inbox *inbox)
{
    int64_t lag = 0;

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
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        inbox->rk, inbox->topic, partition->partition, &low, &high, WATERMARK_MS);

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note(inbox, "watermarks", rd_kafka_err2str(code));
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

static int take_partitions(struct inbox *inbox, const rd_kafka_topic_partition_list_t *list,
                           struct error *err)
{
    size_t count = (size_t)list->cnt;

    if (count > CHUNK_PARTITIONS_MAX) {
        return error_set(err, EX_CONFIG, "topic \"%s\" has more than %d partitions", inbox->topic,
                         CHUNK_PARTITIONS_MAX);
    }
    inbox->partitions = calloc(count + 1, sizeof(*inbox->partitions));
    if (!inbox->partitions) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        inbox->partitions[i].partition = list->elems[i].partition;
        inbox->partitions[i].noted = list->elems[i].offset;
        inbox->partitions[i].committed = list->elems[i].offset;
    }
    inbox->partition_count = count;
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

static int revoke(struct inbox *inbox, struct error *err)
{
    if (!rd_kafka_assignment_lost(inbox->rk)) {
        commit_all(inbox);
    }
    forget_partitions(inbox);
    pending_done(inbox);
    tell_assigned(inbox, NULL);
    rd_kafka_resp_err_t code = rd_kafka_assign(inbox->rk, NULL);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : error_set(err, EX_UNAVAILABLE, "unassign: %s", rd_kafka_err2str(code));
}

static int assign(struct inbox *inbox, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = inbox->pending_list;

    for (int i = 0; i < list->cnt; i++) {
        int result = find_start(inbox, &list->elems[i], err);
        if (result != 0) {
            return result < 0 ? -1 : 0; /* still pending: the next poll asks again */
        }
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

static int follow_rebalance(struct inbox *inbox, struct error *err)
{
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

/* ---- poll ---- */

static void drop_taken(struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->taken_count; i++) {
        rd_kafka_message_destroy(inbox->taken[i]);
    }
    inbox->taken_count = 0;
}

/* A lone message goes at once; what else is there already comes along. */
static void take(struct inbox *inbox, int timeout_ms)
{
    rd_kafka_message_t *first = rd_kafka_consumer_poll(inbox->rk, timeout_ms);

    if (!first) {
        return;
    }
    inbox->taken[inbox->taken_count++] = first;
    if (inbox->pending == REBALANCE_NONE) {
        ssize_t more =
            rd_kafka_consume_batch_queue(inbox->queue, 0, inbox->taken + 1, CHUNK_MESSAGES_MAX - 1);
        inbox->taken_count += more > 0 ? (size_t)more : 0;
    }
}

/* Errors that the client gets over by itself. */
static bool is_passing(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
        return true;
    default:
        return false;
    }
}

/* Anything that is not known to pass stops: behind it the client may skip records. */
static int check_error(struct inbox *inbox, const rd_kafka_message_t *message, struct error *err)
{
    const char *text = rd_kafka_message_errstr(message);

    if (is_passing(message->err)) {
        note(inbox, rd_kafka_err2name(message->err), text);
        return 0;
    }
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "]: the log does not hold the store's position any more: %s",
                         inbox->topic, message->partition, text);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return error_set(err, EX_CONFIG, "access is refused: %s", text);
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
        return error_set(err, EX_IOERR, "%s[%" PRId32 "]@%" PRId64 ": a record cannot be read: %s",
                         inbox->topic, message->partition, message->offset, text);
    default:
        return error_set(err, EX_UNAVAILABLE, "the Kafka client stopped: %s: %s",
                         rd_kafka_err2name(message->err), text);
    }
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
static int show_taken(struct inbox *inbox, size_t *ret_count, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < inbox->taken_count; i++) {
        rd_kafka_message_t *message = inbox->taken[i];
        struct inbox_partition *entry = find_partition(inbox, message->partition);
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
            inbox->messages[count++] = (struct inbox_message){
                .origin = {message->partition, message->offset, 0}, .is_end = true};
        } else {
            show_message(&inbox->messages[count++], message);
        }
    }
    *ret_count = count;
    return 0;
}

int inbox_poll(struct inbox *inbox, int timeout_ms, const struct inbox_message **ret,
               size_t *ret_count, struct error *err)
{
    drop_taken(inbox);
    *ret = inbox->messages;
    *ret_count = 0;
    commit_due(inbox);
    if (inbox->pending == REBALANCE_NONE) {
        take(inbox, timeout_ms);
    }
    if (inbox->pending != REBALANCE_NONE) {
        /* What was taken belongs to the old assignment; the new one starts from the store. */
        drop_taken(inbox);
        return follow_rebalance(inbox, err);
    }
    return show_taken(inbox, ret_count, err);
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

/* ---- close ---- */

/* Leaves the group within INBOX_CLOSE_MS, or gives up. */
static bool leave_group(struct inbox *inbox)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(inbox->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(inbox->rk, queue);
    int64_t deadline = monotonic_ms() + INBOX_CLOSE_MS;

    if (error) {
        rd_kafka_error_destroy(error);
        rd_kafka_queue_destroy(queue);
        return rd_kafka_consumer_closed(inbox->rk);
    }
    while (!rd_kafka_consumer_closed(inbox->rk) && monotonic_ms() < deadline) {
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

static void close_client(struct inbox *inbox)
{
    bool closed = true;

    if (inbox->queue) {
        drop_taken(inbox); /* a message that is held can keep the close waiting */
        commit_all(inbox);
        inbox->closing = true;
        closed = leave_group(inbox);
        rd_kafka_queue_destroy(inbox->queue);
    }
    if (closed) {
        rd_kafka_destroy(inbox->rk);
    }
    /* A client that cannot close would wait here for its broker: it ends with the process. */
}

void inbox_close(struct inbox *inbox)
{
    if (!inbox) {
        return;
    }
    if (inbox->rk) {
        close_client(inbox);
    }
    if (inbox->pending_list) {
        rd_kafka_topic_partition_list_destroy(inbox->pending_list);
    }
    free(inbox->partitions);
    free(inbox->topic);
    free(inbox);
}
