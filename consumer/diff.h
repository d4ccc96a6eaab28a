/*
 * payd diff: what two ledgers have decided differently.
 */
#ifndef CONSUMER_DIFF_H
#define CONSUMER_DIFF_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The exit code when something differs, as that of diff(1). */
#define DIFF_DIFFERS 1

/*
 * Compare the ledgers of both operands and print each difference, a line each, and a summary.
 * Returns the exit code, with *err set.
 */
MUST_CHECK int diff(const struct options *options, struct error *err);

/* How two stores are compared. */
struct diff_view {
    bool json;
    bool is_told; /* A has what was told of decisions (told.h): only its keys, and no accounts */
};

/*
 * Print each difference of two snapshots, a line each, and count them. Fails as
 * store_sqlite_diff(), and with EX_OSERR.
 */
MUST_CHECK int diff_print(struct store *a, struct store *b, const struct diff_view *view,
                          int64_t *ret_count, struct error *err);

/*
 * Write a difference as a line of JSON. A side that has it not is null:
 *
 *   {"key":"k1","a":{"outcome":"applied","reason":"","command":"ann -> bob 12.34 EUR",
 *    "digest":"…"},"b":null}
 *   {"account":"ann","a":{"state":"used","currency":"EUR","balance":"1.00","min_balance":null},
 *    "b":null}
 *
 * Return -1 when memory ran out.
 */
MUST_CHECK int diff_print_key_json(FILE *out, const struct store_key_difference *difference);
MUST_CHECK int diff_print_account_json(FILE *out,
                                       const struct store_account_difference *difference);

/* "unopened", "used", "open", "closed"; a static string. */
const char *diff_state_name(enum account_state state);

#endif
