#include "tests/checker/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, const char *fmt, ...)
{
    va_list args;

    fault->code = code;
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    return -1;
}
