/*
 * The store of the simulated payd: the real one in memory, or the real one in SQLite on the
 * simulated disk, behind a layer in which every call may fail and every payd may die.
 *
 * It replaces store_sqlite_open() at link time.
 */
#ifndef TESTS_SIMULATION_LEDGER_H
#define TESTS_SIMULATION_LEDGER_H

#include "consumer/store.h"
#include "tests/simulation/world.h"

#include <stdbool.h>
#include <stdint.h>

enum ledger_kind { LEDGER_MEMORY, LEDGER_SQLITE };

/* The name of the file, in a folder of the process's own, where it must be the current one. */
#define LEDGER_PATH "ledger.db"

/* A new ledger. */
void ledger_begin(enum ledger_kind kind);
void ledger_end(void);

/* After a crash: what was not committed is gone, the handles of the dead process are freed. */
void ledger_bury(bool power_lost);

/*
 * Open it without faults and steps, for a look between two lives. The caller closes it with
 * ledger_close(). NULL: it cannot be opened, which is a violation.
 */
struct store *ledger_open(void);
void ledger_close(struct store *store);

/* By hand: set a partition's position back, when there is something to read again. */
enum store_status ledger_set_back(enum event event, struct error *err);

#endif
