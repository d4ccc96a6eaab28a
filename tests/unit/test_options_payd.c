/* The command line of payd: what is read, and what is refused with which words. */
#include "consumer/options.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX 12

static const struct options_env no_env = {NULL, NULL, NULL};

static struct options options;
static struct error err;

/* args end with NULL; the program's name is put before them. */
static int parse(const char *const args[ARGS_MAX], const struct options_env *env)
{
    static char *argv[ARGS_MAX + 2] = {(char *)"payd"}; /* static: keys are borrowed from it */
    int argc = 1;

    for (; argc <= ARGS_MAX && args[argc - 1]; argc++) {
        argv[argc] = (char *)args[argc - 1];
    }
    err = (struct error){EX_OK, ""};
    return options_parse(argc, argv, env, &options, &err);
}

Test(options_payd, run_has_defaults_for_all_but_the_ledger)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &no_env), 0, "%s",
                 err.text);
    cr_expect_eq(options.command, SUBCOMMAND_RUN);
    cr_expect_str_eq(options.db, "l.db");
    cr_expect_str_eq(options.group, "payd");
    cr_expect_str_eq(options.kafka.topic, "payments");
    cr_expect_null(options.kafka.brokers);
    cr_expect_null(options.kafka.env_brokers);
    cr_expect_null(options.kafka.file);
    cr_expect_eq(options.kafka.property_count, 0);
    cr_expect(options.kafka.log);
    cr_expect_not(options.kafka.skip_topic_check);
    cr_expect_not(options.until_end);
    cr_expect_not(options.from_log_start);
    cr_expect_not(options.json);
}

Test(options_payd, the_environment_stands_behind_the_options)
{
    static const struct options_env env = {"env:9092", "env-topic", NULL};

    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &env), 0);
    cr_expect_null(options.kafka.brokers);
    cr_expect_str_eq(options.kafka.env_brokers, "env:9092");
    cr_expect_str_eq(options.kafka.topic, "env-topic");
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "-b", "b:1", "-t", "other"}, &env),
        0);
    cr_expect_str_eq(options.kafka.brokers, "b:1");
    cr_expect_str_eq(options.kafka.env_brokers, "env:9092");
    cr_expect_str_eq(options.kafka.topic, "other");
}

Test(options_payd, reads_every_option_of_run)
{
    static const char *const forms[][ARGS_MAX] = {
        {"run", "--db", "l.db", "-b", "b:1", "-t", "top", "-g", "grp", "-F", "k.conf"},
        {"run", "--db=l.db", "--brokers=b:1", "--topic=top", "--group=grp", "-Fk.conf"},
        {"run", "-bb:1", "-ttop", "-ggrp", "-F", "k.conf", "--db", "l.db"},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        cr_assert_eq(parse(forms[i], &no_env), 0, "row %zu: %s", i, err.text);
        cr_expect_eq(options.command, SUBCOMMAND_RUN);
        cr_expect_str_eq(options.db, "l.db");
        cr_expect_str_eq(options.kafka.brokers, "b:1");
        cr_expect_str_eq(options.kafka.topic, "top");
        cr_expect_str_eq(options.group, "grp");
        cr_expect_str_eq(options.kafka.file, "k.conf");
    }
}

Test(options_payd, reads_each_flag_of_run)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--until-end"}, &no_env), 0);
    cr_expect(options.until_end && !options.from_log_start && !options.kafka.skip_topic_check);
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--from-log-start"}, &no_env), 0);
    cr_expect(!options.until_end && options.from_log_start && !options.kafka.skip_topic_check);
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--skip-topic-check"}, &no_env), 0);
    cr_expect(!options.until_end && !options.from_log_start && options.kafka.skip_topic_check);
}

Test(options_payd, keeps_properties_in_their_order)
{
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "-X", "a=1", "--db", "l.db", "-Xb=2", "-X", "a=3"},
              &no_env),
        0);
    cr_assert_eq(options.kafka.property_count, 3);
    cr_expect_str_eq(options.kafka.properties[0], "a=1");
    cr_expect_str_eq(options.kafka.properties[1], "b=2");
    cr_expect_str_eq(options.kafka.properties[2], "a=3");
}

Test(options_payd, reads_stats)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"stats", "--db", "l.db"}, &no_env), 0);
    cr_expect_eq(options.command, SUBCOMMAND_STATS);
    cr_expect_str_eq(options.db, "l.db");
    cr_expect_not(options.json);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"stats", "--json", "--db", "l.db"}, &no_env), 0);
    cr_expect(options.json);
}

Test(options_payd, help_and_version_need_nothing_else)
{
    static const struct {
        const char *args[ARGS_MAX];
        enum subcommand command;
        enum subcommand help_for;
    } rows[] = {
        {{"help"}, SUBCOMMAND_HELP, SUBCOMMAND_HELP},
        {{"--help"}, SUBCOMMAND_HELP, SUBCOMMAND_HELP},
        {{"-h"}, SUBCOMMAND_HELP, SUBCOMMAND_HELP},
        {{"run", "--help"}, SUBCOMMAND_HELP, SUBCOMMAND_RUN},
        {{"run", "-h"}, SUBCOMMAND_HELP, SUBCOMMAND_RUN},
        {{"run", "--db", "l.db", "--help"}, SUBCOMMAND_HELP, SUBCOMMAND_RUN},
        {{"stats", "--help"}, SUBCOMMAND_HELP, SUBCOMMAND_STATS},
        {{"quarantine", "--help"}, SUBCOMMAND_HELP, SUBCOMMAND_QUARANTINE},
        {{"quarantine", "redrive", "--help"}, SUBCOMMAND_HELP, SUBCOMMAND_REDRIVE},
        {{"version"}, SUBCOMMAND_VERSION, SUBCOMMAND_HELP},
        {{"--version"}, SUBCOMMAND_VERSION, SUBCOMMAND_HELP},
        {{"run", "--version"}, SUBCOMMAND_VERSION, SUBCOMMAND_HELP},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(parse(rows[i].args, &no_env), 0, "row %zu: %s", i, err.text);
        cr_expect_eq(options.command, rows[i].command, "row %zu", i);
        cr_expect_eq(options.help_for, rows[i].help_for, "row %zu", i);
    }
}

Test(options_payd, refuses_with_a_reason)
{
    static const struct {
        const char *args[ARGS_MAX];
        const char *text;
    } rows[] = {
        {{NULL}, "no command: see payd --help"},
        {{"ledger"}, "there is no command \"ledger\": see payd --help"},
        {{""}, "there is no command \"\": see payd --help"},
        {{"Run", "--db", "l.db"}, "there is no command \"Run\": see payd --help"},
        {{"--db", "l.db", "run"}, "there is no command \"--db\": see payd --help"},
        {{"run"}, "no ledger is named: use --db FILE"},
        {{"run", "--db", ""}, "no ledger is named: use --db FILE"},
        {{"stats"}, "no ledger is named: use --db FILE"},
        {{"run", "--db", "l.db", "-t", ""}, "the topic's name is empty"},
        {{"run", "--db", "l.db", "-g", ""}, "the group's name is empty"},
        {{"run", "--db"}, "option \"--db\" needs a value"},
        {{"run", "--db", "l.db", "-b"}, "option \"-b\" needs a value"},
        {{"run", "--db", "l.db", "-X"}, "option \"-X\" needs a value"},
        {{"run", "--nope"}, "unknown option \"--nope\": see payd run --help"},
        {{"run", "-z"}, "unknown option \"-z\": see payd run --help"},
        {{"run", "--db", "l.db", "-zq"}, "unknown option \"-z"},
        {{"run", "--db", "l.db", "--until-end=x"}, "\"--until-end=x\""},
        {{"run", "--db", "l.db", "--json"}, "option json is not for payd run"},
        {{"stats", "--db", "l.db", "--until-end"}, "option until-end is not for payd stats"},
        {{"stats", "--db", "l.db", "-b", "b:1"}, "option brokers is not for payd stats"},
        {{"stats", "--db", "l.db", "-X", "a=1"}, "option -X is not for payd stats"},
        {{"stats", "--db", "l.db", "-F", "f"}, "option -F is not for payd stats"},
        {{"version", "--db", "l.db"}, "option db is not for payd version"},
        {{"run", "--db", "l.db", "extra"}, "what is \"extra\"? payd run takes options only"},
        {{"run", "extra", "--db", "l.db"}, "what is \"extra\"? payd run takes options only"},
        {{"stats", "l.db"}, "what is \"l.db\"? payd stats takes options only"},
        {{"run", "--db", "l.db", "--outcomes", ""}, "the outcomes topic's name is empty"},
        {{"run", "--db", "l.db", "-t", "o", "--outcomes", "o"}, "the topic of the payments"},
        {{"run", "--db", "l.db", "--accounts", "Strict"}, "is neither strict nor open"},
        {{"show", "--db", "l.db"}, "something is missing: payd show KEY... --db FILE"},
        {{"show", "k"}, "no ledger is named"},
        {{"position", "--db", "l.db", "--partition", "1"}, "--partition and --to belong together"},
        {{"position", "--db", "l.db", "--to", "1"}, "--partition and --to belong together"},
        {{"position", "--db", "l.db", "--to", "-1"}, "--to: \"-1\" is not a whole number"},
        {{"position", "--db", "l.db", "--to", "1x"}, "is not a whole number from 0 to"},
        {{"position", "--db", "l.db", "--to", "9223372036854775808"}, "is not a whole number"},
        {{"position", "--db", "l.db", "--partition", "2147483648"}, "from 0 to 2147483647"},
        {{"position", "--db", "l.db", "--partition", "1", "--to", "2", "--new-log"}, "either"},
        {{"run", "--db", "l.db", "--new-log"}, "option new-log is not for payd run"},
        {{"diff", "a.db"}, "something is missing: payd diff A.db B.db"},
        {{"diff", "a.db", "b.db", "c.db"}, "too much: payd diff A.db B.db"},
        {{"diff", "a.db", "b.db", "--db", "l.db"}, "option db is not for payd diff"},
        {{"statement", "--db", "l.db"}, "something is missing: payd statement ACCOUNT --db FILE"},
        {{"statement", "ann"}, "no ledger is named"},
        {{"statement", "ann", "--db", "l.db", "--since", "17"}, "is no time and no duration"},
        {{"export", "--db", "l.db", "--format", "xml"}, "is neither csv nor jsonl"},
        {{"export", "--db", "l.db", "--format", "csv", "--json"}, "--json is --format jsonl"},
        {{"quarantine", "list", "--db", "l.db", "--reason", "bad_jsn"},
         "nothing is quarantined as \"bad_jsn\""},
        {{"quarantine", "list", "--db", "l.db", "--reason", "readable"}, "nothing is quarantined"},
        {{"replay", "--db", "l.db", "--from", "0", "--rate", "0"},
         "--rate: \"0\" is not a whole number from 1 to 100000000"},
        {{"replay", "--db", "l.db", "--from", "0", "--outcomes", "o"},
         "option outcomes is not for payd replay"},
        {{"restore", "b.db", "--db", "l.db", "--from-log-start"}, "belong to --rewind"},
        {{"backup", "--db", "l.db"}, "something is missing: payd backup FILE --db FILE"},
        {{"quarantine", "--db", "l.db"}, "payd quarantine list|show|export --db FILE"},
        {{"quarantine", "list", "--db", "l.db", "-b", "b:1"},
         "option brokers is not for payd quarantine"},
        {{"run", "--db", "l.db", "--dead-letters", ""}, "topic of dead letters is empty"},
        {{"run", "--db", "l.db", "--dead-letters", "payments"}, "dead letters cannot go into"},
        {{"run", "--db", "l.db", "--dead-letters", "payments.outcomes"},
         "dead letters cannot go into"},
        {{"run", "--db", "l.db", "-t", "a", "--outcomes", "b", "--dead-letters", "b"},
         "dead letters cannot go into"},
        {{"audit", "--db", "l.db", "--dead-letters", "d"}, "dead-letters is not for payd audit"},
        {{"quarantine", "redrive", "0@1"}, "no ledger is named"},
        {{"quarantine", "redrive", "--db", "l.db"}, "is not redriven at once"},
        {{"quarantine", "redrive", "--db", "l.db", "--value", "v"}, "give one PARTITION@OFFSET"},
        {{"quarantine", "redrive", "0@1", "0@2", "--db", "l.db", "--value", "v"},
         "give one PARTITION@OFFSET"},
        {{"quarantine", "redrive", "--reason", "bad_json", "--db", "l.db", "--value", "v"},
         "give one PARTITION@OFFSET"},
        {{"quarantine", "redrive", "0@1", "--db", "l.db", "--partition", "0"},
         "give either PARTITION@OFFSET..., or --reason"},
        {{"quarantine", "redrive", "0@1", "--db", "l.db", "--nope"},
         "unknown option \"--nope\": see payd quarantine redrive --help"},
        {{"quarantine", "redrive", "0@1", "--db", "l.db", "-g", "g"},
         "option group is not for payd quarantine redrive"},
        {{"quarantine", "redrive", "0@1", "--db", "l.db", "-t", ""}, "the topic's name is empty"},
        {{"reset", "--db", "l.db"}, "say --yes to do it"},
        {{"position", "--db", "l.db", "--new-log", "--json"}, "--json shows the positions"},
        {{"purge", "--db", "l.db"}, "use --older-than 90d"},
        {{"purge", "--db", "l.db", "--older-than", "90"}, "\"90\" is no duration"},
        {{"purge", "--db", "l.db", "--older-than", "0d"}, "\"0d\" is no duration"},
        {{"purge", "--db", "l.db", "--purge-older-than", "9d"},
         "option purge-older-than is not for payd purge"},
        {{"replay", "--into", "n.db", "--db", "l.db"}, "--into makes a new ledger"},
        {{"replay", "--into", "n.db", "--from", "beginning"}, "--into makes a new ledger"},
        {{"replay", "--db", "l.db", "--from", "1h", "--decisions", "o.db"}, "belong to --into"},
        {{"replay", "--db", "l.db", "--from", "1h", "--accounts", "open"}, "belong to --into"},
        {{"replay", "--db", "l.db", "--from", "1h", "--redecide"}, "belong to --into"},
        {{"replay", "--db", "l.db", "--from", "1h", "--from-log-start"}, "belong to --into"},
        {{"replay", "--into", "n.db", "--execute", "--decisions", "o.db"}, "with --redecide"},
        {{"restore", "--db", "l.db"}, "payd restore BACKUP --db FILE -b BROKERS"},
        {{"restore", "b.db"}, "no ledger is named"},
        {{"restore", "b.db", "--db", "l.db", "--redecide"}, "belong to --rewind"},
        {{"restore", "b.db", "--db", "l.db", "-g", ""}, "the group's name is empty"},
        {{"backup", "b.db", "--db", "l.db", "--rewind"}, "option rewind is not for payd backup"},
        {{"replay", "--into", "n.db", "--redecide"}, "--redecide compares with old decisions"},
        {{"replay", "--into", "n.db", "--decisions", "o.db", "--store", "u"}, "--store belongs to"},
        {{"run", "--db", "l.db", "--", "-b"}, "what is \"-b\"? payd run takes options only"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(parse(rows[i].args, &no_env), -1, "row %zu: %s", i, rows[i].text);
        cr_expect_eq(err.code, EX_USAGE, "row %zu", i);
        cr_expect(strstr(err.text, rows[i].text) != NULL, "row %zu: %s", i, err.text);
    }
}

Test(options_payd, an_empty_variable_in_the_environment_counts_as_unset)
{
    static const struct options_env env = {NULL, "", ""};

    cr_expect_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &env), 0, "%s", err.text);
    cr_expect_str_eq(options.kafka.topic, OPTIONS_DEFAULT_TOPIC);
}

Test(options_payd, outcomes_go_to_a_topic_named_after_the_payments)
{
    static const struct options_env env = {NULL, NULL, "env-outcomes"};

    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &no_env), 0);
    cr_expect_str_eq(options.outcomes, "payments.outcomes");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "-t", "t"}, &no_env), 0);
    cr_expect_str_eq(options.outcomes, "t.outcomes");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "-t", "t"}, &env), 0);
    cr_expect_str_eq(options.outcomes, "env-outcomes");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--outcomes", "o"}, &env),
                 0);
    cr_expect_str_eq(options.outcomes, "o");
}

Test(options_payd, accounts_are_left_as_they_are_unless_named)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &no_env), 0);
    cr_expect_eq(options.accounts, ACCOUNTS_AS_THEY_ARE);
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--accounts", "strict"}, &no_env), 0);
    cr_expect_eq(options.accounts, ACCOUNTS_STRICT);
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--accounts", "open"}, &no_env), 0);
    cr_expect_eq(options.accounts, ACCOUNTS_OPEN);
}

Test(options_payd, show_takes_keys_and_position_a_place)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"show", "k1", "--db", "l.db", "k2"}, &no_env), 0,
                 "%s", err.text);
    cr_expect_eq(options.operand_count, 2);
    cr_expect_str_eq(options.operands[0], "k1");
    cr_expect_str_eq(options.operands[1], "k2");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"show", "--db", "l.db", "--", "--key"}, &no_env),
                 0);
    cr_expect_str_eq(options.operands[0], "--key");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"position", "--db", "l.db"}, &no_env), 0);
    cr_expect_eq(options.partition, -1);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"position", "--db", "l.db", "--partition", "3",
                                                "--to", "9223372036854775807"},
                       &no_env),
                 0);
    cr_expect_eq(options.partition, 3);
    cr_expect_eq(options.to, INT64_MAX);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"position", "--db", "l.db", "--new-log"}, &no_env),
                 0);
    cr_expect(options.new_log);
}

Test(options_payd, purge_takes_an_age_and_run_too)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"purge", "--db", "l.db", "--older-than", "90d",
                                                "--json", "--skip-topic-check"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_eq(options.older_ms, INT64_C(90) * 86400 * 1000);
    cr_expect(options.kafka.skip_topic_check);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db", "--purge-older-than", "12h"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_eq(options.older_ms, 12 * 3600 * 1000);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"run", "--db", "l.db"}, &no_env), 0);
    cr_expect_eq(options.older_ms, 0, "kept for ever by default");
}

Test(options_payd, replay_takes_a_part_of_the_log)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"replay", "--db", "l.db", "--from", "17", "--to",
                                                "2025-11-26", "--partition", "2", "--execute"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_eq(options.from.kind, SPAN_OFFSET);
    cr_expect_eq(options.from.value, 17);
    cr_expect_eq(options.until.kind, SPAN_TIME);
    cr_expect_eq(options.partition, 2);
    cr_expect(options.execute);
    cr_expect_not(options.kafka.log, "its client's lines would stand among what it prints");
    cr_assert_eq(parse((const char *[ARGS_MAX]){"replay", "--db", "l.db", "--from", "beginning",
                                                "--rate", "500", "--key-file", "keys", "-bb:1"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_eq(options.from.kind, SPAN_BEGINNING);
    cr_expect_eq(options.until.kind, SPAN_NONE);
    cr_expect_eq(options.partition, -1);
    cr_expect_not(options.execute);
    cr_expect_eq(options.rate, 500);
    cr_expect_str_eq(options.key_file, "keys");
    cr_expect_str_eq(options.kafka.brokers, "b:1");
    cr_expect_eq(parse((const char *[ARGS_MAX]){"replay", "--db", "l.db"}, &no_env), -1);
    cr_expect(strstr(err.text, "from where?") != NULL, "%s", err.text);
    cr_expect_eq(parse((const char *[ARGS_MAX]){"audit", "--db", "l.db", "--execute"}, &no_env),
                 -1);
    cr_expect_str_eq(err.text, "option execute is not for payd audit");
}

Test(options_payd, old_decisions_stand_in_a_ledger_or_in_a_topic)
{
    cr_assert_eq(parse((const char *[ARGS_MAX]){"replay", "--into", "n.db", "--decisions", "o.db",
                                                "--redecide", "--execute"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_str_eq(options.decisions, "o.db");
    cr_expect_null(options.decisions_topic);
    cr_expect(options.redecide);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"replay", "--into", "n.db", "--decisions",
                                                "topic:told", "--store", "u", "--from-log-start"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_null(options.decisions);
    cr_expect_str_eq(options.decisions_topic, "told");
    cr_expect_str_eq(options.stores, "u");
    cr_expect(options.from_log_start);
    cr_assert_eq(parse((const char *[ARGS_MAX]){"replay", "--into", "n.db", "-t", "orders",
                                                "--decisions", "topic:"},
                       &no_env),
                 0, "%s", err.text);
    cr_expect_str_eq(options.decisions_topic, "orders.outcomes");
}

Test(options_payd, restore_takes_a_backup_and_the_groups_name)
{
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"restore", "b.db", "--db", "l.db", "-g", "own", "--rewind",
                                       "--redecide", "--skip-topic-check", "--from-log-start"},
              &no_env),
        0, "%s", err.text);
    cr_expect_eq(options.command, SUBCOMMAND_RESTORE);
    cr_expect_str_eq(options.operands[0], "b.db");
    cr_expect_str_eq(options.group, "own");
    cr_expect_str_eq(options.outcomes, "payments.outcomes");
    cr_expect(options.rewind && options.redecide && options.kafka.skip_topic_check);
    cr_expect(options.from_log_start);
}

Test(options_payd, takes_as_many_properties_as_it_says_and_no_more)
{
    char *argv[4 + KAFKA_PROPERTIES_MAX + 1] = {(char *)"payd", (char *)"run", (char *)"--db",
                                                (char *)"l.db"};

    for (size_t i = 0; i <= KAFKA_PROPERTIES_MAX; i++) {
        argv[4 + i] = (char *)"-Xa=1";
    }
    cr_expect_eq(options_parse(4 + KAFKA_PROPERTIES_MAX, argv, &no_env, &options, &err), 0);
    cr_expect_eq(options.kafka.property_count, KAFKA_PROPERTIES_MAX);
    cr_expect_eq(options_parse(5 + KAFKA_PROPERTIES_MAX, argv, &no_env, &options, &err), -1);
    cr_expect_str_eq(err.text, "more than 64 properties: put them into a file (-F)");
}

Test(options_payd, redrive_takes_places_or_filters_and_a_broker)
{
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"quarantine", "redrive", "0@17", "--db", "l.db", "-b", "b:1",
                                       "--value", "-", "-t", "others", "--skip-topic-check"},
              &no_env),
        0, "%s", err.text);
    cr_expect_eq(options.command, SUBCOMMAND_REDRIVE);
    cr_expect_eq(options.operand_count, 1);
    cr_expect_str_eq(options.operands[0], "0@17");
    cr_expect_str_eq(options.value_file, "-");
    cr_expect_str_eq(options.kafka.brokers, "b:1");
    cr_expect_str_eq(options.kafka.topic, "others");
    cr_expect(options.kafka.skip_topic_check);
    cr_expect_not(options.kafka.log);
    cr_assert_eq(
        parse((const char *[ARGS_MAX]){"quarantine", "redrive", "--db", "l.db", "--reason",
                                       "bad_key", "--partition", "3", "--since", "1h", "--json"},
              &no_env),
        0, "%s", err.text);
    cr_expect_eq(options.operand_count, 0);
    cr_expect_str_eq(options.reason, "bad_key");
    cr_expect_eq(options.partition, 3);
    cr_expect_eq(options.since.kind, SPAN_TIME);
    cr_expect(options.json);
}

Test(options_payd, help_fits_a_screen_and_names_its_options)
{
    static const struct {
        enum subcommand command;
        const char *names[11];
    } rows[] = {
        {SUBCOMMAND_HELP, {"  run ", "stats,", "--version", "64", "69", "74", "78"}},
        {SUBCOMMAND_RUN,
         {"--db FILE", "--brokers", "--topic", "--group", "-X NAME=VALUE", "-F FILE", "--until-end",
          "--from-log-start", "--take-group", "--skip-topic-check", "$PAY_BROKERS"}},
        {SUBCOMMAND_RUN,
         {"--outcomes", "$PAY_OUTCOMES", "--dead-letters", "--accounts", "SIGTERM"}},
        {SUBCOMMAND_STATS, {"--db FILE", "--json", "--help"}},
        {SUBCOMMAND_SHOW, {"KEY...", "--db FILE", "--json", "4 one is unknown"}},
        {SUBCOMMAND_POSITION, {"--partition N", "--to OFFSET", "--new-log"}},
        {SUBCOMMAND_DIFF, {"A.db B.db", "--json", "1 they differ"}},
        {SUBCOMMAND_STATEMENT, {"ACCOUNT", "--db FILE", "--since WHEN", "--json", "66"}},
        {SUBCOMMAND_PURGE,
         {"--older-than DURATION", "--db FILE", "--brokers", "--json", "stale", "retention.ms"}},
        {SUBCOMMAND_RESET, {"--db FILE", "--yes", "--forget-everything"}},
        {SUBCOMMAND_EXPORT, {"--db FILE", "--format", "csv", "jsonl", "--since WHEN"}},
        {SUBCOMMAND_BACKUP, {"--db FILE", "73"}},
        {SUBCOMMAND_RESTORE,
         {"BACKUP", "--db FILE", "--group", "--rewind", "--redecide", "--from-log-start",
          "--outcomes", "73", "78"}},
        {SUBCOMMAND_QUARANTINE,
         {"list", "show PARTITION@OFFSET", "export", "--reason", "--partition N", "--since WHEN",
          "--json"}},
        {SUBCOMMAND_QUARANTINE, {"redrive"}},
        {SUBCOMMAND_REDRIVE,
         {"PARTITION@OFFSET", "--value FILE", "--reason", "--partition N", "--since WHEN",
          "--brokers", "--topic", "--skip-topic-check", "--json", "75"}},
        {SUBCOMMAND_VERIFY, {"--db FILE", "--json", "1 it is not"}},
        {SUBCOMMAND_AUDIT, {"--db FILE", "--brokers", "--topic", "-X NAME", "-F FILE", "--json"}},
        {SUBCOMMAND_REPLAY,
         {"--from WHERE", "--to WHERE", "--partition N", "--key-file", "--execute", "--rate N",
          "--into NEW.db", "--decisions OLD", "--brokers"}},
        {SUBCOMMAND_REPLAY, {"topic:NAME", "--store UUID", "--redecide", "--from-log-start"}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = options_help(rows[i].command);
        int lines = 0;
        for (const char *line = text; *line; lines++) {
            size_t columns = strcspn(line, "\n");
            cr_expect_leq(columns, 80, "help %zu: %.*s", i, (int)columns, line);
            cr_assert_eq(line[columns], '\n', "help %zu ends inside a line", i);
            line += columns + 1;
        }
        cr_expect_leq(lines, 24, "help %zu has %d lines", i, lines);
        for (size_t j = 0; j < 10 && rows[i].names[j]; j++) {
            cr_expect(strstr(text, rows[i].names[j]) != NULL, "help %zu: %s", i, rows[i].names[j]);
        }
    }
}
