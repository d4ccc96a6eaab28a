/*
 * The watch: reads the outcomes topic for the answers to our own commands. It is opened before the
 * first of them is published, so that no answer can come before it looks.
 *
 * Troubles do not end publishing: after one that lasts the watch only says why it is over, and what
 * has no answer stays unknown.
 */
#ifndef PRODUCER_WATCH_H
#define PRODUCER_WATCH_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "common/outcome_record.h"
#include "producer/verdict.h"

#include <stdint.h>

/* Called for each record that answers commands of ours; rows is how many. Borrowed for the call. */
typedef void watch_answer(void *user, const struct outcome_record *record, int64_t rows);

struct watch_args {
    const struct kafka_args *kafka; /* brokers and properties */
    const char *topic;              /* the outcomes topic */
    const char *key;                /* where this key lands, or NULL: all partitions */
    int64_t rows;                   /* commands that will be added */
    watch_answer *answer;           /* on the thread that calls watch_poll() */
    void *user;
};

struct watch;

/*
 * Begin to read where the partitions end now. Fails with EX_UNAVAILABLE when no broker answers or
 * the topic is not there, and as waitlist_open(). On success the caller closes *ret. args is not
 * kept, user is borrowed until watch_close().
 */
MUST_CHECK int watch_open(struct watch **ret, const struct watch_args *args, struct error *err);

/* Wait for a command too; call it before the command is published. Fails as waitlist_add(). */
MUST_CHECK int watch_add(struct watch *watch, const struct command *command, const char *value,
                         size_t value_len, struct error *err);

/* Take what has come, waiting up to timeout_ms for the first. NULL: returns at once. */
void watch_poll(struct watch *watch, int timeout_ms);

/*
 * Poll until every command has its answer, for up to timeout_ms, or until a stop is requested or
 * the watch is over. step, which may be NULL, is called with user after each poll.
 */
void watch_wait(struct watch *watch, int64_t timeout_ms, void (*step)(void *user));

/* The answers so far. Borrowed. */
const struct verdict_counts *watch_counts(const struct watch *watch);

/* Set *ret_answer to a command's answer, OUTCOME_NONE for none. Fails with EX_OSERR. */
MUST_CHECK int watch_look(struct watch *watch, const struct command *command,
                          enum outcome *ret_answer, struct error *err);

/* Why answers may be missing, as a sentence; "" when nothing is known. Borrowed. */
const char *watch_trouble(const struct watch *watch);

/* NULL is accepted. */
void watch_close(struct watch *watch);

#endif
