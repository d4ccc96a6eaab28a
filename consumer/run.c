#include "consumer/run.h"

#include "common/log.h"
#include "common/stop.h"
#include "consumer/inbox.h"
#include "consumer/store.h"
#include "consumer/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RETRY_MS     500
#define REPORT_EVERY 20 /* tries between two log lines about a topic that is not there */
#define TRIES_TO_END 5  /* --until-end gives up after as many */

#define STOPPED_EARLY "stopped before the end was reached: run it again"

/* Waits for broker and topic. Returns -1 to stop: because of *err, or because a stop is requested.
 */
static int wait_for_topic(struct inbox *inbox, const struct options *options, struct error *err)
{
    for (int tries = 0; inbox_check_topic(inbox, err) != 0; tries++) {
        if (err->code != EX_UNAVAILABLE || (options->until_end && tries + 1 >= TRIES_TO_END)) {
            return -1;
        }
        if (tries % REPORT_EVERY == 0) {
            log_error(LOG_LEVEL_WARN, "waiting", err);
        }
        if (stop_wait(RETRY_MS)) {
            return options->until_end ? error_set(err, EX_TEMPFAIL, STOPPED_EARLY) : -1;
        }
    }
    return 0;
}

/* A store belongs to one log. */
static int bind_store(struct store *store, struct inbox *inbox, const struct options *options,
                      struct error *err)
{
    char *cluster = inbox_cluster(inbox, err);

    if (!cluster) {
        return -1;
    }
    enum store_status status = store->ops->bind(store, cluster, options->kafka.topic, err);
    free(cluster);
    return status == STORE_OK ? 0 : -1;
}

static int consume(struct worker *worker, struct inbox *inbox, bool until_end, struct error *err)
{
    enum worker_result result = WORKER_MORE;

    while (result == WORKER_MORE && !stop_requested()) {
        result = worker_step(worker, inbox, err);
    }
    worker_summary(worker, inbox, "end");
    if (result == WORKER_MORE && until_end) {
        return error_set(err, EX_TEMPFAIL, STOPPED_EARLY);
    }
    return result == WORKER_FAILED ? -1 : 0;
}

static int report(int result, const struct error *err)
{
    if (result == 0 || (stop_requested() && err->code == EX_UNAVAILABLE)) {
        log_event(LOG_LEVEL_INFO, "stop", "code=0");
        return EX_OK;
    }
    log_error(LOG_LEVEL_ERROR, "stop", err);
    return err->code;
}

int run(const struct options *options)
{
    struct error err = {.code = EX_SOFTWARE, .text = ""};
    struct store *store = NULL;
    struct inbox *inbox = NULL;
    struct worker *worker = NULL;
    int result = -1;
    const struct worker_options worker_options = {options->kafka.topic, options->group,
                                                  options->until_end, options->take_group,
                                                  options->from_log_start};

    log_event(LOG_LEVEL_INFO, "start",
              "version=" PAY_VERSION " store=\"%s\" topic=\"%s\" "
              "group=\"%s\"",
              options->db, options->kafka.topic, options->group);
    /* A command line that is wrong must not make a ledger. */
    if (kafka_conf_check(&options->kafka, &err) != 0) {
        goto done;
    }
    if (store_sqlite_open(&store, options->db, inbox_header, &err) != 0) {
        goto done;
    }
    worker = worker_new(store, &worker_options);
    if (!worker) {
        error_set(&err, EX_OSERR, "out of memory");
        goto done;
    }
    if (inbox_open(&inbox, &options->kafka, options->group, worker_callbacks(worker), &err) != 0 ||
        wait_for_topic(inbox, options, &err) != 0 || bind_store(store, inbox, options, &err) != 0 ||
        inbox_join(inbox, &err) != 0) {
        goto done;
    }
    result = consume(worker, inbox, options->until_end, &err);

done:;
    bool closed = inbox_close(inbox);
    worker_free(worker);
    store_close(store);
    int code = report(result, &err);
    if (!closed) {
        _exit(code); /* see inbox_close(); the store is closed, and nothing is buffered */
    }
    return code;
}
