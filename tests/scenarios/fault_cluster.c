/*
 * Rows 22-24: brokers that are killed, that stand still, and that are too few.
 */
#include "common/clock.h"
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#define ROWS    2400
#define TRIES   5 /* to catch pay half way */
#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch batch;
static struct process payd;

static void open_scene(void)
{
    fault_open_kafka(&fault, NULL, NULL);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_22, .init = open_scene, .fini = close_scene, .timeout = 1500);
TestSuite(row_23, .init = open_scene, .fini = close_scene, .timeout = 1500);
TestSuite(row_24, .init = open_scene, .fini = close_scene, .timeout = 1500);

/* Back soon after the broker is; both programs' default waits up to 10 s. */
#define QUICK "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=100"

/* A scene's payd has a session of 6 s, unless more says otherwise. */
static void start_payd(const char *const *more)
{
    payd = scene_start_payd(&fault.scene, NULL, more);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
}

/* payd, started before the fault, decides all of it without being started again. */
static void expect_decided(int64_t wanted)
{
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", wanted, WAIT_MS),
              "%s of %lld: %s", scene_text(&fault.scene, "SELECT count(*) FROM payments"),
              (long long)wanted, file_tail(payd.err));
}

static int64_t sent; /* rows of all batches that were begun by start_slow_pay() */

/* Starts pay on a new batch; false when it has ended before payd has seen and decided some of it.
 */
static bool catch_pay(const char *id, struct process *pay)
{
    int code;
    char begun[80];

    fault_make_batch(&fault, &batch, id, ROWS);
    *pay = fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow",
                           (const char *const[]){QUICK, NULL});
    snprintf(begun, sizeof(begun), "SELECT count(*) > %" PRId64 " FROM payments", sent);
    cr_assert(scene_comes_to(&fault.scene, begun, 1, WAIT_MS), "%s", file_tail(pay->err));
    sent += ROWS;
    pause_ms(fault_draw(&fault, 500));
    if (!process_ended(pay, &code)) {
        return true;
    }
    cr_assert_eq(code, 0, "pay: exit %d: %s", code, file_tail(pay->err));
    fault_note_pay(&fault, &batch, pay, code);
    expect_decided(sent);
    return false;
}

/* Returns while pay sends, a row a millisecond, and payd decides. */
static struct process start_slow_pay(const char *name)
{
    struct process pay;
    char id[32];

    for (int tries = 0; tries < TRIES; tries++) {
        snprintf(id, sizeof(id), "%s-%d", name, tries);
        if (catch_pay(id, &pay)) {
            fault_snapshot(&fault);
            return pay;
        }
    }
    cr_assert(false, "pay had ended each time before payd was half way");
    return pay;
}

/* Whatever it said, the same batch is sent again until all of it is acknowledged. */
static void finish_pay(struct process *pay)
{
    int code = process_wait(pay, WAIT_MS);

    cr_assert(code == 0 || code == 75, "pay: exit %d: %s", code, file_tail(pay->err));
    fault_note_pay(&fault, &batch, pay, code);
    if (code != 0) {
        fault_pay_until_done(&fault, &batch, NULL);
    }
}

#define KILLS 5

Test(row_22, a_broker_killed_five_times_loses_nothing)
{
    char id[32];

    /* The session outlives the broker, so payd goes on as soon as that is back. */
    start_payd((const char *const[]){QUICK, "-X", "session.timeout.ms=30000", NULL});
    for (int i = 0; i < KILLS; i++) {
        snprintf(id, sizeof(id), "kill-%d", i);
        struct process pay = start_slow_pay(id);
        scene_kafka_kill(&fault.scene, 1);
        fault_hit(&fault, 1);
        pause_ms(fault_draw(&fault, 1000));
        scene_kafka_start(&fault.scene, 1);
        finish_pay(&pay);
        expect_decided(sent);
    }
    fault_stop_payd(&payd);
    fault_judge(&fault);
}

#define SOON_MS 20000 /* pay asks for 30 s; on a busy machine a broker may take longer to start */

/* Until then pay has sent nothing, but it need not be started again for that. */
Test(row_22, a_broker_that_dies_with_the_first_question_is_asked_again)
{
    fault_make_batch(&fault, &batch, "asked", ROWS);
    struct process pay = fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-topic-check=stop",
                                         (const char *const[]){QUICK, NULL});
    cr_assert(file_comes_to_have(pay.err, "failpoint ", WAIT_MS), "%s", file_tail(pay.err));
    scene_kafka_signal(&fault.scene, 1, SIGSTOP);
    process_continue(&pay);
    pause_ms(200 + fault_draw(&fault, 800)); /* the question is under way */
    scene_kafka_kill(&fault.scene, 1);
    fault_hit(&fault, 1);
    int64_t killed_ms = clock_monotonic_ms();
    scene_kafka_start(&fault.scene, 1);
    bool soon = clock_monotonic_ms() - killed_ms < SOON_MS;
    int code = process_wait(&pay, WAIT_MS);
    cr_assert(code == 0 || (code == 69 && !soon), "pay: exit %d: %s", code, file_tail(pay.err));
    fault_note_pay(&fault, &batch, &pay, code);
    if (code != 0) {
        fault_pay_until_done(&fault, &batch, NULL);
    }
    fault_judge(&fault);
}

#define SESSION_MS 6000 /* payd's session.timeout.ms in a scene */

Test(row_23, a_broker_that_stands_still_past_the_session_loses_nothing)
{
    start_payd((const char *const[]){QUICK, NULL});
    struct process pay = start_slow_pay("frozen");
    scene_kafka_signal(&fault.scene, 1, SIGSTOP);
    pause_ms(SESSION_MS + 1000 + fault_draw(&fault, 2000));
    scene_kafka_signal(&fault.scene, 1, SIGCONT);
    fault_hit(&fault, 1);
    finish_pay(&pay);
    expect_decided(sent);
    fault_make_batch(&fault, &batch, "after", ROWS);
    fault_pay_until_done(&fault, &batch, NULL);
    expect_decided(sent + ROWS);
    fault_stop_payd(&payd);
    fault_judge(&fault);
}

#define NODES 3

static void open_cluster(void)
{
    static const char *const safe[] = {"--replication", "3", "--min-isr", "2", NULL};

    while (fault.scene.nodes < NODES) {
        scene_kafka_add(&fault.scene);
    }
    snprintf(fault.scene.topic, sizeof(fault.scene.topic), "replicated");
    scene_make_topic_with(&fault.scene, "replicated", safe);
    scene_make_topic_with(&fault.scene, "replicated.outcomes", safe);
}

/* Kills, or starts again, all nodes but one. */
static void all_but(int node, void (*call)(const struct scene *, int))
{
    for (int other = 1; other <= NODES; other++) {
        if (other != node) {
            call(&fault.scene, other);
        }
    }
}

Test(row_24, too_few_replicas_acknowledge_nothing_and_lose_nothing)
{
    open_cluster();
    start_payd((const char *const[]){QUICK, NULL});
    fault_make_batch(&fault, &batch, "before", ROWS);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    expect_decided(ROWS);

    /* pay has checked the topic before they die: from then on it would not begin. */
    int left = 1 + fault_draw(&fault, NODES);
    fault_make_batch(&fault, &batch, "below", ROWS);
    struct process pay =
        fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=stop",
                        (const char *const[]){QUICK, "-X", "message.timeout.ms=10000", NULL});
    cr_assert(file_comes_to_have(pay.err, "failpoint ", WAIT_MS), "%s", file_tail(pay.err));
    fault_snapshot(&fault);
    all_but(left, scene_kafka_kill);
    process_continue(&pay);
    int code = process_wait(&pay, WAIT_MS);
    cr_assert_eq(code, 75, "exit %d with node %d alone: %s", code, left, file_tail(pay.err));
    fault_note_pay(&fault, &batch, &pay, code);
    cr_assert_eq(fault_fates(&fault, "ok"), 0, "node %d alone acknowledged", left);
    fault_hit(&fault, fault_fates(&fault, "unknown") + fault_fates(&fault, "fail"));

    all_but(left, scene_kafka_start);
    fault_pay_until_done(&fault, &batch, NULL);
    expect_decided(2 * ROWS);
    fault_stop_payd(&payd);
    fault_judge(&fault);
}
