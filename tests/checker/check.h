/*
 * The verdict over a folder of evidence.
 */
#ifndef TESTS_CHECKER_CHECK_H
#define TESTS_CHECKER_CHECK_H

#include "tests/checker/fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct check_options {
    const char *dir;
    const char *db;  /* NULL: DIR/ledger.db */
    bool is_settled; /* all is over: I10 is checked too */
};

/*
 * Verify I1 to I10 and write the report to out. *ret_violations counts them. EX_DATAERR when the
 * evidence is not there or cannot be read, which is no verdict.
 *
 * 100,000 messages take about a second and 65 MB, 1,000,000 some 10 seconds and 500 MB.
 */
int check(const struct check_options *options, FILE *out, uint64_t *ret_violations,
          struct fault *fault);

#endif
