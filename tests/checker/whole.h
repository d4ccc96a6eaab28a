/*
 * I9: the database is whole, by SQLite's own integrity_check and foreign_key_check.
 */
#ifndef TESTS_CHECKER_WHOLE_H
#define TESTS_CHECKER_WHOLE_H

#include "tests/checker/evidence.h"

/* Report what is wrong. What SQLite cannot read at all is a violation too, and no fault. */
void whole_check(struct evidence *evidence);

#endif
