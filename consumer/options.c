#include "consumer/options.h"

#include "common/clock.h"
#include "common/command_json.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum option_id {
    OPTION_DB = 256,
    OPTION_UNTIL_END,
    OPTION_TAKE_GROUP,
    OPTION_FROM_LOG_START,
    OPTION_SKIP_TOPIC_CHECK,
    OPTION_OUTCOMES,
    OPTION_DEAD_LETTERS,
    OPTION_ACCOUNTS,
    OPTION_PARTITION,
    OPTION_TO,
    OPTION_NEW_LOG,
    OPTION_FROM,
    OPTION_EXECUTE,
    OPTION_RATE,
    OPTION_KEY_FILE,
    OPTION_INTO,
    OPTION_DECISIONS,
    OPTION_STORE,
    OPTION_REDECIDE,
    OPTION_REWIND,
    OPTION_FORMAT,
    OPTION_SINCE,
    OPTION_REASON,
    OPTION_OLDER_THAN,
    OPTION_PURGE_OLDER_THAN,
    OPTION_VALUE,
    OPTION_YES,
    OPTION_FORGET_EVERYTHING,
    OPTION_JSON,
    OPTION_VERSION,
};

#define FOR_RUN        (1U << SUBCOMMAND_RUN)
#define FOR_STATS      (1U << SUBCOMMAND_STATS)
#define FOR_SHOW       (1U << SUBCOMMAND_SHOW)
#define FOR_POSITION   (1U << SUBCOMMAND_POSITION)
#define FOR_VERIFY     (1U << SUBCOMMAND_VERIFY)
#define FOR_AUDIT      (1U << SUBCOMMAND_AUDIT)
#define FOR_REPLAY     (1U << SUBCOMMAND_REPLAY)
#define FOR_DIFF       (1U << SUBCOMMAND_DIFF)
#define FOR_STATEMENT  (1U << SUBCOMMAND_STATEMENT)
#define FOR_EXPORT     (1U << SUBCOMMAND_EXPORT)
#define FOR_BACKUP     (1U << SUBCOMMAND_BACKUP)
#define FOR_RESTORE    (1U << SUBCOMMAND_RESTORE)
#define FOR_QUARANTINE (1U << SUBCOMMAND_QUARANTINE)
#define FOR_PURGE      (1U << SUBCOMMAND_PURGE)
#define FOR_REDRIVE    (1U << SUBCOMMAND_REDRIVE)
#define FOR_RESET      (1U << SUBCOMMAND_RESET)
#define FOR_CHOOSING   (FOR_QUARANTINE | FOR_REDRIVE)
#define FOR_KAFKA      (FOR_RUN | FOR_AUDIT | FOR_REPLAY | FOR_RESTORE | FOR_REDRIVE | FOR_PURGE)
#define FOR_TELLING    (FOR_STATS | FOR_SHOW | FOR_VERIFY | FOR_STATEMENT | FOR_QUARANTINE)
#define FOR_LEDGER     (FOR_KAFKA | FOR_TELLING | FOR_POSITION | FOR_EXPORT | FOR_BACKUP | FOR_RESET)

static const struct option long_options[] = {
    {"db", required_argument, NULL, OPTION_DB},
    {"brokers", required_argument, NULL, 'b'},
    {"topic", required_argument, NULL, 't'},
    {"group", required_argument, NULL, 'g'},
    {"until-end", no_argument, NULL, OPTION_UNTIL_END},
    {"take-group", no_argument, NULL, OPTION_TAKE_GROUP},
    {"from-log-start", no_argument, NULL, OPTION_FROM_LOG_START},
    {"skip-topic-check", no_argument, NULL, OPTION_SKIP_TOPIC_CHECK},
    {"outcomes", required_argument, NULL, OPTION_OUTCOMES},
    {"dead-letters", required_argument, NULL, OPTION_DEAD_LETTERS},
    {"accounts", required_argument, NULL, OPTION_ACCOUNTS},
    {"partition", required_argument, NULL, OPTION_PARTITION},
    {"to", required_argument, NULL, OPTION_TO},
    {"new-log", no_argument, NULL, OPTION_NEW_LOG},
    {"from", required_argument, NULL, OPTION_FROM},
    {"execute", no_argument, NULL, OPTION_EXECUTE},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"key-file", required_argument, NULL, OPTION_KEY_FILE},
    {"into", required_argument, NULL, OPTION_INTO},
    {"decisions", required_argument, NULL, OPTION_DECISIONS},
    {"store", required_argument, NULL, OPTION_STORE},
    {"redecide", no_argument, NULL, OPTION_REDECIDE},
    {"rewind", no_argument, NULL, OPTION_REWIND},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"older-than", required_argument, NULL, OPTION_OLDER_THAN},
    {"purge-older-than", required_argument, NULL, OPTION_PURGE_OLDER_THAN},
    {"value", required_argument, NULL, OPTION_VALUE},
    {"yes", no_argument, NULL, OPTION_YES},
    {"forget-everything", no_argument, NULL, OPTION_FORGET_EVERYTHING},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

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
        return FOR_LEDGER;
    case 'b':
    case 't':
    case 'X':
    case 'F':
        return FOR_KAFKA;
    case OPTION_JSON:
        return (FOR_LEDGER & ~FOR_RUN) | FOR_DIFF;
    case OPTION_PARTITION:
        return FOR_POSITION | FOR_REPLAY | FOR_CHOOSING;
    case OPTION_TO:
        return FOR_POSITION | FOR_REPLAY;
    case OPTION_SINCE:
        return FOR_EXPORT | FOR_STATEMENT | FOR_CHOOSING;
    case OPTION_FORMAT:
        return FOR_EXPORT;
    case OPTION_REASON:
        return FOR_CHOOSING;
    case OPTION_VALUE:
        return FOR_REDRIVE;
    case OPTION_OLDER_THAN:
        return FOR_PURGE;
    case OPTION_YES:
    case OPTION_FORGET_EVERYTHING:
        return FOR_RESET;
    case OPTION_NEW_LOG:
        return FOR_POSITION;
    case OPTION_FROM:
    case OPTION_EXECUTE:
    case OPTION_RATE:
    case OPTION_KEY_FILE:
    case OPTION_INTO:
    case OPTION_DECISIONS:
    case OPTION_STORE:
        return FOR_REPLAY;
    case OPTION_REDECIDE:
        return FOR_REPLAY | FOR_RESTORE;
    case OPTION_REWIND:
        return FOR_RESTORE;
    case 'g':
        return FOR_RUN | FOR_RESTORE;
    case OPTION_SKIP_TOPIC_CHECK:
        return FOR_RUN | FOR_RESTORE | FOR_REDRIVE | FOR_PURGE;
    case OPTION_OUTCOMES:
        return FOR_RUN | FOR_RESTORE;
    case OPTION_ACCOUNTS:
        return FOR_RUN | FOR_REPLAY;
    case OPTION_FROM_LOG_START:
        return FOR_RUN | FOR_REPLAY | FOR_RESTORE;
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

/* Reads a whole number from min, 0 or more, to max. */
static int take_number_from(const char *name, const char *text, int64_t min, int64_t max,
                            int64_t *ret, struct error *err)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < min ||
        number > max) {
        return error_set(err, EX_USAGE, "--%s: \"%s\" is not a whole number from %lld to %lld",
                         name, text, (long long)min, (long long)max);
    }
    *ret = number;
    return 0;
}

static int take_number(const char *name, const char *text, int64_t max, int64_t *ret,
                       struct error *err)
{
    return take_number_from(name, text, 0, max, ret, err);
}

static int take_reason(struct options *options, const char *text, struct error *err)
{
    enum unreadable ignored;

    options->reason = text;
    return unreadable_parse(text, &ignored)
               ? 0
               : error_set(err, EX_USAGE,
                           "--reason: nothing is quarantined as \"%s\": see payd quarantine list",
                           text);
}

static int take_accounts(struct options *options, const char *text, struct error *err)
{
    if (strcmp(text, "strict") != 0 && strcmp(text, "open") != 0) {
        return error_set(err, EX_USAGE, "--accounts: \"%s\" is neither strict nor open", text);
    }
    options->accounts = strcmp(text, "strict") == 0 ? ACCOUNTS_STRICT : ACCOUNTS_OPEN;
    return 0;
}

static int take_format(struct options *options, const char *text, struct error *err)
{
    if (strcmp(text, "csv") != 0 && strcmp(text, "jsonl") != 0) {
        return error_set(err, EX_USAGE, "--format: \"%s\" is neither csv nor jsonl", text);
    }
    options->format = strcmp(text, "csv") == 0 ? FORMAT_CSV : FORMAT_JSONL;
    return 0;
}

/* A time; of an export also a number, that of a decision. */
static int take_since(struct options *options, const char *text, struct error *err)
{
    if (span_parse("since", text, clock_unix_ms(), &options->since, err) != 0) {
        return -1;
    }
    if (options->since.kind == SPAN_OFFSET && options->command != SUBCOMMAND_EXPORT) {
        return error_set(err, EX_USAGE, "--since: \"%s\" is no time and no duration", text);
    }
    return 0;
}

static int take_partition(struct options *options, const char *text, struct error *err)
{
    int64_t number = 0;
    int result = take_number("partition", text, INT32_MAX, &number, err);

    options->partition = (int32_t)number;
    return result;
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
    case OPTION_OUTCOMES:
        options->outcomes = value;
        return 0;
    case OPTION_DEAD_LETTERS:
        options->dead_letters = value;
        return 0;
    case OPTION_ACCOUNTS:
        return take_accounts(options, value, err);
    case OPTION_PARTITION:
        return take_partition(options, value, err);
    case OPTION_TO:
        return options->command == SUBCOMMAND_REPLAY
                   ? span_parse("to", value, clock_unix_ms(), &options->until, err)
                   : take_number("to", value, INT64_MAX, &options->to, err);
    case OPTION_FROM:
        return span_parse("from", value, clock_unix_ms(), &options->from, err);
    case OPTION_EXECUTE:
        options->execute = true;
        return 0;
    case OPTION_RATE:
        return take_number_from("rate", value, 1, OPTIONS_RATE_MAX, &options->rate, err);
    case OPTION_KEY_FILE:
        options->key_file = value;
        return 0;
    case OPTION_INTO:
        options->into = value;
        return 0;
    case OPTION_DECISIONS:
        options->decisions = value;
        return 0;
    case OPTION_STORE:
        options->stores = value;
        return 0;
    case OPTION_REDECIDE:
        options->redecide = true;
        return 0;
    case OPTION_REWIND:
        options->rewind = true;
        return 0;
    case OPTION_NEW_LOG:
        options->new_log = true;
        return 0;
    case OPTION_FORMAT:
        return take_format(options, value, err);
    case OPTION_SINCE:
        return take_since(options, value, err);
    case OPTION_REASON:
        return take_reason(options, value, err);
    case OPTION_OLDER_THAN:
        return span_parse_duration("older-than", value, &options->older_ms, err);
    case OPTION_PURGE_OLDER_THAN:
        return span_parse_duration("purge-older-than", value, &options->older_ms, err);
    case OPTION_VALUE:
        options->value_file = value;
        return 0;
    case OPTION_YES:
        options->yes = true;
        return 0;
    case OPTION_FORGET_EVERYTHING:
        options->forget_everything = true;
        return 0;
    case OPTION_JSON:
    default:
        options->json = true;
        return 0;
    }
}

/* The commands, and how many operands each takes. */
static const struct known_command {
    const char *word;
    enum subcommand subcommand;
    int operands_min;
    int operands_max;
    const char *usage; /* of one that takes operands */
} commands[] = {
    {"run", SUBCOMMAND_RUN, 0, 0, NULL},
    {"audit", SUBCOMMAND_AUDIT, 0, 0, NULL},
    {"replay", SUBCOMMAND_REPLAY, 0, 0, NULL},
    {"verify", SUBCOMMAND_VERIFY, 0, 0, NULL},
    {"stats", SUBCOMMAND_STATS, 0, 0, NULL},
    {"show", SUBCOMMAND_SHOW, 1, INT_MAX, "show KEY... --db FILE"},
    {"position", SUBCOMMAND_POSITION, 0, 0, NULL},
    {"diff", SUBCOMMAND_DIFF, 2, 2, "diff A.db B.db"},
    {"statement", SUBCOMMAND_STATEMENT, 1, 1, "statement ACCOUNT --db FILE"},
    {"export", SUBCOMMAND_EXPORT, 0, 0, NULL},
    {"backup", SUBCOMMAND_BACKUP, 1, 1, "backup FILE --db FILE"},
    {"restore", SUBCOMMAND_RESTORE, 1, 1, "restore BACKUP --db FILE -b BROKERS"},
    {"quarantine", SUBCOMMAND_QUARANTINE, 1, INT_MAX, "quarantine list|show|export --db FILE"},
    {"purge", SUBCOMMAND_PURGE, 0, 0, NULL},
    {"reset", SUBCOMMAND_RESET, 0, 0, NULL},
    {"help", SUBCOMMAND_HELP, 0, 0, NULL},
    {"--help", SUBCOMMAND_HELP, 0, 0, NULL},
    {"-h", SUBCOMMAND_HELP, 0, 0, NULL},
    {"version", SUBCOMMAND_VERSION, 0, 0, NULL},
    {"--version", SUBCOMMAND_VERSION, 0, 0, NULL},
};

/* The second word of quarantine that is a command of its own: it alone needs a broker. */
static const struct known_command redrive_command = {
    "quarantine redrive", SUBCOMMAND_REDRIVE, 0, INT_MAX, "quarantine redrive PARTITION@OFFSET..."};

static const struct known_command *find_command(const char *word, struct error *err)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].word, word) == 0) {
            return &commands[i];
        }
    }
    error_set(err, EX_USAGE, "there is no command \"%s\": see payd --help", word);
    return NULL;
}

static int check_dead_letters(const struct options *options, struct error *err)
{
    const char *topic = options->dead_letters;

    if (topic[0] == '\0') {
        return error_set(err, EX_USAGE, "the name of the topic of dead letters is empty");
    }
    return strcmp(topic, options->kafka.topic) == 0 || strcmp(topic, options->outcomes) == 0
               ? error_set(err, EX_USAGE,
                           "dead letters cannot go into the topic of the payments or of the "
                           "outcomes")
               : 0;
}

/* The commands that have to do with group and outcomes. */
static int check_run(const struct options *options, struct error *err)
{
    static const char empty[] = "%s name is empty";

    if (options->group[0] == '\0') {
        return error_set(err, EX_USAGE, empty, "the group's");
    }
    if (options->outcomes[0] == '\0') {
        return error_set(err, EX_USAGE, empty, "the outcomes topic's");
    }
    if (strcmp(options->outcomes, options->kafka.topic) == 0) {
        return error_set(err, EX_USAGE, "outcomes cannot go into the topic of the payments");
    }
    return options->dead_letters ? check_dead_letters(options, err) : 0;
}

static int check_restore(const struct options *options, struct error *err)
{
    return (options->redecide || options->from_log_start) && !options->rewind
               ? error_set(err, EX_USAGE, "--redecide and --from-log-start belong to --rewind")
               : check_run(options, err);
}

static int check_position(const struct options *options, struct error *err)
{
    bool given = options->partition >= 0;

    if (given != (options->to >= 0)) {
        return error_set(err, EX_USAGE, "--partition and --to belong together");
    }
    if (options->json && (given || options->new_log)) {
        return error_set(err, EX_USAGE, "--json shows the positions, and changes none");
    }
    if (given && options->new_log) {
        return error_set(err, EX_USAGE, "give either --partition and --to, or --new-log");
    }
    return 0;
}

/* A new ledger of the topic. */
static int check_replay_into(const struct options *options, struct error *err)
{
    bool is_part = options->from.kind != SPAN_NONE || options->until.kind != SPAN_NONE ||
                   options->partition >= 0 || options->key_file;

    if (is_part || options->db || (options->execute && !options->redecide)) {
        return error_set(err, EX_USAGE,
                         "--into makes a new ledger of all of the topic: give it no --db, "
                         "--from, --to, --partition, --key-file, nor --execute but with "
                         "--redecide");
    }
    if (options->redecide && !options->decisions && !options->decisions_topic) {
        return error_set(err, EX_USAGE, "--redecide compares with old decisions: --decisions");
    }
    return options->stores && !options->decisions_topic
               ? error_set(err, EX_USAGE, "--store belongs to --decisions topic:NAME")
               : 0;
}

/* Into a new ledger, or into the one that the records were read into. */
static int check_replay(const struct options *options, struct error *err)
{
    if (options->into) {
        return check_replay_into(options, err);
    }
    if (options->decisions || options->decisions_topic || options->stores || options->redecide ||
        options->from_log_start || options->accounts != ACCOUNTS_AS_THEY_ARE) {
        return error_set(err, EX_USAGE,
                         "--decisions, --store, --redecide, --from-log-start and --accounts "
                         "belong to --into");
    }
    return options->from.kind == SPAN_NONE
               ? error_set(err, EX_USAGE, "from where? use --from beginning, an offset or a time")
               : 0;
}

/* Places, or all that filters match; never all of the quarantine by mistake. */
static int check_redrive(const struct options *options, struct error *err)
{
    bool has_filter =
        options->reason || options->partition >= 0 || options->since.kind != SPAN_NONE;

    if (options->operand_count > 0 && has_filter) {
        return error_set(err, EX_USAGE,
                         "give either PARTITION@OFFSET..., or --reason, --partition and --since");
    }
    if (options->value_file && options->operand_count != 1) {
        return error_set(err, EX_USAGE, "--value mends one message: give one PARTITION@OFFSET");
    }
    return options->operand_count > 0 || has_filter
               ? 0
               : error_set(err, EX_USAGE,
                           "all that is in quarantine is not redriven at once: give "
                           "PARTITION@OFFSET..., or choose with --reason, --partition or --since");
}

static int check(const struct options *options, struct error *err)
{
    if (!(FOR_LEDGER & 1U << options->command)) {
        return 0;
    }
    if (!options->into && (!options->db || options->db[0] == '\0')) {
        return error_set(err, EX_USAGE, "no ledger is named: use --db FILE");
    }
    if ((FOR_KAFKA & 1U << options->command) && options->kafka.topic[0] == '\0') {
        return error_set(err, EX_USAGE, "the topic's name is empty");
    }
    if (options->command == SUBCOMMAND_RUN) {
        return check_run(options, err);
    }
    if (options->command == SUBCOMMAND_RESTORE) {
        return check_restore(options, err);
    }
    if (options->command == SUBCOMMAND_REPLAY) {
        return check_replay(options, err);
    }
    if (options->command == SUBCOMMAND_REDRIVE) {
        return check_redrive(options, err);
    }
    if (options->command == SUBCOMMAND_PURGE && options->older_ms == 0) {
        return error_set(err, EX_USAGE, "which keys? use --older-than 90d");
    }
    if (options->command == SUBCOMMAND_RESET && !options->yes) {
        return error_set(err, EX_USAGE, "this sets all balances to zero: say --yes to do it");
    }
    if (options->json && options->format == FORMAT_CSV) {
        return error_set(err, EX_USAGE, "--json is --format jsonl, not csv");
    }
    return options->command == SUBCOMMAND_POSITION ? check_position(options, err) : 0;
}

/* What is left when the options are read. */
static int take_operands(struct options *options, const struct known_command *command, int argc,
                         char **argv, struct error *err)
{
    int count = argc - 1 - optind;

    if (command->operands_max == 0 && count > 0) {
        return error_set(err, EX_USAGE, "what is \"%s\"? payd %s takes options only",
                         argv[optind + 1], command->word);
    }
    if (count < command->operands_min || count > command->operands_max) {
        return error_set(err, EX_USAGE, "%s: payd %s",
                         count < command->operands_min ? "something is missing" : "too much",
                         command->usage);
    }
    options->operands = argv + optind + 1;
    options->operand_count = count;
    return 0;
}

/* The outcomes go to the topic's name with ".outcomes", unless another is named. */
static void default_outcomes(struct options *options, const struct options_env *env)
{
    if (!options->outcomes && env->outcomes && env->outcomes[0] != '\0') {
        options->outcomes = env->outcomes;
    }
    if (!options->outcomes) {
        snprintf(options->outcomes_text, sizeof(options->outcomes_text), "%.250s.outcomes",
                 options->kafka.topic);
        options->outcomes = options->outcomes_text;
    }
}

/* --decisions takes a ledger, or topic:NAME. */
static void choose_decisions(struct options *options)
{
    static const char prefix[] = "topic:";
    const size_t len = sizeof(prefix) - 1;

    if (options->decisions && strncmp(options->decisions, prefix, len) == 0) {
        const char *name = options->decisions + len;
        options->decisions_topic = name[0] != '\0' ? name : options->outcomes;
        options->decisions = NULL;
    }
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
        .partition = -1,
        .to = -1,
    };
    if (argc < 2) {
        return error_set(err, EX_USAGE, "no command: see payd --help");
    }
    const struct known_command *command = find_command(argv[1], err);
    if (!command) {
        return -1;
    }
    if (command->subcommand == SUBCOMMAND_QUARANTINE && argc > 2 &&
        strcmp(argv[2], "redrive") == 0) {
        command = &redrive_command;
        argc--;
        argv++;
    }
    ret->command = command->subcommand;
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
                             command->word);
        }
        if (id == ':') {
            return error_set(err, EX_USAGE, "option \"%s\" needs a value", given);
        }
        if (!(known_by(id) & 1U << ret->command)) {
            return error_set(err, EX_USAGE, "option %s is not for payd %s", option_name(id, name),
                             command->word);
        }
        if (take_option(ret, id, optarg, err) != 0) {
            return -1;
        }
    }
    if (take_operands(ret, command, argc, argv, err) != 0) {
        return -1;
    }
    ret->kafka.log = ret->command == SUBCOMMAND_RUN; /* the others talk to people */
    default_outcomes(ret, env);
    choose_decisions(ret);
    return check(ret, err);
}
