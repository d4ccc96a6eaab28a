/*
 * Batches from the file to the ledger: run again, edited, reordered, cut short, mended. Never paid
 * twice, never silent.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct scene scene;
static char file[PROCESS_PATH_MAX];
static char bad[PROCESS_PATH_MAX + 8];

static void open_scene(void)
{
    scene_open_embedded(&scene);
    snprintf(file, sizeof(file), "%.480s/rows.csv", scene.dir);
    snprintf(bad, sizeof(bad), "%s.bad", file);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(batches, .init = open_scene, .fini = close_scene);

static int send_batch(const char *id, struct process *pay)
{
    return scene_pay(&scene, NULL, pay,
                     (const char *const[]){"batch", "--batch-id", id, file, NULL});
}

static int64_t count(const char *what)
{
    char sql[128];

    snprintf(sql, sizeof(sql),
             "SELECT count FROM counters c JOIN outcome_names n ON n.id = c.outcome"
             " WHERE name = '%s'",
             what);
    return scene_int(&scene, sql);
}

Test(batches, a_file_that_was_changed_under_the_same_name_moves_nothing)
{
    static const struct {
        const char *what;
        const char *text;
        int rows;
    } changes[] = {
        {"edited", "src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,9.00\n", 3},
        {"a row inserted",
         "src,dest,amount\nann,eve,7.00\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\n", 4},
        {"reordered", "src,dest,amount\nann,bob,2.00\nann,bob,1.00\nann,bob,3.00\n", 3},
        {"cut short", "src,dest,amount\nann,bob,1.00\nann,bob,2.00\n", 2},
        {"grown", "src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\nann,bob,4.00\n", 4},
    };
    static const char original[] = "src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\n";
    struct process pay;
    struct process payd;
    int conflicts = 0;

    file_write(file, original);
    cr_assert_eq(send_batch("b", &pay), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        file_write(file, changes[i].text);
        cr_assert_eq(send_batch("b", &pay), 0);
        conflicts += changes[i].rows;
    }
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(count("conflict"), conflicts);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts WHERE reason = 'batch_changed'"),
                 conflicts);
    cr_expect(file_has(payd.err, "reason=batch_changed"), "and says so");

    file_write(file, original);
    cr_assert_eq(send_batch("b", &pay), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(count("duplicate"), 3, "the original is still what was paid");
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 600);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 3);
    scene_check_books(&scene);
}

Test(batches, bad_rows_are_skipped_mended_and_sent_as_a_batch_of_their_own)
{
    struct process pay;
    struct process payd;

    file_write(file, "src,dest,amount\nann,bob,1.00\nann,bob,two\nann,bob,3.00\n");
    cr_assert_eq(send_batch("b", &pay), 65, "nothing is published");
    cr_expect(file_has(pay.err, "rows.csv:2:"), "file:record and the reason");
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "b", "--skip-bad", file, NULL}),
        65);
    cr_expect_str_eq(file_tail(bad), "src,dest,amount\nann,bob,two\n");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_str_eq(scene_text(&scene, "SELECT group_concat(key) FROM (SELECT key FROM payments "
                                        "ORDER BY key)"),
                     "b:0000000001,b:0000000003", "keys keep their record numbers");

    /* Mended in the file itself, under the old name: refused, row by row. */
    file_write(file, "src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\n");
    cr_assert_eq(send_batch("b", &pay), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(count("conflict"), 3);

    /* Mended in FILE.bad, as a batch of its own: paid. */
    file_write(bad, "src,dest,amount\nann,bob,2.00\n");
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", "b-mended", bad, NULL}),
                 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 600);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 3);
    scene_check_books(&scene);
}

Test(batches, a_row_under_another_batch_or_none_is_a_conflict_not_a_second_payment)
{
    struct process pay;
    struct process payd;

    file_write(file, "src,dest,amount,key\nann,bob,1.00,own-key\n");
    cr_assert_eq(send_batch("first", &pay), 0);
    cr_assert_eq(send_batch("second", &pay), 0);
    cr_assert_eq(scene_pay(&scene, NULL, &pay, (const char *const[]){"batch", file, NULL}), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts WHERE fields = 'batch'"), 2);
    scene_check_books(&scene);
}
