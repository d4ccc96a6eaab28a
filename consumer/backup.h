/*
 * payd backup: a copy of a ledger, also while payd runs.
 */
#ifndef CONSUMER_BACKUP_H
#define CONSUMER_BACKUP_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"

/* Copy options->db to the operand. Returns the exit code, with *err set. */
MUST_CHECK int backup(const struct options *options, struct error *err);

#endif
