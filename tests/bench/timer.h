/* A clock for measuring: nanoseconds that only ever rise. */
#ifndef TESTS_BENCH_TIMER_H
#define TESTS_BENCH_TIMER_H

#include <stdint.h>
#include <time.h>

static inline int64_t timer_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline double timer_seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

#endif
