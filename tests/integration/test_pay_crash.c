/*
 * pay killed in the middle of a batch, and the same command again: each row is paid once.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(pay_crash, .init = open_scene, .fini = close_scene);

static const char *const sample_batch[] = {"batch", "--batch-id", "sample", scene.sample, NULL};

Test(pay_crash, killed_anywhere_the_same_command_again_pays_each_row_once)
{
    static const char *const kills[] = {
        "PAY_FAILPOINT=before-publish=kill@1",
        "PAY_FAILPOINT=before-publish=kill@700",
        "PAY_FAILPOINT=before-delivery-report=kill@1",
        "PAY_FAILPOINT=before-delivery-report=kill@500",
    };
    struct process pay;
    struct process payd;

    for (size_t i = 0; i < sizeof(kills) / sizeof(kills[0]); i++) {
        cr_assert_eq(scene_pay(&scene, kills[i], &pay, sample_batch), PROCESS_KILLED, "%s",
                     kills[i]);
        cr_expect_eq(file_count(pay.err, "failpoint "), 1, "%s was not reached", kills[i]);
    }
    cr_assert_eq(scene_pay(&scene, NULL, &pay, sample_batch), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts"), 0);
    cr_expect_gt(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 0,
                 "some rows had reached the topic before a kill");
    scene_check_books(&scene);
}

Test(pay_crash, a_stopped_batch_lists_what_is_not_acknowledged_and_exits_75)
{
    struct process pay =
        scene_start_pay(&scene, "PAY_FAILPOINT=before-publish=stop@300", sample_batch);
    struct process payd;

    cr_assert(file_comes_to_have(pay.err, "failpoint before-publish stop", 30000));
    process_signal(&pay, SIGTERM);
    process_continue(&pay);
    cr_assert_eq(process_wait(&pay, 30000), 75);
    cr_expect(file_has(pay.err, "again"), "says what to do");
    cr_expect(file_has(pay.err, "failed sample:0000000300 to sample:0000001000: 701 rows"), "%s",
              file_tail(pay.err));

    cr_assert_eq(scene_pay(&scene, NULL, &pay, sample_batch), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    scene_check_books(&scene);
}

Test(pay_crash, a_broker_that_dies_before_the_acknowledgement_leaves_the_key_unknown)
{
    struct process pay =
        scene_start_pay(&scene, "PAY_FAILPOINT=before-publish=stop",
                        (const char *const[]){"send", "ann", "bob", "1.00", "--key", "a key", "-X",
                                              "message.timeout.ms=2000", NULL});

    cr_assert(file_comes_to_have(pay.err, "failpoint before-publish stop", 30000));
    process_kill(&scene.broker);
    process_continue(&pay);
    cr_assert_eq(process_wait(&pay, 60000), 75);
    cr_expect(file_has(pay.err, "pay send"), "prints the command to run again");
    cr_expect(file_has(pay.err, "--key 'a key'"), "with the same key, quoted for a shell");
}
