/*
 * Rows 33-36 below SQLite: one call of the VFS fails, for each call that a fixed load makes, or the
 * power fails. What was reported stays, a step is whole or absent, and in the end the store says
 * what it would say without any fault.
 */
#include "common/clock.h"
#include "tests/lib/fault.h"
#include "tests/lib/fault_power.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_recover.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static struct fault fault;
static struct store_recover recover;
static struct store_load *const load = &recover.load;
static struct error err;

static void open_folder(void)
{
    fault_open_bare(&fault);
    store_recover_begin(&recover, fault.scene.dir, fault.scene.db);
    fault_vfs_install();
}

static void close_folder(void)
{
    fault_close(&fault);
}

TestSuite(row_33, .init = open_folder, .fini = close_folder);
TestSuite(row_34, .init = open_folder, .fini = close_folder);
TestSuite(row_35, .init = open_folder, .fini = close_folder);
TestSuite(row_36, .init = open_folder, .fini = close_folder);

/* ---- one call fails ---- */

static bool opens(int step)
{
    return step == LOAD_OPEN || step == LOAD_OPEN_WITH_WAL || step == LOAD_OPEN_AGAIN;
}

/* A full disk changes nothing, and the same process goes on when there is room. */
static void make_room(enum store_status *status, int step, const char *when)
{
    if (*status == STORE_FULL && !opens(step)) {
        cr_assert_eq(store_recover_steps(&recover, step, when), step, "%s: not nothing", when);
        *status = store_load_step(load, step, &err);
        cr_assert_eq(*status, STORE_OK, "%s, then room: %s", when, err.text);
    }
}

/* The whole load with the n-th call of a kind failing. False when there are no more calls. */
static bool run_with_fault(enum fault_vfs_kind kind, int n)
{
    enum store_status status = STORE_OK;
    bool struck = false;
    char when[128];
    int step = 0;

    fault_vfs_arm(kind, n);
    for (; step < LOAD_STEPS; step++) {
        snprintf(when, sizeof(when), "%s, call %d, in \"%s\"", fault_vfs_name(kind), n,
                 store_load_name(step));
        status = store_load_step(load, step, &err);
        if (status != STORE_OK) {
            cr_expect(strstr(err.text, load->path), "%s: says not where: %s", when, err.text);
            cr_assert_neq(status, STORE_BUSY, "%s: %s", when, err.text);
            struck = fault_vfs_disarm() || struck;
            cr_assert(struck, "%s: failed without a fault: %s", when, err.text);
            make_room(&status, step, when);
        }
        if (status != STORE_OK) {
            break;
        }
    }
    store_load_close(load);
    struck = fault_vfs_disarm() || struck;
    store_recover_finish(&recover, step, when);
    return struck;
}

static void sweep(enum fault_vfs_kind kind, int at_least)
{
    int n = 0;

    while (run_with_fault(kind, n)) {
        n++;
    }
    fprintf(stderr, "%s: %d calls\n", fault_vfs_name(kind), n);
    cr_assert_geq(n, at_least, "%s struck %d times only", fault_vfs_name(kind), n);
    fault_hit(&fault, n);
}

Test(row_33, without_room_for_any_write_a_step_is_absent_and_taken_when_there_is_room)
{
    sweep(FAULT_VFS_FULL, 50);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_34, whatever_read_fails_a_step_is_whole_or_absent)
{
    sweep(FAULT_VFS_READ, 20);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_34, whatever_write_truncation_or_removal_fails_a_step_is_whole_or_absent)
{
    sweep(FAULT_VFS_WRITE, 50);
    sweep(FAULT_VFS_TRUNCATE, 1);
    sweep(FAULT_VFS_DELETE, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_35, whatever_sync_fails_a_step_is_whole_or_absent)
{
    sweep(FAULT_VFS_SYNC, 10);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

/* ---- the power fails ---- */

#define POWER_MS  10000
#define LIVES_MAX 3

static struct fault_power_loss total;

/* Steps until the power fails or the load is done; returns how many were reported. */
static int live(int reported, const char *when)
{
    if (reported > 0) {
        if (store_load_open(load, &err) != STORE_OK) {
            return reported;
        }
        /* What an opened store shows may be published, so it must stay from now on. */
        reported = store_recover_steps(&recover, reported, when);
    }
    while (reported < LOAD_STEPS && store_load_step(load, reported, &err) == STORE_OK) {
        reported++;
    }
    return reported;
}

static void run_with_power_losses(unsigned seed, int calls)
{
    unsigned dice = seed;
    int lives = 1 + rand_r(&dice) % LIVES_MAX;
    int reported = 0;
    char when[64];

    for (int life = 1; life <= lives; life++) {
        struct fault_power_loss loss;
        snprintf(when, sizeof(when), "PAY_SEED=%u, life %d", seed, life);
        fault_power_on(rand_r(&dice) % (calls / life));
        reported = live(reported, when);
        store_load_close(load);
        fault_hit(&fault, fault_power_failed());
        fault_power_settle((unsigned)rand_r(&dice), &loss);
        total.kept += loss.kept;
        total.lost += loss.lost;
        total.torn += loss.torn;
        total.undone += loss.undone;
    }
    store_recover_finish(&recover, reported, when);
}

/* How many changing calls the load makes. */
static int count_calls(void)
{
    fault_power_on(INT_MAX);
    cr_assert_eq(live(0, "no power loss"), LOAD_STEPS, "%s", err.text);
    store_load_close(load);
    int calls = fault_power_calls();
    fault_power_settle(0, NULL);
    store_recover_finish(&recover, LOAD_STEPS, "no power loss");
    return calls;
}

Test(row_36, what_was_committed_is_there_after_power_losses)
{
    int64_t until_ms = clock_monotonic_ms() + POWER_MS;
    int calls = count_calls();
    unsigned seed = fault.seed;

    for (; clock_monotonic_ms() < until_ms; seed++) {
        run_with_power_losses(seed, calls);
    }
    fprintf(stderr,
            "%u seeds, %lld power losses; unsynced sectors: %d kept, %d lost, %d torn; %d names, "
            "removals and truncations undone\n",
            seed - fault.seed, (long long)fault.hits, total.kept, total.lost, total.torn,
            total.undone);
    cr_assert(total.kept > 0 && total.lost > 0 && total.torn > 0 && total.undone > 0);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}
