/*
 * What the checker asks a broker: how many partitions, where they end, what they hold, and what a
 * group has committed. Every call ends at the deadline that was given to kafka_open().
 */
#ifndef TESTS_CHECKER_KAFKA_H
#define TESTS_CHECKER_KAFKA_H

#include "tests/checker/fault.h"

#include <stddef.h>
#include <stdint.h>

struct kafka;

struct kafka_ends {
    int64_t low;
    int64_t high; /* of what a reader of committed transactions sees */
};

/* A message, borrowed for the call. NULL: no key, no value. */
struct kafka_message {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

/* Faults: EX_UNAVAILABLE for a broker that does not answer in time, EX_USAGE for bad arguments. */
int kafka_open(struct kafka **ret, const char *brokers, const char *group, int timeout_ms,
               struct fault *fault);
/* NULL is accepted. */
void kafka_close(struct kafka *kafka);

/* *ret is 0 when there is no such topic; it is never created. */
int kafka_partitions(struct kafka *kafka, const char *topic, int *ret, struct fault *fault);

/* Fill ret for each partition. */
int kafka_find_ends(struct kafka *kafka, const char *topic, int partitions, struct kafka_ends *ret,
                    struct fault *fault);

/* Visit every visible message between the ends, in order within a partition. */
int kafka_read(struct kafka *kafka, const char *topic, int partitions,
               const struct kafka_ends *ends,
               void (*visit)(void *user, const struct kafka_message *message), void *user,
               struct fault *fault);

/* Visit each partition: offset -1 and metadata NULL when the group has committed nothing there. */
int kafka_read_committed(struct kafka *kafka, const char *topic, int partitions,
                         void (*visit)(void *user, int32_t partition, int64_t offset,
                                       const char *metadata, size_t metadata_len),
                         void *user, struct fault *fault);

#endif
