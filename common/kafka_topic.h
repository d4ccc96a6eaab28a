/*
 * Is this a topic that can be trusted with payments? Asked by both programs at their start.
 */
#ifndef COMMON_KAFKA_TOPIC_H
#define COMMON_KAFKA_TOPIC_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* The library's own type, rd_kafka_t, for the few files that know it. */
struct rd_kafka_s;

/*
 * Set *ret_partitions to the topic's number of partitions, 0 when there is no such topic. The
 * topics are listed, never asked for by name, because asking can create one. Fails with
 * EX_UNAVAILABLE when no broker answers within timeout_ms, or once a stop is requested.
 */
MUST_CHECK int kafka_topic_partitions(struct rd_kafka_s *rk, const char *topic, int timeout_ms,
                                      int *ret_partitions, struct error *err);

/*
 * Check the settings that lose payments when they are wrong: cleanup.policy must be delete (with
 * compaction, a conflict would replace the payment), message.timestamp.type must be LogAppendTime
 * (with CreateTime, a client's wrong clock gets acknowledged records deleted). Fails with EX_CONFIG
 * and says what to set, or with EX_UNAVAILABLE as above.
 */
MUST_CHECK int kafka_topic_check(struct rd_kafka_s *rk, const char *topic, int timeout_ms,
                                 struct error *err);

/*
 * Set *ret_ms to how long the topic keeps a record at the least, if no size limits it before
 * (retention.ms); -1 = for ever. Fails as kafka_topic_check().
 */
MUST_CHECK int kafka_topic_retention(struct rd_kafka_s *rk, const char *topic, int timeout_ms,
                                     int64_t *ret_ms, struct error *err);

/*
 * Set the offsets low <= offset < high that a partition holds now; for a client that reads only
 * what is committed, high is the end of that. Fails with EX_UNAVAILABLE when there is no answer
 * within timeout_ms.
 */
MUST_CHECK int kafka_topic_ends(struct rd_kafka_s *rk, const char *topic, int32_t partition,
                                int timeout_ms, int64_t *ret_low, int64_t *ret_high,
                                struct error *err);

/*
 * Set *ret to the first offset of a partition whose record is not older than unix_ms; to its end
 * when none is so new. Fails with EX_UNAVAILABLE.
 */
MUST_CHECK int kafka_topic_offset_at(struct rd_kafka_s *rk, const char *topic, int32_t partition,
                                     int64_t unix_ms, int timeout_ms, int64_t *ret,
                                     struct error *err);

/* The cluster's id, to be released with free(), or NULL with *err set (EX_UNAVAILABLE). */
char *kafka_topic_cluster(struct rd_kafka_s *rk, int timeout_ms, struct error *err);

/* The sentence for a topic that is not there: EX_UNAVAILABLE, and how to make it. Returns -1. */
int kafka_topic_missing(const char *topic, struct error *err);

#endif
