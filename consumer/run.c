#include "consumer/run.h"

#include "common/log.h"
#include "common/stop.h"
#include "consumer/inbox.h"
#include "consumer/outbox.h"
#include "consumer/purger.h"
#include "consumer/store.h"
#include "consumer/worker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RETRY_MS     500
#define REPORT_EVERY 20 /* tries between two log lines about a topic that is not there */
#define TRIES_TO_END 5  /* --until-end gives up after as many */

#define STOPPED_EARLY "stopped before the end was reached: run it again"

struct running {
    const struct options *options;
    struct store *store;
    struct store *reader; /* the same, to read outcomes while a chunk is committed */
    struct inbox *inbox;
    struct outbox *outbox;
    struct worker *worker;
    struct purger *purger; /* NULL = nothing is forgotten */
    struct worker_chore chore;
};

static int check_topic(struct running *running, struct error *err)
{
    return inbox_check_topic(running->inbox, err);
}

static int open_outbox(struct running *running, struct error *err)
{
    return outbox_open(&running->outbox, running->store, running->reader, &running->options->kafka,
                       running->options->outcomes, err) == 0
               ? 0
               : error_wrap(err, "outcomes (--outcomes)");
}

static int open_dead_letters(struct running *running, struct error *err)
{
    return outbox_open_letters(running->outbox, running->options->dead_letters, err) == 0
               ? 0
               : error_wrap(err, "dead letters (--dead-letters)");
}

/*
 * Tries again while what is wanted is not there yet. Returns -1 to stop: because of *err, or
 * because a stop is requested.
 */
static int wait_for(struct running *running, int (*attempt)(struct running *, struct error *),
                    struct error *err)
{
    bool until_end = running->options->until_end;

    for (int tries = 0; attempt(running, err) != 0; tries++) {
        if (err->code == EX_UNAVAILABLE && until_end && stop_requested()) {
            return error_set(err, EX_TEMPFAIL, STOPPED_EARLY);
        }
        if (err->code != EX_UNAVAILABLE || (until_end && tries + 1 >= TRIES_TO_END)) {
            return -1;
        }
        if (tries % REPORT_EVERY == 0) {
            log_error(LOG_LEVEL_WARN, "waiting", err);
        }
        if (stop_wait(RETRY_MS)) {
            return until_end ? error_set(err, EX_TEMPFAIL, STOPPED_EARLY) : -1;
        }
    }
    return 0;
}

/* Opens the ledger, to write and beside it to read. */
static int open_store(struct running *running, struct error *err)
{
    const char *db = running->options->db;
    struct store_identity self;

    if (store_sqlite_open(&running->store, db, inbox_header, err) != 0 ||
        store_sqlite_open_readonly(&running->reader, db, err) != 0 ||
        running->store->ops->identify(running->store, &self, err) != STORE_OK) {
        return -1;
    }
    if (self.filters_rebuilt > 0) {
        log_event(LOG_LEVEL_WARN, "key_filter_rebuilt", "segments=%" PRId64, self.filters_rebuilt);
    }
    return 0;
}

/* A store belongs to one log. */
static int bind_store(const struct running *running, struct error *err)
{
    const struct options *options = running->options;
    struct store *store = running->store;
    char *cluster = inbox_cluster(running->inbox, err);

    if (!cluster) {
        return -1;
    }
    enum store_status status = store->ops->bind(store, cluster, options->kafka.topic, err);
    free(cluster);
    if (status == STORE_OK && options->accounts != ACCOUNTS_AS_THEY_ARE) {
        status = store->ops->set_mode(store, options->accounts == ACCOUNTS_STRICT, err);
    }
    return status == STORE_OK ? 0 : -1;
}

static int consume(struct worker *worker, struct inbox *inbox, bool until_end, struct error *err)
{
    struct error end_err;
    enum worker_result result = WORKER_MORE;

    while (result == WORKER_MORE && !stop_requested()) {
        result = worker_step(worker, inbox, err);
    }
    if (worker_end(worker, inbox, result == WORKER_FAILED, &end_err) != 0) {
        *err = end_err;
        result = WORKER_FAILED;
    }
    worker_summary(worker, inbox, "end");
    if (result == WORKER_MORE && until_end) {
        return error_set(err, EX_TEMPFAIL, STOPPED_EARLY);
    }
    return result == WORKER_FAILED ? -1 : 0;
}

/* A stop while brokers are away is as good as any, but the end was not reached by it. */
static int report(int result, bool until_end, const struct error *err)
{
    if (result == 0 || (!until_end && stop_requested() && err->code == EX_UNAVAILABLE)) {
        log_event(LOG_LEVEL_INFO, "stop", "code=0");
        return EX_OK;
    }
    log_error(LOG_LEVEL_ERROR, "stop", err);
    return err->code;
}

static int open_all(struct running *running, struct error *err)
{
    const struct options *options = running->options;
    const struct worker_options worker_options = {options->db,         options->kafka.topic,
                                                  options->group,      options->until_end,
                                                  options->take_group, options->from_log_start};

    /* A command line that is wrong must not make a ledger. */
    if (kafka_conf_check(&options->kafka, err) != 0 || open_store(running, err) != 0) {
        return -1;
    }
    if (worker_new(&running->worker, running->store, &options->kafka, &worker_options, err) != 0 ||
        inbox_open(&running->inbox, &options->kafka, options->group,
                   worker_callbacks(running->worker), err) != 0 ||
        wait_for(running, check_topic, err) != 0 || bind_store(running, err) != 0 ||
        wait_for(running, open_outbox, err) != 0 ||
        (options->dead_letters && wait_for(running, open_dead_letters, err) != 0)) {
        return -1;
    }
    worker_set_outbox(running->worker, running->outbox);
    if (options->older_ms > 0) {
        if (purger_open(&running->purger, running->store, &options->kafka, options->older_ms,
                        err) != 0) {
            return -1;
        }
        running->chore = (struct worker_chore){purger_is_due, purger_step, running->purger};
        worker_set_chore(running->worker, &running->chore);
    }
    return inbox_join(running->inbox, err);
}

int run(const struct options *options)
{
    struct error err = {.code = EX_SOFTWARE, .text = ""};
    struct error close_err;
    struct running running = {.options = options};

    log_event(LOG_LEVEL_INFO, "start",
              "version=" PAY_VERSION " store=\"%s\" topic=\"%s\" group=\"%s\" outcomes=\"%s\""
              " dead_letters=\"%s\"",
              options->db, options->kafka.topic, options->group, options->outcomes,
              options->dead_letters ? options->dead_letters : "");
    int result = open_all(&running, &err);
    if (result == 0) {
        result = consume(running.worker, running.inbox, options->until_end, &err);
    }
    if (outbox_close(running.outbox, result == 0, &close_err) != 0 && result == 0) {
        err = close_err;
        result = -1;
    }
    bool closed = inbox_close(running.inbox);
    worker_free(running.worker);
    purger_close(running.purger);
    store_close(running.reader);
    store_close(running.store);
    int code = report(result, options->until_end, &err);
    if (!closed) {
        _exit(code); /* see inbox_close(); the store is closed, and nothing is buffered */
    }
    return code;
}
