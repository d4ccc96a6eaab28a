#include "producer/options.h"

#include "common/payment.h"

#include <getopt.h>
#include <string.h>
#include <sysexits.h>

#define FOR_SEND  (1U << SUBCOMMAND_SEND)
#define FOR_BATCH (1U << SUBCOMMAND_BATCH)
#define FOR_KAFKA (FOR_SEND | FOR_BATCH)
#define FOR_ALL   (FOR_SEND | FOR_BATCH | 1U << SUBCOMMAND_KEY)

/* Options without a letter. */
enum {
    OPTION_SKIP_TOPIC_CHECK = 256,
    OPTION_JSON,
    OPTION_KEY,
    OPTION_NEW,
    OPTION_BATCH_ID,
    OPTION_SKIP_BAD,
    OPTION_VERSION,
};

static const char letters[] = "-:b:t:X:F:h";

static const struct rule {
    struct option option;
    const char *name; /* in messages */
    unsigned commands;
} rules[] = {
    {{"brokers", required_argument, NULL, 'b'}, "--brokers", FOR_KAFKA},
    {{"topic", required_argument, NULL, 't'}, "--topic", FOR_KAFKA},
    {{NULL, required_argument, NULL, 'X'}, "-X", FOR_KAFKA},
    {{NULL, required_argument, NULL, 'F'}, "-F", FOR_KAFKA},
    {{"skip-topic-check", no_argument, NULL, OPTION_SKIP_TOPIC_CHECK},
     "--skip-topic-check",
     FOR_KAFKA},
    {{"json", no_argument, NULL, OPTION_JSON}, "--json", FOR_KAFKA},
    {{"key", required_argument, NULL, OPTION_KEY}, "--key", FOR_SEND},
    {{"new", no_argument, NULL, OPTION_NEW}, "--new", FOR_SEND},
    {{"batch-id", required_argument, NULL, OPTION_BATCH_ID}, "--batch-id", FOR_BATCH},
    {{"skip-bad", no_argument, NULL, OPTION_SKIP_BAD}, "--skip-bad", FOR_BATCH},
    {{"help", no_argument, NULL, 'h'}, "--help", FOR_ALL},
    {{"version", no_argument, NULL, OPTION_VERSION}, "--version", FOR_ALL},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static const char usage_all[] =
    "Usage: pay send SRC DEST AMOUNT [CURRENCY] (--key KEY | --new)\n"
    "       pay batch --batch-id NAME [--skip-bad] FILE|-\n"
    "       pay key\n"
    "Publish payments to Kafka, each under an idempotency key that pays it once.\n"
    "pay send sends one payment, pay batch a file of them, pay key prints a new key.\n"
    "\n"
    "  -b, --brokers LIST      HOST:PORT[,...]; else PAY_BROKERS\n"
    "  -t, --topic NAME        the topic; else PAY_TOPIC, else \"payments\"\n"
    "  -X NAME=VALUE           set a librdkafka property, may be repeated\n"
    "  -F FILE                 read properties from FILE, one NAME=VALUE a line\n"
    "      --skip-topic-check  do not check the topic's settings (embedded broker)\n"
    "      --json              print one JSON object instead of text\n"
    "  -h, --help              this text; `pay send --help`, `pay batch --help`: more\n"
    "      --version           versions of pay and of its libraries\n"
    "\n"
    "Exit codes: 0 all acknowledged; 64 usage; 65 data was refused or skipped;\n"
    "66 no such input; 69 broker or topic not there; 74 input or output error;\n"
    "75 unknown: send it again with the same key; 78 the topic's settings.\n";

static const char usage_send[] =
    "Usage: pay send SRC DEST AMOUNT [CURRENCY] (--key KEY | --new)\n"
    "Publish one payment of AMOUNT (such as 12.34, exact) from SRC to DEST and wait\n"
    "until the topic has it. CURRENCY is an ISO 4217 code, EUR when left out.\n"
    "\n"
    "      --key KEY  the idempotency key, 1 to 255 bytes: the same key pays once,\n"
    "                 however often it is sent (`pay key` prints a new one)\n"
    "      --new      draw a new key and print it first, on a line of its own (with\n"
    "                 --json: on standard error)\n"
    "One of them must be given. Every --new is another payment: never use it in a\n"
    "loop that tries again.\n"
    "\n"
    "Exit code 75: the answer is unknown, or the topic does not have the payment. The\n"
    "command to run again, with the same key, is then printed on standard error.\n"
    "Other options and exit codes: pay --help\n";

static const char usage_batch[] =
    "Usage: pay batch --batch-id NAME [--skip-bad] FILE|-\n"
    "Publish the payments of FILE, or of standard input: CSV with the columns src,\n"
    "dest, amount and if wanted currency and key, or JSON Lines with these fields.\n"
    "The whole input is checked before the first row is published.\n"
    "\n"
    "      --batch-id NAME  a row without a key of its own gets NAME:<row number>;\n"
    "                       the same NAME sends the same keys: the same command again\n"
    "                       pays nothing twice. Needed unless every row has a key\n"
    "      --skip-bad       publish the good rows, write the others to FILE.bad: mend\n"
    "                       it and send it as a batch of its own, with another NAME\n"
    "A NAME stands for one content. A file that was changed under its NAME moves\n"
    "nothing (conflict: batch_changed): send new rows as a batch of their own.\n"
    "\n"
    "Exit code 75: some rows are unknown or not sent; their keys are on standard\n"
    "error. Run the same command again. Exit code 65: rows were refused or skipped.\n"
    "Input is spooled to TMPDIR, or /tmp. Other options and exit codes: pay --help\n";

static const char usage_key[] = "Usage: pay key\n"
                                "Print a new idempotency key, a UUID of version 7.\n";

static const struct {
    const char *name;
    const char *usage;
    int operands_min; /* the command's name not counted */
    int operands_max;
} commands[] = {
    [SUBCOMMAND_SEND] = {"send", usage_send, 3, 4},
    [SUBCOMMAND_BATCH] = {"batch", usage_batch, 1, 1},
    [SUBCOMMAND_KEY] = {"key", usage_key, 0, 0},
};

#define COMMANDS     ((int)(sizeof(commands) / sizeof(commands[0])))
#define OPERANDS_MAX 5

/* What the options and operands were, before they are judged together. */
struct line {
    const char *operands[OPERANDS_MAX];
    int operand_count; /* may be larger than OPERANDS_MAX: only those are kept */
    bool seen[RULES];
};

static void fill_long_options(struct option *ret)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].option.name) {
            *ret++ = rules[i].option;
        }
    }
    *ret = (struct option){0};
}

static int add_property(struct kafka_args *kafka, const char *text, struct error *err)
{
    if (kafka->property_count == KAFKA_PROPERTIES_MAX) {
        return error_set(err, EX_USAGE, "-X is given more than %d times", KAFKA_PROPERTIES_MAX);
    }
    kafka->properties[kafka->property_count++] = text;
    return 0;
}

/* A value that must not be given twice, nor be an option that an empty variable let slip in. */
static int take_once(const char **ret, const char *name, const char *value, struct error *err)
{
    if (*ret) {
        return error_set(err, EX_USAGE, "%s is given twice", name);
    }
    if (strncmp(value, "--", 2) == 0) {
        return error_set(err, EX_USAGE, "%s needs a value, and \"%s\" looks like an option", name,
                         value);
    }
    *ret = value;
    return 0;
}

static int take_option(struct options *ret, int code, const char *value, struct error *err)
{
    switch (code) {
    case 'b':
        ret->kafka.brokers = value;
        break;
    case 't':
        ret->kafka.topic = value;
        break;
    case 'X':
        return add_property(&ret->kafka, value, err);
    case 'F':
        ret->kafka.file = value;
        break;
    case OPTION_SKIP_TOPIC_CHECK:
        ret->kafka.skip_topic_check = true;
        break;
    case OPTION_JSON:
        ret->json = true;
        break;
    case OPTION_KEY:
        return take_once(&ret->key, "--key", value, err);
    case OPTION_NEW:
        ret->new_key = true;
        break;
    case OPTION_BATCH_ID:
        return take_once(&ret->batch_id, "--batch-id", value, err);
    case OPTION_SKIP_BAD:
        ret->skip_bad = true;
        break;
    default: /* --help and --version have no value to keep */
        break;
    }
    return 0;
}

static void note_seen(struct line *line, int code)
{
    for (size_t i = 0; i < RULES; i++) {
        line->seen[i] |= rules[i].option.val == code;
    }
}

static bool was_seen(const struct line *line, int code)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].option.val == code) {
            return line->seen[i];
        }
    }
    return false;
}

static void add_operand(struct line *line, const char *operand)
{
    if (line->operand_count < OPERANDS_MAX) {
        line->operands[line->operand_count] = operand;
    }
    line->operand_count++;
}

static int read_line(int argc, char *const argv[], struct options *ret, struct line *line,
                     struct error *err)
{
    struct option long_options[RULES + 1];
    int code;

    fill_long_options(long_options);
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    while ((code = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        if (code == 1) { /* letters begins with '-': operands come in their place, as code 1 */
            add_operand(line, optarg);
        } else if (code == ':') {
            return error_set(err, EX_USAGE, "option %s needs a value", argv[optind - 1]);
        } else if (code == '?' && optopt > 0 && optopt < 256) {
            return error_set(err, EX_USAGE, "there is no option -%c (pay --help)", optopt);
        } else if (code == '?') {
            return error_set(err, EX_USAGE, "option %s is not one of pay's (pay --help)",
                             argv[optind - 1]);
        } else if (take_option(ret, code, optarg, err) != 0) {
            return -1;
        }
        note_seen(line, code);
    }
    while (optind < argc) { /* behind "--" */
        add_operand(line, argv[optind++]);
    }
    return 0;
}

/* The command that the first operand names, or -1. */
static int find_command(const struct line *line)
{
    for (int i = 0; line->operand_count > 0 && i < COMMANDS; i++) {
        if (strcmp(commands[i].name, line->operands[0]) == 0) {
            return i;
        }
    }
    return -1;
}

static int refuse_command(const struct line *line, struct error *err)
{
    if (line->operand_count == 0) {
        return error_set(err, EX_USAGE, "no command: pay send, pay batch or pay key (pay --help)");
    }
    return error_set(err, EX_USAGE, "there is no command \"%s\": pay send, pay batch or pay key",
                     line->operands[0]);
}

static int check_fit(const struct options *options, const struct line *line, struct error *err)
{
    const char *name = commands[options->command].name;
    int operands = line->operand_count - 1;

    for (size_t i = 0; i < RULES; i++) {
        if (line->seen[i] && !(rules[i].commands & 1U << options->command)) {
            return error_set(err, EX_USAGE, "option %s does not belong to pay %s", rules[i].name,
                             name);
        }
    }
    if (operands < commands[options->command].operands_min ||
        operands > commands[options->command].operands_max) {
        return error_set(err, EX_USAGE, "too %s operands: see pay %s --help",
                         operands < commands[options->command].operands_min ? "few" : "many", name);
    }
    return 0;
}

static int check_send(const struct options *options, struct error *err)
{
    if (options->key && options->new_key) {
        return error_set(err, EX_USAGE, "give either --key or --new, not both");
    }
    if (!options->key && !options->new_key) {
        return error_set(err, EX_USAGE,
                         "a payment needs an idempotency key: give --key KEY, and the same KEY "
                         "when it is sent again (with a fresh key each time, `until pay send ...; "
                         "do sleep 1; done` would pay each time), or --new to pay on purpose "
                         "under a new key");
    }
    return 0;
}

static int check_batch(const struct options *options, struct error *err)
{
    const char *problem =
        options->batch_id ? payment_batch_id_problem(options->batch_id, strlen(options->batch_id))
                          : NULL;

    return problem ? error_set(err, EX_USAGE, "--batch-id: %s", problem) : 0;
}

static int take_command(struct options *ret, const struct line *line, struct error *err)
{
    int command = find_command(line);

    if (command < 0) {
        return refuse_command(line, err);
    }
    ret->command = (enum subcommand)command;
    if (check_fit(ret, line, err) != 0) {
        return -1;
    }
    if (ret->command == SUBCOMMAND_SEND) {
        ret->src = line->operands[1];
        ret->dest = line->operands[2];
        ret->amount = line->operands[3];
        ret->currency = line->operand_count > 4 ? line->operands[4] : NULL;
        return check_send(ret, err);
    }
    if (ret->command == SUBCOMMAND_BATCH) {
        ret->file = line->operands[1];
        return check_batch(ret, err);
    }
    return 0;
}

/* A variable that is set to nothing is as good as not set. */
static const char *value_of(const char *variable)
{
    return variable && variable[0] ? variable : NULL;
}

int options_parse(int argc, char *const argv[], const struct options_env *env, struct options *ret,
                  struct error *err)
{
    struct line line = {0};

    memset(ret, 0, sizeof(*ret));
    ret->kafka.env_brokers = value_of(env->brokers);
    ret->kafka.topic = value_of(env->topic) ? env->topic : OPTIONS_DEFAULT_TOPIC;
    if (read_line(argc, argv, ret, &line, err) != 0) {
        return -1;
    }
    if (was_seen(&line, 'h')) {
        int command = find_command(&line);
        ret->command = SUBCOMMAND_HELP;
        ret->usage = command < 0 ? usage_all : commands[command].usage;
        return 0;
    }
    if (was_seen(&line, OPTION_VERSION)) {
        ret->command = SUBCOMMAND_VERSION;
        return 0;
    }
    return take_command(ret, &line, err);
}
