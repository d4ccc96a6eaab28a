/*
 * payd verify: proves a ledger from its file alone.
 */
#ifndef CONSUMER_VERIFY_H
#define CONSUMER_VERIFY_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/options.h"
#include "consumer/store_verify.h"

#include <stddef.h>
#include <stdio.h>

/* The exit code when something is wrong with the ledger. */
#define VERIFY_WRONG 1

/* So many findings are shown; all are counted. */
#define VERIFY_SHOWN_MAX 20

/* What verify has found, to be printed. */
struct verify_report {
    struct store_proof proof;
    struct verify_finding {
        enum store_check check;
        char *text;
    } shown[VERIFY_SHOWN_MAX];
    size_t shown_count;
};

/* Verify options->db and print what came of it. Returns the exit code, with *err set. */
MUST_CHECK int verify(const struct options *options, struct error *err);

/* Write the findings, then a table of at most 80 columns but for what findings quote. */
void verify_print(FILE *out, const struct verify_report *report);

/*
 * Write one line with one JSON object:
 *
 *   {"whole":false,"digest":"5f0c0f2d3a…",
 *    "checks":{"file":{"looked_at":1,"found":0},…},
 *    "findings":[{"check":"keys","text":"…"}]}
 *
 * findings has VERIFY_SHOWN_MAX at the most. Returns -1 when memory ran out.
 */
MUST_CHECK int verify_print_json(FILE *out, const struct verify_report *report);

#endif
