/*
 * What pay did, as one JSON object on one line, for scripts. The fields are kept stable.
 */
#ifndef PRODUCER_SUMMARY_JSON_H
#define PRODUCER_SUMMARY_JSON_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/outcome_record.h"
#include "common/publisher.h"
#include "producer/verdict.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* acknowledged + unknown + failed is rows, less those that were found answered. */
struct summary {
    const char *batch_id; /* NULL = none */
    const char *digest;
    int64_t rows; /* good ones */
    int64_t acknowledged;
    int64_t unknown;
    int64_t failed;  /* also those that were never handed over */
    int64_t skipped; /* bad ones, with --skip-bad */
    int64_t elapsed_ms;
    const struct verdict_counts *found;   /* before sending; NULL = nobody looked */
    const struct verdict_counts *decided; /* of all rows; NULL = outcomes were not waited for */
};

/*
 * {"batch_id":"payroll-11","rows":2,"acknowledged":2,"unknown":0,"failed":0,"skipped":0,
 *  "digest":"...","seconds":1.234,
 *  "decided":{"applied":2,"rejected":0,"conflict":0,"quarantined":0,"unknown":0}}
 * decided is there only when outcomes were waited for; its unknown is what has no answer. When
 * only missing rows were sent, "answered", how many were not, stands behind "rows", and
 * "found":{"applied":1,"rejected":0,"conflict":0,"quarantined":0}, their outcomes, before decided,
 * which counts them too.
 * Returns -1 when memory ran out. Whether out took it, ferror() says.
 */
MUST_CHECK int summary_json_batch(const struct summary *summary, FILE *out);

struct summary_command {
    const struct command *command;
    enum delivery delivery;
    const char *reason;                  /* why it was not acknowledged, or NULL */
    bool waited;                         /* for its outcome */
    const struct outcome_record *answer; /* NULL = none came */
};

/*
 * {"key":"k","src":"ann","dest":"bob","amount":"12.34","currency":"EUR",
 *  "delivery":"acknowledged","reason":null}
 * {"key":"account-open:ann","type":"account_open","account":"ann","currency":"EUR",
 *  "min_balance":"0.00",...}           or "account", "mode", as the type has them
 * reason says why it was not acknowledged. When its outcome was waited for, these follow:
 *  "outcome":"applied"                 "unknown" when none came; then nothing follows
 *  "verdict", "duplicate", "fields", "digest", "origin", "decided_at", "first"
 *                                      as in the record, see common/outcome_json.h
 * and with an outcome, reason is the outcome's. Returns as summary_json_batch().
 */
MUST_CHECK int summary_json_command(const struct summary_command *summary, FILE *out);

/* "acknowledged", "unknown" or "failed"; a static string. */
const char *summary_delivery_name(enum delivery delivery);

/* The version of cJSON, a static string. */
const char *summary_json_library_version(void);

#endif
