#include "producer/account.h"

#include "common/uuid7.h"
#include "producer/deliver.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static_assert(sizeof(ACCOUNT_OPEN_KEY) + PAYMENT_ACCOUNT_MAX <= PAYMENT_KEY_MAX + 1,
              "the key of an open fits for every account");

static enum command_type type_of(enum subcommand command)
{
    switch (command) {
    case SUBCOMMAND_ACCOUNT_OPEN:
        return COMMAND_ACCOUNT_OPEN;
    case SUBCOMMAND_ACCOUNT_LIMIT:
        return COMMAND_ACCOUNT_LIMIT;
    case SUBCOMMAND_ACCOUNT_CLOSE:
        return COMMAND_ACCOUNT_CLOSE;
    case SUBCOMMAND_ACCOUNT_MODE:
        return COMMAND_ACCOUNTS;
    case SUBCOMMAND_CANCEL:
    case SUBCOMMAND_SEND:
    case SUBCOMMAND_BATCH:
    case SUBCOMMAND_KEY:
    case SUBCOMMAND_STATUS:
    case SUBCOMMAND_HELP:
    case SUBCOMMAND_VERSION:
    default:
        return COMMAND_CANCEL;
    }
}

static int take_account(const struct options *options, struct command *ret, struct error *err)
{
    size_t len = strlen(options->account);
    const char *problem = payment_account_problem(options->account, len);

    if (problem) {
        return error_set(err, EX_DATAERR, "account: %s", problem);
    }
    payment_copy(ret->payment.src, options->account, len);
    return 0;
}

static int take_limit(const struct options *options, struct command *ret, struct error *err)
{
    const char *currency = options->currency ? options->currency : MONEY_DEFAULT_CURRENCY;
    const char *text = options->min_balance;

    if (money_exponent(currency) < 0) {
        return error_set(err, EX_DATAERR, "--currency: use an ISO 4217 code such as EUR");
    }
    payment_copy(ret->payment.currency, currency, strlen(currency));
    if (!text || strcmp(text, "none") == 0) {
        return 0;
    }
    const char *problem = money_parse_signed(text, strlen(text), currency, &ret->min_minor);
    if (problem) {
        return error_set(err, EX_DATAERR, "--min-balance: %s, or none", problem);
    }
    ret->has_min = true;
    return 0;
}

static int take_key(const struct options *options, struct command *ret, bool *ret_new_key,
                    struct error *err)
{
    const char *key = options->key;
    const char *problem = key ? payment_key_problem(key, strlen(key)) : NULL;

    *ret_new_key = false;
    if (problem) {
        return error_set(err, EX_DATAERR, "key: %s", problem);
    }
    if (key) {
        payment_copy(ret->payment.key, key, strlen(key));
        return 0;
    }
    if (ret->type == COMMAND_ACCOUNT_OPEN) {
        snprintf(ret->payment.key, sizeof(ret->payment.key), ACCOUNT_OPEN_KEY "%s",
                 ret->payment.src);
        return 0;
    }
    *ret_new_key = true;
    return uuid7_new(ret->payment.key, err);
}

int account_command(const struct options *options, struct command *ret, bool *ret_new_key,
                    struct error *err)
{
    command_init(ret, type_of(options->command));
    ret->strict = ret->type == COMMAND_ACCOUNTS && options->strict;
    if (options->account && take_account(options, ret, err) != 0) {
        return -1;
    }
    if ((ret->type == COMMAND_ACCOUNT_OPEN || ret->type == COMMAND_ACCOUNT_LIMIT) &&
        take_limit(options, ret, err) != 0) {
        return -1;
    }
    return take_key(options, ret, ret_new_key, err);
}

int account_run(const struct options *options)
{
    struct command command;
    struct error err;
    bool is_new_key;

    if (account_command(options, &command, &is_new_key, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    return deliver_run(options, &command, is_new_key);
}
