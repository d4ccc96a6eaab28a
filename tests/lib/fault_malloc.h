/*
 * Memory that runs out: a library that stands before malloc(), calloc(), realloc() and strdup(),
 * and lets the n-th call fail, once.
 *
 * A program that is linked with it arms it, and all that the calling thread allocates counts, also
 * within libraries. A program that is started with it preloaded (FAULT_MALLOC_LIBRARY) is told by
 * the environment, and what is called from the program itself, SQLite and cJSON counts, of all
 * threads: librdkafka aborts on failure by design.
 *
 *   PAY_MALLOC_FAIL=7    the 7th allocation fails, and "allocation 7 failed" goes to standard error
 *   PAY_MALLOC_FAIL=0    none fails
 *
 * At its end the program writes "allocations: N" there.
 */
#ifndef TESTS_LIB_FAULT_MALLOC_H
#define TESTS_LIB_FAULT_MALLOC_H

#include <stdbool.h>

/* So many allocations of this thread succeed, the next one fails, and all after it succeed. */
void fault_malloc_arm(long calls_before);

/* Nothing fails any more. True when the fault that was armed has struck. */
bool fault_malloc_disarm(void);

#endif
