/*
 * payd export: all decisions, for other programs.
 */
#ifndef CONSUMER_EXPORT_H
#define CONSUMER_EXPORT_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/outcome_record.h"
#include "consumer/options.h"

#include <stdio.h>

/* Print the decisions of options->db, in their order. Returns the exit code, with *err set. */
MUST_CHECK int export_decisions(const struct options *options, struct error *err);

/*
 * Write a record as a line of CSV (RFC 4180, but for lines that end in LF), and the line of names
 * that comes before all. Amounts are decimals; what a command has not is empty.
 */
void export_print_csv_head(FILE *out);
void export_print_csv(FILE *out, const struct outcome_record *record);

#endif
