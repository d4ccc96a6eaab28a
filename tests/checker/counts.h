/*
 * The sums that the store keeps beside its rows: totals by currency (I4), counters by outcome and
 * the mode of its accounts (I5).
 */
#ifndef TESTS_CHECKER_COUNTS_H
#define TESTS_CHECKER_COUNTS_H

#include "tests/checker/evidence.h"

/* Needs the fold. EX_DATAERR when the store cannot be read. */
int counts_check(struct evidence *evidence, struct fault *fault);

#endif
