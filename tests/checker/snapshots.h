/*
 * I7: snapshots/NAME.db are copies of the store, and in the order of their names each is a prefix
 * of the next one, and the last of the store itself: nothing vanishes, nothing changes, nothing
 * comes in between.
 */
#ifndef TESTS_CHECKER_SNAPSHOTS_H
#define TESTS_CHECKER_SNAPSHOTS_H

#include "tests/checker/evidence.h"

/* EX_DATAERR when a snapshot cannot be read. No snapshots are fine. */
int snapshots_check(struct evidence *evidence, struct fault *fault);

#endif
