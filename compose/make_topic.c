/*
 * pay-make-topic: makes the topic with the settings that pay and payd ask for, without a JVM.
 */
#include "compose/make_topic_options.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define TIMEOUT_MS 15000 /* for everything together */
#define SLICE_MS   1000  /* for one question of several */
#define POLL_MS    100

/* What the library said last about a connection: the reason when no broker answers. */
struct last_error {
    char text[512];
};

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_ms(long long deadline_ms)
{
    long long left = deadline_ms - now_ms();

    return left > 0 ? (int)left : 0;
}

static void keep_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct last_error *last = opaque;

    (void)rk;
    /* "All brokers are down" says less than the reason that came before it. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || last->text[0] == '\0') {
        snprintf(last->text, sizeof(last->text), "%s", reason);
    }
}

static int no_answer(const struct topic_options *options, const struct last_error *last)
{
    char what[512];

    snprintf(what, sizeof(what), "no broker answers at %s within %d s", options->brokers,
             TIMEOUT_MS / 1000);
    return topic_fail(EX_UNAVAILABLE, what,
                      last->text[0] ? last->text : "check the address, and that Kafka runs");
}

/* Takes options->conf over. */
static rd_kafka_t *connect_to(struct topic_options *options, struct last_error *last)
{
    char why[512];
    rd_kafka_conf_t *conf = options->conf;

    options->conf = NULL;
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_error_cb(conf, keep_error);
    rd_kafka_conf_set_opaque(conf, last);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", options->brokers, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK) {
        topic_fail(EX_USAGE, options->brokers, why);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    /* On success the client owns conf. */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk) {
        topic_fail(EX_USAGE, "the client cannot be started", why);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

static rd_kafka_NewTopic_t *new_topic(const struct topic_options *options, char *why, size_t size)
{
    char retention[32];
    char min_isr[32];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(options->topic, options->partitions, options->replication, why, size);

    if (topic) {
        snprintf(retention, sizeof(retention), "%lld", options->retention_ms);
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
        rd_kafka_NewTopic_set_config(topic, "retention.ms", retention);
        if (options->min_isr > 0) {
            snprintf(min_isr, sizeof(min_isr), "%d", options->min_isr);
            rd_kafka_NewTopic_set_config(topic, "min.insync.replicas", min_isr);
        }
    }
    return topic;
}

/* Sets *made, or returns an exit code. */
static int read_answer(rd_kafka_event_t *event, const struct topic_options *options, bool *made)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    size_t count = 0;

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && result) {
        const rd_kafka_topic_result_t **topics =
            rd_kafka_CreateTopics_result_topics(result, &count);
        code = rd_kafka_topic_result_error(topics[0]);
        text = rd_kafka_topic_result_error_string(topics[0]);
    }
    *made = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (*made || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return 0;
    }
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT) {
        return topic_fail(
            EX_UNAVAILABLE, options->topic,
            "the broker cannot be asked to make it (pay-broker makes its topics at its start)");
    }
    return topic_fail(EX_CONFIG, options->topic, text ? text : rd_kafka_err2str(code));
}

static int create(rd_kafka_t *rk, const struct topic_options *options, long long deadline_ms,
                  bool *made)
{
    char why[512];
    rd_kafka_NewTopic_t *topic = new_topic(options, why, sizeof(why));

    if (!topic) {
        return topic_fail(EX_USAGE, options->topic, why);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *admin = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    /* Refused only outside 0 to 3,600,000 ms. */
    (void)rd_kafka_AdminOptions_set_request_timeout(admin, left_ms(deadline_ms), why, sizeof(why));
    rd_kafka_CreateTopics(rk, &topic, 1, admin, queue);
    /* The request's own timeout always brings an event. */
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, -1);
    int code = read_answer(event, options, made);

    rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return code;
}

enum listing {
    LISTING_NONE,     /* the topic is not there */
    LISTING_UNLED,    /* it is, but not every partition has a leader */
    LISTING_COMPLETE, /* it is */
    LISTING_ANY,      /* to be waited for: what the first answer says */
};

static enum listing find_topic(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int t = 0; t < metadata->topic_cnt; t++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[t];
        if (strcmp(topic->topic, name) == 0) {
            for (int p = 0; p < topic->partition_cnt; p++) {
                if (topic->partitions[p].leader < 0) {
                    return LISTING_UNLED;
                }
            }
            return topic->partition_cnt > 0 ? LISTING_COMPLETE : LISTING_UNLED;
        }
    }
    return LISTING_NONE;
}

/*
 * Wait until a broker lists the topics as wanted and set *ret. Brokers learn what the controller
 * has made or deleted a moment later. Topics are listed, never asked for by name, because asking
 * can create one. Returns false when the time is over.
 */
static bool wait_for(rd_kafka_t *rk, const char *topic, enum listing wanted, long long deadline_ms,
                     enum listing *ret)
{
    const struct rd_kafka_metadata *metadata;

    while (left_ms(deadline_ms) > 0) {
        int slice_ms = left_ms(deadline_ms) < SLICE_MS ? left_ms(deadline_ms) : SLICE_MS;
        if (rd_kafka_metadata(rk, 1 /* all */, NULL, &metadata, slice_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            *ret = find_topic(metadata, topic);
            rd_kafka_metadata_destroy(metadata);
            if (*ret == wanted || wanted == LISTING_ANY) {
                return true;
            }
        }
        /* Also brings the reasons to keep_error(). */
        rd_kafka_poll(rk, POLL_MS);
    }
    return false;
}

static int make_topic(rd_kafka_t *rk, const struct topic_options *options,
                      const struct last_error *last)
{
    long long deadline_ms = now_ms() + TIMEOUT_MS;
    enum listing listing = LISTING_NONE;
    bool made = false;

    if (!wait_for(rk, options->topic, LISTING_ANY, deadline_ms, &listing)) {
        return no_answer(options, last);
    }
    int code = listing == LISTING_COMPLETE ? 0 : create(rk, options, deadline_ms, &made);
    if (code != 0) {
        return code;
    }
    if (!made) {
        printf("topic %s exists\n", options->topic);
        return 0;
    }
    if (!wait_for(rk, options->topic, LISTING_COMPLETE, deadline_ms, &listing)) {
        return topic_fail(EX_UNAVAILABLE, options->topic, "made, but it has no leader yet");
    }
    printf("topic %s made: partitions=%d replication=%d retention.ms=%lld\n", options->topic,
           options->partitions, options->replication, options->retention_ms);
    return 0;
}

static int delete_topic(rd_kafka_t *rk, const struct topic_options *options)
{
    long long deadline_ms = now_ms() + TIMEOUT_MS;
    enum listing listing;
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(options->topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    size_t count = 0;

    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_topic_result_t **topics =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
        code = rd_kafka_topic_result_error(topics[0]);
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(topic);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        /* Else who makes it anew at once is told that it exists, and it is gone a moment later. */
        if (!wait_for(rk, options->topic, LISTING_NONE, deadline_ms, &listing)) {
            return topic_fail(EX_UNAVAILABLE, options->topic, "deleted, but still listed");
        }
        printf("topic %s deleted\n", options->topic);
        return 0;
    }
    return topic_fail(code == RD_KAFKA_RESP_ERR__TIMED_OUT ? EX_UNAVAILABLE : EX_CONFIG,
                      options->topic, rd_kafka_err2str(code));
}

int main(int argc, char **argv)
{
    struct last_error last = {{0}};
    struct topic_options options = topic_options_default();
    int code = topic_options_parse(argc, argv, &options);

    if (code != 0) {
        rd_kafka_conf_destroy(options.conf);
        return code == -1 ? 0 : code;
    }
    rd_kafka_t *rk = connect_to(&options, &last);
    if (!rk) {
        return EX_USAGE;
    }
    code = options.remove ? delete_topic(rk, &options) : make_topic(rk, &options, &last);
    rd_kafka_destroy(rk);
    return code;
}
