/*
 * How far a purge may raise the floor: never within what the topic keeps, and by the broker's time.
 */
#include "consumer/purge_log.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define DAY INT64_C(86400000)
#define NOW (INT64_C(20000) * DAY)

static struct error err;

Test(purge_log, the_floor_is_the_age_before_the_last_record)
{
    struct purge_log log = {.newest_ms = NOW - 1000, .retention_ms = 7 * DAY};
    int64_t floor = 0;

    cr_assert_eq(purge_log_floor(&log, 90 * DAY, NOW, &floor, &err), 0);
    cr_expect_eq(floor, NOW - 1000 - 90 * DAY);
}

Test(purge_log, a_clock_that_is_ahead_does_not_raise_it_and_one_that_is_behind_keeps_it_low)
{
    struct purge_log log = {.newest_ms = NOW, .retention_ms = 7 * DAY};
    int64_t floor = 0;

    cr_assert_eq(purge_log_floor(&log, 90 * DAY, NOW + 365 * DAY, &floor, &err), 0);
    cr_expect_eq(floor, NOW - 90 * DAY);
    cr_assert_eq(purge_log_floor(&log, 90 * DAY, NOW - 365 * DAY, &floor, &err), 0);
    cr_expect_eq(floor, NOW - 455 * DAY);
    cr_assert_eq(purge_log_floor(&log, 90 * DAY, DAY, &floor, &err), 0);
    cr_expect_eq(floor, 0);
}

Test(purge_log, it_never_comes_within_what_the_topic_keeps)
{
    static const struct {
        int64_t retention_ms;
        int64_t older_ms;
        const char *says; /* NULL: it may */
    } rows[] = {
        {7 * DAY, 7 * DAY, NULL},
        {7 * DAY, 7 * DAY - 1, "keeps its records for 7 days"},
        {7 * DAY + 1, 7 * DAY, "keeps its records for 8 days"},
        {-1, 9000 * DAY, "for ever (retention.ms=-1)"},
        {0, 1, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct purge_log log = {.newest_ms = NOW, .retention_ms = rows[i].retention_ms};
        int64_t floor = 0;
        int result = purge_log_floor(&log, rows[i].older_ms, NOW, &floor, &err);
        cr_expect_eq(result, rows[i].says ? -1 : 0, "row %zu", i);
        if (rows[i].says) {
            cr_expect_eq(err.code, EX_CONFIG, "row %zu", i);
            cr_expect(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
        }
    }
}

Test(purge_log, without_a_record_the_time_is_not_known)
{
    struct purge_log log = {.retention_ms = 7 * DAY};
    int64_t floor = 0;

    cr_expect_eq(purge_log_floor(&log, 90 * DAY, NOW, &floor, &err), -1);
    cr_expect_eq(err.code, EX_TEMPFAIL);
}
