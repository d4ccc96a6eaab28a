/*
 * The simulated outcomes topic, and which outcomes it never takes. It outlives each payd.
 */
#ifndef TESTS_SIMULATION_OUTCOMES_H
#define TESTS_SIMULATION_OUTCOMES_H

#include "common/publisher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTCOMES_PARTITIONS 2
#define OUTCOMES_MAX        512 /* the highest seq */

/* The most bytes of a header's value. */
#define OUTCOMES_HEADER_SIZE 64

/* The first copy of an outcome that was handed over. */
struct published {
    char *value;
    size_t len;
    char outcome[OUTCOMES_HEADER_SIZE];
    char digest[OUTCOMES_HEADER_SIZE];
    char trace[OUTCOMES_HEADER_SIZE];
    int32_t partition;
    int copies;        /* that stand in the topic */
    bool acknowledged; /* payd knows of one */
    size_t last_place; /* of the last copy in its partition */
};

void outcomes_begin(void);
void outcomes_end(void);

/*
 * payd hands an outcome over: says which, and notes a violation when it is not the same as the
 * last time. Returns its seq.
 */
int64_t outcomes_take(const struct publisher_message *message);

/* It stands in the topic, once more; payd knows. */
void outcomes_append(int64_t seq);
void outcomes_acknowledge(int64_t seq);

/* NULL when it was never handed over. */
const struct published *outcomes_find(int64_t seq);

/* Keys whose outcomes are too large: for the broker, or for the client already. */
bool outcomes_is_refused(const char *key, size_t key_len);
bool outcomes_is_too_large(const char *key, size_t key_len);

#endif
