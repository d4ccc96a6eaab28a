/*
 * payd purge: forgets old keys for good. payd run does the same by itself: purger.h.
 */
#ifndef CONSUMER_PURGE_H
#define CONSUMER_PURGE_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store_purge.h"

#include <stdio.h>

/*
 * Purge options->db of keys older than options->older_ms, and print what was forgotten. Returns the
 * exit code, with *err set.
 */
MUST_CHECK int purge(const struct options *options, struct error *err);

/* Write what was forgotten as a table of at most 80 columns. */
void purge_print(FILE *out, const struct store_purged *purged);

/*
 * Write one line with one JSON object:
 *
 *   {"floor":"2026-08-27T12:00:00.000Z","keys":1000,"batches":1,"repeats":20,"ageless":5,
 *    "retained":0}
 *
 * Returns -1 when memory ran out.
 */
MUST_CHECK int purge_print_json(FILE *out, const struct store_purged *purged);

#endif
