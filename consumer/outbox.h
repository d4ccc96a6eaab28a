/*
 * The outbox: publishes the store's outcomes to the outcomes topic, in the order of their seq, at
 * least once.
 *
 * It keeps nothing of its own: outcomes are read from the store behind a cursor, sent, and when all
 * up to one are acknowledged the cursor moves there. After a crash it goes on from the stored
 * cursor, so that some outcomes are published again, and none is left out.
 *
 *   key      the idempotency key
 *   value    outcome_json.h
 *   headers  outcome (as the value's), digest (as the value's), and of the message that is answered
 *            traceparent and tracestate, when they were there with at most STORE_TRACE_MAX bytes
 *
 * An outcome that the topic refuses for good, being too large, is remembered in the store as
 * skipped, and logged.
 *
 * With dead letters each quarantined message is published too, to a topic of its own, and the
 * cursor moves over it only when both are acknowledged:
 *
 *   key      as it was kept; none when it had none
 *   value    as it was kept: at most STORE_QUARANTINE_MESSAGE_BYTES of key, value and headers
 *   headers  as they were kept, and behind them origin (TOPIC:PARTITION:OFFSET), reason, detail
 *            and, when there was a value, value-length (all of it, in bytes)
 *
 * The cursor is the same, so that who begins with dead letters gets those from then on.
 */
#ifndef CONSUMER_OUTBOX_H
#define CONSUMER_OUTBOX_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * With so many outcomes unpublished it is full: no more messages are taken until some are gone. A
 * build for tests has a limit that a test can reach.
 */
#ifdef PAY_FAILPOINTS
#define OUTBOX_BACKLOG_MAX 5000
#else
#define OUTBOX_BACKLOG_MAX 2000000
#endif

/* Outcomes that are sent and not acknowledged, at the most. */
#define OUTBOX_WINDOW 8192

struct outbox;

/*
 * Connect to the outcomes topic. Outcomes are read through reader, which may be the same store
 * opened to read only; what was published is noted in store. args gives brokers and properties;
 * topic is borrowed until outbox_close(). Fails with EX_UNAVAILABLE when no broker answers or the
 * topic is not there: it may come, ask again. On success the caller closes *ret; both stores must
 * outlive it.
 */
MUST_CHECK int outbox_open(struct outbox **ret, struct store *store, struct store *reader,
                           const struct kafka_args *args, const char *topic, struct error *err);

/*
 * From now on publish dead letters to a topic, which is borrowed until outbox_close(). Before the
 * first step; both stores must be SQLite's. Fails as outbox_open(); may be called again.
 */
MUST_CHECK int outbox_open_letters(struct outbox *outbox, const char *topic, struct error *err);

/*
 * Send what the reader has, as far as there is room, at most max outcomes, and take
 * acknowledgements, waiting up to timeout_ms for the first. may_write: the store is the caller's
 * now, and in no transaction; otherwise what needs it waits for a later step. Fails when the store
 * fails; a broker that is away only delays.
 */
MUST_CHECK int outbox_step(struct outbox *outbox, size_t max, int timeout_ms, bool may_write,
                           struct error *err);

/* True when the last step could not go on without the store, which was not the caller's. */
bool outbox_wants_store(const struct outbox *outbox);

/* True when another step could send something at once. */
bool outbox_can_send(const struct outbox *outbox);

/* Up to which seq outcomes are published: for the next chunk, which saves it. */
int64_t outbox_published(const struct outbox *outbox);

/* A chunk's commit has saved the cursor as outbox_published() gave it. */
void outbox_saved(struct outbox *outbox, int64_t published);

/*
 * Save the cursor in a transaction of its own, when it moved and a second has passed. The store
 * must be the caller's.
 */
MUST_CHECK int outbox_save_due(struct outbox *outbox, struct error *err);

/* How many outcomes were given to the client since the opening, those sent again counted again. */
int64_t outbox_sent(const struct outbox *outbox);

/* How many outcomes are not published yet. */
int64_t outbox_backlog(const struct outbox *outbox);

/*
 * For how long, in ms, nothing was acknowledged although something waits and may go; 0 = nothing
 * waits.
 */
int64_t outbox_stuck_ms(const struct outbox *outbox);

/*
 * Give what was sent a moment to be acknowledged, save the cursor unless the store has failed
 * already, close. NULL is accepted. The store must be the caller's. Fails when the store fails; the
 * outbox is closed all the same.
 */
MUST_CHECK int outbox_close(struct outbox *outbox, bool store_is_good, struct error *err);

#endif
