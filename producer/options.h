/*
 * The command line of pay: argv in, a struct out. Reads nothing else, prints nothing, never exits.
 */
#ifndef PRODUCER_OPTIONS_H
#define PRODUCER_OPTIONS_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "producer/subcommand.h"

#include <stdbool.h>

#define OPTIONS_DEFAULT_TOPIC "payments"

/* How long outcomes are waited for, in seconds. */
#define OPTIONS_WAIT_DEFAULT_S 60
#define OPTIONS_WAIT_MAX_S     86400

/* The outcomes topic is named after the topic, unless it is named by itself. */
#define OPTIONS_OUTCOMES_SUFFIX ".outcomes"
#define OPTIONS_TOPIC_SIZE      250 /* Kafka's names have at most 249 bytes */

/* What the environment says; a variable that is not set is NULL. */
struct options_env {
    const char *brokers;  /* PAY_BROKERS */
    const char *topic;    /* PAY_TOPIC */
    const char *outcomes; /* PAY_OUTCOMES */
};

/* Strings are borrowed from argv and the environment. What was not given is NULL. */
struct options {
    enum subcommand command;
    int wait_s;        /* how long to wait for outcomes, 0 = not at all */
    const char *usage; /* what SUBCOMMAND_HELP prints, static */
    struct kafka_args kafka;
    const char *outcomes; /* the outcomes topic as it was named, or NULL */
    bool json;
    bool new_key;      /* send: draw one */
    bool skip_bad;     /* batch */
    bool only_missing; /* batch: not the rows that have an outcome */
    bool strict;       /* account mode */

    int key_count; /* status */
    const char *keys[SUBCOMMAND_KEYS_MAX];
    const char *digest;

    const char *key; /* send, account and cancel */
    const char *src; /* send */
    const char *dest;
    const char *amount;
    const char *currency; /* send and account */

    const char *file; /* batch */
    const char *batch_id;

    const char *account;
    const char *min_balance; /* account: an amount, or "none" */

    char outcomes_topic[OPTIONS_TOPIC_SIZE + sizeof(OPTIONS_OUTCOMES_SUFFIX)]; /* always set */
};

/*
 * Read the command line. argv is left as it is. Fails with EX_USAGE and a sentence; *ret is then
 * undefined. Values (amount, accounts, keys, digest) are not judged here, except the batch id. Not
 * for two threads at once: getopt_long() has one state a process.
 */
MUST_CHECK int options_parse(int argc, char *const argv[], const struct options_env *env,
                             struct options *ret, struct error *err);

#endif
