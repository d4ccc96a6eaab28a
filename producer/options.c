#include "producer/options.h"

#include "common/payment.h"
#include "producer/options_line.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int refuse_command(const struct options_line *line, struct error *err)
{
    static const char known[] = "pay send, batch, status, cancel, account or key (pay --help)";
    const char *name = options_line_operand(line, 0);

    if (!name) {
        return error_set(err, EX_USAGE, "no command: %s", known);
    }
    if (strcmp(name, subcommand_form(SUBCOMMAND_ACCOUNT_OPEN)->name) == 0) {
        return error_set(err, EX_USAGE,
                         "pay account open, limit, close or mode (pay account "
                         "--help)");
    }
    return error_set(err, EX_USAGE, "there is no command \"%s\": %s", name, known);
}

/* Operands, without the words of the command. */
static int check_fit(const struct options *options, const struct options_line *line, int operands,
                     struct error *err)
{
    const struct subcommand_form *form = subcommand_form(options->command);
    const char *stranger = options_line_stranger(line, options->command);

    if (stranger) {
        return error_set(err, EX_USAGE, "option %s does not belong to pay %s%s%s", stranger,
                         form->name, form->verb[0] ? " " : "", form->verb);
    }
    if (operands < form->operands_min || operands > form->operands_max) {
        return error_set(err, EX_USAGE, "too %s operands: see pay %s --help",
                         operands < form->operands_min ? "few" : "many", form->name);
    }
    return 0;
}

static int take_send(struct options *ret, const struct options_line *line, struct error *err)
{
    ret->src = options_line_operand(line, 1);
    ret->dest = options_line_operand(line, 2);
    ret->amount = options_line_operand(line, 3);
    ret->currency = options_line_operand(line, 4);
    if (ret->key && ret->new_key) {
        return error_set(err, EX_USAGE, "give either --key or --new, not both");
    }
    if (!ret->key && !ret->new_key) {
        return error_set(err, EX_USAGE,
                         "a payment needs an idempotency key: give --key KEY, and the same KEY "
                         "when it is sent again (with a fresh key each time, `until pay send ...; "
                         "do sleep 1; done` would pay each time), or --new to pay on purpose "
                         "under a new key");
    }
    return 0;
}

static int take_batch(struct options *ret, const struct options_line *line, struct error *err)
{
    const char *problem =
        ret->batch_id ? payment_batch_id_problem(ret->batch_id, strlen(ret->batch_id)) : NULL;

    ret->file = options_line_operand(line, 1);
    return problem ? error_set(err, EX_USAGE, "--batch-id: %s", problem) : 0;
}

static int take_mode(struct options *ret, const char *mode, struct error *err)
{
    ret->strict = strcmp(mode, "strict") == 0;
    return ret->strict || strcmp(mode, "open") == 0
               ? 0
               : error_set(err, EX_USAGE, "pay account mode is strict or open");
}

static int take_limit(struct options *ret, const char *account, struct error *err)
{
    ret->account = account;
    return ret->command != SUBCOMMAND_ACCOUNT_LIMIT || ret->min_balance
               ? 0
               : error_set(err, EX_USAGE, "pay account limit needs --min-balance AMOUNT or none");
}

static int take_keys(struct options *ret, const struct options_line *line)
{
    for (int i = 1; i < line->operand_count; i++) {
        ret->keys[ret->key_count++] = options_line_operand(line, i);
    }
    return 0;
}

/* What is sent seldom, by hand, and waited for unless told not to. */
static bool is_order(enum subcommand command)
{
    return command >= SUBCOMMAND_CANCEL && command <= SUBCOMMAND_ACCOUNT_MODE;
}

/* Accounts and cancels wait by themselves; what was said of it stands. */
static int judge_wait(struct options *ret, const struct options_line *line, struct error *err)
{
    bool no_wait = options_line_has(line, OPTION_NO_WAIT);

    if (no_wait && ret->wait_s > 0) {
        return error_set(err, EX_USAGE, "give either --wait or --no-wait, not both");
    }
    if (!no_wait && ret->wait_s == 0 && is_order(ret->command)) {
        ret->wait_s = OPTIONS_WAIT_DEFAULT_S;
    }
    if (ret->outcomes) {
        snprintf(ret->outcomes_topic, sizeof(ret->outcomes_topic), "%s", ret->outcomes);
    } else {
        snprintf(ret->outcomes_topic, sizeof(ret->outcomes_topic), "%.*s" OPTIONS_OUTCOMES_SUFFIX,
                 OPTIONS_TOPIC_SIZE, ret->kafka.topic);
    }
    return 0;
}

static int take_command(struct options *ret, const struct options_line *line, struct error *err)
{
    const char *name = options_line_operand(line, 0);
    int command = name ? subcommand_find(name, options_line_operand(line, 1)) : -1;

    if (command < 0) {
        return refuse_command(line, err);
    }
    ret->command = (enum subcommand)command;
    int words = subcommand_form(ret->command)->verb[0] ? 2 : 1;
    if (check_fit(ret, line, line->operand_count - words, err) != 0 ||
        judge_wait(ret, line, err) != 0) {
        return -1;
    }
    switch (ret->command) {
    case SUBCOMMAND_SEND:
        return take_send(ret, line, err);
    case SUBCOMMAND_BATCH:
        return take_batch(ret, line, err);
    case SUBCOMMAND_STATUS:
        return take_keys(ret, line);
    case SUBCOMMAND_CANCEL:
        ret->key = options_line_operand(line, 1);
        return 0;
    case SUBCOMMAND_ACCOUNT_OPEN:
    case SUBCOMMAND_ACCOUNT_LIMIT:
    case SUBCOMMAND_ACCOUNT_CLOSE:
        return take_limit(ret, options_line_operand(line, 2), err);
    case SUBCOMMAND_ACCOUNT_MODE:
        return take_mode(ret, options_line_operand(line, 2), err);
    case SUBCOMMAND_KEY:
    case SUBCOMMAND_HELP:
    case SUBCOMMAND_VERSION:
    default:
        return 0;
    }
}

/* A variable that is set to nothing is as good as not set. */
static const char *value_of(const char *variable)
{
    return variable && variable[0] ? variable : NULL;
}

int options_parse(int argc, char *const argv[], const struct options_env *env, struct options *ret,
                  struct error *err)
{
    struct options_line line = {0};

    memset(ret, 0, sizeof(*ret));
    ret->kafka.env_brokers = value_of(env->brokers);
    ret->kafka.topic = value_of(env->topic) ? env->topic : OPTIONS_DEFAULT_TOPIC;
    ret->outcomes = value_of(env->outcomes);
    if (options_line_read(argc, argv, ret, &line, err) != 0) {
        return -1;
    }
    if (options_line_has(&line, 'h')) {
        ret->command = SUBCOMMAND_HELP;
        ret->usage = subcommand_usage(options_line_operand(&line, 0));
        return 0;
    }
    if (options_line_has(&line, OPTION_VERSION)) {
        ret->command = SUBCOMMAND_VERSION;
        return 0;
    }
    return take_command(ret, &line, err);
}
