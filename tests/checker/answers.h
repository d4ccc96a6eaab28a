/*
 * The outcomes topic: each answer in it says what the store and the model say (I5), and when all is
 * over each message with a usable key has one (I10).
 */
#ifndef TESTS_CHECKER_ANSWERS_H
#define TESTS_CHECKER_ANSWERS_H

#include "tests/checker/evidence.h"

/* Needs the fold. outcomes.jsonl may be absent; EX_DATAERR when it cannot be read. */
int answers_check(struct evidence *evidence, struct fault *fault);

#endif
