/*
 * The command line of payd. Input: words, see words.h.
 */
#include "consumer/options.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/words.h"

#include <string.h>
#include <sysexits.h>

static void check_kafka(const struct options *options, const struct words *words)
{
    const struct kafka_args *kafka = &options->kafka;

    FUZZ_CHECK(strcmp(kafka->topic, OPTIONS_DEFAULT_TOPIC) == 0 || words_hold(words, kafka->topic));
    FUZZ_CHECK(!kafka->brokers || words_hold(words, kafka->brokers));
    FUZZ_CHECK(kafka->env_brokers == words->brokers);
    FUZZ_CHECK(!kafka->file || words_hold(words, kafka->file));
    FUZZ_CHECK(kafka->property_count <= KAFKA_PROPERTIES_MAX);
    for (size_t i = 0; i < kafka->property_count; i++) {
        FUZZ_CHECK(words_hold(words, kafka->properties[i]));
    }
}

static void check_run(const struct options *options, const struct words *words)
{
    size_t len = strlen(options->kafka.topic);
    const char *name = options->outcomes;

    FUZZ_CHECK(options->db && words_hold(words, options->db) && options->db[0] != '\0');
    FUZZ_CHECK(len > 0 && options->group[0] != '\0' && name[0] != '\0');
    FUZZ_CHECK(strcmp(name, options->kafka.topic) != 0);
    FUZZ_CHECK(!options->dead_letters ||
               (words_hold(words, options->dead_letters) && options->dead_letters[0] != '\0' &&
                strcmp(options->dead_letters, options->kafka.topic) != 0 &&
                strcmp(options->dead_letters, name) != 0));
    FUZZ_CHECK(name == options->outcomes_text || words_hold(words, name));
    if (name == options->outcomes_text && len < 250) { /* Kafka's names have at most 249 bytes */
        FUZZ_CHECK(strncmp(name, options->kafka.topic, len) == 0);
        FUZZ_CHECK(strcmp(name + len, ".outcomes") == 0);
    }
}

static void check_operands(const struct options *options, const struct words *words)
{
    switch (options->command) {
    case SUBCOMMAND_RUN:
        check_run(options, words);
        break;
    case SUBCOMMAND_SHOW:
        FUZZ_CHECK(options->operand_count >= 1);
        for (int i = 0; i < options->operand_count; i++) {
            FUZZ_CHECK(words_hold(words, options->operands[i]));
        }
        break;
    case SUBCOMMAND_POSITION:
        FUZZ_CHECK((options->partition >= 0) == (options->to >= 0));
        FUZZ_CHECK(options->partition < 0 || !options->new_log);
        break;
    case SUBCOMMAND_HELP:
        FUZZ_CHECK(options_help(options->help_for) != NULL);
        break;
    case SUBCOMMAND_REPLAY:
        FUZZ_CHECK((options->from.kind != SPAN_NONE) != (options->into != NULL));
        FUZZ_CHECK(options->into != NULL || options->db != NULL);
        break;
    case SUBCOMMAND_DIFF:
        FUZZ_CHECK(options->operand_count == 2);
        break;
    case SUBCOMMAND_RESTORE:
        FUZZ_CHECK(options->operand_count == 1);
        FUZZ_CHECK(options->rewind || !options->redecide);
        check_run(options, words);
        break;
    case SUBCOMMAND_STATEMENT:
    case SUBCOMMAND_BACKUP:
        FUZZ_CHECK(options->operand_count == 1);
        break;
    case SUBCOMMAND_QUARANTINE:
        FUZZ_CHECK(options->operand_count >= 1);
        break;
    case SUBCOMMAND_PURGE:
        FUZZ_CHECK(options->older_ms > 0);
        break;
    case SUBCOMMAND_REDRIVE:
        FUZZ_CHECK(options->operand_count >= 1 || options->reason || options->partition >= 0 ||
                   options->since.kind != SPAN_NONE);
        FUZZ_CHECK(!options->value_file || options->operand_count == 1);
        break;
    case SUBCOMMAND_RESET:
        FUZZ_CHECK(options->yes);
        break;
    case SUBCOMMAND_EXPORT:
    case SUBCOMMAND_AUDIT:
    case SUBCOMMAND_STATS:
    case SUBCOMMAND_VERIFY:
    case SUBCOMMAND_VERSION:
    default:
        break;
    }
}

static int parse(struct words *words, struct options *ret, struct error *err)
{
    const struct options_env env = {words->brokers, words->topic, words->outcomes};

    words_reset(words);
    return options_parse(words->argc, words->argv, &env, ret, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words words;
    struct options options;
    struct options again;
    struct error err = {0};

    words_read(&words, "payd", data, size);
    int result = parse(&words, &options, &err);
    if (result != 0) {
        FUZZ_CHECK(result == -1 && err.code == EX_USAGE && err.text[0] != '\0');
    } else {
        check_kafka(&options, &words);
        check_operands(&options, &words);
    }
    /* getopt_long() has a state: nothing of the line before may be left in it. */
    FUZZ_CHECK(parse(&words, &again, &err) == result);
    FUZZ_CHECK(result != 0 || (again.command == options.command && again.db == options.db &&
                               again.operand_count == options.operand_count &&
                               again.kafka.property_count == options.kafka.property_count));
    words_release(&words);
    return 0;
}
