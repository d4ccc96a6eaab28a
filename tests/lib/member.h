/*
 * Another member of payd's consumer group: a consumer that takes what the group gives it, reads it
 * and commits nothing. It leaves no mark in the group, so payd takes it for nobody's ledger.
 */
#ifndef TESTS_LIB_MEMBER_H
#define TESTS_LIB_MEMBER_H

#include "tests/lib/scene.h"

/*
 * Start one in a process of its own, on the scene's topic and payd's group. SIGTERM makes it leave
 * the group and end with 0; any other end leaves it there for a session of 6 s. Its standard output
 * has a line "assigned N" each time that it is given N partitions.
 */
struct process member_start(const struct scene *scene);

/* How often it was given at least one partition. */
int member_assignments(const struct process *member);

#endif
