#include "tests/checker/report.h"

#include "tests/checker/utf8.h"

#include <inttypes.h>
#include <stdarg.h>

/* A key so that it stays on its line: what is not printable as \xHH. */
static void print_key(FILE *out, const char *key, size_t len)
{
    if (utf8_printable(key, len)) {
        fwrite(key, 1, len, out);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)key[i];
        if (byte > 0x20 && byte < 0x7F) {
            fputc(byte, out);
        } else {
            fprintf(out, "\\x%02X", byte);
        }
    }
}

void report_key(struct report *report, enum invariant invariant, const char *key, size_t key_len,
                const char *fmt, ...)
{
    va_list args;

    if (report->counts[invariant]++ >= REPORT_LINES_MAX) {
        return;
    }
    fprintf(report->out, "I%d key=", invariant);
    if (key) {
        print_key(report->out, key, key_len);
    } else {
        fputc('-', report->out);
    }
    fputs(" : ", report->out);
    va_start(args, fmt);
    vfprintf(report->out, fmt, args);
    va_end(args);
    fputc('\n', report->out);
}

uint64_t report_end(struct report *report)
{
    uint64_t all = 0;

    for (int i = I1_ACKNOWLEDGED_IS_DECIDED; i < INVARIANT_END; i++) {
        all += report->counts[i];
        if (report->counts[i] > REPORT_LINES_MAX) {
            fprintf(report->out, "I%d and %" PRIu64 " more\n", i,
                    report->counts[i] - REPORT_LINES_MAX);
        }
    }
    return all;
}
