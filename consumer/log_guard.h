/*
 * The log guard: notices that a log was replaced. A topic that is deleted and made anew looks like
 * the old one to a consumer, which goes on at its offset and skips what stands before.
 *
 * The marks before a position (struct log_marks) are read again and compared with their
 * fingerprints: before a partition is read, and every LOG_GUARD_EVERY_MS while it is read. It has a
 * Kafka client of its own, since the consumer's would have to stop reading for it; each round takes
 * a new one, because a client remembers the topic that it knew.
 */
#ifndef CONSUMER_LOG_GUARD_H
#define CONSUMER_LOG_GUARD_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_GUARD_EVERY_MS 10000

/* After that a round is over: who has not answered is to be asked again. */
#define LOG_GUARD_ROUND_MS 8000

enum log_guard_verdict {
    LOG_GUARD_SAME,  /* the records stand there as they were */
    LOG_GUARD_OTHER, /* another record, or none, stands there: the log was replaced */
    LOG_GUARD_GONE,  /* retention has removed one: it cannot be told */
    LOG_GUARD_LATER, /* no answer in time: ask again */
};

struct log_guard;

/* What args points to is borrowed until log_guard_close(). On success the caller closes *ret. */
MUST_CHECK int log_guard_open(struct log_guard **ret, const struct kafka_args *args,
                              struct error *err);

/* True when a new round is due and none is going on. */
bool log_guard_is_due(const struct log_guard *guard);

/* True from log_guard_begin() on until each of its partitions has its answer. */
bool log_guard_is_running(const struct log_guard *guard);

/* Make the next round due at once: something strange was heard of the topic. */
void log_guard_hurry(struct log_guard *guard);

/*
 * Begin a round over count partitions, whose marks stand at marks[partition] and are copied. Those
 * without a mark are left out. Fails as topic_reader_open().
 */
MUST_CHECK int log_guard_begin(struct log_guard *guard, const int32_t *partitions, size_t count,
                               const struct log_marks *marks, struct error *err);

/* End a round without an answer, because other partitions are read now. */
void log_guard_end(struct log_guard *guard);

/* What a round says of one partition. */
struct log_guard_answer {
    int32_t partition;
    enum log_guard_verdict verdict;
    struct fingerprint last; /* the last record when the round began */
};

/*
 * Take the next answer of the round that goes on, waiting up to timeout_ms for it. False when there
 * is none now. Each partition of the round gets one, at its end at the latest.
 */
bool log_guard_step(struct log_guard *guard, int timeout_ms, struct log_guard_answer *ret);

/* NULL is accepted. */
void log_guard_close(struct log_guard *guard);

/*
 * One round with a guard of its own, waited for: for who reads a part of a log again, once. The
 * marks of partitions 0 to partitions - 1 stand at marks[partition]. What retention has removed
 * passes, as it cannot be told. Fails with EX_CONFIG when the log was replaced, with EX_UNAVAILABLE
 * when the brokers do not answer in time, with EX_TEMPFAIL when a stop is requested, and as
 * topic_reader_open().
 */
MUST_CHECK int log_guard_check(const struct kafka_args *args, const struct log_marks *marks,
                               int partitions, struct error *err);

#endif
