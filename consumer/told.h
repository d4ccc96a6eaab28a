/*
 * What an outcomes topic tells: the decision of each key that it has an answer of, and which
 * messages were quarantined. Read once, into a scratch ledger (scratch.h), so that memory stays
 * bounded. Belongs to no group and commits nothing.
 */
#ifndef CONSUMER_TOLD_H
#define CONSUMER_TOLD_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "common/progress.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Ledgers that are named when several answer there. */
#define TOLD_STORES_MAX 16

/* The partition of a decision whose message stood in another topic than that of the payments. */
#define TOLD_ELSEWHERE (-1)

struct told_source {
    const struct kafka_args *kafka; /* of the topic of the payments: its name is looked at */
    const char *outcomes;           /* the outcomes topic */
    const char *cluster;            /* the cluster's id */
    /* Only answers of these ledgers, UUID[,UUID...]. NULL = of the only one that answers there. */
    const char *stores;
};

struct told;

/*
 * Read the topic to where it ends now. What source points to is borrowed for the call. Records that
 * are no outcomes, and a message's outcome that comes again, are passed over. Fails with
 *
 *   EX_UNAVAILABLE  no broker answers, the topic is not there, or nothing came for 30 s
 *   EX_DATAERR      several ledgers answer there and none is chosen; or two records, or a record
 *                   and itself, tell one key differently: says where
 *   EX_TEMPFAIL     a stop is requested
 *
 * and as store_sqlite_open() for the scratch ledger. On success the caller closes *ret.
 */
MUST_CHECK int told_open(struct told **ret, const struct told_source *source,
                         struct progress *progress, struct error *err);

/* Close; NULL is accepted. */
void told_close(struct told *told);

/*
 * A snapshot (store_sqlite_open_snapshot()) with the decisions and the quarantined messages; no
 * positions, repeats or balances. Borrowed until close.
 */
struct store *told_store(const struct told *told);

/* How many decisions it has. */
int64_t told_decisions(const struct told *told);

/* Records of the topic that are no outcomes. */
int64_t told_ignored(const struct told *told);

/* Behind the last message of a partition of the payments that it has an answer to; 0 = none. */
int64_t told_end(const struct told *told, int32_t partition);

#endif
