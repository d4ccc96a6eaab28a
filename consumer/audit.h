/*
 * payd audit: proves a ledger against the topic that it was made from.
 */
#ifndef CONSUMER_AUDIT_H
#define CONSUMER_AUDIT_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/findings.h"
#include "consumer/options.h"
#include "consumer/store.h"
#include "consumer/store_verify.h"

#include <stdio.h>

/* The exit code when something is wrong. */
#define AUDIT_WRONG 1

/* Offsets from <= offset < to. */
struct audit_range {
    int64_t from;
    int64_t to;
};

/* What an audit has counted. */
struct audit_report {
    const char *topic;   /* borrowed */
    int partitions;      /* of the topic */
    int64_t records;     /* that were read, of which */
    int64_t decided;     /* decided their key, */
    int64_t repeats;     /* came again, and are kept as such, */
    int64_t unkept;      /* came again, and were only counted, */
    int64_t quarantined; /* could not be read as a command, or were stale */
    int64_t readable;    /* of these: they could be decided now, and stay as they were */
    int64_t forgotten;   /* came again, of a key that a purge has forgotten: no outcome left */
    int64_t waiting;     /* in the log, but behind the ledger's positions */
    int64_t removed;     /* in the ledger, but not in the log any more: retention */
    struct audit_range *ranges; /* of the log that were read, by partition */
    struct store_stats stats;   /* of the ledger, in the same moment */
    struct store_proof proof;   /* of the ledger alone */
    struct findings findings;
};

/*
 * Audit options->db against options->kafka's topic, up to the ledger's positions, and print what
 * came of it. Only reads; works while payd runs. Memory: a chunk, the key filter, 40 bytes an
 * account, three bits a record of the log. Returns the exit code, with *err set.
 */
MUST_CHECK int audit(const struct options *options, struct error *err);

/* Write the findings, then a table of at most 80 columns but for what findings quote. */
void audit_print(FILE *out, const struct audit_report *report);

/*
 * Write one line with one JSON object:
 *
 *   {"whole":true,"topic":"payments","partitions":4,"records":1050000,"decided":1000000,
 *    "repeats":50000,"unkept":0,"quarantined":0,"forgotten":0,"waiting":0,"removed":0,"readable":0,
 *    "digest":"5f0c0f2d3a…","ranges":{"0":[0,262500],…},
 *    "totals":{"EUR":{"payments":1000000,"total":"123456.00","accounts":1000,"balances":"0.00"}},
 *    "wrong":0,"findings":[]}
 *
 * ranges are offsets [from, to) of the log, by partition. findings has FINDINGS_SHOWN_MAX at the
 * most. Returns -1 when memory ran out.
 */
MUST_CHECK int audit_print_json(FILE *out, const struct audit_report *report);

#endif
