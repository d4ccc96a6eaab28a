/*
 * A history: one seed, one topic, one ledger, and as many lives of payd as it takes.
 */
#ifndef TESTS_SIMULATION_HISTORY_H
#define TESTS_SIMULATION_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Get ready: the simulated disk, and a folder of the process's own, which becomes the current one.
 * history_clean_up() leaves and removes it. False when it cannot be made.
 */
bool history_prepare(void);
void history_clean_up(void);

/*
 * Play the history of a seed. trace: where each event goes, or NULL. Returns NULL, or what was
 * violated: a sentence that is borrowed until the next one.
 */
const char *history_play(uint64_t seed, FILE *trace);

#endif
