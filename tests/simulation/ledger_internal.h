/*
 * What the files of the simulated payd's store share.
 *
 *   ledger.c       life: a new one, after a crash, opened and closed
 *   ledger_ops.c   each call of payd's, with the faults around it
 */
#ifndef TESTS_SIMULATION_LEDGER_INTERNAL_H
#define TESTS_SIMULATION_LEDGER_INTERNAL_H

#include "tests/simulation/ledger.h"

struct ledger {
    struct store base;   /* what payd gets */
    struct store reader; /* and to read only: one thread needs no other connection */
    enum ledger_kind kind;
    struct store *inner; /* the real one; in SQLite only while it is open */
    int64_t openings;
};

extern struct ledger ledger;
extern const struct store_ops ledger_ops;
extern const struct store_ops ledger_reader_ops;

/*
 * After a call that gave status: a crash inside of SQLite has returned through it as an error, and
 * ends the life here. place names the call. Returns status.
 */
enum store_status ledger_after(const char *place, enum store_status status);

/* The last record's seq. Outside of a transaction. */
int64_t ledger_last_seq(void);

#endif
