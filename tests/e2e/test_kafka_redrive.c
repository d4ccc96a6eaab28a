/*
 * payd quarantine redrive on a real Kafka: the topic's settings are checked, the partition comes by
 * the key, and what is redriven is paid once, while payd runs.
 */
#include "tests/lib/admin.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define SEEN_MS 90000
#define END_MS  20000
#define ALL     40 /* unusable keys, over all partitions */

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

TestSuite(kafka_redrive, .init = open_scene, .fini = close_scene);

/* payd quarantine redrive on a topic with up to 8 more arguments, ended by NULL. */
static int run_on(const char *topic, const char *const *more)
{
    const char *args[24] = {PAY_BIN_DIR "/payd", "quarantine", "redrive", "--db", scene.db, "-b",
                            scene.brokers,       "-t",         topic};

    for (int i = 9; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, &process, args);
}

static void expect_comes_to(const char *sql, int64_t wanted, const struct process *payd)
{
    cr_expect(scene_comes_to(&scene, sql, wanted, SEEN_MS), "%s: %lld: %s", sql,
              (long long)scene_int(&scene, sql), file_tail(payd->err));
}

Test(kafka_redrive, of_all_partitions_is_paid_once_while_payd_runs)
{
    static const char records[] = "SELECT sum(next_offset) FROM positions";
    char key[16];
    char place[64];
    char mended[PROCESS_PATH_MAX + 16];

    for (int i = 0; i < ALL; i++) {
        snprintf(key, sizeof(key), "\x01%d", i);
        scene_produce(&scene, key, PAYMENT);
    }
    scene_produce(&scene, "k1", "garbage");
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    expect_comes_to("SELECT count(*) FROM quarantine", ALL + 1, &payd);

    for (int i = 1; i <= 2; i++) {
        cr_expect_eq(run_on("payments", (const char *const[]){"--reason", "bad_key", NULL}), 0,
                     "%s", file_tail(process.err));
        cr_expect_eq(file_count(process.out, " acknowledged\n"), ALL);
        expect_comes_to(records, i * ALL + ALL + 1, &payd);
    }
    snprintf(place, sizeof(place), "%s",
             scene_text(&scene, "SELECT partition || '@' || offset FROM quarantine"
                                " WHERE reason = 'bad_json'"));
    snprintf(mended, sizeof(mended), "%s/mended.json", scene.dir);
    file_write(mended, PAYMENT);
    cr_expect_eq(run_on("payments", (const char *const[]){place, NULL}), 65);
    cr_expect_eq(run_on("payments", (const char *const[]){place, "--value", mended, NULL}), 0, "%s",
                 file_tail(process.err));
    expect_comes_to(records, 3 * ALL + 2, &payd);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 ALL + 1);
    /* The same key comes to the same partition. */
    cr_expect_eq(scene_int(&scene, "SELECT (SELECT partition FROM payments WHERE key = 'k1')"
                                   " = (SELECT partition FROM quarantine WHERE reason ="
                                   " 'bad_json')"),
                 1);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, END_MS), 0);
    scene_check_books(&scene);
    cr_expect_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "audit", "--db", scene.db,
                                                   "-b", scene.brokers, NULL}),
                 0, "%s", file_tail(process.out));
}

Test(kafka_redrive, another_ledgers_topic_is_78)
{
    struct process payd;

    scene_produce(&scene, NULL, PAYMENT);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    scene_make_topic(&scene, "others", "1");
    cr_expect_eq(run_on("others", (const char *const[]){"--reason", "bad_key", NULL}), 78);
    cr_expect(file_has(process.err, "belongs to topic \"payments\""), "%s", file_tail(process.err));
}

Test(kafka_redrive, what_cannot_be_read_goes_to_the_topic_of_dead_letters)
{
    struct scene letters = scene;
    struct process payd;

    snprintf(letters.topic, sizeof(letters.topic), "letters");
    scene_make_topic(&scene, "letters", "1");
    scene_produce(&scene, "k1", "garbage");
    scene_produce(&scene, "k2", PAYMENT);
    scene_produce(&scene, "\x01", PAYMENT);
    payd = scene_start_payd(
        &scene, NULL, (const char *const[]){"--dead-letters", "letters", "--until-end", NULL});
    cr_expect_eq(process_wait(&payd, SEEN_MS), 0, "%s", file_tail(payd.err));
    cr_expect_eq(admin_high(&letters, 0), 2);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1);
}
