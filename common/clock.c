#include "common/clock.h"

#include <stdio.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

struct timespec clock_monotonic_after(int timeout_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

int64_t clock_unix_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

char *clock_text(char buf[CLOCK_TEXT_SIZE], int64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc = {0};
    char whole[CLOCK_TEXT_SIZE];

    gmtime_r(&seconds, &utc);
    strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(buf, CLOCK_TEXT_SIZE, "%.19s.%03uZ", whole, (unsigned)((uint64_t)unix_ms % 1000));
    return buf;
}
