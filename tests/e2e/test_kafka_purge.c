/*
 * Forgetting old keys on a real Kafka, which tells how long it keeps a topic's records, and where
 * its log begins.
 */
#include "tests/lib/admin.h"
#include "tests/lib/transactions.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS    90000
#define PARTITIONS 4
#define ROWS       40
#define OLD_KEY    "018f3c6e-0123-7abc-89de-%012d" /* of May 2024 */
#define PAYMENT    "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

static struct scene scene;
static struct process process;

static void send_old_keys(void)
{
    for (int i = 0; i < ROWS; i++) {
        char key[64];
        snprintf(key, sizeof(key), OLD_KEY, i);
        scene_produce(&scene, key, PAYMENT);
    }
}

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
    snprintf(scene.topic, sizeof(scene.topic), "short");
    scene_make_topic_with(
        &scene, "short",
        (const char *const[]){"--partitions", "4", "--retention-ms", "1000", NULL});
    scene_make_topic(&scene, "short.outcomes", "4");
    send_old_keys();
    scene_produce(&scene, "stays", PAYMENT);
    drain();
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_purge, .init = open_scene, .fini = close_scene);

static int purge(const char *age)
{
    return process_run(scene.dir, NULL, &process,
                       (const char *const[]){PAY_BIN_DIR "/payd", "purge", "--older-than", age,
                                             "--json", "--db", scene.db, "-b", scene.brokers, "-t",
                                             scene.topic, NULL});
}

/* Retention removes what was read; then the clock goes on, and a payment tells so. */
static void pass_retention(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        admin_delete_records(&scene, i, admin_high(&scene, i));
    }
    cr_assert(scene_comes_to(&scene,
                             "SELECT max(decided_ms) + 1100 <"
                             " (julianday('now') - 2440587.5) * 86400000 FROM decisions",
                             1, WAIT_MS));
    scene_produce(&scene, "later", PAYMENT);
}

static void expect_forgotten(void)
{
    cr_expect_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "audit", "--db", scene.db,
                                                   "-b", scene.brokers, "-t", scene.topic, NULL}),
                 0, "%s", file_tail(process.out));
    send_old_keys();
    scene_produce(&scene, "stays", PAYMENT);
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantine WHERE reason = 'stale'"), ROWS);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 100 * (ROWS + 2));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM decisions"), 2);
}

Test(kafka_purge, a_key_is_remembered_as_long_as_the_topic_keeps_its_record)
{
    cr_expect_eq(purge("1s"), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "\"keys\":0,"), "the log has them: %s", file_tail(process.out));
    snprintf(scene.topic, sizeof(scene.topic), "week");
    snprintf(scene.db, sizeof(scene.db), "week.db");
    scene_make_topic_with(
        &scene, "week",
        (const char *const[]){"--partitions", "1", "--retention-ms", "604800000", NULL});
    scene_make_topic(&scene, "week.outcomes", "1");
    drain();
    cr_expect_eq(purge("6d"), 78);
    cr_expect(file_has(process.err, "keeps its records for 7 days"), "%s", file_tail(process.err));
    cr_expect_eq(purge("8d"), 75);
    cr_expect(file_has(process.err, "the topic has no record"), "%s", file_tail(process.err));
    snprintf(scene.topic, sizeof(scene.topic), "payments");
    snprintf(scene.db, sizeof(scene.db), "ever.db");
    drain();
    cr_expect_eq(purge("9000d"), 78);
    cr_expect(file_has(process.err, "retention.ms=-1"), "%s", file_tail(process.err));
}

Test(kafka_purge, what_retention_has_removed_is_forgotten)
{
    pass_retention();
    cr_expect_eq(purge("1s"), 75, "a record is not read yet");
    drain();
    cr_expect_eq(purge("1s"), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "\"keys\":40,\"batches\":0,\"repeats\":0,\"ageless\":1,"), "%s",
              file_tail(process.out));
    expect_forgotten();
}

/* What stands last in each partition is then the mark of a transaction's end, not a record. */
Test(kafka_purge, the_time_is_known_of_a_topic_that_transactions_write)
{
    pass_retention();
    rd_kafka_t *producer = transactions_open(&scene, "purge");
    for (int aborted = 0; aborted <= 1; aborted++) {
        transactions_begin(producer);
        for (int i = 0; i < ROWS; i++) {
            char key[16];
            snprintf(key, sizeof(key), "t%d", i);
            transactions_produce(producer, &scene, key, PAYMENT);
        }
        transactions_end(producer, aborted == 0);
    }
    rd_kafka_destroy(producer);
    drain();
    cr_expect_eq(purge("1s"), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "\"keys\":40,\"batches\":0,\"repeats\":0,"), "%s",
              file_tail(process.out));
}

Test(kafka_purge, a_running_payd_forgets_when_it_has_read_all_that_was_there)
{
    pass_retention();
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--purge-older-than", "1s", NULL});
    cr_assert(file_comes_to_have(payd.err, "event=purged", WAIT_MS), "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, " keys=40 batches=0 "), "%s", file_tail(payd.err));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    expect_forgotten();
}
