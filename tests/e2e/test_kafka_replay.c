/*
 * Replay and audit on a real Kafka: times are the broker's, transactions leave gaps in the offsets,
 * several partitions are read again at once, and payd may run meanwhile.
 */
#include "tests/lib/transactions.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MS 90000
#define END_MS  20000
#define REPLAYS 40
#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

static struct scene scene;
static struct process process;

/* The sample of 1,000 payments, twice. */
static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(
            scene_pay(&scene, NULL, &process,
                      (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
            0, "%s", file_tail(process.err));
    }
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_replay, .init = open_scene, .fini = close_scene);

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* payd audit or replay with up to 12 more arguments, ended by NULL. */
static int run(const char *command, const char *const *more)
{
    const char *args[24] = {PAY_BIN_DIR "/payd", command, "--db",     scene.db, "-b",
                            scene.brokers,       "-t",    scene.topic};

    for (int i = 8; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, &process, args);
}

static void expect_audited(const char *counts)
{
    cr_expect_eq(run("audit", (const char *const[]){"--json", NULL}), 0, "%s%s",
                 file_tail(process.out), file_tail(process.err));
    cr_expect(file_has(process.out, counts), "no %s in %s", counts, file_tail(process.out));
}

static void expect_forecast(const char *const *from, const char *says)
{
    cr_expect_eq(run("replay", from), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, says), "no %s in %s", says, file_tail(process.out));
}

Test(kafka_replay, times_are_the_brokers_and_all_partitions_are_read)
{
    drain();
    expect_audited("\"partitions\":4,\"records\":2000,\"decided\":1000,\"repeats\":1000,");
    expect_forecast((const char *const[]){"--from", "beginning", NULL},
                    "\n2000 records were read again, 0 would be decided.");
    expect_forecast((const char *const[]){"--from", "1h", NULL}, "\n2000 records were read again");
    expect_forecast((const char *const[]){"--from", "beginning", "--to", "1h", NULL},
                    "\n0 records were read again");
    expect_forecast((const char *const[]){"--from", "2100-01-01T00:00:00Z", NULL},
                    "\n0 records were read again");
    cr_expect_eq(run("replay", (const char *const[]){"--from", "3", NULL}), 64);
    cr_expect(file_has(process.err, "use --partition"), "%s", file_tail(process.err));
}

Test(kafka_replay, overlapping_ranges_again_change_nothing)
{
    drain();
    static const char state[] =
        "SELECT (SELECT hex(decisions_digest) || chunks FROM store) ||"
        " (SELECT group_concat(name || balance_minor) FROM accounts) ||"
        " (SELECT group_concat(outcome || ' ' || count) FROM counters) ||"
        " (SELECT count(*) || ' ' || max(seq) FROM repeats) ||"
        " (SELECT group_concat(partition || ' ' || next_offset) FROM positions)";
    char *before = strdup(scene_text(&scene, state));
    srand(11);
    for (int i = 0; i < REPLAYS; i++) {
        char from[16];
        char to[16];
        char partition[4];
        int first = rand() % 300;
        snprintf(from, sizeof(from), "%d", first);
        snprintf(to, sizeof(to), "%d", first + rand() % 400);
        snprintf(partition, sizeof(partition), "%d", rand() % 4);
        cr_assert_eq(run("replay", (const char *const[]){"--partition", partition, "--from", from,
                                                         "--to", to, "--execute", NULL}),
                     0, "%s: %s to %s: %s", partition, from, to, file_tail(process.err));
    }
    cr_expect_str_eq(scene_text(&scene, state), before);
    free(before);
    scene_check_books(&scene);
    expect_audited("\"records\":2000,");
}

Test(kafka_replay, what_transactions_leave_in_the_log_is_no_record)
{
    rd_kafka_t *producer = transactions_open(&scene, "other-client");
    char key[16];

    for (int i = 0; i < 6; i++) {
        transactions_begin(producer);
        for (int j = 0; j < 5; j++) {
            snprintf(key, sizeof(key), "t%d-%d", i, j);
            transactions_produce(producer, &scene, key, PAYMENT);
        }
        transactions_end(producer, i % 2 == 0);
    }
    rd_kafka_destroy(producer);
    drain();
    expect_audited("\"records\":2015,\"decided\":1015,\"repeats\":1000,");
    expect_forecast((const char *const[]){"--from", "beginning", NULL},
                    "\n2015 records were read again, 0 would be decided.");
}

Test(kafka_replay, a_ledger_is_rebuilt_of_all_partitions)
{
    char rebuilt[PROCESS_PATH_MAX + 8];

    drain();
    snprintf(rebuilt, sizeof(rebuilt), "%s/new.db", scene.dir);
    cr_assert_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "replay", "--into", rebuilt,
                                                   "--decisions", scene.db, "-b", scene.brokers,
                                                   "-t", scene.topic, NULL}),
                 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "\n2000 records were read again, 0 were decided."), "%s",
              file_tail(process.out));
    cr_expect_eq(
        process_run(scene.dir, NULL, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd", "diff", scene.db, rebuilt, NULL}),
        0, "%s", file_tail(process.out));
    /* And by what was told alone. */
    char told[PROCESS_PATH_MAX + 8];
    snprintf(told, sizeof(told), "%s/told.db", scene.dir);
    cr_assert_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "replay", "--into", told,
                                                   "--decisions", "topic:", "-b", scene.brokers,
                                                   "-t", scene.topic, NULL}),
                 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "\n2000 records were read again, 0 were decided."), "%s",
              file_tail(process.out));
    cr_expect_eq(
        process_run(scene.dir, NULL, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd", "diff", scene.db, told, NULL}),
        0, "%s", file_tail(process.out));
    cr_assert(file_copy(rebuilt, scene.db));
    expect_audited("\"records\":2000,\"decided\":1000,\"repeats\":1000,");
}

Test(kafka_replay, payd_runs_meanwhile)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    int code = 0;

    /* Whatever it has read so far is right. */
    cr_assert(scene_comes_to(&scene, "SELECT count(*) > 0 FROM positions", 1, JOIN_MS), "%s",
              file_tail(payd.err));
    for (int i = 0; i < 5; i++) {
        scene_produce(&scene, "live", PAYMENT);
        expect_audited("\"whole\":true,");
        cr_expect_eq(run("replay", (const char *const[]){"--from", "beginning", NULL}), 0, "%s",
                     file_tail(process.err));
    }
    cr_assert(scene_comes_to(&scene, "SELECT sum(next_offset) FROM positions", 2005, JOIN_MS));
    expect_audited("\"records\":2005,\"decided\":1001,\"repeats\":1004,");
    cr_expect_eq(run("replay", (const char *const[]){"--from", "beginning", "--execute", NULL}),
                 74);
    cr_expect(!process_ended(&payd, &code));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, END_MS), 0);
}

Test(kafka_replay, what_a_position_was_moved_over_is_decided_once_and_published)
{
    struct process position;

    drain();
    scene_produce(&scene, "skipped", PAYMENT);
    /* Whichever partition it is in: over its end. */
    cr_assert_eq(scene_int(&scene, "SELECT count(*) FROM positions"), 4);
    for (int i = 0; i < 4; i++) {
        char partition[4];
        char to[24];
        char sql[96];
        snprintf(partition, sizeof(partition), "%d", i);
        snprintf(sql, sizeof(sql), "SELECT next_offset + 1 FROM positions WHERE partition = %d", i);
        snprintf(to, sizeof(to), "%lld", (long long)scene_int(&scene, sql));
        cr_assert_eq(
            process_run(scene.dir, NULL, &position,
                        (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db", scene.db,
                                              "--partition", partition, "--to", to, NULL}),
            0, "%s", file_tail(position.err));
    }
    cr_expect_eq(run("audit", (const char *const[]){NULL}), 1);
    cr_expect(file_has(process.out, " skipped: has no outcome"), "%s", file_tail(process.out));
    expect_forecast((const char *const[]){"--from", "beginning", NULL},
                    " skipped: applied: ann -> bob 1.00 EUR");
    expect_forecast((const char *const[]){"--from", "beginning", "--execute", NULL},
                    "\n2001 records were read again, 1 were decided.");
    expect_forecast((const char *const[]){"--from", "beginning", "--execute", NULL},
                    "\n2001 records were read again, 0 were decided.");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key = 'skipped'"), 1);
    scene_check_books(&scene);
}
