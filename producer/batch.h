/*
 * pay batch: a file of payments, in two passes. batch_check() reads the whole input, judges each
 * row and keeps the good ones in a spool; batch_publish() sends the spool. So nothing is published
 * of an input that is bad, and what was checked is what is sent.
 * Between the two, --only-missing leaves out the rows that were answered before (answered.h).
 *
 * The same input under the same batch id gives the same keys and the same digest, in every run.
 */
#ifndef PRODUCER_BATCH_H
#define PRODUCER_BATCH_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/error.h"
#include "common/payment.h"
#include "common/progress.h"
#include "common/publisher.h"
#include "producer/answered.h"
#include "producer/options.h"
#include "producer/spool.h"
#include "producer/watch.h"

#include <stdint.h>
#include <stdio.h>

/* Bad rows that are shown one by one; the others are counted. */
#define BATCH_BAD_ROWS_SHOWN 20

/* Rows that are shown one by one because they were not applied, or have no answer. */
#define BATCH_ANSWERS_SHOWN 20

/* All borrowed. */
struct batch_input {
    FILE *in;
    const char *name;     /* of the input, in messages */
    const char *id;       /* NULL = none: then each row needs a key of its own */
    const char *bad_path; /* where --skip-bad puts bad rows; NULL = a bad row refuses the batch */
    const char *spool_dir;
    FILE *messages; /* where bad rows are told */
    struct progress *progress;
};

/* A batch that was checked. */
struct batch {
    struct spool *spool;       /* its good rows, each with its key */
    struct payment_batch tag;  /* what they carry; with id "" only the others of its fields count */
    int64_t skipped;           /* bad rows */
    struct answered *answered; /* rows that are not sent; NULL = all are */
    int64_t next;              /* the row that the spool gives next, from 0 */
};

/*
 * Check an input. Row n without a key of its own gets "ID:n" with ten digits; n counts bad rows
 * too, so that it does not depend on --skip-bad. Fails with EX_DATAERR (bad rows, no good row, or
 * the bad file is there with other rows), EX_USAGE (a key is missing and there is no id),
 * EX_TEMPFAIL (a stop was requested), EX_IOERR or EX_OSERR. On success the bad file, if there are
 * bad rows, is durable, and the caller releases *ret.
 */
MUST_CHECK int batch_check(const struct batch_input *input, struct batch *ret, struct error *err);

/* Accepts a batch that is all zero. */
void batch_release(struct batch *batch);

/*
 * The rows to send: how many they are, and each in its order. The tag is that of all rows, whatever
 * is sent of them. batch_rewind() and batch_next() are as those of the spool.
 */
int64_t batch_to_send(const struct batch *batch);
MUST_CHECK int batch_rewind(struct batch *batch, struct error *err);
MUST_CHECK int batch_next(struct batch *batch, struct payment *ret, struct error *err);

/* What became of the rows to send. Every row that was not acknowledged is told, as "unknown KEY:
 * why". */
struct batch_tally {
    FILE *messages;            /* borrowed */
    struct progress *progress; /* borrowed */
    struct watch *watch;       /* borrowed; NULL = outcomes are not waited for */
    int64_t sent;              /* handed over */
    int64_t acknowledged;
    int64_t unknown;
    int64_t failed;
    int64_t told; /* rows that were told because they were not applied */
};

/*
 * What is the same in the command of each row: the batch's tag, if it has an id. batch_next() puts
 * the rest in.
 */
struct command batch_command(const struct batch *batch);

/* A publisher_report; user is a struct batch_tally. */
void batch_report(void *user, const struct publisher_receipt *receipt);

/* A watch_answer; user is a struct batch_tally. Tells the first rows that are not applied. */
void batch_answer(void *user, const struct outcome_record *record, int64_t rows);

/*
 * Publish a checked batch through a publisher that reports to batch_report() with this tally, and
 * wait for all reports. Ends early when a row is not acknowledged or a stop is requested. However
 * it ends, each row is then counted once in the tally: rows that were not handed over as failed.
 * Returns -1 (EX_IOERR, EX_OSERR, EX_TEMPFAIL) when not all rows were handed over.
 */
MUST_CHECK int batch_publish(struct batch *batch, struct publisher *publisher,
                             struct batch_tally *tally, struct error *err);

/*
 * Wait for the outcomes of a published batch, up to timeout_ms or until a stop is requested; not at
 * all when rows are surely not in the topic. Then tells the first of the rows that were sent and
 * have no answer. The tally has a watch.
 */
void batch_wait(struct batch *batch, struct batch_tally *tally, int64_t timeout_ms);

/* All of pay batch. Prints everything there is to say and returns the exit code. */
int batch_run(const struct options *options);

#endif
