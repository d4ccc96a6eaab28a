/*
 * A log that is not the one that was read before is noticed before anything of it is read, and can
 * be gone on with on purpose. (A topic that is deleted and made anew: tests/e2e/test_kafka_logs.c)
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOIN_MS 60000
#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1\"}"

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    scene_produce(&scene, "k1", PAYMENT);
    scene_produce(&scene, "k2", PAYMENT);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(log_guard, .init = open_scene, .fini = close_scene);

static void drain(int code)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), code, "%s", file_tail(payd.err));
}

/* payd position with up to four more arguments. */
static int position(struct process *process, const char *const *more)
{
    const char *args[12] = {PAY_BIN_DIR "/payd", "position", "--db", scene.db};

    for (int i = 4; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, process, args);
}

Test(log_guard, remembers_the_last_record_and_finds_it_again)
{
    drain(0);
    cr_expect_eq(scene_int(&scene, "SELECT last_offset FROM positions"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT length(last_print) FROM positions"), 16);
    scene_produce(&scene, "k3", PAYMENT);
    drain(0);
    cr_expect_eq(scene_int(&scene, "SELECT last_offset FROM positions"), 2);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 3);
}

Test(log_guard, stops_with_78_when_another_record_stands_there_and_says_how_to_go_on)
{
    static const char *const changes[] = {
        "UPDATE positions SET last_print = zeroblob(16)",          /* other bytes there */
        "UPDATE positions SET anchor_print = zeroblob(16)",        /* and at an earlier look */
        "UPDATE positions SET last_offset = 7, anchor_offset = 7", /* it ends before it */
    };
    struct process payd;

    drain(0);
    scene_produce(&scene, "k3", PAYMENT);
    drain(0); /* now the two marks are two records */
    scene_produce(&scene, "k4", PAYMENT);
    scene_change(&scene, "CREATE TABLE kept AS SELECT * FROM positions");
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        scene_change(&scene, "DELETE FROM positions; INSERT INTO positions SELECT * FROM kept");
        scene_change(&scene, changes[i]);
        cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "%s: %s", changes[i],
                     file_tail(payd.err));
        cr_expect(file_has(payd.err, "others[0]: a record before the store's position is not"),
                  "%s", file_tail(payd.err));
        cr_expect(file_has(payd.err, "payd position --db"), "%s", file_tail(payd.err));
        cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 3, "nothing was read");
    }
    scene_change(&scene, "DROP TABLE kept");
    cr_expect_eq(position(&payd, (const char *const[]){"--new-log", NULL}), 0, "%s",
                 file_tail(payd.err));
    drain(0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 4);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters JOIN outcome_names ON id = outcome"
                                   " WHERE name = 'duplicate'"),
                 3, "what was paid in the old log is known in the new one");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM logs"), 2);
    scene_check_books(&scene);
}

/* payd replay with up to four more arguments. */
static int replay(struct process *process, const char *const *more)
{
    const char *args[16] = {PAY_BIN_DIR "/payd", "replay", "-b", scene.brokers, "-t", scene.topic};

    for (int i = 6; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, process, args);
}

/* Files of settings, keys and certificates are changed while programs run. */
Test(log_guard, settings_that_cannot_be_read_for_a_while_do_not_stop_payd)
{
    char settings[PROCESS_PATH_MAX + 16];

    drain(0);
    snprintf(settings, sizeof(settings), "%s/settings", scene.dir);
    file_write(settings, "client.id=payd\n");
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"-F", settings, NULL});
    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    file_write(settings, "client.id");
    cr_assert(file_comes_to_have(payd.err, "event=log_not_compared", JOIN_MS), "%s",
              file_tail(payd.err));
    scene_produce(&scene, "k3", PAYMENT);
    cr_expect(scene_comes_to(&scene, "SELECT count(*) FROM payments", 3, JOIN_MS), "%s",
              file_tail(payd.err));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0, "%s", file_tail(payd.err));
}

Test(log_guard, nothing_is_read_again_of_a_log_that_was_replaced)
{
    static const char *const changes[] = {
        "UPDATE positions SET last_print = zeroblob(16)",
        "UPDATE positions SET last_offset = 7",
    };
    char rebuilt[PROCESS_PATH_MAX + 8];
    struct process payd;

    drain(0);
    snprintf(rebuilt, sizeof(rebuilt), "%s.new", scene.db);
    const char *const commands[][5] = {
        {"--db", scene.db, "--from", "beginning", NULL},
        {"--db", scene.db, "--from=beginning", "--execute", NULL},
        {"--into", rebuilt, "--decisions", scene.db, NULL},
    };
    scene_change(&scene, "DELETE FROM keys; DELETE FROM decisions"); /* would be paid again */
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        scene_change(&scene, changes[i]);
        for (size_t j = 0; j < sizeof(commands) / sizeof(commands[0]); j++) {
            cr_expect_eq(replay(&payd, commands[j]), 78, "%s, replay %s: %s", changes[i],
                         commands[j][3], file_tail(payd.err));
            cr_expect(file_has(payd.err, "others[0]: a record before the ledger's position is not "
                                         "the one that was read there"),
                      "%s", file_tail(payd.err));
        }
    }
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM decisions"), 0, "nothing was read");
    cr_expect_neq(access(rebuilt, F_OK), 0, "a ledger was made of another topic");
}

Test(log_guard, warns_when_retention_has_removed_the_record)
{
    static char big[16000];
    struct process payd;

    drain(0);
    memset(big, 'x', sizeof(big) - 1);
    for (int i = 0; i < 500; i++) { /* the embedded broker keeps about 5 MB */
        scene_produce(&scene, "big", big);
    }
    /* As if it had read all but the newest of them, the oldest last. */
    scene_change(&scene, "UPDATE positions SET next_offset = 500");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=log_not_compared"), "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "is gone by retention"), "%s", file_tail(payd.err));
}

Test(log_guard, a_position_is_moved_by_hand_and_remembered)
{
    struct process payd;

    drain(0);
    cr_expect_eq(position(&payd, (const char *const[]){NULL}), 0);
    cr_expect(file_has(payd.out, "0 2\n"));
    scene_produce(&scene, "k3", PAYMENT);
    scene_produce(&scene, "k4", PAYMENT);
    cr_expect_eq(position(&payd, (const char *const[]){"--partition", "0", "--to", "3", NULL}), 0,
                 "%s", file_tail(payd.err));
    drain(0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key = 'k3'"), 0,
                 "the gap was accepted");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key = 'k4'"), 1);
    cr_expect_str_eq(scene_text(&scene, "SELECT from_offset || '>' || to_offset FROM "
                                        "position_changes"),
                     "2>3");
    cr_expect_eq(position(&payd, (const char *const[]){"--partition", "0", "--to", "0", NULL}), 0);
    drain(0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 4, "going back pays the rest");
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters JOIN outcome_names ON id = outcome"
                                   " WHERE name = 'redelivered'"),
                 3, "and nothing twice");
    cr_expect_eq(position(&payd, (const char *const[]){"--partition", "9", "--to", "0", NULL}), 64);
    cr_expect(file_has(payd.err, "partition 9 has no position"));
    scene_check_books(&scene);
}

Test(log_guard, a_position_is_not_moved_while_payd_runs_nor_in_a_ledger_that_is_not_there)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    struct process other;

    cr_assert(scene_comes_to(&scene, "SELECT count(*) FROM payments", 2, JOIN_MS));
    cr_expect_eq(position(&other, (const char *const[]){"--new-log", NULL}), 74, "%s",
                 file_tail(other.err));
    cr_expect_eq(position(&other, (const char *const[]){NULL}), 0, "it is shown meanwhile");
    process_kill(&payd);
    snprintf(scene.db, sizeof(scene.db), "%.480s/none.db", scene.dir);
    cr_expect_eq(position(&other, (const char *const[]){"--new-log", NULL}), 74);
}
