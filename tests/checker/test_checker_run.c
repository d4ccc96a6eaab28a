/*
 * A whole run on the embedded broker: a batch, payd killed once, the rest drained, the evidence
 * collected, and the verdict over it and over a ledger that was doctored.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHECK_MS 60000

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(checker_run, .init = open_scene, .fini = close_scene);

static FILE *history(void)
{
    char path[PROCESS_PATH_MAX];

    snprintf(path, sizeof(path), "%.480s/history-batch.jsonl", scene.dir);
    FILE *file = fopen(path, "a");
    cr_assert(file);
    return file;
}

/* One line for each row of the sample, whose keys are NAME:<number>. */
static void write_invokes(const char *batch)
{
    FILE *csv = fopen(scene.sample, "r");
    FILE *file = history();
    char src[64];
    char dest[64];
    char whole[32];
    char cents[8];

    cr_assert(csv && fscanf(csv, "%*[^\n]\n") == 0);
    for (int row = 1;
         fscanf(csv, "%63[^,],%63[^,],%31[0-9].%7[0-9]\n", src, dest, whole, cents) == 4; row++) {
        fprintf(file,
                "{\"event\":\"invoke\",\"key\":\"%s:%010d\",\"fields\":{\"src\":\"%s\",\"dest\":"
                "\"%s\",\"amount\":\"%lld\",\"currency\":\"EUR\"}}\n",
                batch, row, src, dest, atoll(whole) * 100 + atoll(cents));
    }
    fclose(csv);
    fclose(file);
}

static void write_oks(const char *batch)
{
    FILE *file = history();

    for (int row = 1; row <= 1000; row++) {
        fprintf(file, "{\"event\":\"ok\",\"key\":\"%s:%010d\"}\n", batch, row);
    }
    fclose(file);
}

static void send_batch(const char *name)
{
    struct process pay;

    write_invokes(name);
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", name, scene.sample, NULL}),
                 0);
    write_oks(name);
}

static void take_snapshot(void)
{
    char path[PROCESS_PATH_MAX];

    snprintf(path, sizeof(path), "%.480s/snapshots", scene.dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "VACUUM INTO '%.470s/snapshots/1.db'", scene.dir);
    scene_change(&scene, path);
}

static int judge(struct process *checker)
{
    *checker = process_start(
        scene.dir, NULL, NULL,
        (const char *const[]){PAY_BIN_DIR "/pay-checker", "check", scene.dir, "--settled", NULL});
    return process_wait(checker, CHECK_MS);
}

Test(checker_run, a_run_with_a_kill_is_clean_and_a_doctored_ledger_is_not)
{
    struct process payd;
    struct process checker;

    send_batch("first");
    cr_assert_eq(scene_drain(&scene, "PAY_FAILPOINT=after-store-commit=kill", &payd),
                 PROCESS_KILLED);
    take_snapshot();
    send_batch("second");
    send_batch("first");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_assert_eq(process_run(scene.dir, NULL, &checker,
                             (const char *const[]){PAY_BIN_DIR "/pay-checker", "collect", "-b",
                                                   scene.brokers, "-t", scene.topic, "-g", "test",
                                                   "--into", scene.dir, NULL}),
                 0, "%s", file_tail(checker.err));

    cr_expect_eq(judge(&checker), 0, "%s%s", file_tail(checker.out), file_tail(checker.err));
    cr_expect(file_has(checker.out, "checked: messages=3000 keys=2000 snapshots=1 violations=0\n"),
              "%s", file_tail(checker.out));

    scene_change(&scene, "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE id = 1;"
                         "DELETE FROM repeats WHERE seq = (SELECT max(seq) FROM repeats)");
    cr_expect_eq(judge(&checker), 1);
    cr_expect(file_has(checker.out, "\nI4 key=- : account "), "%s", file_tail(checker.out));
    cr_expect(file_has(checker.out, "I6 key="), "%s", file_tail(checker.out));
}
