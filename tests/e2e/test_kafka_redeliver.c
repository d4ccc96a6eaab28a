/*
 * The redelivery kit against a real Kafka, which takes a group's offsets from outside of it only
 * while the group is empty.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#define JOIN_MS 90000
#define END_MS  20000

static struct scene scene;
static struct process kit;

static void open_scene(void)
{
    struct process pay;

    scene_open_kafka(&scene, NULL, NULL);
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        0);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_redeliver, .init = open_scene, .fini = close_scene);

static int rewind_all(void)
{
    return process_run(scene.dir, NULL, &kit,
                       (const char *const[]){PAY_BIN_DIR "/pay-redeliver", "-b", scene.brokers,
                                             "-t", scene.topic, "-g", "test", "--rewind", "100%",
                                             "--yes-this-is-a-test", NULL});
}

Test(kafka_redeliver, offsets_are_moved_back_only_without_members_and_payd_pays_once)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(scene_comes_to(&scene, "SELECT count(*) FROM payments", 1000, JOIN_MS), "%s",
              file_tail(payd.err));
    cr_expect_eq(rewind_all(), 78, "%s", file_tail(kit.err));
    cr_expect(file_has(kit.err, "is not empty"), "%s", file_tail(kit.err));
    process_signal(&payd, SIGTERM);
    cr_assert_eq(process_wait(&payd, END_MS), 0);
    /* The group may hear a little later that its member has left. */
    int code = rewind_all();
    for (int waited = 0; code == 78 && waited < END_MS; waited += 1000) {
        pause_ms(1000);
        code = rewind_all();
    }
    cr_assert_eq(code, 0, "%s", file_tail(kit.err));
    cr_expect(file_has(kit.out, "moved back by 1000 records in 4 partitions"), "%s",
              file_tail(kit.out));
    cr_assert_eq(process_run(scene.dir, NULL, &kit,
                             (const char *const[]){PAY_BIN_DIR "/pay-redeliver", "-b",
                                                   scene.brokers, "-t", scene.topic, "--share",
                                                   "50", "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "redelivered=0"), "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_eq(scene_int(&scene, "SELECT sum(amount_minor) FROM payments"), 100000);
    scene_check_books(&scene);
}
