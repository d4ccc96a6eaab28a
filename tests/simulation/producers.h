/*
 * The simulated producers: append the submitters' messages, lose acknowledgements, send again.
 */
#ifndef TESTS_SIMULATION_PRODUCERS_H
#define TESTS_SIMULATION_PRODUCERS_H

#include <stdbool.h>
#include <stddef.h>

void producers_begin(void);

/* Time passes: some messages may be sent. */
void producers_step(void);

/* Send all that has no acknowledgement yet, until it has one. */
void producers_finish(void);

/* Whether a submission's producer has seen an acknowledgement. */
bool producers_acknowledged(size_t number);

#endif
