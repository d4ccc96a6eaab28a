/*
 * The clocks, in milliseconds, and times as text.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Of a clock that only goes forward: for time limits. */
int64_t clock_monotonic_ms(void);

/* The time by CLOCK_MONOTONIC that is timeout_ms, 0 or more, from now: for the waits of threads. */
struct timespec clock_monotonic_after(int timeout_ms);

/* Since 1970, by this machine's clock: for people. No rule may trust it. */
int64_t clock_unix_ms(void);

/* Bytes of a time as text with its ending NUL. */
#define CLOCK_TEXT_SIZE 25

/* The last millisecond of the year 9999. */
#define CLOCK_TEXT_MAX_MS INT64_C(253402300799999)

/* Write a time, 0 to CLOCK_TEXT_MAX_MS since 1970, as "2026-11-25T12:00:00.123Z" (UTC). Returns
 * buf. */
char *clock_text(char buf[CLOCK_TEXT_SIZE], int64_t unix_ms);

/*
 * Read a time (UTC): "2026-11-25", "2026-11-25T12:00Z", "2026-11-25T12:00:00Z", and what
 * clock_text() writes. False for anything else.
 */
bool clock_parse(const char *text, int64_t *ret_unix_ms);

#endif
