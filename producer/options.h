/*
 * The command line of pay: argv in, a struct out. Reads nothing else, prints nothing, never exits.
 */
#ifndef PRODUCER_OPTIONS_H
#define PRODUCER_OPTIONS_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"

#include <stdbool.h>

#define OPTIONS_DEFAULT_TOPIC "payments"

enum subcommand {
    SUBCOMMAND_SEND,
    SUBCOMMAND_BATCH,
    SUBCOMMAND_KEY,
    SUBCOMMAND_HELP, /* print usage */
    SUBCOMMAND_VERSION,
};

/* What the environment says; a variable that is not set is NULL. */
struct options_env {
    const char *brokers; /* PAY_BROKERS */
    const char *topic;   /* PAY_TOPIC */
};

/* All strings are borrowed from argv and the environment. What was not given is NULL. */
struct options {
    enum subcommand command;
    const char *usage; /* what SUBCOMMAND_HELP prints, static */
    struct kafka_args kafka;
    bool json;

    /* pay send */
    const char *src;
    const char *dest;
    const char *amount;
    const char *currency;
    const char *key;
    bool new_key;

    /* pay batch */
    const char *file;
    const char *batch_id;
    bool skip_bad;
};

/*
 * Read the command line. argv is left as it is. Fails with EX_USAGE and a sentence; *ret is then
 * undefined. Values (amount, accounts, key) are not judged here, except the batch id. Not for two
 * threads at once: getopt_long() has one state a process.
 */
MUST_CHECK int options_parse(int argc, char *const argv[], const struct options_env *env,
                             struct options *ret, struct error *err);

#endif
