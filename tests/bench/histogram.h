/*
 * A histogram of latencies with a bounded relative error, in the manner of HdrHistogram: buckets of
 * one width within each power of two, so that a percentile is off by less than 1 part in 128.
 */
#ifndef TESTS_BENCH_HISTOGRAM_H
#define TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 7  /* buckets in a power of two: 2^7 */
#define HISTOGRAM_MAX_BITS  42 /* values of 2^42 ns, 73 minutes, and more count as that */
#define HISTOGRAM_BUCKETS   ((HISTOGRAM_MAX_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

/* Begins as all zero. */
struct histogram {
    int64_t count;
    int64_t max; /* exact */
    int64_t sum;
    int64_t buckets[HISTOGRAM_BUCKETS];
};

/* Count a value; a negative one counts as 0. */
void histogram_add(struct histogram *histogram, int64_t value);

/*
 * The smallest value that at least percent of 100 of the values do not exceed, rounded up to the
 * end of its bucket but never above the largest value; 0 when there is none. percent 100 is the
 * largest.
 */
int64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
