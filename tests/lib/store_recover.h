/*
 * What must hold after a fault in a step of store_load.h: what was reported is in the file, the
 * step is whole or absent, and the next start goes on to the state that no fault would have given.
 */
#ifndef TESTS_LIB_STORE_RECOVER_H
#define TESTS_LIB_STORE_RECOVER_H

#include "tests/lib/store_load.h"

struct store_recover {
    struct store_load load;
    uint64_t states[LOAD_STEPS];
};

/* The load's file is at path, which must outlive this; folder has room for another. */
void store_recover_begin(struct store_recover *recover, const char *folder, const char *path);

/*
 * How many steps the file has: asserts that it is as many as were reported, or one more. when
 * names the fault.
 */
int store_recover_steps(const struct store_recover *recover, int reported, const char *when);

/*
 * Close what is open, look, open it without faults, go on to the end, assert that the end is the
 * right one, and remove the files.
 */
void store_recover_finish(struct store_recover *recover, int reported, const char *when);

#endif
