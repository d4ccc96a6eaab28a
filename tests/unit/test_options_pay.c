/* The command line of pay: what is read, and what is refused with which words. */
#include "producer/options.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX 12

static const struct options_env no_env = {NULL, NULL, NULL};

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
        {{"send", "ann", "bob", "1", "--new", "--only-missing"}, "--only-missing does not belong"},
        {{"status", "k", "--only-missing"}, "--only-missing does not belong"},
        {{"batch", "a.csv", "--only-missing=x"}, "--only-missing=x"},
        {{"batch"}, "too few operands"},
        {{"batch", "a.csv", "b.csv"}, "too many operands"},
        {{"batch", "a.csv", "--key", "k"}, "--key does not belong"},
        {{"batch", "a.csv", "--new"}, "--new does not belong"},
        {{"batch", "a.csv", "--batch-id", ""}, "batch id is empty"},
        {{"batch", "a.csv", "--batch-id", "a\nb"}, "batch id is not printable"},
        {{"send", "ann", "bob", "1", "--new", "--wait=0"}, "1 to 86400"},
        {{"send", "ann", "bob", "1", "--new", "--wait=86401"}, "1 to 86400"},
        {{"send", "ann", "bob", "1", "--new", "--wait=1.5"}, "whole seconds"},
        {{"send", "ann", "bob", "1", "--new", "--wait=-1"}, "whole seconds"},
        {{"send", "ann", "bob", "1", "--new", "--wait="}, "whole seconds"},
        {{"send", "ann", "bob", "1", "--new", "--wait=99999999999999999999"}, "1 to 86400"},
        {{"send", "ann", "bob", "1", "--new", "--no-wait"}, "--no-wait does not belong"},
        {{"batch", "a.csv", "--no-wait"}, "--no-wait does not belong"},
        {{"batch", "a.csv", "--wait", "5"}, "too many operands"},
        {{"key", "x"}, "too many operands"},
        {{"status"}, "too few operands"},
        {{"status", "k", "--wait"}, "--wait does not belong"},
        {{"status", "k", "--digest", "a", "--digest", "b"}, "--digest is given twice"},
        {{"send", "ann", "bob", "1", "--new", "--digest", "a"}, "--digest does not belong"},
        {{"cancel"}, "too few operands"},
        {{"cancel", "a", "b"}, "too many operands"},
        {{"cancel", "a", "--key", "b"}, "--key does not belong to pay cancel"},
        {{"cancel", "a", "--wait", "--no-wait"}, "not both"},
        {{"account"}, "open, limit, close or mode"},
        {{"account", "ann"}, "open, limit, close or mode"},
        {{"account", "open"}, "too few operands"},
        {{"account", "open", "ann", "EUR"}, "too many operands"},
        {{"account", "open", "ann", "--new"}, "--new does not belong to pay account open"},
        {{"account", "open", "ann", "--min-balance", "--json"}, "looks like an option"},
        {{"account", "limit", "ann"}, "needs --min-balance"},
        {{"account", "close", "ann", "--currency", "EUR"}, "--currency does not belong"},
        {{"account", "close", "ann", "--min-balance", "0"}, "--min-balance does not belong"},
        {{"account", "mode"}, "too few operands"},
        {{"account", "mode", "half"}, "strict or open"},
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
    cr_expect_not(options.only_missing);
}

Test(options_pay, only_missing_goes_with_and_without_waiting)
{
    static const struct {
        const char *args[ARGS_MAX];
        int wait_s;
    } rows[] = {
        {{"batch", "--only-missing", "f"}, 0},
        {{"batch", "f", "--wait", "--skip-bad", "--only-missing"}, OPTIONS_WAIT_DEFAULT_S},
    };
    struct options options;
    struct error err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].args, &no_env, &options, &err), 0, "row %zu: %s", i, err.text);
        cr_expect(options.only_missing, "row %zu", i);
        cr_expect_eq(options.wait_s, rows[i].wait_s, "row %zu", i);
        cr_expect_str_eq(options.file, "f", "row %zu", i);
    }
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
    const struct options_env env = {"env:9", "env-topic", NULL};
    const struct options_env empty = {"", "", ""};
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

Test(options_pay, waiting_is_asked_for_or_by_itself)
{
    static const struct {
        const char *args[ARGS_MAX];
        int wait_s;
    } rows[] = {
        {{"send", "ann", "bob", "1", "--new"}, 0},
        {{"send", "ann", "bob", "1", "--new", "--wait"}, OPTIONS_WAIT_DEFAULT_S},
        {{"send", "--wait=1", "ann", "bob", "1", "--new"}, 1},
        {{"batch", "f"}, 0},
        {{"batch", "--wait", "f"}, OPTIONS_WAIT_DEFAULT_S},
        {{"batch", "f", "--wait=86400"}, OPTIONS_WAIT_MAX_S},
        {{"cancel", "k"}, OPTIONS_WAIT_DEFAULT_S},
        {{"cancel", "k", "--wait=5"}, 5},
        {{"cancel", "k", "--no-wait"}, 0},
        {{"account", "open", "ann"}, OPTIONS_WAIT_DEFAULT_S},
        {{"account", "limit", "ann", "--min-balance", "0", "--no-wait"}, 0},
        {{"account", "close", "ann"}, OPTIONS_WAIT_DEFAULT_S},
        {{"account", "mode", "strict", "--wait=7"}, 7},
        {{"status", "k"}, 0},
    };
    struct options options;
    struct error err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].args, &no_env, &options, &err), 0, "row %zu: %s", i, err.text);
        cr_expect_eq(options.wait_s, rows[i].wait_s, "row %zu", i);
    }
}

Test(options_pay, outcomes_come_to_a_topic_named_after_the_topic_or_by_itself)
{
    static const struct {
        const char *args[ARGS_MAX];
        struct options_env env;
        const char *outcomes;
    } rows[] = {
        {{"status", "k"}, {NULL, NULL, NULL}, "payments.outcomes"},
        {{"status", "k", "-t", "top"}, {NULL, NULL, NULL}, "top.outcomes"},
        {{"cancel", "k"}, {NULL, "env-topic", NULL}, "env-topic.outcomes"},
        {{"cancel", "k"}, {NULL, "env-topic", "answers"}, "answers"},
        {{"cancel", "k", "--outcomes", "given"}, {NULL, "env-topic", "answers"}, "given"},
        {{"send", "ann", "bob", "1", "--new"}, {NULL, NULL, ""}, "payments.outcomes"},
    };
    struct options options;
    struct error err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].args, &rows[i].env, &options, &err), 0, "row %zu", i);
        cr_expect_str_eq(options.outcomes_topic, rows[i].outcomes, "row %zu", i);
    }
}

Test(options_pay, account_takes_a_verb_and_a_balance_below_zero)
{
    static const char *const apart[ARGS_MAX] = {"account", "open",          "ann",   "--currency",
                                                "USD",     "--min-balance", "-50.00"};
    static const char *const joined[ARGS_MAX] = {
        "--min-balance=-50.00", "account", "limit", "ann", "--key", "k"};
    static const char *const mode[ARGS_MAX] = {"account", "mode", "strict"};
    struct options options;
    struct error err;

    cr_assert_eq(parse(apart, &no_env, &options, &err), 0);
    cr_expect_eq(options.command, SUBCOMMAND_ACCOUNT_OPEN);
    cr_expect_str_eq(options.account, "ann");
    cr_expect_str_eq(options.currency, "USD");
    cr_expect_str_eq(options.min_balance, "-50.00");
    cr_expect_null(options.key);

    cr_assert_eq(parse(joined, &no_env, &options, &err), 0);
    cr_expect_eq(options.command, SUBCOMMAND_ACCOUNT_LIMIT);
    cr_expect_str_eq(options.min_balance, "-50.00");
    cr_expect_str_eq(options.key, "k");

    cr_assert_eq(parse(mode, &no_env, &options, &err), 0);
    cr_expect_eq(options.command, SUBCOMMAND_ACCOUNT_MODE);
    cr_expect(options.strict);
}

Test(options_pay, status_takes_many_keys_up_to_a_limit)
{
    char *argv[SUBCOMMAND_KEYS_MAX + 4] = {(char *)"pay", (char *)"status"};
    int argc = 2;
    struct options options;
    struct error err;

    while (argc < 2 + SUBCOMMAND_KEYS_MAX) {
        argv[argc++] = (char *)"k";
    }
    cr_assert_eq(options_parse(argc, argv, &no_env, &options, &err), 0);
    cr_expect_eq(options.key_count, SUBCOMMAND_KEYS_MAX);
    cr_expect_str_eq(options.keys[SUBCOMMAND_KEYS_MAX - 1], "k");
    argv[argc++] = (char *)"k";
    cr_expect_eq(options_parse(argc, argv, &no_env, &options, &err), -1);
    cr_expect_not_null(strstr(err.text, "too many operands"), "%s", err.text);
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
        {{"account", "--help"}, SUBCOMMAND_HELP, "Usage: pay account"},
        {{"account", "open", "--help"}, SUBCOMMAND_HELP, "Usage: pay account"},
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
    static const char *const commands[] = {NULL,     "send",   "batch",  "key",
                                           "status", "cancel", "account"};
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
