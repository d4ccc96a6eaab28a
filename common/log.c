#include "common/log.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 4096

/* Writes as much as fits and returns the new length, at most size - 1. */
static size_t clamp(int written, size_t used, size_t size)
{
    size_t len = used + (written > 0 ? (size_t)written : 0);
    return len < size ? len : size - 1;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = {"info", "warn", "error"};
    char line[LINE_SIZE];
    struct timespec now;
    struct tm utc;
    va_list args;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    used = clamp(snprintf(line + used, sizeof(line) - used, ".%03ldZ level=%s event=%s ",
                          now.tv_nsec / 1000000, names[level], event),
                 used, sizeof(line));
    va_start(args, fmt);
    used = clamp(vsnprintf(line + used, sizeof(line) - used, fmt, args), used, sizeof(line));
    va_end(args);
    line[used++] = '\n';
    /* One write a line, so that lines of several processes do not mix. */
    ssize_t ignored = write(STDERR_FILENO, line, used);
    (void)ignored;
}

void log_error(enum log_level level, const char *event, const struct error *err)
{
    char shown[ERROR_TEXT_SIZE * 2];

    log_event(level, event, "code=%d error=\"%s\"", err->code,
              text_escape(shown, sizeof(shown), err->text, strlen(err->text)));
}
