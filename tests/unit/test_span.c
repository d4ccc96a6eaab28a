/* Where to begin in a log, as it is written on the command line, and times as they are written. */
#include "consumer/span.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define NOW_MS INT64_C(1764158400000) /* 2025-11-26T12:00:00Z */

Test(span, each_form_is_read)
{
    static const struct {
        const char *text;
        struct span span;
    } rows[] = {
        {"beginning", {SPAN_BEGINNING, 0}},
        {"0", {SPAN_OFFSET, 0}},
        {"9223372036854775807", {SPAN_OFFSET, INT64_MAX}},
        {"45s", {SPAN_TIME, NOW_MS - 45000}},
        {"30m", {SPAN_TIME, NOW_MS - INT64_C(30) * 60000}},
        {"12h", {SPAN_TIME, NOW_MS - INT64_C(12) * 3600000}},
        {"90d", {SPAN_TIME, NOW_MS - INT64_C(90) * 86400000}},
        {"20000d", {SPAN_TIME, NOW_MS - INT64_C(20000) * 86400000}},
        {"1970-01-01", {SPAN_TIME, 0}},
        {"2025-11-26", {SPAN_TIME, NOW_MS - INT64_C(12) * 3600000}},
        {"2025-11-26T12:00Z", {SPAN_TIME, NOW_MS}},
        {"2025-11-26T12:00:00Z", {SPAN_TIME, NOW_MS}},
        {"2025-11-26T12:00:00.250Z", {SPAN_TIME, NOW_MS + 250}},
        {"2024-02-29", {SPAN_TIME, INT64_C(1709164800000)}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span span = {SPAN_NONE, -1};
        struct error err = {EX_OK, ""};
        cr_assert_eq(span_parse("from", rows[i].text, NOW_MS, &span, &err), 0, "%s", err.text);
        cr_expect_eq(span.kind, rows[i].span.kind, "%s", rows[i].text);
        cr_expect_eq(span.value, rows[i].span.value, "%s: %lld", rows[i].text,
                     (long long)span.value);
    }
}

Test(span, anything_else_is_refused_with_what_would_do)
{
    static const char *const texts[] = {
        "",
        "now",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1w",
        "1.5h",
        "d",
        "1D",
        "20500d",
        "9223372036854775808",
        "2025-11-31",
        "2025-02-29",
        "2025-13-01",
        "1969-12-31",
        "2025-11-26T12:00",
        "2025-11-26T12:00:00",
        "2025-11-26T12:00:00+01:00",
        "2025-11-26T12:00:00.5Z",
        "beginnings",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct span span = {SPAN_NONE, -1};
        struct error err = {EX_OK, ""};
        cr_expect_eq(span_parse("from", texts[i], NOW_MS, &span, &err), -1, "\"%s\" is %lld",
                     texts[i], (long long)span.value);
        cr_expect_eq(err.code, EX_USAGE);
        cr_expect(strstr(err.text, "--from") && strstr(err.text, "90d"), "%s", err.text);
        cr_expect_eq(span.kind, SPAN_NONE, "\"%s\"", texts[i]);
    }
}

Test(span, a_time_that_was_written_is_read_again)
{
    static const int64_t times[] = {0, 1, 999, NOW_MS, NOW_MS + 7, CLOCK_TEXT_MAX_MS};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t found = -1;
        cr_assert(clock_parse(clock_text(text, times[i]), &found), "%s", text);
        cr_expect_eq(found, times[i], "%s", text);
    }
}

Test(span, a_duration_is_a_number_and_a_unit)
{
    static const struct {
        const char *text;
        int64_t ms; /* 0: it is none */
    } rows[] = {
        {"90d", INT64_C(7776000000)},
        {"12h", 43200000},
        {"30m", 1800000},
        {"1s", 1000},
        {"0d", 0},
        {"90", 0},
        {"d", 0},
        {"", 0},
        {"-1d", 0},
        {" 1d", 0},
        {"1w", 0},
        {"1.5d", 0},
        {"9223372036854775807d", 0},
        {"99999999999999999999d", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error problem;
        int64_t ms = 0;
        int result = span_parse_duration("older-than", rows[i].text, &ms, &problem);
        cr_expect_eq(result, rows[i].ms > 0 ? 0 : -1, "\"%s\"", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "\"%s\"", rows[i].text);
    }
}
