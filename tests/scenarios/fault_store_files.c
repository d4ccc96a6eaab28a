/*
 * Rows 39 and 40: payd whose store's file is not as payd left it: damaged, truncated, of another
 * version or another program.
 */
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS    300
#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch first;
static struct fault_batch second;

static void open_scene(void)
{
    fault_open_embedded(&fault);
    fault_make_batch(&fault, &first, "first", ROWS);
    fault_make_batch(&fault, &second, "second", ROWS);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_39, .init = open_scene, .fini = close_scene);
TestSuite(row_40, .init = open_scene, .fini = close_scene);

static void publish(const struct fault_batch *batch)
{
    cr_assert_eq(fault_pay(&fault, batch, NULL, NULL), 0);
}

static char good[PROCESS_PATH_MAX + 16];

/* A ledger with the first batch in it, and a copy of it; the second batch waits. */
static void make_ledger(void)
{
    publish(&first);
    fault_drain(&fault);
    snprintf(good, sizeof(good), "%s.good", fault.scene.db);
    cr_assert(file_copy(fault.scene.db, good));
    publish(&second);
}

static void restore(void)
{
    char wal[PROCESS_PATH_MAX + 16];

    snprintf(wal, sizeof(wal), "%s-wal", fault.scene.db);
    unlink(wal);
    cr_assert(file_copy(good, fault.scene.db));
}

static void overwrite(long offset, const void *bytes, size_t len)
{
    FILE *file = fopen(fault.scene.db, "r+be");

    cr_assert(file && fseek(file, offset, SEEK_SET) == 0 && fwrite(bytes, 1, len, file) == len);
    cr_assert_eq(fclose(file), 0);
}

Test(row_39, a_file_without_its_head_is_refused)
{
    make_ledger();
    overwrite(0, "SQLite format 4", 16);
    fault_expect_refusal(&fault, 78, "file is not a database");
    restore();
    fault_judge(&fault);
}

Test(row_39, a_truncated_file_is_refused)
{
    struct stat info;

    make_ledger();
    cr_assert_eq(stat(fault.scene.db, &info), 0);
    cr_assert_eq(truncate(fault.scene.db, info.st_size / 2), 0);
    fault_expect_refusal(&fault, 74, "malformed");
    restore();
    fault_judge(&fault);
}

/* The group knows which ledger read before, and an empty file begins another one. */
Test(row_39, an_emptied_file_does_not_pay_again)
{
    make_ledger();
    cr_assert_eq(truncate(fault.scene.db, 0), 0);
    struct process payd =
        scene_start_payd(&fault.scene, NULL, (const char *const[]){"--until-end", NULL});
    int code = process_wait(&payd, WAIT_MS);
    cr_assert(code > 0, "exit code %d: %s", code, file_tail(payd.err));
    cr_assert(file_has(payd.err, "ledger"), "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments"), 0, "it paid again");
    fault_hit(&fault, 1);
    restore();
    fault_judge(&fault);
}

/* The page at the root of a table or index. */
static void garble_root(const char *name)
{
    char sql[128];
    unsigned char garbage[512];

    snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
    int64_t page = scene_int(&fault.scene, sql);
    cr_assert_gt(page, 1);
    for (size_t i = 0; i < sizeof(garbage); i++) {
        garbage[i] = (unsigned char)fault_draw(&fault, 256);
    }
    garbage[0] = 0xFF; /* no kind of page */
    overwrite((long)(page - 1) * 8192, garbage, sizeof(garbage));
}

/* payd stops after it took the group, so the restored copy is an older self of it, and says so. */
Test(row_39, a_damaged_table_stops_payd_and_the_restored_copy_goes_on)
{
    static const char *const names[] = {"keys", "accounts", "positions", "decisions"};
    static const char *const take_group[] = {"--until-end", "--take-group", NULL};

    make_ledger();
    garble_root(names[fault_draw(&fault, 4)]);
    fault_expect_refusal(&fault, 74, "malformed");
    restore();
    struct process payd = scene_start_payd(&fault.scene, NULL, take_group);
    cr_assert_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    fault_judge_as_it_is(&fault);
}

/* What payd published from a WAL is ahead of the file without it. */
Test(row_39, a_file_that_lost_its_wal_is_noticed)
{
    char wal[PROCESS_PATH_MAX + 16];
    char kept[PROCESS_PATH_MAX + 32];

    publish(&first);
    fault_drain(&fault);
    snprintf(good, sizeof(good), "%s.good", fault.scene.db);
    cr_assert(file_copy(fault.scene.db, good));
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    publish(&second);
    cr_assert(scene_comes_to(&fault.scene, "SELECT published_seq FROM store", 2 * ROWS, WAIT_MS));
    process_kill(&payd);
    snprintf(wal, sizeof(wal), "%s-wal", fault.scene.db);
    snprintf(kept, sizeof(kept), "%s.kept", wal);
    cr_assert(file_copy(wal, kept));
    cr_assert_eq(unlink(wal), 0);
    payd = scene_start_payd(&fault.scene, NULL, (const char *const[]){"--until-end", NULL});
    int code = process_wait(&payd, WAIT_MS);
    cr_assert(code > 0, "exit code %d: %s", code, file_tail(payd.err));
    cr_assert(file_has(payd.err, "copy") || file_has(payd.err, "backup"), "%s",
              file_tail(payd.err));
    fault_hit(&fault, 1);
    restore();
    cr_assert(file_copy(kept, wal));
    fault_judge(&fault);
}

/* ---- row 40 ---- */

static void expect_untouched(const char *copy)
{
    struct process cmp;

    cr_assert_eq(
        process_run("/", NULL, &cmp, (const char *const[]){"cmp", copy, fault.scene.db, NULL}), 0,
        "the file was changed: %s", file_tail(cmp.out));
}

static void refuse_changed(const char *sql, int code, const char *why)
{
    char changed[PROCESS_PATH_MAX + 16];

    scene_change(&fault.scene, sql);
    snprintf(changed, sizeof(changed), "%s.changed", fault.scene.db);
    cr_assert(file_copy(fault.scene.db, changed));
    fault_expect_refusal(&fault, code, why);
    expect_untouched(changed);
    restore();
}

Test(row_40, a_file_of_another_version_or_program_is_refused_and_left_alone)
{
    make_ledger();
    refuse_changed("PRAGMA user_version = 99", 78, "schema version 99");
    refuse_changed("PRAGMA application_id = 42", 78, "another program");
    fault_judge(&fault);
}

Test(row_40, a_file_that_is_no_database_is_refused_and_left_alone)
{
    make_ledger();
    char text[PROCESS_PATH_MAX + 16];
    snprintf(text, sizeof(text), "%s.text", fault.scene.db);
    file_write(text, "Dear Ann,\nthis is a letter and no ledger at all.\n");
    cr_assert(file_copy(text, fault.scene.db));
    fault_expect_refusal(&fault, 78, "not a database");
    expect_untouched(text);
    restore();
    fault_judge(&fault);
}
