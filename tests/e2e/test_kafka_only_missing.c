/*
 * pay batch --only-missing on a real Kafka, with payd itself: what was answered is not sent again.
 */
#include "tests/lib/admin.h"

#include <criterion/criterion.h>
#include <signal.h>

#define WAIT_MS    90000
#define PARTITIONS 4
#define ROWS       1000 /* of the sample */

static struct scene scene;
static struct process process;

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_only_missing, .init = open_scene, .fini = close_scene);

static int pay_missing(const char *more)
{
    return scene_pay(&scene, NULL, &process,
                     (const char *const[]){"batch", "--batch-id", "sample", scene.sample,
                                           "--only-missing", more, NULL});
}

static int64_t records(void)
{
    int64_t sum = 0;

    for (int i = 0; i < PARTITIONS; i++) {
        sum += admin_high(&scene, i);
    }
    return sum;
}

Test(kafka_only_missing, a_batch_that_was_killed_is_completed_and_then_nothing_is_sent)
{
    struct process payd;

    cr_assert_eq(
        scene_pay(&scene, "PAY_FAILPOINT=before-publish=kill@500", &process,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        PROCESS_KILLED);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    int64_t answered = scene_int(&scene, "SELECT count(*) FROM payments");
    cr_expect_eq(answered, records());

    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    cr_expect_eq(pay_missing("--wait=60"), 0, "%s%s", file_tail(process.out),
                 file_tail(process.err));
    cr_expect(file_has(process.out, "decided: 1000 applied, 0 rejected"), "%s",
              file_tail(process.out));
    cr_expect_eq(records(), ROWS, "each row stands in the topic once");
    cr_expect_eq(pay_missing(NULL), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "1000 answered before, 0 acknowledged"), "%s",
              file_tail(process.out));
    cr_expect_eq(records(), ROWS);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    scene_check_books(&scene);
}
