/*
 * pay batch --only-missing: which rows of a batch have their answer in the outcomes topic already.
 *
 * An answer belongs to key and payload, as in waitlist.h: a row whose key was answered with another
 * payload has none. What the topic has lost by retention counts as missing: to send such a row
 * again is harmless.
 *
 * The rows are looked for in windows, one after the other, and each window reads the topic once,
 * but only the partitions where its keys land. Memory: a waitlist and 2 to 4 bytes a row for one
 * window, at the most; afterwards a bit a row, 1.25 MB for 10,000,000.
 */
#ifndef PRODUCER_ANSWERED_H
#define PRODUCER_ANSWERED_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "common/progress.h"
#include "producer/spool.h"
#include "producer/verdict.h"
#include "producer/waitlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Rows of a window: some 270 MB. A larger batch reads the topic more than once. */
#define ANSWERED_WINDOW_ROWS WAITLIST_ROWS_MAX

/* Rows that are shown one by one because they were answered and not applied. */
#define ANSWERED_SHOWN 20

/* All borrowed. */
struct answered_args {
    const struct kafka_args *kafka; /* brokers and properties */
    const char *topic;              /* the outcomes topic */
    struct spool *spool;            /* the rows; it is read, and left anywhere */
    int64_t rows;                   /* of the spool */
    const struct command *same;     /* what each row's command has in common: the batch */
    int64_t window_rows;            /* ANSWERED_WINDOW_ROWS, or less in tests */
    FILE *messages;                 /* where rows that were not applied are told */
    struct progress *progress;
};

struct answered;

/*
 * Look for all rows. Fails with EX_UNAVAILABLE when no broker answers, the topic is not there or
 * its records do not come; EX_TEMPFAIL when a stop was requested; and as topic_reader_poll(),
 * spool_next() and waitlist_add(). On success the caller closes *ret.
 */
MUST_CHECK int answered_find(struct answered **ret, const struct answered_args *args,
                             struct error *err);

/* Has this row (from 0, as the spool gives them) its answer? */
bool answered_has(const struct answered *answered, int64_t row);

/* The answers of the rows that have one; unknown is 0. Borrowed. */
const struct verdict_counts *answered_counts(const struct answered *answered);

/* NULL is accepted. */
void answered_close(struct answered *answered);

#endif
