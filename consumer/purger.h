/*
 * The purger: forgets old keys while payd runs, as payd purge does while it does not, in small
 * transactions between the chunks.
 *
 * From time to time it asks the brokers about the log, on a thread of its own. When all that the
 * log had then is read, the floor rises, and old keys go.
 */
#ifndef CONSUMER_PURGER_H
#define CONSUMER_PURGER_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

/* From the end of a purge to the next, and after one that could not begin. */
#define PURGER_EVERY_MS 3600000
#define PURGER_AGAIN_MS 60000

/* How often it looks whether all is read that the log had, or the store has room again. */
#define PURGER_LOOK_MS 1000

struct purger;

/*
 * A purger of keys older than older_ms. The store must be open to write and outlive it, as kafka
 * must. Fails with EX_OSERR. On success the caller closes *ret.
 */
MUST_CHECK int purger_open(struct purger **ret, struct store *store, const struct kafka_args *kafka,
                           int64_t older_ms, struct error *err);

/* Whether there is something to be done now. */
bool purger_is_due(const void *purger);

/*
 * What is to be done now, one small transaction at the most; between two chunks, when the store is
 * the caller's. A purge that may not begin is logged, and tried again. Fails as the store does.
 */
MUST_CHECK int purger_step(void *purger, struct error *err);

/*
 * NULL is accepted. A question that is under way is waited for, a moment, and else left behind: see
 * bounded_call_runs().
 */
void purger_close(struct purger *purger);

#endif
