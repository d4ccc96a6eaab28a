/*
 * I10: when all is over, nothing is left to do. Each partition is read and committed to its end.
 */
#ifndef TESTS_CHECKER_SETTLED_H
#define TESTS_CHECKER_SETTLED_H

#include "tests/checker/evidence.h"

void settled_check(struct evidence *evidence);

#endif
