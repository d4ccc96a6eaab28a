/*
 * payd statement: an account as a bank shows it.
 */
#ifndef CONSUMER_STATEMENT_H
#define CONSUMER_STATEMENT_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store_statement.h"

#include <stdbool.h>
#include <stdio.h>

/* Print the statement of the account that is the operand. Returns the exit code, with *err set. */
MUST_CHECK int statement(const struct options *options, struct error *err);

/* The lines of a statement, in at most 80 columns: long names are cut. */
void statement_print_head(FILE *out, const char *account);
void statement_print_posting(FILE *out, const struct store_posting *posting, const char *currency);
void statement_print_foot(FILE *out, const struct store_statement *statement);

/*
 * Write a posting as a line of JSON:
 *
 *   {"seq":7,"decided_at":"2026-11-25T12:00:00.123Z","key":"k1","account":"ann","other":"bob",
 *    "batch":null,"amount":"-12.34","balance":"87.66","currency":"EUR"}
 *
 * Returns -1 when memory ran out.
 */
MUST_CHECK int statement_print_json(FILE *out, const char *account,
                                    const struct store_posting *posting, const char *currency);

#endif
