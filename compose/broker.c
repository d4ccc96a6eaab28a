/*
 * pay-broker: a Kafka broker in memory, for a first run without Kafka. It is librdkafka's mock
 * cluster with a command line.
 */
#include <errno.h>
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TOPICS_MAX         16
#define TOPIC_NAME_MAX     249 /* Kafka's own limit */
#define PARTITIONS_MAX     1000
#define PARTITIONS_DEFAULT 4
#define PATH_SIZE          4096

struct topic {
    char name[TOPIC_NAME_MAX + 1];
    int partitions;
};

struct options {
    const char *port_file; /* NULL: none is written */
    struct topic topics[TOPICS_MAX];
    size_t topic_count;
};

static const char usage[] =
    "Usage: pay-broker [--port-file FILE] [--topic NAME[:PARTITIONS]]...\n"
    "\n"
    "A Kafka broker in memory, on a free port of 127.0.0.1, for trying out. Prints\n"
    "bootstrap=HOST:PORT when it is ready and runs until SIGTERM or Ctrl-C.\n"
    "Never for real money: it keeps about 5 MB a partition, drops the oldest messages beyond\n"
    "that, and everything in it is gone when it stops.\n"
    "It cannot tell a topic's settings: start pay and payd with --skip-topic-check.\n"
    "\n"
    "  --port-file FILE           write HOST:PORT to FILE when ready; removed at the end\n"
    "  --topic NAME[:PARTITIONS]  a topic to begin with; may be repeated (default: payments:4\n"
    "                             and payments.outcomes:4; without PARTITIONS: 4)\n"
    "  --help                     this text\n"
    "\n"
    "Exit codes: 0 ended by a signal, 64 wrong usage, 70 the broker cannot be started,\n"
    "73 FILE cannot be written.\n";

static int fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "pay-broker: %s: %s\n", what, why);
    return code;
}

static int parse_topic(const char *text, struct topic *topic)
{
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    long partitions = PARTITIONS_DEFAULT;

    if (len == 0 || len > TOPIC_NAME_MAX) {
        return fail(EX_USAGE, text, "a topic's name has 1 to 249 bytes");
    }
    if (colon) {
        char *end;
        partitions = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != '\0' || partitions < 1 || partitions > PARTITIONS_MAX) {
            return fail(EX_USAGE, text, "a topic has 1 to 1000 partitions, as in payments:4");
        }
    }
    memcpy(topic->name, text, len);
    topic->name[len] = '\0';
    topic->partitions = (int)partitions;
    return 0;
}

/* Returns 0, an exit code, or -1 when --help was asked for. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"port-file", required_argument, NULL, 'p'},
        {"topic", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;
    int code = 0;

    while (code == 0 && (option = getopt_long(argc, argv, "t:h", table, NULL)) != -1) {
        if (option == 'h') {
            return -1;
        } else if (option == 'p') {
            options->port_file = optarg;
        } else if (option != 't') {
            code = fail(EX_USAGE, "wrong usage", "see pay-broker --help");
        } else if (options->topic_count == TOPICS_MAX) {
            code = fail(EX_USAGE, "--topic", "at most 16 can be named");
        } else {
            code = parse_topic(optarg, &options->topics[options->topic_count++]);
        }
    }
    if (code == 0 && optind < argc) {
        code = fail(EX_USAGE, argv[optind], "not an option, see pay-broker --help");
    }
    if (options->topic_count == 0) {
        options->topics[options->topic_count++] =
            (struct topic){.name = "payments", .partitions = PARTITIONS_DEFAULT};
        options->topics[options->topic_count++] =
            (struct topic){.name = "payments.outcomes", .partitions = PARTITIONS_DEFAULT};
    }
    return code;
}

/* Written under another name first, so that whoever waits for the file never reads half of it. */
static int write_port_file(const char *path, const char *address)
{
    char partial[PATH_SIZE];
    int len = snprintf(partial, sizeof(partial), "%s.tmp", path);

    if (len < 0 || len >= (int)sizeof(partial)) {
        return fail(EX_CANTCREAT, "--port-file", "the name is too long");
    }
    FILE *file = fopen(partial, "w");
    if (!file) {
        return fail(EX_CANTCREAT, partial, strerror(errno));
    }
    int printed = fprintf(file, "%s\n", address);
    int closed = fclose(file);
    if (printed < 0 || closed != 0 || rename(partial, path) != 0) {
        int code = fail(EX_CANTCREAT, path, strerror(errno));
        unlink(partial);
        return code;
    }
    return 0;
}

/* Says where the broker is, then waits for one of the signals in ends. */
static int serve(const struct options *options, const char *address, const sigset_t *ends)
{
    int signo;

    if (options->port_file) {
        int code = write_port_file(options->port_file, address);
        if (code != 0) {
            return code;
        }
    }
    fprintf(stderr, "pay-broker: in memory, for trying out, never for real money: it keeps about "
                    "5 MB a partition,\n"
                    "pay-broker: and everything in it is gone when it stops.\n");
    printf("bootstrap=%s\n", address);
    fflush(stdout);
    sigwait(ends, &signo);
    if (options->port_file) {
        unlink(options->port_file);
    }
    return 0;
}

static int make_topics(rd_kafka_mock_cluster_t *cluster, const struct options *options)
{
    for (size_t i = 0; i < options->topic_count; i++) {
        const struct topic *topic = &options->topics[i];
        rd_kafka_resp_err_t error =
            rd_kafka_mock_topic_create(cluster, topic->name, topic->partitions, 1);
        if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return fail(EX_USAGE, topic->name, "the topic is named twice");
        }
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return fail(EX_SOFTWARE, topic->name, rd_kafka_err2str(error));
        }
    }
    return 0;
}

static int run(const struct options *options, const sigset_t *ends)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    /* Errors and warnings only: a notice would say that no broker is named, which is the point. */
    (void)rd_kafka_conf_set(conf, "log_level", "4", why, sizeof(why));
    /* On success the client owns conf. */
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return fail(EX_SOFTWARE, "librdkafka cannot be started", why);
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
    if (!cluster) {
        rd_kafka_destroy(rk);
        return fail(EX_SOFTWARE, "the broker cannot be started", "no port could be opened");
    }
    int code = make_topics(cluster, options);
    if (code == 0) {
        code = serve(options, rd_kafka_mock_cluster_bootstraps(cluster), ends);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    sigset_t ends;
    int code = parse_options(argc, argv, &options);

    if (code == -1) {
        fputs(usage, stdout);
        return 0;
    }
    if (code != 0) {
        return code;
    }
    /* Blocked before the library starts its threads, so that only sigwait() takes them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    return run(&options, &ends);
}
