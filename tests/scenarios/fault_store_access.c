/*
 * Rows 33, 38 and 40: payd that may not write to its store: no room, locked, read-only.
 */
#include "common/clock.h"
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS    300
#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch first;
static struct fault_batch second;
static char mounted[64]; /* a small file system of the test's own, or "" */

static void open_scene(void)
{
    fault_open_embedded(&fault);
    fault_make_batch(&fault, &first, "first", ROWS);
    fault_make_batch(&fault, &second, "second", ROWS);
}

static void close_scene(void)
{
    if (mounted[0]) {
        if (!fault.is_judged) {
            char copy[PROCESS_PATH_MAX + 16];
            snprintf(copy, sizeof(copy), "%s/ledger.db", fault.scene.dir);
            file_copy(fault.scene.db, copy);
        }
        umount2(mounted, MNT_DETACH);
        rmdir(mounted);
    }
    fault_close(&fault);
}

TestSuite(row_33, .init = open_scene, .fini = close_scene);
TestSuite(row_38, .init = open_scene, .fini = close_scene);
TestSuite(row_40, .init = open_scene, .fini = close_scene);

static void publish(const struct fault_batch *batch)
{
    cr_assert_eq(fault_pay(&fault, batch, NULL, NULL), 0);
}

static void expect_decided(int64_t count)
{
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", count, WAIT_MS),
              "%lld are decided, not %lld",
              (long long)scene_int(&fault.scene, "SELECT count(*) FROM payments"),
              (long long)count);
}

/* payd that has taken the first batch and waits for more. */
static struct process start_idle(void)
{
    publish(&first);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    expect_decided(ROWS);
    return payd;
}

static void stop(struct process *payd)
{
    process_signal(payd, SIGTERM);
    cr_assert_eq(process_wait(payd, WAIT_MS), 0, "%s", file_tail(payd->err));
}

/* ---- row 33: no room ---- */

/* Moves the ledger's place to a small file system. Only root can; else the test is skipped. */
static void mount_small(const char *options)
{
    snprintf(mounted, sizeof(mounted), "/tmp/pay-test-room-XXXXXX");
    cr_assert(mkdtemp(mounted));
    if (mount("none", mounted, "tmpfs", 0, options) != 0) {
        rmdir(mounted);
        mounted[0] = '\0';
        cr_skip_test("no file system can be mounted: %s", strerror(errno));
    }
    snprintf(fault.scene.db, sizeof(fault.scene.db), "%s/ledger.db", mounted);
}

static void ballast_path(char path[96])
{
    snprintf(path, 96, "%s/ballast", mounted);
}

static void fill_up(void)
{
    static const char block[4096];
    char path[96];

    ballast_path(path);
    FILE *ballast = fopen(path, "we");
    cr_assert(ballast);
    setvbuf(ballast, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof(block), ballast) == sizeof(block)) {
    }
    cr_assert_eq(errno, ENOSPC);
    fclose(ballast);
}

static void make_room(void)
{
    char path[96];

    ballast_path(path);
    cr_assert_eq(unlink(path), 0);
}

Test(row_33, payd_on_a_full_disk_waits_and_goes_on_when_there_is_room)
{
    mount_small("size=8m");
    struct process payd = start_idle();
    fill_up();
    publish(&second);
    cr_assert(file_comes_to_have(payd.err, "store_full", WAIT_MS), "%s", file_tail(payd.err));
    fault_hit(&fault, file_count(payd.err, "store_full"));
    cr_expect_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments"), ROWS);
    fault_check(&fault);
    make_room();
    expect_decided(2 * ROWS);
    stop(&payd);
    fault_judge(&fault);
}

Test(row_33, payd_that_starts_on_a_full_disk_says_so)
{
    mount_small("size=8m");
    publish(&first);
    fault_drain(&fault);
    fill_up();
    fault_expect_refusal(&fault, 74, "No space left on device");
    make_room();
    publish(&second);
    fault_judge(&fault);
}

Test(row_33, payd_whose_files_may_not_grow_stops_and_the_next_start_goes_on)
{
    struct process payd = start_idle();
    char wal[PROCESS_PATH_MAX + 16];
    struct stat info;

    snprintf(wal, sizeof(wal), "%s-wal", fault.scene.db);
    cr_assert_eq(stat(wal, &info), 0);
    const struct rlimit limit = {(rlim_t)info.st_size + 20000, RLIM_INFINITY};
    cr_assert_eq(prlimit(payd.pid, RLIMIT_FSIZE, &limit, NULL), 0, "%s", strerror(errno));
    publish(&second);
    fault_expect_stop(&fault, &payd, 74, "disk I/O error");
    fault_check(&fault);
    fault_judge(&fault);
}

/* ---- row 38: locked ---- */

Test(row_38, a_store_that_is_locked_for_a_while_is_waited_for)
{
    struct process payd = start_idle();
    sqlite3 *lock = fault_lock_ledger(&fault);

    publish(&second);
    cr_assert(file_comes_to_have(payd.err, "store_busy", WAIT_MS), "%s", file_tail(payd.err));
    fault_hit(&fault, file_count(payd.err, "store_busy"));
    fault_unlock_ledger(lock);
    expect_decided(2 * ROWS);
    cr_assert(scene_comes_to(&fault.scene,
                             "SELECT published_seq = (SELECT max(seq) FROM decisions) FROM store",
                             1, WAIT_MS),
              "%s", file_tail(payd.err));
    stop(&payd);
    fault_judge_as_it_is(&fault);
}

Test(row_38, a_store_that_stays_locked_stops_payd_after_bounded_tries)
{
    struct process payd = start_idle();
    sqlite3 *lock = fault_lock_ledger(&fault);

    publish(&second);
    fault_expect_stop(&fault, &payd, 74, "database is locked");
    cr_expect_eq(file_count(payd.err, "store_busy"), 9, "%s", file_tail(payd.err));
    fault_unlock_ledger(lock);
    fault_check(&fault);
    fault_judge(&fault);
}

Test(row_38, a_store_that_is_locked_at_the_start_is_refused)
{
    publish(&first);
    fault_drain(&fault);
    sqlite3 *lock = fault_lock_ledger(&fault);
    int64_t started_ms = clock_monotonic_ms();
    fault_expect_refusal(&fault, 74, "database is locked");
    cr_expect_lt(clock_monotonic_ms() - started_ms, 10000);
    fault_unlock_ledger(lock);
    publish(&second);
    fault_judge(&fault);
}

/* ---- row 40: read-only ---- */

Test(row_40, a_read_only_file_is_refused)
{
    mount_small("size=8m");
    publish(&first);
    fault_drain(&fault);
    publish(&second);
    cr_assert_eq(mount("none", mounted, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "%s",
                 strerror(errno));
    fault_expect_refusal(&fault, 74, "Read-only file system");
    cr_assert_eq(mount("none", mounted, NULL, MS_REMOUNT, NULL), 0, "%s", strerror(errno));
    fault_judge(&fault);
}
