/*
 * I6: committed <= stored position <= end of the partition, and each message below the position has
 * a row, or is one of the repeats that are only counted.
 */
#ifndef TESTS_CHECKER_COVERAGE_H
#define TESTS_CHECKER_COVERAGE_H

#include "tests/checker/evidence.h"

/* Needs the fold. Counts each key's records, too. */
void coverage_check(struct evidence *evidence);

#endif
