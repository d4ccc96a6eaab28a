/*
 * A ledger's file as one line of JSON, for the commands that make, move or show one.
 */
#ifndef CONSUMER_LEDGER_JSON_H
#define CONSUMER_LEDGER_JSON_H

#include "common/compiler.h"
#include "consumer/store.h"

#include <stdbool.h>
#include <stdio.h>

struct cJSON;

/*
 * Write one line with one JSON object:
 *
 *   {"file":"copy.db","bytes":1048576,"decisions":1000,"topic":"payments","positions":{"0":250}}
 *
 * bytes below 0 are left out. Returns -1 when memory ran out.
 */
MUST_CHECK int ledger_json_print(FILE *out, const char *file, int64_t bytes,
                                 const struct store_stats *stats);

/* Add topic and positions to an object, as above. False when memory ran out. */
bool ledger_json_add_positions(struct cJSON *root, const struct store_stats *stats);

#endif
