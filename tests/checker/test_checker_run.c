/*
 * Whole runs on the embedded broker: a batch, payd killed once, the rest drained, the evidence
 * collected, and the verdict over it and over a ledger that was doctored; messages of any bytes.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void collect(const char *topic, const char *into)
{
    struct process checker;

    cr_assert_eq(process_run(scene.dir, NULL, &checker,
                             (const char *const[]){PAY_BIN_DIR "/pay-checker", "collect", "-b",
                                                   scene.brokers, "-t", topic, "-g", "test",
                                                   "--into", into, NULL}),
                 0, "%s", file_tail(checker.err));
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
    collect(scene.topic, scene.dir);

    cr_expect_eq(judge(&checker), 0, "%s%s", file_tail(checker.out), file_tail(checker.err));
    cr_expect(file_has(checker.out, "checked: messages=3000 keys=2000 snapshots=1 violations=0\n"),
              "%s", file_tail(checker.out));

    scene_change(&scene, "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE id = 1;"
                         "DELETE FROM repeats WHERE seq = (SELECT max(seq) FROM repeats)");
    cr_expect_eq(judge(&checker), 1);
    cr_expect(file_has(checker.out, "\nI4 key=- : account "), "%s", file_tail(checker.out));
    cr_expect(file_has(checker.out, "I6 key="), "%s", file_tail(checker.out));
}

static void invoke_hostile(const char *key, const char *key_json, const void *value, size_t len)
{
    FILE *file = history();

    fprintf(file, "{\"event\":\"invoke\",%s,", key_json);
    if (value) {
        fputs("\"payload_hex\":\"", file);
        for (size_t i = 0; i < len; i++) {
            fprintf(file, "%02x", ((const unsigned char *)value)[i]);
        }
        fputs("\"}\n", file);
    } else {
        fputs("\"payload\":null}\n", file);
    }
    scene_produce_bytes(&scene, key, value, len);
    fprintf(file, "{\"event\":\"ok\",%s}\n", key_json);
    fclose(file);
}

Test(checker_run, messages_of_any_bytes_are_collected_and_judged)
{
    static char large[100000];
    static char long_key[301];
    char long_json[340];
    char stale[PROCESS_PATH_MAX];
    struct process payd;
    struct process checker;

    memset(large, 'x', sizeof(large));
    memset(long_key, 'k', sizeof(long_key) - 1);
    snprintf(long_json, sizeof(long_json), "\"key\":\"%s\"", long_key);
    invoke_hostile("h1", "\"key\":\"h1\"", "\0\xff{", 3);
    invoke_hostile("h2", "\"key\":\"h2\"", NULL, 0);
    invoke_hostile("h3", "\"key\":\"h3\"", large, sizeof(large));
    invoke_hostile("a\nb", "\"key\":\"a\\nb\"", "{}", 2);
    invoke_hostile("\xff", "\"key_hex\":\"ff\"", "\"\\\t\"", 5);
    invoke_hostile(long_key, long_json, "1", 1);
    invoke_hostile(NULL, "\"key\":null", "{\"v\":1}", 7);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);

    collect(scene.topic, scene.dir);
    cr_expect_eq(judge(&checker), 0, "%s%s", file_tail(checker.out), file_tail(checker.err));
    cr_expect(file_has(checker.out, "checked: messages=7 keys=6 snapshots=0 violations=0\n"), "%s",
              file_tail(checker.out));

    /* A topic without an outcomes topic: an older file must not be taken for its. */
    snprintf(stale, sizeof(stale), "%.480s/outcomes.jsonl", scene.dir);
    cr_assert(file_has(stale, "\"key\":\"h1\""));
    collect("others.outcomes", scene.dir);
    cr_expect_neq(access(stale, F_OK), 0, "there is still an outcomes.jsonl");
}
