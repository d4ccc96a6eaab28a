/*
 * payd's command line: a pure function from argv to a struct.
 */
#ifndef CONSUMER_OPTIONS_H
#define CONSUMER_OPTIONS_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a topic's name with what is added for the outcomes topic, and its ending NUL. */
#define OPTIONS_TOPIC_SIZE 272

enum subcommand {
    SUBCOMMAND_HELP,
    SUBCOMMAND_VERSION,
    SUBCOMMAND_RUN,
    SUBCOMMAND_STATS,
    SUBCOMMAND_SHOW,
    SUBCOMMAND_POSITION,
    SUBCOMMAND_VERIFY,
    SUBCOMMAND_AUDIT,
    SUBCOMMAND_REPLAY,
    SUBCOMMAND_DIFF,
    SUBCOMMAND_STATEMENT,
    SUBCOMMAND_EXPORT,
    SUBCOMMAND_BACKUP,
    SUBCOMMAND_RESTORE,
    SUBCOMMAND_QUARANTINE,
    SUBCOMMAND_PURGE,
    SUBCOMMAND_REDRIVE, /* payd quarantine redrive */
    SUBCOMMAND_RESET,
};

/* payd export --format */
enum format { FORMAT_NONE, FORMAT_CSV, FORMAT_JSONL }; /* none: CSV, or JSON Lines with json */

/* payd run --accounts */
enum accounts { ACCOUNTS_AS_THEY_ARE, ACCOUNTS_OPEN, ACCOUNTS_STRICT };

struct options {
    enum subcommand command;
    enum subcommand help_for; /* SUBCOMMAND_HELP: for which command; SUBCOMMAND_HELP = for payd */
    const char *db;
    const char *group;
    struct kafka_args kafka;
    const char *outcomes;     /* the outcomes topic */
    const char *dead_letters; /* payd run: the topic of dead letters; NULL = none */
    char *const *operands;    /* keys, files, ... as the command takes them */
    int operand_count;

    enum accounts accounts;      /* payd run */
    enum format format;          /* payd export */
    int32_t partition;           /* payd position, replay, quarantine, redrive; -1 = not given */
    int64_t to;                  /* payd position; -1 = not given */
    struct span from;            /* payd replay */
    struct span until;           /* its --to */
    struct span since;           /* payd export, statement, quarantine, redrive */
    int64_t rate;                /* payd replay: records a second; 0 = not given */
    int64_t older_ms;            /* payd purge, run: keys older than so much; 0 = not given */
    const char *key_file;        /* payd replay; NULL = all keys */
    const char *into;            /* payd replay: a new ledger; NULL = into db itself */
    const char *decisions;       /* its: a ledger whose decisions hold; NULL = none */
    const char *decisions_topic; /* its: an outcomes topic that tells which hold; NULL = none */
    const char *stores;          /* its: whose outcomes, UUID[,UUID...]; NULL = of the only one */
    const char *reason;          /* payd quarantine, redrive; NULL = any */
    const char *value_file;      /* payd quarantine redrive; NULL = the bytes as they are kept */

    bool json;
    bool until_end; /* payd run */
    bool take_group;
    bool from_log_start; /* and payd replay, restore */
    bool new_log;        /* payd position */
    bool execute;        /* payd replay */
    bool redecide;       /* its, and payd restore: old decisions do not hold */
    bool rewind;         /* payd restore: read again what the group has read */
    bool yes;            /* payd reset */
    bool forget_everything;

    char outcomes_text[OPTIONS_TOPIC_SIZE]; /* the default of outcomes */
};

/* What the environment says; each may be NULL. */
struct options_env {
    const char *brokers;  /* PAY_BROKERS */
    const char *topic;    /* PAY_TOPIC */
    const char *outcomes; /* PAY_OUTCOMES */
};

#define OPTIONS_DEFAULT_TOPIC "payments"
#define OPTIONS_DEFAULT_GROUP "payd"

/* Records a second that --rate may allow. */
#define OPTIONS_RATE_MAX 100000000

/*
 * Read the command line. Strings in *ret are borrowed from argv and env, and from *ret itself: it
 * must not be copied. argv is permuted, as getopt does. Fails with EX_USAGE and a sentence.
 */
MUST_CHECK int options_parse(int argc, char **argv, const struct options_env *env,
                             struct options *ret, struct error *err);

/* The help text of a command, a static string that fits a screen of 80 x 24. */
const char *options_help(enum subcommand command);

#endif
