/*
 * pay account and pay cancel: commands to the ledger beside payments, from the command line to
 * their outcome.
 */
#ifndef PRODUCER_ACCOUNT_H
#define PRODUCER_ACCOUNT_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/error.h"
#include "producer/options.h"

#include <stdbool.h>

/* The key of pay account open, before the account: sent again, it is the same command. */
#define ACCOUNT_OPEN_KEY "account-open:"

/*
 * Make the command that the options order. Sets *ret_new_key when its key was drawn for it. Fails
 * with EX_DATAERR for a bad account, key, currency or amount, and EX_OSERR.
 */
MUST_CHECK int account_command(const struct options *options, struct command *ret,
                               bool *ret_new_key, struct error *err);

/* Prints everything there is to say and returns the exit code. */
int account_run(const struct options *options);

#endif
