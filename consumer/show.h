/*
 * payd show: what a ledger knows of idempotency keys.
 */
#ifndef CONSUMER_SHOW_H
#define CONSUMER_SHOW_H

#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store.h"

#include <stdio.h>

/* Exit codes beside EX_OK; of several keys the highest counts. */
#define SHOW_REJECTED 1 /* the key was rejected */
#define SHOW_CONFLICT 2 /* only conflicts are known of the key: it may still be paid */
#define SHOW_UNKNOWN  4 /* nothing is known of the key: it may still be paid, unless it is stale */

/*
 * Print one key, as text or, with json, as one line a record. Sets *ret_code to EX_OK or one of the
 * codes above. Returns -1 when the store fails.
 */
MUST_CHECK int show_key(FILE *out, struct store *store, const char *key, bool json, int *ret_code,
                        struct error *err);

/* All of payd show. Prints to standard output and returns the exit code; a failure is in *err. */
int show(const struct options *options, struct error *err);

#endif
