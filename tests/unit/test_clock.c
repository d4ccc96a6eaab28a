/*
 * Times as text, and clocks that go forward.
 */
#include "common/clock.h"

#include <criterion/criterion.h>

Test(clock, times_are_in_utc_with_milliseconds)
{
    char text[CLOCK_TEXT_SIZE];

    cr_expect_str_eq(clock_text(text, INT64_C(1700000000123)), "2023-11-14T22:13:20.123Z");
    cr_expect_str_eq(clock_text(text, 0), "1970-01-01T00:00:00.000Z");
    cr_expect_str_eq(clock_text(text, INT64_C(1709208000007)), "2024-02-29T12:00:00.007Z");
    cr_expect_str_eq(clock_text(text, CLOCK_TEXT_MAX_MS), "9999-12-31T23:59:59.999Z");
}

Test(clock, goes_forward)
{
    int64_t before = clock_monotonic_ms();

    while (clock_monotonic_ms() == before) {
    }
    cr_expect_gt(clock_monotonic_ms(), before);
    cr_expect_gt(clock_unix_ms(), INT64_C(1700000000000), "after this was written");
}
