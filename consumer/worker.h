/*
 * The worker joins the parts: inbox -> payload -> store -> ledger -> store -> inbox, one chunk and
 * one transaction a step. Its invariants stand at the top of worker.c.
 */
#ifndef CONSUMER_WORKER_H
#define CONSUMER_WORKER_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/inbox.h"
#include "consumer/outbox.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;

struct worker_options {
    const char *topic;   /* for the log; borrowed */
    const char *group;   /* as topic */
    bool until_end;      /* done at the end of every assigned partition */
    bool take_group;     /* go on although the group belongs to another store */
    bool from_log_start; /* a new store may begin where the log begins, whatever was before */
};

enum worker_result {
    WORKER_MORE,   /* go on */
    WORKER_DONE,   /* until_end, and it is there */
    WORKER_FAILED, /* stop, see the error; nothing that was not committed is lost */
};

/* A worker on an open store, which stays the caller's and must outlive it. NULL: no memory. */
struct worker *worker_new(struct store *store, const struct worker_options *options);

/* Free; NULL is accepted. */
void worker_free(struct worker *worker);

/* The outbox that the steps work; it stays the caller's. Must be set before the first step. */
void worker_set_outbox(struct worker *worker, struct outbox *outbox);

/* The callbacks that an inbox for this worker is opened with; borrowed from the worker. */
const struct inbox_callbacks *worker_callbacks(struct worker *worker);

/* Wait a moment for messages, and take what is there through one transaction. */
MUST_CHECK enum worker_result worker_step(struct worker *worker, struct inbox *inbox,
                                          struct error *err);

/* Log the counts since the start as one line named event. */
void worker_summary(const struct worker *worker, struct inbox *inbox, const char *event);

/*
 * Where to start in a partition whose log holds low <= offset < high, when the store has the
 * position stored (or none: found is false). Returns 0 and sets *ret, or -1 with EX_CONFIG when
 * the log does not fit the store. A pure function.
 */
MUST_CHECK int worker_start(bool found, int64_t stored, int64_t low, int64_t high,
                            bool from_log_start, int64_t *ret, struct error *err);

#endif
