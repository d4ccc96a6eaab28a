/*
 * The command line of pay-make-topic.
 */
#ifndef COMPOSE_MAKE_TOPIC_OPTIONS_H
#define COMPOSE_MAKE_TOPIC_OPTIONS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct topic_options {
    const char *brokers; /* borrowed, as all texts here are, from argv and environment */
    const char *topic;
    int partitions;
    int replication;
    int min_isr; /* 0: as the broker has it */
    long long retention_ms;
    bool remove;           /* --delete */
    rd_kafka_conf_t *conf; /* what -X has set; the caller destroys it */
};

/* Without arguments: brokers out of the environment, or NULL. The caller destroys .conf. */
struct topic_options topic_options_default(void);

/*
 * Read the command line. Returns 0, or an exit code with the reason on standard error, or -1 when
 * --help was asked for and has been printed.
 */
int topic_options_parse(int argc, char **argv, struct topic_options *options);

/* Print "pay-make-topic: what: why" on standard error. Returns code. */
int topic_fail(int code, const char *what, const char *why);

#endif
