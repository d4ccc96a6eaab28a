#include "producer/options_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FOR_SEND    (1U << SUBCOMMAND_SEND)
#define FOR_BATCH   (1U << SUBCOMMAND_BATCH)
#define FOR_STATUS  (1U << SUBCOMMAND_STATUS)
#define FOR_CANCEL  (1U << SUBCOMMAND_CANCEL)
#define FOR_LIMITS  (1U << SUBCOMMAND_ACCOUNT_OPEN | 1U << SUBCOMMAND_ACCOUNT_LIMIT)
#define FOR_ACCOUNT (FOR_LIMITS | 1U << SUBCOMMAND_ACCOUNT_CLOSE | 1U << SUBCOMMAND_ACCOUNT_MODE)
#define FOR_ORDERS  (FOR_ACCOUNT | FOR_CANCEL) /* they wait unless told not to */
#define FOR_PUBLISH (FOR_SEND | FOR_BATCH | FOR_ORDERS)
#define FOR_KAFKA   (FOR_PUBLISH | FOR_STATUS)
#define FOR_ALL     (FOR_KAFKA | 1U << SUBCOMMAND_KEY)

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
    {{"key", required_argument, NULL, OPTION_KEY}, "--key", FOR_SEND | FOR_ACCOUNT},
    {{"new", no_argument, NULL, OPTION_NEW}, "--new", FOR_SEND},
    {{"batch-id", required_argument, NULL, OPTION_BATCH_ID}, "--batch-id", FOR_BATCH},
    {{"skip-bad", no_argument, NULL, OPTION_SKIP_BAD}, "--skip-bad", FOR_BATCH},
    {{"only-missing", no_argument, NULL, OPTION_ONLY_MISSING}, "--only-missing", FOR_BATCH},
    {{"wait", optional_argument, NULL, OPTION_WAIT}, "--wait", FOR_PUBLISH},
    {{"no-wait", no_argument, NULL, OPTION_NO_WAIT}, "--no-wait", FOR_ORDERS},
    {{"outcomes", required_argument, NULL, OPTION_OUTCOMES}, "--outcomes", FOR_KAFKA},
    {{"currency", required_argument, NULL, OPTION_CURRENCY}, "--currency", FOR_LIMITS},
    {{"min-balance", required_argument, NULL, OPTION_MIN_BALANCE}, "--min-balance", FOR_LIMITS},
    {{"digest", required_argument, NULL, OPTION_DIGEST}, "--digest", FOR_STATUS},
    {{"help", no_argument, NULL, 'h'}, "--help", FOR_ALL},
    {{"version", no_argument, NULL, OPTION_VERSION}, "--version", FOR_ALL},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static_assert(RULES <= 32, "struct options_line has a bit for each");

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

/* --wait, which may stand without a value. */
static int take_wait(struct options *ret, const char *value, struct error *err)
{
    char *end;
    long seconds = value ? strtol(value, &end, 10) : OPTIONS_WAIT_DEFAULT_S;

    if (value && (value[0] < '0' || value[0] > '9' || *end != '\0' || seconds < 1 ||
                  seconds > OPTIONS_WAIT_MAX_S)) {
        return error_set(err, EX_USAGE, "--wait takes whole seconds, 1 to %d, as in --wait=60",
                         OPTIONS_WAIT_MAX_S);
    }
    ret->wait_s = (int)seconds;
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
    case OPTION_ONLY_MISSING:
        ret->only_missing = true;
        break;
    case OPTION_WAIT:
        return take_wait(ret, value, err);
    case OPTION_OUTCOMES:
        ret->outcomes = value;
        break;
    case OPTION_CURRENCY:
        return take_once(&ret->currency, "--currency", value, err);
    case OPTION_MIN_BALANCE:
        return take_once(&ret->min_balance, "--min-balance", value, err);
    case OPTION_DIGEST:
        return take_once(&ret->digest, "--digest", value, err);
    default: /* what was seen is enough */
        break;
    }
    return 0;
}

static void note_seen(struct options_line *line, int code)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].option.val == code) {
            line->seen |= 1U << i;
        }
    }
}

bool options_line_has(const struct options_line *line, int code)
{
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].option.val == code) {
            return line->seen & 1U << i;
        }
    }
    return false;
}

const char *options_line_stranger(const struct options_line *line, enum subcommand command)
{
    for (size_t i = 0; i < RULES; i++) {
        if (line->seen & 1U << i && !(rules[i].commands & 1U << command)) {
            return rules[i].name;
        }
    }
    return NULL;
}

const char *options_line_operand(const struct options_line *line, int number)
{
    return number < line->operand_count && number < OPTIONS_OPERANDS_MAX ? line->operands[number]
                                                                         : NULL;
}

static void add_operand(struct options_line *line, const char *operand)
{
    if (line->operand_count < OPTIONS_OPERANDS_MAX) {
        line->operands[line->operand_count] = operand;
    }
    line->operand_count++;
}

int options_line_read(int argc, char *const argv[], struct options *ret, struct options_line *line,
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
