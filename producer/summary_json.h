/*
 * What pay did, as one JSON object on one line, for scripts. The fields are kept stable.
 */
#ifndef PRODUCER_SUMMARY_JSON_H
#define PRODUCER_SUMMARY_JSON_H

#include "common/compiler.h"
#include "common/payment.h"
#include "common/publisher.h"

#include <stdint.h>
#include <stdio.h>

/* acknowledged + unknown + failed is rows. */
struct summary {
    const char *batch_id; /* NULL = none */
    const char *digest;
    int64_t rows; /* good ones */
    int64_t acknowledged;
    int64_t unknown;
    int64_t failed;  /* also those that were never handed over */
    int64_t skipped; /* bad ones, with --skip-bad */
    int64_t elapsed_ms;
};

/*
 * {"batch_id":"payroll-11","rows":2,"acknowledged":2,"unknown":0,"failed":0,"skipped":0,
 *  "digest":"...","seconds":1.234}
 * Returns -1 when memory ran out. Whether out took it, ferror() says.
 */
MUST_CHECK int summary_json_batch(const struct summary *summary, FILE *out);

/*
 * {"key":"k","src":"ann","dest":"bob","amount":"12.34","currency":"EUR",
 *  "delivery":"acknowledged","reason":null}
 * reason is NULL when it was acknowledged. Returns as summary_json_batch().
 */
MUST_CHECK int summary_json_send(const struct payment *payment, enum delivery delivery,
                                 const char *reason, FILE *out);

/* "acknowledged", "unknown" or "failed"; a static string. */
const char *summary_delivery_name(enum delivery delivery);

/* The version of cJSON, a static string. */
const char *summary_json_library_version(void);

#endif
