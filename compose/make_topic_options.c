#include "compose/make_topic_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PARTITIONS_DEFAULT 4
#define PROPERTY_SIZE      1024

enum option_code { OPT_PARTITIONS = 256, OPT_REPLICATION, OPT_MIN_ISR, OPT_RETENTION, OPT_DELETE };

static const char usage[] =
    "Usage: pay-make-topic -b HOST:PORT[,...] [-t TOPIC] [--partitions N] [--replication N]\n"
    "                      [--min-isr N] [--retention-ms N] [-X NAME=VALUE]...\n"
    "       pay-make-topic --delete -b HOST:PORT[,...] [-t TOPIC] [-X NAME=VALUE]...\n"
    "\n"
    "Makes a topic for payments, with cleanup.policy=delete and\n"
    "message.timestamp.type=LogAppendTime. A topic that exists is left as it is.\n"
    "\n"
    "  -b BROKERS         where Kafka is (default: the variable PAY_BROKERS)\n"
    "  -t TOPIC           the topic's name (default: payments)\n"
    "  --partitions N     (default: 4)\n"
    "  --replication N    copies of each message; 3 where payments matter (default: 1)\n"
    "  --min-isr N        copies that must be there before a message is acknowledged; 2 where\n"
    "                     payments matter (default: as the broker has it)\n"
    "  --retention-ms N   how long Kafka keeps a message; -1 is for ever (default: -1)\n"
    "  -X NAME=VALUE      a property of librdkafka, such as security.protocol=ssl\n"
    "  --delete           delete the topic with all that is in it\n"
    "  --help             this text\n"
    "\n"
    "Exit codes: 0 made, exists or deleted, 64 wrong usage, 69 no broker answers within 15 s, 78 "
    "the\n"
    "broker refuses.\n";

int topic_fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "pay-make-topic: %s: %s\n", what, why);
    return code;
}

struct topic_options topic_options_default(void)
{
    return (struct topic_options){
        .brokers = getenv("PAY_BROKERS"),
        .topic = "payments",
        .partitions = PARTITIONS_DEFAULT,
        .replication = 1,
        .retention_ms = -1,
        .conf = rd_kafka_conf_new(),
    };
}

static int parse_number(const char *name, long long min, long long max, long long *ret)
{
    char *end;
    char why[80];

    errno = 0;
    long long value = strtoll(optarg, &end, 10);
    if (errno != 0 || end == optarg || *end != '\0' || value < min || value > max) {
        snprintf(why, sizeof(why), "give a number from %lld to %lld", min, max);
        return topic_fail(EX_USAGE, name, why);
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
        return topic_fail(EX_USAGE, "-X", "give NAME=VALUE of at most 1023 bytes");
    }
    *equals = '\0';
    if (rd_kafka_conf_set(conf, name, equals + 1, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        return topic_fail(EX_USAGE, name, why);
    }
    return 0;
}

static int parse_option(int option, struct topic_options *options)
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
    case OPT_MIN_ISR:
        return parse_small("--min-isr", 100, &options->min_isr);
    case OPT_RETENTION:
        return parse_number("--retention-ms", -1, 1LL << 60, &options->retention_ms);
    case OPT_DELETE:
        options->remove = true;
        return 0;
    default:
        return topic_fail(EX_USAGE, "wrong usage", "see pay-make-topic --help");
    }
}

int topic_options_parse(int argc, char **argv, struct topic_options *options)
{
    static const struct option table[] = {
        {"partitions", required_argument, NULL, OPT_PARTITIONS},
        {"replication", required_argument, NULL, OPT_REPLICATION},
        {"min-isr", required_argument, NULL, OPT_MIN_ISR},
        {"retention-ms", required_argument, NULL, OPT_RETENTION},
        {"delete", no_argument, NULL, OPT_DELETE},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "b:t:X:h", table, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return -1;
        }
        int code = parse_option(option, options);
        if (code != 0) {
            return code;
        }
    }
    if (optind < argc) {
        return topic_fail(EX_USAGE, argv[optind], "not an option, see pay-make-topic --help");
    }
    if (!options->brokers || options->brokers[0] == '\0') {
        return topic_fail(EX_USAGE, "no broker is named", "use -b HOST:PORT or PAY_BROKERS");
    }
    return 0;
}
