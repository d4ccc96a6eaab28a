/* The command line of pay: what is read, and what is refused with which words. */
#include "producer/options.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX 12

static const struct options_env no_env = {NULL, NULL};

static int parse(const char *const args[ARGS_MAX], const struct options_env *env,
                 struct options *ret, struct error *err)
{
    char *argv[ARGS_MAX + 2] = {(char *)"pay"};
    int argc = 1;

    for (; argc <= ARGS_MAX && args[argc - 1]; argc++) {
        argv[argc] = (char *)args[argc - 1];
    }
    return options_parse(argc, argv, env, ret, err);
}

Test(options_pay, refuses_with_a_reason)
{
    static const struct {
        const char *args[ARGS_MAX];
        const char *says; /* part of the message */
    } rows[] = {
        {{NULL}, "no command"},
        {{"pay"}, "no command \"pay\""},
        {{"send"}, "too few operands"},
        {{"send", "ann", "bob", "--new"}, "too few operands"},
        {{"send", "ann", "bob", "1", "EUR", "x", "--new"}, "too many operands"},
        {{"send", "ann", "bob", "1", "EUR", "x", "y", "z", "--new"}, "too many operands"},
        {{"send", "ann", "bob", "1"}, "until pay send"},
        {{"send", "ann", "bob", "1", "--key", "k", "--new"}, "not both"},
        {{"send", "ann", "bob", "1", "--key"}, "--key needs a value"},
        {{"send", "ann", "bob", "1", "--new", "-b"}, "-b needs a value"},
        {{"send", "ann", "bob", "-5", "--new"}, "no option -5"},
        {{"send", "ann", "bob", "1", "--nope"}, "--nope"},
        {{"send", "ann", "bob", "1", "--new=x"}, "--new=x"},
        {{"send", "ann", "bob", "1", "--new", "--skip-bad"}, "--skip-bad does not belong"},
        {{"send", "ann", "bob", "1", "--new", "--batch-id", "b"}, "--batch-id does not belong"},
        {{"batch"}, "too few operands"},
        {{"batch", "a.csv", "b.csv"}, "too many operands"},
        {{"batch", "a.csv", "--key", "k"}, "--key does not belong"},
        {{"batch", "a.csv", "--new"}, "--new does not belong"},
        {{"batch", "a.csv", "--batch-id", ""}, "batch id is empty"},
        {{"batch", "a.csv", "--batch-id", "a\nb"}, "batch id is not printable"},
        {{"key", "x"}, "too many operands"},
        {{"key", "-b", "h:1"}, "--brokers does not belong"},
        {{"key", "-X", "a=b"}, "-X does not belong"},
    };
    struct options options;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error err = {0};
        cr_expect_eq(parse(rows[i].args, &no_env, &options, &err), -1, "row %zu", i);
        cr_expect_eq(err.code, EX_USAGE, "row %zu", i);
        cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
    }
}

Test(options_pay, send_takes_its_operands)
{
    static const char *const args[ARGS_MAX] = {"send", "ann", "bob", "12.34", "USD", "--key", "k"};
    struct options options;
    struct error err;

    cr_assert_eq(parse(args, &no_env, &options, &err), 0);
    cr_expect_eq(options.command, SUBCOMMAND_SEND);
    cr_expect_str_eq(options.src, "ann");
    cr_expect_str_eq(options.dest, "bob");
    cr_expect_str_eq(options.amount, "12.34");
    cr_expect_str_eq(options.currency, "USD");
    cr_expect_str_eq(options.key, "k");
    cr_expect_not(options.new_key);
    cr_expect_not(options.json);
    cr_expect_str_eq(options.kafka.topic, OPTIONS_DEFAULT_TOPIC);
}

Test(options_pay, options_may_stand_anywhere_and_leave_argv_alone)
{
    char *argv[] = {(char *)"pay", (char *)"--json", (char *)"send",  (char *)"ann", (char *)"-t",
                    (char *)"top", (char *)"bob",    (char *)"--new", (char *)"1",   NULL};
    char *before[sizeof(argv) / sizeof(argv[0])];
    struct options options;
    struct error err;

    memcpy(before, argv, sizeof(argv));
    cr_assert_eq(options_parse(9, argv, &no_env, &options, &err), 0);
    cr_expect_arr_eq(argv, before, sizeof(argv));
    cr_expect(options.json);
    cr_expect(options.new_key);
    cr_expect_str_eq(options.kafka.topic, "top");
    cr_expect_str_eq(options.dest, "bob");
    cr_expect_str_eq(options.amount, "1");
    cr_expect_null(options.currency);
}

Test(options_pay, two_dashes_end_the_options)
{
    static const char *const args[ARGS_MAX] = {"send", "--key", "-k", "--", "-ann", "--json", "1"};
    struct options options;
    struct error err;

    cr_assert_eq(parse(args, &no_env, &options, &err), 0);
    cr_expect_str_eq(options.key, "-k");
    cr_expect_str_eq(options.src, "-ann");
    cr_expect_str_eq(options.dest, "--json");
    cr_expect_not(options.json);
}

Test(options_pay, batch_takes_a_file_or_standard_input)
{
    static const char *const args[ARGS_MAX] = {"batch", "--batch-id", "payroll-11", "--skip-bad",
                                               "-"};
    struct options options;
    struct error err;

    cr_assert_eq(parse(args, &no_env, &options, &err), 0);
    cr_expect_eq(options.command, SUBCOMMAND_BATCH);
    cr_expect_str_eq(options.file, "-");
    cr_expect_str_eq(options.batch_id, "payroll-11");
    cr_expect(options.skip_bad);
}

Test(options_pay, kafka_options_are_collected)
{
    static const char *const args[ARGS_MAX] = {
        "batch", "f",  "-b",   "h:1,i:2",           "-X", "a=b", "-X",
        "c=d",   "-F", "file", "--skip-topic-check"};
    struct options options;
    struct error err;

    cr_assert_eq(parse(args, &no_env, &options, &err), 0);
    cr_expect_str_eq(options.kafka.brokers, "h:1,i:2");
    cr_expect_str_eq(options.kafka.file, "file");
    cr_expect_eq(options.kafka.property_count, 2);
    cr_expect_str_eq(options.kafka.properties[0], "a=b");
    cr_expect_str_eq(options.kafka.properties[1], "c=d");
    cr_expect(options.kafka.skip_topic_check);
    cr_expect_not(options.kafka.log);
    cr_expect_null(options.batch_id);
}

Test(options_pay, too_many_properties_are_refused)
{
    char *argv[2 * KAFKA_PROPERTIES_MAX + 5] = {(char *)"pay", (char *)"batch", (char *)"f"};
    int argc = 3;
    struct options options;
    struct error err;

    for (int i = 0; i <= KAFKA_PROPERTIES_MAX; i++) {
        cr_expect_eq(options_parse(argc, argv, &no_env, &options, &err), 0);
        argv[argc++] = (char *)"-X";
        argv[argc++] = (char *)"a=b";
    }
    cr_expect_eq(options_parse(argc, argv, &no_env, &options, &err), -1);
    cr_expect_eq(err.code, EX_USAGE);
}

Test(options_pay, the_environment_stands_behind_the_options)
{
    static const char *const plain[ARGS_MAX] = {"batch", "f"};
    static const char *const given[ARGS_MAX] = {"batch", "f", "-t", "given", "-b", "h:1"};
    const struct options_env env = {"env:9", "env-topic"};
    const struct options_env empty = {"", ""};
    struct options options;
    struct error err;

    cr_assert_eq(parse(plain, &env, &options, &err), 0);
    cr_expect_null(options.kafka.brokers);
    cr_expect_str_eq(options.kafka.env_brokers, "env:9");
    cr_expect_str_eq(options.kafka.topic, "env-topic");

    cr_assert_eq(parse(given, &env, &options, &err), 0);
    cr_expect_str_eq(options.kafka.brokers, "h:1");
    cr_expect_str_eq(options.kafka.topic, "given");

    cr_assert_eq(parse(plain, &empty, &options, &err), 0);
    cr_expect_null(options.kafka.env_brokers);
    cr_expect_str_eq(options.kafka.topic, OPTIONS_DEFAULT_TOPIC);
}

Test(options_pay, help_and_version_are_answers_not_errors)
{
    static const struct {
        const char *args[ARGS_MAX];
        enum subcommand command;
        const char *usage; /* how it begins */
    } rows[] = {
        {{"--help"}, SUBCOMMAND_HELP, "Usage: pay send SRC DEST AMOUNT [CURRENCY] (--key KEY"},
        {{"-h"}, SUBCOMMAND_HELP, "Usage: pay send"},
        {{"send", "--help"}, SUBCOMMAND_HELP, "Usage: pay send"},
        {{"batch", "-h"}, SUBCOMMAND_HELP, "Usage: pay batch"},
        {{"--help", "batch"}, SUBCOMMAND_HELP, "Usage: pay batch"},
        {{"key", "--help"}, SUBCOMMAND_HELP, "Usage: pay key"},
        {{"--version"}, SUBCOMMAND_VERSION, NULL},
        {{"send", "--version"}, SUBCOMMAND_VERSION, NULL},
    };
    struct options options;
    struct error err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].args, &no_env, &options, &err), 0, "row %zu", i);
        cr_expect_eq(options.command, rows[i].command, "row %zu", i);
        if (rows[i].usage) {
            cr_expect_eq(strncmp(options.usage, rows[i].usage, strlen(rows[i].usage)), 0, "row %zu",
                         i);
        }
    }
}

Test(options_pay, each_help_fits_a_screen)
{
    static const char *const commands[] = {NULL, "send", "batch", "key"};
    struct options options;
    struct error err;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const char *args[ARGS_MAX] = {"--help", commands[i]};
        int lines = 0;
        cr_assert_eq(parse(args, &no_env, &options, &err), 0);
        for (const char *line = options.usage; *line; line = strchr(line, '\n') + 1) {
            cr_expect_leq(strchr(line, '\n') - line, 80, "%.40s", line);
            lines++;
        }
        cr_expect_leq(lines, 23); /* and the prompt below it */
    }
}
