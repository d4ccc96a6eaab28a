#include "consumer/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void findings_add(struct findings *findings, const char *format, ...)
{
    char text[FINDING_SIZE];
    va_list values;

    findings->count++;
    if (findings->shown_count == FINDINGS_SHOWN_MAX) {
        return;
    }
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    char *kept = strdup(text);
    if (kept) {
        findings->shown[findings->shown_count++] = kept;
    }
}

void findings_print(FILE *out, const struct findings *findings)
{
    int64_t more = findings->count - (int64_t)findings->shown_count;

    for (size_t i = 0; i < findings->shown_count; i++) {
        fprintf(out, "%s\n", findings->shown[i]);
    }
    if (more > 0) {
        fprintf(out, "and %" PRId64 " more\n", more);
    }
    if (findings->count > 0) {
        putc('\n', out);
    }
}

void findings_release(struct findings *findings)
{
    for (size_t i = 0; i < findings->shown_count; i++) {
        free(findings->shown[i]);
    }
    *findings = (struct findings){.count = 0};
}
