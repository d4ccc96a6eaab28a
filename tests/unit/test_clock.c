/*
 * Times as text, and clocks that go forward.
 */
#include "common/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(clock, times_are_in_utc_with_milliseconds)
{
    char text[CLOCK_TEXT_SIZE];

    cr_expect_str_eq(clock_text(text, INT64_C(1700000000123)), "2023-11-14T22:13:20.123Z");
    cr_expect_str_eq(clock_text(text, 0), "1970-01-01T00:00:00.000Z");
    cr_expect_str_eq(clock_text(text, INT64_C(1709208000007)), "2024-02-29T12:00:00.007Z");
    cr_expect_str_eq(clock_text(text, CLOCK_TEXT_MAX_MS), "9999-12-31T23:59:59.999Z");
}

/* Beside the C library, in an order in which the day changes each time, and in one in which it does
 * not. */
Test(clock, every_time_is_as_strftime_writes_it)
{
    char text[CLOCK_TEXT_SIZE];
    char whole[CLOCK_TEXT_SIZE];
    char wanted[2 * CLOCK_TEXT_SIZE];
    uint64_t state = 1;

    for (int i = 0; i < 100000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t range = i % 2 ? CLOCK_TEXT_MAX_MS + 1 : INT64_C(86400000);
        int64_t ms = (int64_t)((state >> 11) % (uint64_t)range);
        time_t seconds = (time_t)(ms / 1000);
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(wanted, sizeof(wanted), "%s.%03dZ", whole, (int)(ms % 1000));
        cr_assert_str_eq(clock_text(text, ms), wanted);
        cr_assert_str_eq(clock_text(text, ms), wanted);
    }
}

Test(clock, goes_forward)
{
    int64_t before = clock_monotonic_ms();

    while (clock_monotonic_ms() == before) {
    }
    cr_expect_gt(clock_monotonic_ms(), before);
    cr_expect_gt(clock_unix_ms(), INT64_C(1700000000000), "after this was written");
}
