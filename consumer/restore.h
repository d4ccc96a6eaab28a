/*
 * payd restore: puts a backup in the place of a lost ledger, and refuses to go backwards unnoticed.
 *
 * The copy is FILE.restoring until all is done: verified, and where the group has read to. A crash
 * leaves that file, which is to be removed before the restore is done again; or the finished
 * ledger, which its group was not told of yet: payd run goes on with it, and tells the group.
 */
#ifndef CONSUMER_RESTORE_H
#define CONSUMER_RESTORE_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"

/* Restore the operand to options->db. Returns the exit code, with *err set. */
MUST_CHECK int restore(const struct options *options, struct error *err);

#endif
