/*
 * A life of payd: the real run(), from its start to its end or its crash.
 */
#ifndef TESTS_SIMULATION_LIFE_H
#define TESTS_SIMULATION_LIFE_H

#include "tests/simulation/world.h"

#include <stdbool.h>

/*
 * Run payd until it ends, or until the life ends otherwise: by the plan. until_end: it ends
 * by itself when there is nothing more to read. Notes a violation when it ends with another code
 * than it should. Returns how it ended.
 */
enum life_end life_run(bool until_end, const struct life_plan *plan);

#endif
