/*
 * Rows 1-3, 5 and 6: payd and pay killed or told to stop at the worst places.
 */
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <signal.h>

#define ROWS    600
#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch batch;

static void open_scene(void)
{
    fault_open_embedded(&fault);
    fault_make_batch(&fault, &batch, "kills", ROWS);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_01, .init = open_scene, .fini = close_scene);
TestSuite(row_02, .init = open_scene, .fini = close_scene);
TestSuite(row_03, .init = open_scene, .fini = close_scene);
TestSuite(row_05, .init = open_scene, .fini = close_scene);
TestSuite(row_06, .init = open_scene, .fini = close_scene);

/* payd until it dies at the place, which must be one of those that it visits. */
static void kill_payd_at(const char *place)
{
    char env[96];

    snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", place);
    fault_snapshot(&fault);
    struct process payd =
        scene_start_payd(&fault.scene, env, (const char *const[]){"--until-end", NULL});
    cr_assert_eq(process_wait(&payd, WAIT_MS), PROCESS_KILLED, "%s: %s", place,
                 file_tail(payd.err));
    fault_expect_failpoint(&fault, &payd);
}

static int64_t decided(void)
{
    return scene_int(&fault.scene, "SELECT count(*) FROM payments");
}

Test(row_01, killed_before_the_commit_applies_once)
{
    static const char *const places[] = {"after-poll=kill", "before-claim=kill", "before-save=kill",
                                         "before-store-commit=kill"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        kill_payd_at(places[i]);
        cr_assert_eq(decided(), 0, "%s: something was committed", places[i]);
    }
    fault_judge(&fault);
}

/* Where the first life left the money moved, the key must have been marked with it. */
Test(row_01, killed_before_the_commit_and_sent_again_applies_once)
{
    kill_payd_at("before-store-commit=kill");
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    fault_judge(&fault);
}

/* The chunk that is killed before and after its commit seals a segment of the keys. */
Test(row_01, killed_around_a_seal_of_the_keys_applies_once)
{
    struct fault_batch more;

    fault_drain(&fault);
    scene_change(&fault.scene, "UPDATE store SET segment_keys = 100");
    fault_make_batch(&fault, &more, "more", ROWS);
    cr_assert_eq(fault_pay(&fault, &more, NULL, NULL), 0);
    kill_payd_at("before-store-commit=kill");
    cr_assert_eq(scene_int(&fault.scene, "SELECT count(*) FROM segments"), 0);
    kill_payd_at("after-store-commit=kill");
    cr_assert_gt(scene_int(&fault.scene, "SELECT count(*) FROM segments"), 0);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    cr_assert_eq(fault_pay(&fault, &more, NULL, NULL), 0);
    fault_drain(&fault);
    cr_expect_eq(decided(), 2 * ROWS);
    cr_expect_geq(scene_int(&fault.scene, "SELECT sum(count) FROM repeat_counts"), 2 * ROWS);
    fault_judge(&fault);
}

/* ---- after the commit ---- */

static int64_t redelivered(void)
{
    return scene_int(&fault.scene, "SELECT ifnull(sum(count), 0) FROM counters WHERE outcome = 5");
}

static void set_position(const char *partition, const char *offset)
{
    struct process payd;

    cr_assert_eq(
        process_run(fault.scene.dir, NULL, &payd,
                    (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db", fault.scene.db,
                                          "--partition", partition, "--to", offset, NULL}),
        0, "%s", file_tail(payd.err));
}

Test(row_02, killed_after_the_commit_resumes_at_the_stored_position)
{
    kill_payd_at("after-store-commit=kill");
    cr_assert_gt(decided(), 0, "nothing was committed");
    fault_drain(&fault);
    cr_expect_eq(redelivered(), 0, "the stored position leaves nothing to redeliver");
    fault_judge(&fault);
}

Test(row_02, killed_after_the_commit_and_set_back_applies_once)
{
    static const char *const partitions[] = {"0", "1", "2", "3"};

    kill_payd_at("after-store-commit=kill");
    fault_drain(&fault);
    for (size_t i = 0; i < 4; i++) {
        set_position(partitions[i], "0");
    }
    fault_drain(&fault);
    cr_expect_geq(redelivered(), 1);
    cr_expect_eq(scene_int(&fault.scene, "SELECT count(*) FROM repeats"), 0);
    fault_judge(&fault);
}

Test(row_03, killed_after_the_offset_commit_repeats_nothing)
{
    /* The first offsets that it commits are those where it starts. */
    for (int visit = 2; visit < 6 && (visit == 2 || decided() == 0); visit++) {
        char env[96];
        snprintf(env, sizeof(env), "PAY_FAILPOINT=after-offset-commit=kill@%d", visit);
        fault_snapshot(&fault);
        struct process payd = scene_start_payd(&fault.scene, env, NULL);
        cr_assert_eq(process_wait(&payd, WAIT_MS), PROCESS_KILLED, "%s", file_tail(payd.err));
        fault_expect_failpoint(&fault, &payd);
    }
    cr_assert_gt(decided(), 0, "nothing was committed");
    fault_drain(&fault);
    cr_expect_eq(redelivered(), 0);
    fault_judge(&fault);
}

/* ---- a step that fails ---- */

/* What Kafka was told must not be ahead of what the store has. */
Test(row_01, a_step_that_fails_stops_it_and_the_next_start_goes_on)
{
    static const char *const places[] = {"before-begin=error", "before-claim=error",
                                         "before-load=error", "before-save=error",
                                         "before-store-commit=error"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char env[96];
        snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", places[i]);
        fault_snapshot(&fault);
        struct process payd = scene_start_payd(&fault.scene, env, NULL);
        cr_assert_eq(process_wait(&payd, WAIT_MS), 74, "%s: %s", places[i], file_tail(payd.err));
        fault_expect_failpoint(&fault, &payd);
        cr_assert_eq(decided(), 0, "%s: something was committed", places[i]);
        fault_check(&fault);
    }
    fault_judge(&fault);
}

/* ---- the producer ---- */

Test(row_05, pay_killed_before_its_delivery_report_and_run_again_sends_each_row_once)
{
    static const char *const places[] = {"batch-checked=kill", "before-publish=kill@300",
                                         "before-delivery-report=kill",
                                         "before-delivery-report=kill@200", "batch-row-sent=kill"};
    struct fault_batch again;

    fault_make_batch(&fault, &again, "again", ROWS);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char env[96];
        snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", places[i]);
        struct process pay = fault_start_pay(&fault, &again, env, NULL);
        cr_assert_eq(process_wait(&pay, WAIT_MS), PROCESS_KILLED, "%s: %s", places[i],
                     file_tail(pay.err));
        fault_note_pay(&fault, &again, &pay, PROCESS_KILLED);
        fault_expect_failpoint(&fault, &pay);
    }
    cr_assert_eq(fault_pay(&fault, &again, NULL, NULL), 0);
    fault_judge(&fault);
}

/* ---- told to stop ---- */

#define DEADLINE_MS 10000 /* payd's 5 s, on a busy machine */

/* SIGTERM while it stands at the place. */
static void stop_payd_at(const char *place)
{
    char env[96];

    snprintf(env, sizeof(env), "PAY_FAILPOINT=%s=stop", place);
    fault_snapshot(&fault);
    struct process payd = scene_start_payd(&fault.scene, env, NULL);
    cr_assert(file_comes_to_have(payd.err, "failpoint ", WAIT_MS), "%s: %s", place,
              file_tail(payd.err));
    fault_hit(&fault, 1);
    process_signal(&payd, SIGTERM);
    process_continue(&payd);
    cr_assert_eq(process_wait(&payd, DEADLINE_MS), 0, "%s: %s", place, file_tail(payd.err));
}

Test(row_06, sigterm_in_a_transaction_ends_it_in_time)
{
    struct fault_batch more;

    stop_payd_at("before-save");
    fault_make_batch(&fault, &more, "more", ROWS); /* the first may be decided already */
    cr_assert_eq(fault_pay(&fault, &more, NULL, NULL), 0);
    stop_payd_at("before-store-commit");
    fault_judge(&fault);
}

Test(row_06, sigterm_in_a_rebalance_ends_it_in_time)
{
    stop_payd_at("before-assign");
    fault_judge(&fault);
}
