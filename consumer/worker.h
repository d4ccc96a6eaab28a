/*
 * The worker joins the parts: inbox -> payload -> store -> ledger -> store -> inbox, one chunk and
 * one transaction at a time. The calling thread takes messages and makes chunks of them; a thread
 * of the worker's own decides and commits. The invariants stand at the top of worker.c.
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
    const char *db;      /* the ledger's file, for messages; borrowed */
    const char *topic;   /* as db */
    const char *group;   /* as db */
    bool until_end;      /* done at the end of every assigned partition */
    bool take_group;     /* go on although the group belongs to another store */
    bool from_log_start; /* a new store may begin where the log begins, whatever was before */
};

enum worker_result {
    WORKER_MORE,   /* go on */
    WORKER_DONE,   /* until_end, and it is there */
    WORKER_FAILED, /* stop, see the error; nothing that was not committed is lost */
};

/*
 * A worker on an open store, which stays the caller's and must outlive it, as kafka must. kafka
 * says where the log is that the worker keeps an eye on. Fails with EX_OSERR. On success the caller
 * frees *ret.
 */
MUST_CHECK int worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
                          const struct worker_options *options, struct error *err);

/* Free; NULL is accepted. */
void worker_free(struct worker *worker);

/* The outbox that the steps work; it stays the caller's. Must be set before the first step. */
void worker_set_outbox(struct worker *worker, struct outbox *outbox);

/* What else is done with the store, in turn with the chunks; see worker_set_chore(). */
struct worker_chore {
    bool (*is_due)(const void *user);
    int (*step)(void *user, struct error *err); /* as worker_step() may fail */
    void *user;
};

/*
 * Have a chore done when it is due, one step of it between two chunks, when nothing else is in
 * work. Borrowed for as long as the worker is used.
 */
void worker_set_chore(struct worker *worker, const struct worker_chore *chore);

/* The callbacks that an inbox for this worker is opened with; borrowed from the worker. */
const struct inbox_callbacks *worker_callbacks(struct worker *worker);

/*
 * Wait a moment for messages and give what is there to the committer, which takes it through one
 * transaction while the next step takes more.
 */
MUST_CHECK enum worker_result worker_step(struct worker *worker, struct inbox *inbox,
                                          struct error *err);

/*
 * After the last step: wait for the transactions that are left, note their offsets, let go of the
 * messages. After a step that failed, begin none and note nothing. From then on the store is the
 * caller's again. Fails as the store does, also for a transaction in work that no step has heard
 * of.
 */
MUST_CHECK int worker_end(struct worker *worker, struct inbox *inbox, bool failed,
                          struct error *err);

/* Log the counts since the start as one line named event. */
void worker_summary(const struct worker *worker, struct inbox *inbox, const char *event);

/* What a position is judged by. */
struct worker_place {
    const char *db; /* for the command in the message */
    int32_t partition;
    bool found;     /* the store has a position: */
    int64_t stored; /* this one */
    int64_t low;    /* the log holds low <= offset < high */
    int64_t high;
    bool from_log_start;
};

/*
 * Where to start in a partition. Returns 0 and sets *ret, or -1 with EX_CONFIG when the log does
 * not fit the store. A pure function.
 */
MUST_CHECK int worker_start(const struct worker_place *place, int64_t *ret, struct error *err);

#endif
