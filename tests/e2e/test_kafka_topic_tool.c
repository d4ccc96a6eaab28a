/*
 * pay-make-topic against a real Kafka, whose brokers learn of a deletion a moment after it.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>

#define ROUNDS 20

static struct scene scene;

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_topic_tool, .init = open_scene, .fini = close_scene);

static struct process run_tool(const char *option, const char *value)
{
    struct process tool;

    cr_assert_eq(
        process_run(scene.dir, NULL, &tool,
                    (const char *const[]){PAY_BIN_DIR "/pay-make-topic", "-b", scene.brokers, "-t",
                                          "again", option, value, NULL}),
        0, "%s", file_tail(tool.err));
    return tool;
}

Test(kafka_topic_tool, makes_a_topic_anew_right_after_it_deleted_it)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct process tool = run_tool("--partitions", "4");
        cr_assert(file_has(tool.out, "topic again made"), "round %d: %s", i, file_tail(tool.out));
        run_tool("--delete", NULL);
    }
}
