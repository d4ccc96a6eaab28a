/*
 * The percentiles of the benchmark: exact where values are small, off by less than 1 part in 128
 * where they are not, and never above the largest value.
 */
#include "tests/bench/histogram.h"

#include <criterion/criterion.h>
#include <string.h>

static struct histogram histogram;

static void clear(void)
{
    memset(&histogram, 0, sizeof(histogram));
}

TestSuite(histogram, .init = clear);

Test(histogram, of_nothing_is_zero)
{
    cr_assert_eq(histogram_percentile(&histogram, 50), 0);
    cr_assert_eq(histogram_percentile(&histogram, 100), 0);
}

Test(histogram, small_values_are_exact)
{
    for (int64_t i = 1; i <= 100; i++) {
        histogram_add(&histogram, i);
    }
    cr_assert_eq(histogram_percentile(&histogram, 50), 50);
    cr_assert_eq(histogram_percentile(&histogram, 90), 90);
    cr_assert_eq(histogram_percentile(&histogram, 99), 99);
    cr_assert_eq(histogram_percentile(&histogram, 99.9), 100);
    cr_assert_eq(histogram_percentile(&histogram, 100), 100);
}

Test(histogram, ranks_are_not_off_by_one)
{
    for (int i = 0; i < 999; i++) {
        histogram_add(&histogram, 10);
    }
    histogram_add(&histogram, 200);
    cr_assert_eq(histogram_percentile(&histogram, 99.9), 10);
    cr_assert_eq(histogram_percentile(&histogram, 99.91), 200);
}

Test(histogram, every_value_is_within_its_error)
{
    for (int64_t value = 1; value < INT64_C(1) << 41; value += 1 + value / 37) {
        clear();
        histogram_add(&histogram, value);
        histogram_add(&histogram, INT64_C(1) << 41);
        int64_t median = histogram_percentile(&histogram, 50);
        cr_assert(median >= value && median - value <= value / 128, "%lld became %lld",
                  (long long)value, (long long)median);
    }
}

Test(histogram, the_largest_is_exact)
{
    histogram_add(&histogram, 1234567);
    histogram_add(&histogram, 7654321);
    cr_assert_eq(histogram_percentile(&histogram, 100), 7654321);
    cr_assert_eq(histogram_percentile(&histogram, 99), 7654321);
}

Test(histogram, takes_values_out_of_its_range)
{
    histogram_add(&histogram, -5);
    cr_assert_eq(histogram_percentile(&histogram, 100), 0);
    histogram_add(&histogram, INT64_MAX);
    cr_assert_eq(histogram.count, 2);
    cr_assert_eq(histogram_percentile(&histogram, 100), (INT64_C(1) << HISTOGRAM_MAX_BITS) - 1);
}
