/*
 * payd quarantine: messages that could not be read as a command.
 */
#ifndef CONSUMER_QUARANTINE_H
#define CONSUMER_QUARANTINE_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store_quarantine.h"

#include <stdbool.h>
#include <stdio.h>

/* The exit code of show when a message is not in quarantine. */
#define QUARANTINE_UNKNOWN 4

/* List, show or export, as the first operand says. Returns the exit code, with *err set. */
MUST_CHECK int quarantine(const struct options *options, struct error *err);

/* "3@1200", a partition and an offset, as a filter. Fails with EX_USAGE. */
MUST_CHECK int quarantine_parse_place(const char *text, struct store_quarantine_filter *ret,
                                      struct error *err);

/* What --reason, --partition and --since say; its reason is borrowed from options. */
struct store_quarantine_filter quarantine_filter(const struct options *options);

/* A line of the list, in at most 80 columns: long keys are cut. */
void quarantine_print_head(FILE *out);
void quarantine_print_line(FILE *out, const struct store_quarantined *message);

/* All of a message, with its headers. Fails with EX_OSERR, and when the store cannot be read. */
MUST_CHECK int quarantine_print_whole(FILE *out, struct store *store,
                                      const struct store_quarantined *message, struct error *err);

/*
 * Write a message as a line of JSON. Bytes are hex digits (xxd -r -p brings them back); what was
 * not kept, or not there, is null:
 *
 *   {"seq":9,"topic":"payments","partition":0,"offset":17,"reason":"bad_json","detail":"…",
 *    "key":"k1","key_bytes":2,"value_bytes":7,"digest":"…","timestamp":"2026-11-25T12:00:00.123Z",
 *    "quarantined_at":"…"}
 *
 * whole: with "key_hex", "value_hex" and "headers":[{"name_hex":"…","value_hex":"…"}]. key is null
 * when it is no usable one. Fails as quarantine_print_whole().
 */
MUST_CHECK int quarantine_print_json(FILE *out, struct store *store,
                                     const struct store_quarantined *message, bool whole,
                                     struct error *err);

#endif
