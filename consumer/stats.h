/*
 * payd stats: what a ledger holds, for people and for programs.
 */
#ifndef CONSUMER_STATS_H
#define CONSUMER_STATS_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store.h"

#include <stdio.h>

/* Print the stats of options->db to standard output. Returns the exit code, with *err set. */
MUST_CHECK int stats(const struct options *options, struct error *err);

/* Write a table of at most 80 columns. */
void stats_print(FILE *out, const struct store_stats *stats);

/* Its part about currencies: a line each, with one of names before. */
void stats_print_currencies(FILE *out, const struct store_stats *stats);

/*
 * Write one line with one JSON object:
 *
 *   {"applied":1000,"duplicate":0,"redelivered":0,"conflict":0,"rejected":0,"quarantined":0,
 *    "mode":"open","unpublished":0,"skipped":0,"quarantine_bytes":0,
 *    "digest":"5f0c0f2d3a…","floor":null,"keys":1000000,"bytes":125829120,"day_rows":45000,
 *    "day_bytes":5662310,
 *    "total":{"EUR":"1000.00"},"balances":{"EUR":"0.00"},"accounts":{"EUR":40},
 *    "topic":"payments","positions":{"0":250}}
 *
 * total is the sum of the applied payments, balances the sum of all balances (always zero), both by
 * currency as decimals in strings. mode: accounts are open or strict; unpublished: outcomes that
 * are not in the outcomes topic yet; skipped: outcomes that the topic refused for good; digest: of
 * all decisions (decision_hash.h), forgotten ones too; the rest: struct store_size, floor null when
 * it is 0. Returns -1 when memory ran out.
 */
MUST_CHECK int stats_print_json(FILE *out, const struct store_stats *stats);

/* The JSON library's version, a static string. */
const char *stats_json_library_version(void);

#endif
