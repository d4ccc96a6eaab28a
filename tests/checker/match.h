/*
 * I8: what a row of the store keeps of a message is what stands in the topic at its origin.
 */
#ifndef TESTS_CHECKER_MATCH_H
#define TESTS_CHECKER_MATCH_H

#include "tests/checker/evidence.h"
#include "tests/checker/rows.h"

/* Compare, and report what differs. False when the row belongs to another message. */
bool match_row(struct evidence *evidence, const struct row *row, const struct record *record);

#endif
