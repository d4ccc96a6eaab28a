/*
 * The command line of pay. Input: words, see words.h.
 */
#include "common/payment.h"
#include "producer/options.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/words.h"

#include <string.h>
#include <sysexits.h>

static void check_kafka(const struct options *options, const struct words *words)
{
    const struct kafka_args *kafka = &options->kafka;

    FUZZ_CHECK(kafka->topic != NULL);
    FUZZ_CHECK(strcmp(kafka->topic, OPTIONS_DEFAULT_TOPIC) == 0 || words_hold(words, kafka->topic));
    FUZZ_CHECK(!kafka->brokers || words_hold(words, kafka->brokers));
    FUZZ_CHECK(!kafka->env_brokers || kafka->env_brokers == words->brokers);
    FUZZ_CHECK(!kafka->file || words_hold(words, kafka->file));
    FUZZ_CHECK(kafka->property_count <= KAFKA_PROPERTIES_MAX);
    for (size_t i = 0; i < kafka->property_count; i++) {
        FUZZ_CHECK(words_hold(words, kafka->properties[i]));
    }
}

/* The answers to a topic's commands come to one topic, whose name nothing has cut. */
static void check_outcomes(const struct options *options)
{
    const char *name = options->outcomes_topic;
    size_t len = strlen(options->kafka.topic);

    FUZZ_CHECK(name[0] != '\0' || (options->outcomes && options->outcomes[0] == '\0'));
    if (options->outcomes) {
        FUZZ_CHECK(strlen(options->outcomes) >= OPTIONS_TOPIC_SIZE ||
                   strcmp(name, options->outcomes) == 0);
    } else if (len < OPTIONS_TOPIC_SIZE) {
        FUZZ_CHECK(strncmp(name, options->kafka.topic, len) == 0);
        FUZZ_CHECK(strcmp(name + len, OPTIONS_OUTCOMES_SUFFIX) == 0);
    }
}

/* What only one command has. */
static void check_flags(const struct options *options)
{
    FUZZ_CHECK(!options->new_key || options->command == SUBCOMMAND_SEND);
    FUZZ_CHECK(!options->skip_bad || options->command == SUBCOMMAND_BATCH);
    FUZZ_CHECK(!options->only_missing || options->command == SUBCOMMAND_BATCH);
}

static void check_operands(const struct options *options, const struct words *words)
{
    switch (options->command) {
    case SUBCOMMAND_SEND:
        FUZZ_CHECK(words_hold(words, options->src) && words_hold(words, options->dest));
        FUZZ_CHECK(words_hold(words, options->amount));
        FUZZ_CHECK(!options->currency || words_hold(words, options->currency));
        FUZZ_CHECK((options->key != NULL) != options->new_key);
        break;
    case SUBCOMMAND_BATCH:
        FUZZ_CHECK(words_hold(words, options->file));
        FUZZ_CHECK(!options->batch_id ||
                   !payment_batch_id_problem(options->batch_id, strlen(options->batch_id)));
        break;
    case SUBCOMMAND_STATUS:
        FUZZ_CHECK(options->key_count >= 1 && options->key_count <= SUBCOMMAND_KEYS_MAX);
        for (int i = 0; i < options->key_count; i++) {
            FUZZ_CHECK(words_hold(words, options->keys[i]));
        }
        break;
    case SUBCOMMAND_CANCEL:
        FUZZ_CHECK(words_hold(words, options->key));
        break;
    case SUBCOMMAND_ACCOUNT_OPEN:
    case SUBCOMMAND_ACCOUNT_LIMIT:
    case SUBCOMMAND_ACCOUNT_CLOSE:
        FUZZ_CHECK(words_hold(words, options->account));
        FUZZ_CHECK(options->command != SUBCOMMAND_ACCOUNT_LIMIT || options->min_balance);
        break;
    case SUBCOMMAND_HELP:
        FUZZ_CHECK(options->usage != NULL);
        break;
    case SUBCOMMAND_ACCOUNT_MODE:
    case SUBCOMMAND_KEY:
    case SUBCOMMAND_VERSION:
    default:
        break;
    }
}

static int parse(struct words *words, struct options *ret, struct error *err)
{
    const struct options_env env = {words->brokers, words->topic, words->outcomes};
    int result = options_parse(words->argc, words->argv, &env, ret, err);

    /* argv is left as it is. */
    FUZZ_CHECK(memcmp(words->argv, words->storage, sizeof(words->argv)) == 0);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words words;
    struct options options;
    struct options again;
    struct error err = {0};

    words_read(&words, "pay", data, size);
    int result = parse(&words, &options, &err);
    if (result != 0) {
        FUZZ_CHECK(result == -1 && err.code == EX_USAGE && err.text[0] != '\0');
    } else {
        FUZZ_CHECK(options.wait_s >= 0 && options.wait_s <= OPTIONS_WAIT_MAX_S);
        check_kafka(&options, &words);
        check_operands(&options, &words);
        if (options.command < SUBCOMMAND_HELP) {
            check_flags(&options);
            check_outcomes(&options);
        }
    }
    /* getopt_long() has a state: nothing of the line before may be left in it. */
    FUZZ_CHECK(parse(&words, &again, &err) == result);
    FUZZ_CHECK(result != 0 || memcmp(&again, &options, sizeof(options)) == 0);
    words_release(&words);
    return 0;
}
