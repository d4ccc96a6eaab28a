/*
 * I5, and the counting for I2 and I6: the rows of the store in the order of their seq, each laid
 * beside its message and beside what the reference model makes of it.
 */
#ifndef TESTS_CHECKER_FOLD_H
#define TESTS_CHECKER_FOLD_H

#include "tests/checker/evidence.h"

/* Read all rows, and fill in what "by the fold" is said of in the headers. */
int fold(struct evidence *evidence, struct fault *fault);

#endif
