/*
 * What a purge must know of the log before old keys may be forgotten: what it still has, how long
 * it keeps it, where it ends, and what time it is there.
 */
#ifndef CONSUMER_PURGE_LOG_H
#define CONSUMER_PURGE_LOG_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/store.h"

#include <stdint.h>

struct purge_log {
    char *cluster;
    int partitions;
    int64_t *starts;      /* by partition: the first offset that the log has */
    int64_t *ends;        /* and the one behind the last */
    int64_t newest_ms;    /* the broker's append time of the last record; 0 = there is none */
    int64_t retention_ms; /* retention.ms; -1 = for ever, 0 = not asked (skip_topic_check) */
};

/*
 * Ask the brokers about args->topic. Takes some seconds. Fails with EX_UNAVAILABLE when they do not
 * answer or the topic is not there, else as topic_reader_open() and kafka_topic_retention(). On
 * success the caller releases *ret.
 */
MUST_CHECK int purge_log_read(struct purge_log *ret, const struct kafka_args *args,
                              struct error *err);

/* Free what it holds; a zeroed one is accepted. */
void purge_log_release(struct purge_log *log);

/* How many offsets before the ends the store has not read. Fails as the store does. */
MUST_CHECK int purge_log_unread(const struct purge_log *log, struct store *store, int64_t *ret,
                                struct error *err);

/*
 * The floor for keys that are older than older_ms. The time is the broker's, that of the last
 * record, unless this machine's, now_ms, is earlier: a clock that is ahead must not raise a floor
 * that never falls. Fails with EX_CONFIG when the topic keeps records for longer, or for ever; with
 * EX_TEMPFAIL when the log has no record, so that the broker's time is not known. A pure function.
 */
MUST_CHECK int purge_log_floor(const struct purge_log *log, int64_t older_ms, int64_t now_ms,
                               int64_t *ret, struct error *err);

#endif
