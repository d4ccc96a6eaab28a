/*
 * Reading a part of a topic again, in chunks, beside whoever consumes it: it belongs to no group
 * and commits nothing. For replay and audit.
 */
#ifndef CONSUMER_REREAD_H
#define CONSUMER_REREAD_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of keys and values that a chunk copies; a message that is longer makes one of its own. */
#define REREAD_COPY_BYTES ((size_t)16 << 20)

/* Offsets from <= offset < to of a partition, within what the log holds. */
struct reread_range {
    int32_t partition;
    int64_t from;
    int64_t to;
};

struct reread;

/* True for a key whose record is to be read; key is NULL when there is none. */
typedef bool reread_wanted(void *user, const char *key, size_t len);

/*
 * Make a reader of args->topic and ask it for cluster and partitions; args is borrowed until close.
 * A chunk has at most chunk_max messages, from 1 to CHUNK_MESSAGES_MAX. Fails as
 * topic_reader_open(), and with EX_UNAVAILABLE when no broker answers or the topic is not there. On
 * success the caller closes *ret.
 */
MUST_CHECK int reread_open(struct reread **ret, const struct kafka_args *args, size_t chunk_max,
                           struct error *err);

/* Close; NULL is accepted. */
void reread_close(struct reread *reread);

/* The cluster's id, borrowed until close. */
const char *reread_cluster(const struct reread *reread);

/* How many partitions the topic has. */
int reread_partitions(const struct reread *reread);

/* The offsets low <= offset < high that a partition holds now. Fails with EX_UNAVAILABLE. */
MUST_CHECK int reread_ends(struct reread *reread, int32_t partition, int64_t *ret_low,
                           int64_t *ret_high, struct error *err);

/* The first offset of a partition that is not older than a time, or its end. EX_UNAVAILABLE. */
MUST_CHECK int reread_offset_at(struct reread *reread, int32_t partition, int64_t unix_ms,
                                int64_t *ret, struct error *err);

/* From now on leave out the records that are not wanted. */
void reread_filter(struct reread *reread, reread_wanted *wanted, void *user);

/* Begin to read ranges, once, after all questions. Empty ones are accepted. */
MUST_CHECK int reread_start(struct reread *reread, const struct reread_range *ranges, size_t count,
                            struct error *err);

/*
 * Set *ret to the next chunk, indexed, with a range for each partition that it covers; NULL when
 * all ranges are read. It is borrowed until the next call. It may be empty when as many records as
 * it can hold were not wanted. An unreadable message ends its chunk, so
 * that its headers are still there. Fails with EX_UNAVAILABLE when nothing comes for 30 s, with
 * EX_CONFIG when the log does not hold an offset any more, with EX_TEMPFAIL when a stop is
 * requested, and as topic_reader_poll().
 */
MUST_CHECK int reread_next(struct reread *reread, struct chunk **ret, struct error *err);

/* Records that the ranges cover at most, and how far they are read, for a progress bar. */
int64_t reread_total(const struct reread *reread);
int64_t reread_done(const struct reread *reread);

/* Records that were read, unwanted ones too: no offsets that a transaction left without one. */
int64_t reread_records(const struct reread *reread);

#endif
