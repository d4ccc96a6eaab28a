/*
 * pay-make-topic: makes the topic with the settings that pay and payd ask for, without a JVM.
 */
#include <errno.h>
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define TIMEOUT_MS         15000 /* for everything together */
#define SLICE_MS           1000  /* for one question of several */
#define POLL_MS            100
#define PARTITIONS_DEFAULT 4
#define PROPERTY_SIZE      1024

struct options {
    const char *brokers;
    const char *topic;
    int partitions;
    int replication;
    long long retention_ms;
    bool remove;           /* --delete */
    rd_kafka_conf_t *conf; /* what -X has set */
};

/* What the library said last about a connection: the reason when no broker answers. */
struct last_error {
    char text[512];
};

enum option_code { OPT_PARTITIONS = 256, OPT_REPLICATION, OPT_RETENTION, OPT_DELETE };

static const char usage[] =
    "Usage: pay-make-topic -b HOST:PORT[,...] [-t TOPIC] [--partitions N] [--replication N]\n"
    "                      [--retention-ms N] [-X NAME=VALUE]...\n"
    "       pay-make-topic --delete -b HOST:PORT[,...] [-t TOPIC] [-X NAME=VALUE]...\n"
    "\n"
    "Makes a topic for payments, with cleanup.policy=delete and\n"
    "message.timestamp.type=LogAppendTime. A topic that exists is left as it is.\n"
    "\n"
    "  -b BROKERS         where Kafka is (default: the variable PAY_BROKERS)\n"
    "  -t TOPIC           the topic's name (default: payments)\n"
    "  --partitions N     (default: 4)\n"
    "  --replication N    copies of each message; 3 where payments matter (default: 1)\n"
    "  --retention-ms N   how long Kafka keeps a message; -1 is for ever (default: -1)\n"
    "  -X NAME=VALUE      a property of librdkafka, such as security.protocol=ssl\n"
    "  --delete           delete the topic with all that is in it\n"
    "  --help             this text\n"
    "\n"
    "Exit codes: 0 made, exists or deleted, 64 wrong usage, 69 no broker answers within 15 s, 78 "
    "the\n"
    "broker refuses.\n";

static int fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "pay-make-topic: %s: %s\n", what, why);
    return code;
}

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

static int parse_number(const char *name, long long min, long long max, long long *ret)
{
    char *end;
    char why[80];

    errno = 0;
    long long value = strtoll(optarg, &end, 10);
    if (errno != 0 || end == optarg || *end != '\0' || value < min || value > max) {
        snprintf(why, sizeof(why), "give a number from %lld to %lld", min, max);
        return fail(EX_USAGE, name, why);
    }
    *ret = value;
    return 0;
}

static int parse_small(const char *name, int max, int *ret)
{
    long long value = 0;
    int code = parse_number(name, 1, max, &value);

    *ret = (int)value;
    return code;
}

static int set_property(rd_kafka_conf_t *conf, const char *text)
{
    char name[PROPERTY_SIZE];
    char why[512];
    int len = snprintf(name, sizeof(name), "%s", text);
    char *equals = strchr(name, '=');

    if (len < 0 || len >= (int)sizeof(name) || !equals) {
        return fail(EX_USAGE, "-X", "give NAME=VALUE of at most 1023 bytes");
    }
    *equals = '\0';
    if (rd_kafka_conf_set(conf, name, equals + 1, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        return fail(EX_USAGE, name, why);
    }
    return 0;
}

static int parse_option(int option, struct options *options)
{
    switch (option) {
    case 'b':
        options->brokers = optarg;
        return 0;
    case 't':
        options->topic = optarg;
        return 0;
    case 'X':
        return set_property(options->conf, optarg);
    case OPT_PARTITIONS:
        return parse_small("--partitions", 10000, &options->partitions);
    case OPT_REPLICATION:
        return parse_small("--replication", 100, &options->replication);
    case OPT_RETENTION:
        return parse_number("--retention-ms", -1, 1LL << 60, &options->retention_ms);
    case OPT_DELETE:
        options->remove = true;
        return 0;
    default:
        return fail(EX_USAGE, "wrong usage", "see pay-make-topic --help");
    }
}

/* Returns 0, an exit code, or -1 when --help was asked for. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"partitions", required_argument, NULL, OPT_PARTITIONS},
        {"replication", required_argument, NULL, OPT_REPLICATION},
        {"retention-ms", required_argument, NULL, OPT_RETENTION},
        {"delete", no_argument, NULL, OPT_DELETE},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "b:t:X:h", table, NULL)) != -1) {
        int code = option == 'h' ? -1 : parse_option(option, options);
        if (code != 0) {
            return code;
        }
    }
    if (optind < argc) {
        return fail(EX_USAGE, argv[optind], "not an option, see pay-make-topic --help");
    }
    if (!options->brokers || options->brokers[0] == '\0') {
        return fail(EX_USAGE, "no broker is named", "use -b HOST:PORT or PAY_BROKERS");
    }
    return 0;
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

static int no_answer(const struct options *options, const struct last_error *last)
{
    char what[512];

    snprintf(what, sizeof(what), "no broker answers at %s within %d s", options->brokers,
             TIMEOUT_MS / 1000);
    return fail(EX_UNAVAILABLE, what,
                last->text[0] ? last->text : "check the address, and that Kafka runs");
}

/* Takes options->conf over. */
static rd_kafka_t *connect_to(struct options *options, struct last_error *last)
{
    char why[512];
    rd_kafka_conf_t *conf = options->conf;

    options->conf = NULL;
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_error_cb(conf, keep_error);
    rd_kafka_conf_set_opaque(conf, last);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", options->brokers, why, sizeof(why)) !=
        RD_KAFKA_CONF_OK) {
        fail(EX_USAGE, options->brokers, why);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    /* On success the client owns conf. */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk) {
        fail(EX_USAGE, "the client cannot be started", why);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

static rd_kafka_NewTopic_t *new_topic(const struct options *options, char *why, size_t size)
{
    char retention[32];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(options->topic, options->partitions, options->replication, why, size);

    if (topic) {
        snprintf(retention, sizeof(retention), "%lld", options->retention_ms);
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
        rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
        rd_kafka_NewTopic_set_config(topic, "retention.ms", retention);
    }
    return topic;
}

/* Sets *made, or returns an exit code. */
static int read_answer(rd_kafka_event_t *event, const struct options *options, bool *made)
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
        return fail(
            EX_UNAVAILABLE, options->topic,
            "the broker cannot be asked to make it (pay-broker makes its topics at its start)");
    }
    return fail(EX_CONFIG, options->topic, text ? text : rd_kafka_err2str(code));
}

static int create(rd_kafka_t *rk, const struct options *options, long long deadline_ms, bool *made)
{
    char why[512];
    rd_kafka_NewTopic_t *topic = new_topic(options, why, sizeof(why));

    if (!topic) {
        return fail(EX_USAGE, options->topic, why);
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

static bool is_ready(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int t = 0; t < metadata->topic_cnt; t++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[t];
        if (strcmp(topic->topic, name) == 0) {
            for (int p = 0; p < topic->partition_cnt; p++) {
                if (topic->partitions[p].leader < 0) {
                    return false;
                }
            }
            return topic->partition_cnt > 0;
        }
    }
    return false;
}

/*
 * Wait until a broker answers and set *ret_listed: is the topic there, with a leader for every
 * partition? With listed_only wait for that too: brokers learn of a new topic a moment after the
 * controller has made it. Topics are listed, never asked for by name, because asking can create
 * one. Returns false when the time is over.
 */
static bool wait_for(rd_kafka_t *rk, const char *topic, bool listed_only, long long deadline_ms,
                     bool *ret_listed)
{
    const struct rd_kafka_metadata *metadata;

    while (left_ms(deadline_ms) > 0) {
        int slice_ms = left_ms(deadline_ms) < SLICE_MS ? left_ms(deadline_ms) : SLICE_MS;
        if (rd_kafka_metadata(rk, 1 /* all */, NULL, &metadata, slice_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            *ret_listed = is_ready(metadata, topic);
            rd_kafka_metadata_destroy(metadata);
            if (*ret_listed || !listed_only) {
                return true;
            }
        }
        /* Also brings the reasons to keep_error(). */
        rd_kafka_poll(rk, POLL_MS);
    }
    return false;
}

static int make_topic(rd_kafka_t *rk, const struct options *options, const struct last_error *last)
{
    long long deadline_ms = now_ms() + TIMEOUT_MS;
    bool listed = false;
    bool made = false;

    if (!wait_for(rk, options->topic, false, deadline_ms, &listed)) {
        return no_answer(options, last);
    }
    int code = listed ? 0 : create(rk, options, deadline_ms, &made);
    if (code != 0) {
        return code;
    }
    if (!made) {
        printf("topic %s exists\n", options->topic);
        return 0;
    }
    if (!wait_for(rk, options->topic, true, deadline_ms, &listed)) {
        return fail(EX_UNAVAILABLE, options->topic, "made, but it has no leader yet");
    }
    printf("topic %s made: partitions=%d replication=%d retention.ms=%lld\n", options->topic,
           options->partitions, options->replication, options->retention_ms);
    return 0;
}

static int delete_topic(rd_kafka_t *rk, const struct options *options)
{
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
        printf("topic %s deleted\n", options->topic);
        return 0;
    }
    return fail(code == RD_KAFKA_RESP_ERR__TIMED_OUT ? EX_UNAVAILABLE : EX_CONFIG, options->topic,
                rd_kafka_err2str(code));
}

int main(int argc, char **argv)
{
    struct last_error last = {{0}};
    struct options options = {
        .brokers = getenv("PAY_BROKERS"),
        .topic = "payments",
        .partitions = PARTITIONS_DEFAULT,
        .replication = 1,
        .retention_ms = -1,
        .conf = rd_kafka_conf_new(),
    };
    int code = parse_options(argc, argv, &options);

    if (code != 0) {
        rd_kafka_conf_destroy(options.conf);
        if (code == -1) {
            fputs(usage, stdout);
        }
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
