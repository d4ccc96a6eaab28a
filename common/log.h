/*
 * The log: key=value lines on standard error, one event a line.
 *
 *   2026-11-24T09:30:00.123Z level=info event=start store="ledger.db"
 *
 * Only main programs, the worker and delivery reports log; everything else returns struct error.
 * A line that cannot be written is dropped: a full or closed log pipe must not stop payments.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/compiler.h"
#include "common/error.h"

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/*
 * Write one line. event is a word; fmt and its values make the "key=value" pairs that follow it.
 * Values from outside must have gone through text_escape(). Lines are cut at 4 KiB.
 */
void log_event(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Write one line about a failure: code=NN error="sentence", the sentence escaped. */
void log_error(enum log_level level, const char *event, const struct error *err);

#endif
