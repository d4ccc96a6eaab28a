#include "tests/bench/histogram.h"

#include <math.h>

#define STEPS     (INT64_C(1) << HISTOGRAM_STEP_BITS)
#define MAX_VALUE ((INT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

/* Values below 2 * STEPS have a bucket each; above, a bucket spans 2^shift values. */
static int bucket_of(int64_t value)
{
    int bits = 64 - __builtin_clzll((unsigned long long)value | 1);
    int shift = bits - 1 - HISTOGRAM_STEP_BITS;

    if (shift <= 0) {
        return (int)value;
    }
    return (int)((int64_t)shift * STEPS + (value >> shift));
}

/* The largest value of a bucket. */
static int64_t end_of(int bucket)
{
    if (bucket < 2 * STEPS) {
        return bucket;
    }
    int shift = (int)(bucket / STEPS) - 1;
    int64_t step = bucket - (int64_t)shift * STEPS;
    return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    if (value < 0) {
        value = 0;
    }
    if (value > MAX_VALUE) {
        value = MAX_VALUE;
    }
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    histogram->sum += value;
    histogram->max = value > histogram->max ? value : histogram->max;
}

int64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    int64_t rank = (int64_t)ceil(percent / 100 * (double)histogram->count - 1e-9);
    int64_t seen = 0;

    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank && seen > 0) {
            return end_of(i) < histogram->max ? end_of(i) : histogram->max;
        }
    }
    return histogram->max;
}
