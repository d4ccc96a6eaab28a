/*
 * The dice of a history: one stream of numbers that a seed determines (splitmix64).
 */
#ifndef TESTS_SIMULATION_DICE_H
#define TESTS_SIMULATION_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state; /* begins as the seed */
};

/* The next 64 bits. */
uint64_t dice_next(struct dice *dice);

/* A number below limit, which is at least 1. */
size_t dice_below(struct dice *dice, size_t limit);

#endif
