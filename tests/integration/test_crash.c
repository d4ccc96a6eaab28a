/*
 * payd killed at each side of its commit: nothing is lost, nothing is paid twice.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>

#define DRAIN_MS 120000

static struct scene scene;

static void open_scene(void)
{
    struct process pay;

    scene_open_embedded(&scene);
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        0);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(crash, .init = open_scene, .fini = close_scene);

Test(crash, with_the_position_set_back_the_keys_decide_and_redelivered_is_counted)
{
    struct process pay;
    struct process payd;

    /* A duplicate, a conflict and a poisoned message, so that each kind is redelivered. */
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"send", "x", "y", "1.00", "--key", "k", NULL}),
                 0);
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"send", "x", "y", "1.00", "--key", "k", NULL}),
                 0);
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"send", "x", "y", "2.00", "--key", "k", NULL}),
                 0);
    scene_produce(&scene, "poison", "?");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_assert_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1001);

    scene_change(&scene, "UPDATE positions SET next_offset = 0");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect(file_has(payd.err, "applied=0 duplicate=0 redelivered=1004 conflict=0 rejected=0 "
                                 "quarantined=0"));
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 5"), 1004);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 4"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1001);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantined"), 1);
    scene_check_books(&scene);
}

Test(crash, at_every_other_chunk_the_books_are_whole_after_each_restart)
{
    struct process payd;
    struct process more;
    int kills = 0;

    /* Small sets of messages and small fetches, so that there always is a second chunk. */
    cr_assert_eq(scene_pay(&scene, NULL, &more,
                           (const char *const[]){"batch", "--batch-id", "more", scene.sample, "-X",
                                                 "batch.num.messages=10", NULL}),
                 0);

    for (int round = 0; round < 4; round++) {
        const char *env = round % 2 == 0 ? "PAY_FAILPOINT=after-store-commit=kill@2"
                                         : "PAY_FAILPOINT=before-store-commit=kill@2";
        payd = scene_start_payd(&scene, env,
                                (const char *const[]){"--until-end", "-X",
                                                      "max.partition.fetch.bytes=1000", "-X",
                                                      "queued.max.messages.kbytes=1", "-X",
                                                      "queued.min.messages=1", NULL});
        kills += process_wait(&payd, DRAIN_MS) == PROCESS_KILLED;
        scene_check_books(&scene);
        struct process pay;
        cr_assert_eq(scene_pay(&scene, NULL, &pay,
                               (const char *const[]){"send", "x", "y", "1.00", "--new", NULL}),
                     0);
    }
    cr_expect_eq(kills, 4, "%d", kills);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 2004);
    scene_check_books(&scene);
}
