/*
 * The report: one line for each violation, of an invariant the first 20, then how many more.
 *
 *   I4 key=invoice-4711 : its two postings sum to 3
 */
#ifndef TESTS_CHECKER_REPORT_H
#define TESTS_CHECKER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The invariants, as the fault suite numbers them. */
enum invariant {
    I1_ACKNOWLEDGED_IS_DECIDED = 1,
    I2_ONE_OUTCOME_ONE_TRANSFER,
    I3_NOTHING_NOBODY_SENT,
    I4_MONEY_ADDS_UP,
    I5_MODEL_AGREES,
    I6_POSITIONS_PASS_NOTHING,
    I7_NOTHING_VANISHES,
    I8_STORED_IS_WHAT_WAS_SENT,
    I9_DATABASE_IS_WHOLE,
    I10_LAG_IS_ZERO,
    INVARIANT_END
};

#define REPORT_LINES_MAX 20 /* of one invariant */

struct report {
    FILE *out; /* borrowed */
    uint64_t counts[INVARIANT_END];
};

/* Report a violation about a key, which may be NULL: "key=-". */
__attribute__((format(printf, 5, 6))) void report_key(struct report *report,
                                                      enum invariant invariant, const char *key,
                                                      size_t key_len, const char *fmt, ...);

/* Report a violation about no key. */
#define report_any(report, invariant, ...) report_key((report), (invariant), NULL, 0, __VA_ARGS__)

/* Say of each invariant how many violations were not printed. Returns how many there were in all.
 */
uint64_t report_end(struct report *report);

#endif
