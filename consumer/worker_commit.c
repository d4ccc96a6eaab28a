#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/mutant.h"
#include "common/stop.h"
#include "consumer/ledger.h"
#include "consumer/worker_internal.h"

#include <sysexits.h>

#define BUSY_WAIT_MS      100
#define BUSY_TRIES        10 /* each has waited for SQLite's own busy timeout before */
#define FULL_WAIT_MS      1000
#define FULL_LOG_EVERY_MS 10000 /* how often a full disk is reported */

/* What a test that lets a step fail sees: the machinery failed, and nobody knows why. */
static enum store_status planted_failure(struct error *err)
{
    error_set(err, EX_IOERR, "a failpoint failed");
    return STORE_FAILED;
}

/* A step of the transaction, unless one before it failed. */
#define STEP(place, call)                                                                          \
    do {                                                                                           \
        if (status == STORE_OK) {                                                                  \
            status = FAILPOINT_FAILS(place) ? planted_failure(err) : (call);                       \
        }                                                                                          \
    } while (0)

/* One transaction of an indexed chunk. After anything but STORE_OK nothing is changed. */
static enum store_status transact(struct store *store, struct chunk *chunk, struct error *err)
{
    enum store_status status = STORE_OK;

    STEP("before-begin", store->ops->begin(store, err));
    STEP("before-claim", store->ops->claim(store, chunk, err));
    STEP("before-load", store->ops->load(store, chunk, err));
    if (status == STORE_OK) {
        ledger_decide(chunk);
    }
    STEP("before-save", store->ops->save(store, chunk, err));
    STEP("before-store-commit", store->ops->commit(store, err));
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
}

/* Waits until a full disk may have room again. False when that is not to be waited for any more. */
static bool wait_for_room(struct worker_committing *committing, int64_t *log_due_ms,
                          const struct error *err)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms >= *log_due_ms) {
        log_error(LOG_LEVEL_ERROR, "store_full", err);
        *log_due_ms = now_ms + FULL_LOG_EVERY_MS;
    }
    return !stop_wait(FULL_WAIT_MS) && !atomic_load(&committing->is_ending);
}

enum store_status worker_commit(void *user, struct chunk *chunk, struct error *err)
{
    struct worker_committing *committing = user;
    int64_t log_due_ms = 0; /* the first time is reported at once */
    int tries = 0;

    chunk->now_ms = clock_unix_ms();
    for (;;) {
        enum store_status status = transact(committing->store, chunk, err);
        if (status == STORE_OK) {
            FAILPOINT("after-store-commit");
            return status;
        }
        if (status == STORE_BUSY && MUTANT("busy-swallowed")) {
            return STORE_OK;
        }
        if (status == STORE_FULL) {
            if (!wait_for_room(committing, &log_due_ms, err)) {
                return status;
            }
        } else if (status == STORE_BUSY && ++tries < BUSY_TRIES) {
            log_error(LOG_LEVEL_WARN, "store_busy", err);
            if (stop_wait(BUSY_WAIT_MS) || atomic_load(&committing->is_ending)) {
                return status;
            }
        } else {
            return status;
        }
        chunk_index(chunk); /* what the try before has filled in is not so */
    }
}
