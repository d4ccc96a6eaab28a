#include "tests/redelivery/redeliver.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define RATE_MAX      1000000
#define SHARE_DEFAULT 10

enum option_code {
    OPTION_SHARE = 256,
    OPTION_RATE,
    OPTION_SEED,
    OPTION_OTHER,
    OPTION_LIMIT,
    OPTION_REWIND,
    OPTION_DRY_RUN,
    OPTION_TEST,
    OPTION_SKIP_CHECK,
};

const char redeliver_usage[] =
    "Usage: tests/redeliver -b BROKERS -t TOPIC [--share PERCENT] [--other-payload PERCENT]\n"
    "                       [--rate N] [--seed N] [--limit N] (--dry-run | --yes-this-is-a-test)\n"
    "       tests/redeliver --rewind N|PERCENT% -g GROUP -b BROKERS -t TOPIC\n"
    "                       (--dry-run | --yes-this-is-a-test)\n"
    "\n"
    "Attacks a payd of yours with what at-least-once delivery may do to it.\n"
    "\n"
    "The first form sends a share of the topic's records again, with the same key, value and\n"
    "headers, in random order within a window of 1000 records. payd answers each as a duplicate\n"
    "and moves nothing. With another amount under the same key it answers a conflict, and moves\n"
    "nothing either: but that conflict stays in the ledger's records and the outcomes topic for\n"
    "good. What it sends stays in the topic. Hence --yes-this-is-a-test.\n"
    "\n"
    "The second form moves the committed offsets of a group back. The group must be empty: stop\n"
    "payd first. payd begins at the position in its ledger, whatever stands in the group: nothing\n"
    "is read again, and nothing is paid again.\n"
    "\n"
    "  -b BROKERS               HOST:PORT[,...]; else PAY_BROKERS\n"
    "  -t TOPIC                 the topic of the payments\n"
    "  --share PERCENT          how many of the records, 1 to 100 (default: 10)\n"
    "  --other-payload PERCENT  of those, how many payments get another amount (default: 0)\n"
    "  --rate N                 records a second (default: as fast as it goes)\n"
    "  --limit N                send at the most N\n"
    "  --seed N                 what is chosen; printed, and drawn when it is not given\n"
    "  --rewind N               each partition back by N records ...\n"
    "  --rewind PERCENT%        ... or by a share of what is behind its offset\n"
    "  -g GROUP                 the consumer group\n"
    "  --dry-run                only say what would be done\n"
    "  --yes-this-is-a-test     do it\n"
    "  -X NAME=VALUE, -F FILE   librdkafka properties, as for pay\n"
    "  --skip-topic-check       do not check the topic's settings (embedded broker)\n"
    "  --help                   this text\n"
    "\n"
    "Exit codes: 0 done, 64 wrong usage, 65 the group has no offsets for the topic, 66 no such\n"
    "properties file, 69 broker or topic not there, 75 not everything was acknowledged, 78 the\n"
    "group is not empty, or the topic's settings.\n";

static int take_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret,
                       struct error *err)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *ret < min || *ret > max) {
        return error_set(err, EX_USAGE, "%s: \"%s\" is not a number from %lld to %lld", name, text,
                         (long long)min, (long long)max);
    }
    return 0;
}

static int take_int(const char *name, const char *text, int min, int max, int *ret,
                    struct error *err)
{
    int64_t number = 0;
    int result = take_number(name, text, min, max, &number, err);

    *ret = (int)number;
    return result;
}

static int take_rewind(struct redeliver *ret, char *text, struct error *err)
{
    size_t len = strlen(text);

    ret->is_rewind = true;
    ret->rewind_by_percent = len > 0 && text[len - 1] == '%';
    if (!ret->rewind_by_percent) {
        return take_number("--rewind", text, 1, INT64_MAX, &ret->rewind_by, err);
    }
    text[len - 1] = '\0';
    return take_number("--rewind", text, 1, 100, &ret->rewind_by, err);
}

static int take_property(struct kafka_args *kafka, const char *text, struct error *err)
{
    if (kafka->property_count == KAFKA_PROPERTIES_MAX) {
        return error_set(err, EX_USAGE, "-X is given more than %d times", KAFKA_PROPERTIES_MAX);
    }
    kafka->properties[kafka->property_count++] = text;
    return 0;
}

static int take_attack(struct redeliver *ret, int code, struct error *err)
{
    int64_t number = 0;
    int result;

    switch (code) {
    case OPTION_SHARE:
        return take_int("--share", optarg, 1, 100, &ret->share_percent, err);
    case OPTION_OTHER:
        return take_int("--other-payload", optarg, 0, 100, &ret->other_percent, err);
    case OPTION_RATE:
        return take_int("--rate", optarg, 1, RATE_MAX, &ret->rate, err);
    case OPTION_LIMIT:
        return take_number("--limit", optarg, 1, INT64_MAX, &ret->limit, err);
    case OPTION_REWIND:
        return take_rewind(ret, optarg, err);
    case OPTION_SEED:
    default:
        result = take_number("--seed", optarg, 0, INT64_MAX, &number, err);
        ret->seed = (uint64_t)number;
        ret->has_seed = true;
        return result;
    }
}

static int take_option(struct redeliver *ret, int code, const char *word, struct error *err)
{
    switch (code) {
    case 'b':
        ret->kafka.brokers = optarg;
        return 0;
    case 't':
        ret->kafka.topic = optarg;
        return 0;
    case 'g':
        ret->group = optarg;
        return 0;
    case 'F':
        ret->kafka.file = optarg;
        return 0;
    case 'X':
        return take_property(&ret->kafka, optarg, err);
    case 'h':
        ret->help = true;
        return 0;
    case OPTION_DRY_RUN:
        ret->dry_run = true;
        return 0;
    case OPTION_TEST:
        ret->is_test = true;
        return 0;
    case OPTION_SKIP_CHECK:
        ret->kafka.skip_topic_check = true;
        return 0;
    case ':':
        return error_set(err, EX_USAGE, "option %s needs a value", word);
    case '?':
        return error_set(err, EX_USAGE, "there is no option %s", word);
    default:
        return take_attack(ret, code, err);
    }
}

static int check(const struct redeliver *options, const char *operand, struct error *err)
{
    if (operand) {
        return error_set(err, EX_USAGE, "what is \"%s\"? There are only options", operand);
    }
    if (!options->kafka.topic || options->kafka.topic[0] == '\0') {
        return error_set(err, EX_USAGE, "no topic is named: use -t TOPIC");
    }
    if (options->is_rewind != (options->group != NULL)) {
        return error_set(err, EX_USAGE, "--rewind and -g GROUP belong together");
    }
    if (options->dry_run == options->is_test) {
        return error_set(err, EX_USAGE,
                         "give either --dry-run, which changes nothing, or --yes-this-is-a-test: "
                         "what is done stays in the topic and in the ledger's records");
    }
    return 0;
}

int redeliver_options(int argc, char **argv, struct redeliver *ret, struct error *err)
{
    static const struct option table[] = {
        {"share", required_argument, NULL, OPTION_SHARE},
        {"rate", required_argument, NULL, OPTION_RATE},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"other-payload", required_argument, NULL, OPTION_OTHER},
        {"limit", required_argument, NULL, OPTION_LIMIT},
        {"rewind", required_argument, NULL, OPTION_REWIND},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"yes-this-is-a-test", no_argument, NULL, OPTION_TEST},
        {"skip-topic-check", no_argument, NULL, OPTION_SKIP_CHECK},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int code;

    *ret = (struct redeliver){.share_percent = SHARE_DEFAULT,
                              .kafka = {.env_brokers = getenv("PAY_BROKERS")}};
    opterr = 0;
    while (!ret->help && (code = getopt_long(argc, argv, ":b:t:g:F:X:h", table, NULL)) != -1) {
        if (take_option(ret, code, argv[optind - 1], err) != 0) {
            return -1;
        }
    }
    return ret->help ? 0 : check(ret, optind < argc ? argv[optind] : NULL, err);
}
