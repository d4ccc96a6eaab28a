#include "consumer/purger.h"

#include "common/bounded_call.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/thread.h"
#include "consumer/purge_log.h"
#include "consumer/store_purge.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CLOSE_MS 1000 /* how long a question may hold the end up */

enum state {
    STATE_WAITS,   /* until it is due */
    STATE_ASKS,    /* the thread runs: log, answer and err are its own */
    STATE_READS,   /* all that the log had must be read before */
    STATE_FORGETS, /* a purge is open */
};

struct purger {
    struct store *store;
    const struct kafka_args *kafka;
    int64_t older_ms;
    enum state state;
    int64_t due_ms;
    pthread_t thread;
    atomic_bool answered; /* the thread is done */
    int answer;
    struct error err;
    struct purge_log log;
    struct store_purge *purge;
};

int purger_open(struct purger **ret, struct store *store, const struct kafka_args *kafka,
                int64_t older_ms, struct error *err)
{
    struct purger *purger = calloc(1, sizeof(*purger));

    if (!purger) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    purger->store = store;
    purger->kafka = kafka;
    purger->older_ms = older_ms;
    *ret = purger;
    return 0;
}

/* ---- asking ---- */

static void *ask(void *user)
{
    struct purger *purger = user;

    purger->answer = purge_log_read(&purger->log, purger->kafka, &purger->err);
    atomic_store(&purger->answered, true);
    return NULL;
}

static void wait_again(struct purger *purger, int64_t ms)
{
    purge_log_release(&purger->log);
    purger->state = STATE_WAITS;
    purger->due_ms = clock_monotonic_ms() + ms;
}

/* It may be better the next time. */
static int put_off(struct purger *purger, const struct error *why)
{
    log_error(LOG_LEVEL_WARN, "purge_waits", why);
    wait_again(purger, PURGER_AGAIN_MS);
    return 0;
}

static int begin_asking(struct purger *purger, struct error *err)
{
    atomic_store(&purger->answered, false);
    int code = thread_start(&purger->thread, ask, purger);
    if (code != 0) {
        error_set(err, EX_OSERR, "the purge's thread: %s", strerror(code));
        return put_off(purger, err);
    }
    purger->state = STATE_ASKS;
    return 0;
}

static int take_answer(struct purger *purger)
{
    pthread_join(purger->thread, NULL);
    if (purger->answer != 0) {
        return put_off(purger, &purger->err);
    }
    purger->state = STATE_READS;
    purger->due_ms = 0;
    return 0;
}

/* ---- forgetting ---- */

/* What came of a transaction. A store that is busy or full is tried again; the chunks tell of it.
 */
static int settle(struct purger *purger, enum store_status status, enum state next)
{
    switch (status) {
    case STORE_OK:
        purger->state = next;
        return 0;
    case STORE_BUSY:
    case STORE_FULL:
        purger->due_ms = clock_monotonic_ms() + PURGER_LOOK_MS;
        return 0;
    case STORE_STALE:
    case STORE_FAILED:
    default:
        return -1;
    }
}

static int begin_forgetting(struct purger *purger, struct error *err)
{
    const struct purge_log *log = &purger->log;
    struct store_purge_terms terms = {.log_starts = log->starts,
                                      .partitions = (size_t)log->partitions};
    int64_t unread = 0;

    if (purge_log_unread(log, purger->store, &unread, err) != 0) {
        return -1;
    }
    if (unread > 0) {
        purger->due_ms = clock_monotonic_ms() + PURGER_LOOK_MS;
        return 0;
    }
    if (purge_log_floor(log, purger->older_ms, clock_unix_ms(), &terms.floor_ms, err) != 0) {
        return put_off(purger, err);
    }
    return settle(purger, store_sqlite_purge_open(&purger->purge, purger->store, &terms, err),
                  STATE_FORGETS);
}

static void end_forgetting(struct purger *purger)
{
    const struct store_purged *purged = store_sqlite_purged(purger->purge);
    char floor[CLOCK_TEXT_SIZE];

    clock_text(floor, purged->floor_ms);
    log_event(LOG_LEVEL_INFO, "purged",
              "floor=%s keys=%" PRId64 " batches=%" PRId64 " repeats=%" PRId64 " retained=%" PRId64
              " ageless=%" PRId64,
              floor, purged->keys, purged->batches, purged->repeats, purged->retained,
              purged->ageless);
    store_sqlite_purge_close(purger->purge);
    purger->purge = NULL;
    wait_again(purger, PURGER_EVERY_MS);
}

static int forget(struct purger *purger, struct error *err)
{
    bool is_done = false;

    if (settle(purger, store_sqlite_purge_step(purger->purge, &is_done, err), STATE_FORGETS) != 0) {
        return -1;
    }
    if (is_done) {
        end_forgetting(purger);
    }
    return 0;
}

bool purger_is_due(const void *user)
{
    const struct purger *purger = user;

    switch (purger->state) {
    case STATE_ASKS:
        return atomic_load(&purger->answered);
    case STATE_WAITS:
    case STATE_READS:
    case STATE_FORGETS:
    default:
        return clock_monotonic_ms() >= purger->due_ms;
    }
}

int purger_step(void *user, struct error *err)
{
    struct purger *purger = user;

    switch (purger->state) {
    case STATE_WAITS:
        return begin_asking(purger, err);
    case STATE_ASKS:
        return take_answer(purger);
    case STATE_READS:
        return begin_forgetting(purger, err);
    case STATE_FORGETS:
    default:
        return forget(purger, err);
    }
}

static void join(void *user)
{
    struct purger *purger = user;

    pthread_join(purger->thread, NULL);
}

void purger_close(struct purger *purger)
{
    if (!purger) {
        return;
    }
    if (purger->state == STATE_ASKS && !bounded_call(CLOSE_MS, join, purger)) {
        return; /* the thread goes on with what is its own */
    }
    store_sqlite_purge_close(purger->purge);
    purge_log_release(&purger->log);
    free(purger);
}
