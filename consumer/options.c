#include "consumer/options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

enum option_id {
    OPTION_DB = 256,
    OPTION_UNTIL_END,
    OPTION_TAKE_GROUP,
    OPTION_FROM_LOG_START,
    OPTION_SKIP_TOPIC_CHECK,
    OPTION_JSON,
    OPTION_VERSION,
};

#define FOR_RUN   (1U << SUBCOMMAND_RUN)
#define FOR_STATS (1U << SUBCOMMAND_STATS)

static const struct option long_options[] = {
    {"db", required_argument, NULL, OPTION_DB},
    {"brokers", required_argument, NULL, 'b'},
    {"topic", required_argument, NULL, 't'},
    {"group", required_argument, NULL, 'g'},
    {"until-end", no_argument, NULL, OPTION_UNTIL_END},
    {"take-group", no_argument, NULL, OPTION_TAKE_GROUP},
    {"from-log-start", no_argument, NULL, OPTION_FROM_LOG_START},
    {"skip-topic-check", no_argument, NULL, OPTION_SKIP_TOPIC_CHECK},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char main_help[] =
    "payd - pay each payment in a Kafka topic once, into a SQLite ledger\n"
    "\n"
    "Usage: payd run --db FILE -b BROKERS [OPTION]...\n"
    "       payd stats --db FILE [--json]\n"
    "       payd COMMAND --help | payd --version\n"
    "\n"
    "Commands:\n"
    "  run     read payments and apply them; logs go to standard error\n"
    "  stats   show what a ledger holds, also while payd runs on it\n"
    "\n"
    "Exit codes:\n"
    "   0  done, or stopped by SIGTERM or SIGINT\n"
    "  64  the command line is wrong\n"
    "  69  broker or topic not there\n"
    "  71  the system gave no memory\n"
    "  74  the store failed, or another process is writing it\n"
    "  75  stopped before --until-end was reached: run it again\n"
    "  78  configuration: another log's or another program's store, a topic with\n"
    "      settings that lose payments, a position that the log does not hold\n";

static const char run_help[] =
    "Usage: payd run --db FILE -b BROKERS [OPTION]...\n"
    "\n"
    "Reads payments from Kafka and applies each once. Starts from the positions in\n"
    "the store; Kafka's committed offsets are only for lag tools.\n"
    "\n"
    "      --db FILE           the ledger (SQLite); made when it is not there\n"
    "  -b, --brokers LIST      HOST:PORT[,...]               [$PAY_BROKERS]\n"
    "  -t, --topic NAME        topic to read                 [$PAY_TOPIC, payments]\n"
    "  -g, --group NAME        consumer group                [payd]\n"
    "  -X NAME=VALUE           librdkafka property; may be repeated\n"
    "  -F FILE                 file of librdkafka properties, NAME=VALUE a line\n"
    "      --until-end         stop at the end of each partition\n"
    "      --take-group        go on although the group belongs to another ledger\n"
    "      --from-log-start    begin although the log's first records are gone\n"
    "      --skip-topic-check  do not ask for the topic's settings (embedded broker)\n"
    "  -h, --help              this text\n"
    "\n"
    "Waits for a broker or a topic that is not there; with --until-end exits 69.\n"
    "SIGTERM ends it within 5 s. Exit codes: payd --help\n";

static const char stats_help[] =
    "Usage: payd stats --db FILE [--json]\n"
    "\n"
    "Shows what the ledger holds: counts, totals and balances by currency, and the\n"
    "next offset of each partition. Changes nothing; works while payd runs.\n"
    "\n"
    "      --db FILE  the ledger\n"
    "      --json     one JSON object; amounts are decimals in strings\n"
    "  -h, --help     this text\n";

const char *options_help(enum subcommand command)
{
    switch (command) {
    case SUBCOMMAND_RUN:
        return run_help;
    case SUBCOMMAND_STATS:
        return stats_help;
    case SUBCOMMAND_HELP:
    case SUBCOMMAND_VERSION:
    default:
        return main_help;
    }
}

/* An option's name for messages; name holds 3 bytes. */
static const char *option_name(int id, char *name)
{
    for (const struct option *option = long_options; option->name; option++) {
        if (option->val == id) {
            return option->name;
        }
    }
    name[0] = '-';
    name[1] = (char)id;
    name[2] = '\0';
    return name;
}

/* Which commands know an option. */
static unsigned known_by(int id)
{
    switch (id) {
    case OPTION_DB:
        return FOR_RUN | FOR_STATS;
    case OPTION_JSON:
        return FOR_STATS;
    default:
        return FOR_RUN;
    }
}

static int take_property(struct options *options, const char *text, struct error *err)
{
    if (options->kafka.property_count == KAFKA_PROPERTIES_MAX) {
        return error_set(err, EX_USAGE, "more than %d properties: put them into a file (-F)",
                         KAFKA_PROPERTIES_MAX);
    }
    options->kafka.properties[options->kafka.property_count++] = text;
    return 0;
}

static int take_option(struct options *options, int id, const char *value, struct error *err)
{
    switch (id) {
    case OPTION_DB:
        options->db = value;
        return 0;
    case 'b':
        options->kafka.brokers = value;
        return 0;
    case 't':
        options->kafka.topic = value;
        return 0;
    case 'g':
        options->group = value;
        return 0;
    case 'X':
        return take_property(options, value, err);
    case 'F':
        options->kafka.file = value;
        return 0;
    case OPTION_UNTIL_END:
        options->until_end = true;
        return 0;
    case OPTION_TAKE_GROUP:
        options->take_group = true;
        return 0;
    case OPTION_FROM_LOG_START:
        options->from_log_start = true;
        return 0;
    case OPTION_SKIP_TOPIC_CHECK:
        options->kafka.skip_topic_check = true;
        return 0;
    case OPTION_JSON:
    default:
        options->json = true;
        return 0;
    }
}

static int take_command(struct options *options, const char *word, struct error *err)
{
    if (strcmp(word, "run") == 0) {
        options->command = SUBCOMMAND_RUN;
    } else if (strcmp(word, "stats") == 0) {
        options->command = SUBCOMMAND_STATS;
    } else if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
               strcmp(word, "-h") == 0) {
        options->command = SUBCOMMAND_HELP;
    } else if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
        options->command = SUBCOMMAND_VERSION;
    } else {
        return error_set(err, EX_USAGE, "there is no command \"%s\": see payd --help", word);
    }
    return 0;
}

static int check(const struct options *options, struct error *err)
{
    if (options->command != SUBCOMMAND_RUN && options->command != SUBCOMMAND_STATS) {
        return 0;
    }
    if (!options->db || options->db[0] == '\0') {
        return error_set(err, EX_USAGE, "no ledger is named: use --db FILE");
    }
    if (options->command == SUBCOMMAND_RUN && options->kafka.topic[0] == '\0') {
        return error_set(err, EX_USAGE, "the topic's name is empty");
    }
    if (options->command == SUBCOMMAND_RUN && options->group[0] == '\0') {
        return error_set(err, EX_USAGE, "the group's name is empty");
    }
    return 0;
}

int options_parse(int argc, char **argv, const struct options_env *env, struct options *ret,
                  struct error *err)
{
    char name[3];
    int id;

    *ret = (struct options){
        .help_for = SUBCOMMAND_HELP,
        .group = OPTIONS_DEFAULT_GROUP,
        .kafka = {.env_brokers = env->brokers,
                  .topic = env->topic && env->topic[0] ? env->topic : OPTIONS_DEFAULT_TOPIC,
                  .log = true},
    };
    if (argc < 2) {
        return error_set(err, EX_USAGE, "no command: see payd --help");
    }
    if (take_command(ret, argv[1], err) != 0) {
        return -1;
    }
    optind = 0; /* makes getopt start over, whatever was parsed before */
    opterr = 0;
    while ((id = getopt_long(argc - 1, argv + 1, ":b:t:g:X:F:h", long_options, NULL)) != -1) {
        if (id == 'h') {
            ret->help_for = ret->command;
            ret->command = SUBCOMMAND_HELP;
            return 0;
        }
        if (id == OPTION_VERSION) {
            ret->command = SUBCOMMAND_VERSION;
            return 0;
        }
        const char *given = argv[optind]; /* argv + 1 and optind - 1: the word just read */
        if (id == '?' && optopt > 0 && optopt < OPTION_DB) {
            given = option_name(optopt, name); /* getopt may not have moved past its word */
        }
        if (id == '?') {
            return error_set(err, EX_USAGE, "unknown option \"%s\": see payd %s --help", given,
                             argv[1]);
        }
        if (id == ':') {
            return error_set(err, EX_USAGE, "option \"%s\" needs a value", given);
        }
        if (!(known_by(id) & 1U << ret->command)) {
            return error_set(err, EX_USAGE, "option %s is not for payd %s", option_name(id, name),
                             argv[1]);
        }
        if (take_option(ret, id, optarg, err) != 0) {
            return -1;
        }
    }
    if (optind < argc - 1) {
        return error_set(err, EX_USAGE, "what is \"%s\"? payd %s takes options only",
                         argv[optind + 1], argv[1]);
    }
    return check(ret, err);
}
