/*
 * Memory. Without it there is no verdict and nothing that would have to be saved, so a call that
 * gets none says so and ends the program with EX_OSERR: nobody has to look.
 */
#ifndef TESTS_CHECKER_MEMORY_H
#define TESTS_CHECKER_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count objects; the caller frees it. */
void *memory_new(size_t count, size_t size);

/*
 * Room for at least wanted objects of a size in an array of *room; what is new is zeroed. Returns
 * the array, which may have moved; the caller frees it.
 */
void *memory_grow(void *array, size_t *room, size_t wanted, size_t size);

#endif
