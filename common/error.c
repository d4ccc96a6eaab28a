#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that did not fit says so. */
static void mark_cut(struct error *err, int wanted)
{
    if (wanted >= (int)sizeof(err->text)) {
        memcpy(err->text + sizeof(err->text) - 4, "...", 4);
    }
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
    va_list args;

    err->code = code;
    va_start(args, fmt);
    mark_cut(err, vsnprintf(err->text, sizeof(err->text), fmt, args));
    va_end(args);
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    struct error inner = *err;
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (len >= 0 && len < (int)sizeof(err->text)) {
        size_t room = sizeof(err->text) - (size_t)len;
        len += snprintf(err->text + len, room, ": %s", inner.text);
    }
    mark_cut(err, len);
    return -1;
}
