/*
 * Forgetting old keys, with payd stopped and while it runs under load: what was forgotten is never
 * paid again, what the log still has is kept, and audit and verify agree. The embedded broker keeps
 * about 5 MB a partition, which is this log's retention.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 60000
#define ROWS    500
#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

/* Made in May of 2024. */
#define OLD_KEY "018f3c6e-0123-7abc-89de-%012d"

static struct scene scene;
static struct process process;
static char old_rows[PROCESS_PATH_MAX + 16]; /* a file of payments with keys of their own */
static char own_rows[PROCESS_PATH_MAX + 16]; /* and one without */

static void write_rows(const char *path, bool has_keys)
{
    FILE *file = fopen(path, "we");

    cr_assert_not_null(file);
    fputs(has_keys ? "src,dest,amount,key\n" : "src,dest,amount\n", file);
    for (int i = 0; i < ROWS; i++) {
        if (has_keys) {
            fprintf(file, "ann,bob,1.00," OLD_KEY "\n", i);
        } else {
            fputs("ann,bob,1.00\n", file);
        }
    }
    fclose(file);
}

static void pay_file(const char *id, const char *path)
{
    cr_assert_eq(scene_pay(&scene, NULL, &process,
                           (const char *const[]){"batch", "--batch-id", id, path, NULL}),
                 0, "%s", file_tail(process.err));
}

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* payd with up to 12 arguments before those of the scene, ended by NULL. */
static int run(const char *const *args)
{
    const char *all[24] = {PAY_BIN_DIR "/payd"};
    int count = 1;

    while (*args) {
        all[count++] = *args++;
    }
    const char *const rest[] = {"--db", scene.db, "-b", scene.brokers, "-t", scene.topic};
    memcpy(all + count, rest, sizeof(rest));
    return process_run(scene.dir, NULL, &process, all);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

/* The log loses what stands before, once it was read, and gets records that tell the time. */
static void turn_the_log_over(void)
{
    static char junk[900000];

    memset(junk, 'x', sizeof(junk));
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 3; j++) {
            scene_produce_to(&scene, scene.topic, "junk", junk, sizeof(junk));
        }
        drain();
    }
}

/* Until the last decision is more than a second old: that is how old keys must be here. */
static void let_a_second_pass(void)
{
    cr_assert(scene_comes_to(&scene,
                             "SELECT max(decided_ms) + 1100 <"
                             " (julianday('now') - 2440587.5) * 86400000 FROM decisions",
                             1, WAIT_MS));
    scene_produce(&scene, "now", "garbage");
}

static void open_scene(void)
{
    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    snprintf(old_rows, sizeof(old_rows), "%s/old.csv", scene.dir);
    snprintf(own_rows, sizeof(own_rows), "%s/own.csv", scene.dir);
    write_rows(old_rows, true);
    write_rows(own_rows, false);
    pay_file("with-keys", old_rows);
    pay_file("own-keys", own_rows);
    scene_produce(&scene, "stays", PAYMENT);
    drain();
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(purge, .init = open_scene, .fini = close_scene, .timeout = 280);

static int64_t decisions(void)
{
    return scene_int(&scene, "SELECT count(*) FROM decisions");
}

static void expect_books(void)
{
    cr_expect_eq(RUN("audit"), 0, "%s%s", file_tail(process.out), file_tail(process.err));
}

static const char purge_args[] = "--older-than";

static int purge(void)
{
    return RUN("purge", purge_args, "1s", "--skip-topic-check", "--json");
}

static void expect_purged(const char *says)
{
    cr_expect_eq(purge(), 0, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, says), "no %s in %s", says, file_tail(process.out));
}

Test(purge, what_the_log_still_has_is_kept_and_what_is_gone_is_forgotten)
{
    let_a_second_pass();
    cr_expect_eq(purge(), 75, "one record is not read");
    cr_expect(file_has(process.err, "1 records of the topic are not read yet"), "%s",
              file_tail(process.err));
    drain();
    expect_purged("\"keys\":0,\"batches\":0,\"repeats\":0,\"ageless\":501,\"retained\":500}");
    turn_the_log_over();
    expect_purged("\"keys\":1000,\"batches\":1,\"repeats\":0,\"ageless\":1,\"retained\":0}");
    cr_expect_eq(decisions(), 1);
    expect_books();
    expect_purged("\"keys\":0,\"batches\":0,");
}

#define RUN_SHOW(key)                                                                              \
    process_run(scene.dir, NULL, &process,                                                         \
                (const char *const[]){PAY_BIN_DIR "/payd", "show", key, "--db", scene.db, NULL})

/* A ledger that is made of the log and of what was told leaves alone what was stale. */
static void expect_rebuilt(void)
{
    char path[PROCESS_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s/new.db", scene.dir);
    cr_expect_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "replay", "--into", path,
                                                   "--decisions", "topic:", "--from-log-start",
                                                   "-b", scene.brokers, "-t", scene.topic, NULL}),
                 0, "%s%s", file_tail(process.out), file_tail(process.err));
    struct scene made = scene;
    snprintf(made.db, sizeof(made.db), "%.*s", (int)sizeof(made.db) - 1, path);
    cr_expect_eq(scene_int(&made, "SELECT count(*) FROM quarantine WHERE reason = 'stale'"),
                 2 * ROWS + 1);
    cr_expect_eq(scene_int(&made, "SELECT count(*) FROM decisions"), 1, "the one that stayed");
}

Test(purge, what_was_forgotten_is_stale_and_never_paid_again)
{
    let_a_second_pass();
    turn_the_log_over();
    expect_purged("\"keys\":1000,");
    pay_file("with-keys", old_rows);
    pay_file("own-keys", own_rows);
    scene_produce(&scene, "own-keys:0000000001", PAYMENT);
    scene_produce(&scene, "stays", PAYMENT);
    drain();
    cr_expect_eq(decisions(), 1);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantine WHERE reason = 'stale'"),
                 2 * ROWS + 1);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 100100);
    expect_books();
    cr_expect_eq(RUN("replay", "--from", "beginning", "--execute"), 0);
    cr_expect(file_has(process.out, ", 0 were decided"), "%s", file_tail(process.out));
    expect_rebuilt();
    cr_expect_eq(RUN_SHOW("own-keys:0000000001"), 4);
    cr_expect(file_has(process.out, "forgotten, or never seen"), "%s", file_tail(process.out));
    /* Whoever asks is told so. */
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    char key[64];
    snprintf(key, sizeof(key), OLD_KEY, 7);
    cr_expect_eq(scene_pay(&scene, NULL, &process,
                           (const char *const[]){"send", "ann", "bob", "1.00", "--key", key,
                                                 "--wait=60", NULL}),
                 3, "%s", file_tail(process.err));
    cr_expect(file_has(process.out, "stale"), "%s", file_tail(process.out));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0);
}

Test(purge, a_forecast_tells_what_would_be_stale)
{
    char next[32];

    let_a_second_pass();
    turn_the_log_over();
    expect_purged("\"keys\":1000,");
    pay_file("with-keys", old_rows);
    /* They are passed over by hand, and so never decided. */
    snprintf(next, sizeof(next), "%" PRId64,
             scene_int(&scene, "SELECT next_offset FROM positions") + ROWS);
    cr_assert_eq(
        process_run(scene.dir, NULL, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db", scene.db,
                                          "--partition", "0", "--to", next, NULL}),
        0, "%s", file_tail(process.err));
    cr_expect_eq(RUN("replay", "--from", "beginning"), 0, "%s", file_tail(process.err));
    cr_expect(
        file_has(process.out, "\nstale                    500  EUR                    500.00\n"),
        "%s", file_tail(process.out));
    cr_expect_eq(RUN("replay", "--from", "beginning", "--execute"), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantine WHERE reason = 'stale'"), ROWS);
    expect_books();
}

Test(purge, a_running_payd_refuses_it_and_a_ledger_that_is_not_there_is_not_made)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS));
    cr_expect_eq(purge(), 74);
    cr_expect(file_has(process.err, "(payd"), "%s", file_tail(process.err));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0);
    snprintf(scene.topic, sizeof(scene.topic), "payments");
    cr_expect_eq(purge(), 78, "another topic");
    strcpy(scene.db, "no/such/ledger.db");
    cr_expect_eq(purge(), 74);
}

Test(purge, a_broker_that_does_not_tell_the_retention_is_not_believed)
{
    cr_expect_eq(RUN("purge", purge_args, "1s"), 69, "%s", file_tail(process.err));
    cr_expect(file_has(process.err, "--skip-topic-check"), "%s", file_tail(process.err));
    process_kill(&scene.broker);
    cr_expect_eq(purge(), 69, "%s", file_tail(process.err));
    cr_expect_eq(decisions(), 2 * ROWS + 1);
}

/* ---- under load ---- */

static struct process start_purging(void)
{
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--purge-older-than", "1s", NULL});

    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    return payd;
}

/* One more batch, while the one before is read; the log keeps no more than some of them. */
static void load(int number, int64_t base)
{
    char id[32];
    char sql[96];

    snprintf(id, sizeof(id), "load-%d", number);
    pay_file(id, own_rows);
    snprintf(sql, sizeof(sql), "SELECT next_offset >= %" PRId64 " FROM positions",
             base + (int64_t)number * ROWS);
    cr_assert(scene_comes_to(&scene, sql, 1, WAIT_MS));
}

/* Payments go on while payd purges, and it is killed once meanwhile. */
Test(purge, under_load_payd_forgets_between_its_chunks)
{
    let_a_second_pass();
    turn_the_log_over();
    int64_t base = scene_int(&scene, "SELECT next_offset FROM positions");
    struct process payd = start_purging();
    int sent = 0;
    while (sent < 5 || !file_has(payd.err, "event=purged")) {
        cr_assert_lt(sent, 400, "%s", file_tail(payd.err));
        load(sent++, base);
        if (sent == 3) {
            process_kill(&payd);
            payd = start_purging();
        }
    }
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM decisions WHERE key < x'02'"), 0,
                 "each old UUID is forgotten");
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 100 * (1 + 2 * ROWS + (int64_t)sent * ROWS), "%d batches", sent);
    expect_books();
    pay_file("with-keys", old_rows);
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantine WHERE reason = 'stale'"), ROWS);
}

Test(purge, a_purge_that_may_not_begin_is_told_and_payd_goes_on)
{
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--purge-older-than", "1d", NULL});

    cr_assert(file_comes_to_have(payd.err, "event=purged", WAIT_MS), "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "keys=0 batches=0"), "decided today");
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, WAIT_MS), 0);
}
