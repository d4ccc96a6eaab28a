/*
 * A forecast: what a ledger would decide, without changing it. The ledger is read as a snapshot;
 * what would be decided goes into a scratch ledger beside it, so that later messages see it.
 */
#ifndef CONSUMER_FORECAST_H
#define CONSUMER_FORECAST_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/chunk.h"
#include "consumer/store.h"

struct forecast;

/*
 * Begin a forecast for a snapshot (store_sqlite_open_snapshot()) that is bound to topic of cluster;
 * it is borrowed until close. The scratch ledger is a file in $TMPDIR or /tmp, as large as what
 * would be decided, and removed at close. On success the caller closes *ret.
 */
MUST_CHECK int forecast_open(struct forecast **ret, struct store *snapshot, const char *cluster,
                             const char *topic, struct error *err);

/* Decide an indexed chunk of messages before the positions: sets each item's decision. */
MUST_CHECK int forecast_decide(struct forecast *forecast, struct chunk *chunk, struct error *err);

/* Close; NULL is accepted. */
void forecast_close(struct forecast *forecast);

#endif
