/*
 * payd reset: the money of a ledger back to zero, or the ledger gone.
 */
#ifndef CONSUMER_RESET_H
#define CONSUMER_RESET_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"

#include <stdio.h>

/* Reset options->db. Refused while payd runs. Returns the exit code, with *err set. */
MUST_CHECK int reset(const struct options *options, struct error *err);

/*
 * Write one line with one JSON object: {"file":"ledger.db","removed":false}. Returns the exit code,
 * with *err set.
 */
MUST_CHECK int reset_print_json(FILE *out, const struct options *options, struct error *err);

#endif
