/*
 * Steps that many scenarios take (tests/lib/fault.h).
 */
#include "tests/lib/fault.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>

#define PATIENCE_MS 90000
#define DEADLINE_MS 15000 /* payd's 5 s, on a busy machine */
#define BUSY_MS     5000

void fault_pay_until_done(struct fault *fault, const struct fault_batch *batch,
                          const char *const *more)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    int code = -1;

    while (code != 0 && clock_monotonic_ms() < end_ms) {
        code = fault_pay(fault, batch, NULL, more);
        cr_assert(code == 0 || code == 75 || code == 69, "pay ended with %d", code);
    }
    cr_assert_eq(code, 0, "the batch was never acknowledged whole");
}

void fault_stop_payd(struct process *payd)
{
    process_signal(payd, SIGTERM);
    cr_assert_eq(process_wait(payd, DEADLINE_MS), 0, "%s", file_tail(payd->err));
}

sqlite3 *fault_lock_ledger(const struct fault *fault)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open_v2(fault->scene.db, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, BUSY_MS);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

void fault_unlock_ledger(sqlite3 *db)
{
    cr_assert_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}
