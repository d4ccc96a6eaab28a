#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- times as text ---- */

#define DAY_MS    INT64_C(86400000)
#define DATE_SIZE 11 /* "2026-11-25" with its NUL */

/* Times come in runs of one day, so that its date is made once. */
static const char *date_of(int64_t day)
{
    static _Thread_local char date[DATE_SIZE];
    static _Thread_local int64_t made = -1;

    if (day != made) {
        time_t midnight = (time_t)(day * (DAY_MS / 1000));
        struct tm utc = {0};
        gmtime_r(&midnight, &utc);
        strftime(date, sizeof(date), "%Y-%m-%d", &utc);
        made = day;
    }
    return date;
}

/* Writes the last count digits of a number. Returns the position behind them. */
static char *put_digits(char *to, unsigned number, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return to + count;
}

char *clock_text(char buf[CLOCK_TEXT_SIZE], int64_t unix_ms)
{
    unsigned ms = (unsigned)(unix_ms % DAY_MS);
    char *to = buf;

    memcpy(to, date_of(unix_ms / DAY_MS), DATE_SIZE - 1);
    to += DATE_SIZE - 1;
    *to++ = 'T';
    to = put_digits(to, ms / 3600000, 2);
    *to++ = ':';
    to = put_digits(to, ms / 60000 % 60, 2);
    *to++ = ':';
    to = put_digits(to, ms / 1000 % 60, 2);
    *to++ = '.';
    to = put_digits(to, ms % 1000, 3);
    *to++ = 'Z';
    *to = '\0';
    return buf;
}

/* ".123" behind the seconds; anything else is left alone. */
static const char *take_millis(const char *at, int64_t *ms)
{
    if (at[0] != '.' || strspn(at + 1, "0123456789") != 3) {
        return at;
    }
    *ms = strtol(at + 1, NULL, 10);
    return at + 4;
}

bool clock_parse(const char *text, int64_t *ret_unix_ms)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        bool is_date = i == 2;
        struct tm utc = {0};
        int64_t ms = 0;
        const char *end = strptime(text, forms[i], &utc);
        if (end && i == 0) {
            end = take_millis(end, &ms);
        }
        if (end && strcmp(end, is_date ? "" : "Z") == 0) {
            struct tm found = utc;
            *ret_unix_ms = (int64_t)timegm(&found) * 1000 + ms;
            /* timegm() makes 1 March of 30 February. */
            return *ret_unix_ms >= 0 && found.tm_mday == utc.tm_mday;
        }
    }
    return false;
}
