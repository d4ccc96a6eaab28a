#include "consumer/span.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Milliseconds of a unit, 0 for none. */
static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) == 0) {
            return units[i].ms;
        }
    }
    return 0;
}

int span_parse(const char *name, const char *text, int64_t now_ms, struct span *ret,
               struct error *err)
{
    char *end;
    int64_t time_ms;

    if (strcmp(text, "beginning") == 0) {
        *ret = (struct span){SPAN_BEGINNING, 0};
        return 0;
    }
    if (clock_parse(text, &time_ms)) {
        *ret = (struct span){SPAN_TIME, time_ms};
        return 0;
    }
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && errno == 0) {
        int64_t ms = unit_ms(end);
        if (*end == '\0') {
            *ret = (struct span){SPAN_OFFSET, number};
            return 0;
        }
        if (ms > 0 && number <= now_ms / ms) {
            *ret = (struct span){SPAN_TIME, now_ms - number * ms};
            return 0;
        }
    }
    return error_set(
        err, EX_USAGE,
        "--%s: \"%s\" is neither \"beginning\" nor an offset, a duration (90d, 12h, 30m, "
        "45s) or a time (2026-11-25T12:00:00Z)",
        name, text);
}

int span_parse_duration(const char *name, const char *text, int64_t *ret_ms, struct error *err)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    int64_t ms = unit_ms(end);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || number == 0 || ms == 0 ||
        number > INT64_MAX / ms) {
        return error_set(err, EX_USAGE, "--%s: \"%s\" is no duration (90d, 12h, 30m, 45s)", name,
                         text);
    }
    *ret_ms = number * ms;
    return 0;
}
