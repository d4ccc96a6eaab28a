/*
 * I2 and I4: the store's postings against the transfers that the fold counted, and its balances
 * against the postings and against the model.
 */
#ifndef TESTS_CHECKER_BOOKS_H
#define TESTS_CHECKER_BOOKS_H

#include "tests/checker/evidence.h"

/* Needs the fold; uses the model's accounts up. EX_DATAERR when the store cannot be read. */
int books_check(struct evidence *evidence, struct fault *fault);

#endif
