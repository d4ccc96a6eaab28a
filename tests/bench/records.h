/*
 * A sum over the records of a topic that does not depend on their order: two topics with the same
 * sum hold the same keys and values, each as often.
 */
#ifndef TESTS_BENCH_RECORDS_H
#define TESTS_BENCH_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* Begins as all zero. */
struct record_sum {
    int64_t records;
    int64_t bytes; /* of keys and values */
    uint64_t sum;
};

void record_sum_add(struct record_sum *sum, const void *key, size_t key_len, const void *value,
                    size_t value_len);

#endif
