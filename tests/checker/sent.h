/*
 * I1 and I3: the history against topic and store. Every acknowledged key has an outcome, and
 * nothing has one that nobody sent.
 */
#ifndef TESTS_CHECKER_SENT_H
#define TESTS_CHECKER_SENT_H

#include "tests/checker/evidence.h"

/* Needs the fold and the coverage. */
void sent_check(struct evidence *evidence);

#endif
