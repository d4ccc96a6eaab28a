/*
 * Rows 16-21: brokers that answer errors, go down, or fence the client off for good.
 */
#include "tests/lib/fault.h"
#include "tests/lib/mock.h"

#include <criterion/criterion.h>
#include <signal.h>

#define ROWS    600
#define WAIT_MS 60000
#define BROKERS 3

static struct fault fault;
static struct fault_batch batch;
static struct mock mock;

static void open_scene(void)
{
    fault = (struct fault){.hits = 0};
    mock_open(&mock, &fault.scene, BROKERS);
    fault_begin(&fault);
    fault_make_batch(&fault, &batch, "answers", ROWS);
}

static void close_scene(void)
{
    fault_close(&fault);
    mock_close(&mock);
}

TestSuite(row_16, .init = open_scene, .fini = close_scene);
TestSuite(row_17, .init = open_scene, .fini = close_scene);
TestSuite(row_18, .init = open_scene, .fini = close_scene);
TestSuite(row_19, .init = open_scene, .fini = close_scene);
TestSuite(row_20, .init = open_scene, .fini = close_scene);
TestSuite(row_21, .init = open_scene, .fini = close_scene);

static void pay(void)
{
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
}

/* payd comes to have decided so many, and ends in time. */
static void finish(struct process *payd, int64_t payments)
{
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", payments, WAIT_MS),
              "%s", file_tail(payd->err));
    fault_stop_payd(payd);
    fault_judge(&fault);
}

/* Waits until the brokers have given so many of their errors. */
static void expect_given(enum mock_request request, int pushed, int wanted)
{
    for (int waited = 0; waited < WAIT_MS; waited += 50) {
        if (pushed - mock_failures_left(&mock, request) >= wanted) {
            break;
        }
        pause_ms(50);
    }
    int given = pushed - mock_failures_left(&mock, request);
    cr_assert_geq(given, wanted, "only %d errors were given", given);
    fault_hit(&fault, given);
}

/* ---- Produce ---- */

/* The broker has the batch, and says that it failed. */
Test(row_16, not_enough_replicas_after_append_sends_each_row_once)
{
    mock_fail(&mock, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 1);
    pay();
    expect_given(MOCK_PRODUCE, BROKERS, 1);
    mock_fail(&mock, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2);
    pay();
    expect_given(MOCK_PRODUCE, 2 * BROKERS, 1);
    rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
    fault_judge(&fault);
}

/*
 * The first request of a partition fails for sure, the next one succeeds: the client must not take
 * the first one for written, as it does when both are under way at once (rd_kafka_dr_implicit_ack()
 * of 2.0.2).
 */
Test(row_16, a_request_that_failed_before_one_that_succeeded_is_sent_again)
{
    mock_fail_late(&mock, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 1, 300);
    cr_assert_eq(
        fault_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow",
                  (const char *const[]){"-X", "batch.num.messages=5", "-X", "linger.ms=0", NULL}),
        0);
    expect_given(MOCK_PRODUCE, BROKERS, 1);
    rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
    fault_judge(&fault);
}

/* A gap in the client's numbers: it must not go on as if nothing were lost. */
Test(row_16, out_of_order_sequence_number_loses_no_row)
{
    int code = 75;

    mock_fail(&mock, MOCK_PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1);
    for (int tries = 0; code != 0 && tries < 5; tries++) {
        code = fault_pay(&fault, &batch, NULL, NULL);
        cr_assert(code == 0 || code == 75, "pay ended with %d", code);
    }
    cr_assert_eq(code, 0);
    expect_given(MOCK_PRODUCE, BROKERS, 1);
    fault_judge(&fault);
}

/* ---- OffsetCommit ---- */

static void refuse_offset_commits(rd_kafka_resp_err_t code)
{
    pay();
    mock_fail(&mock, MOCK_OFFSET_COMMIT, code, 2);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    expect_given(MOCK_OFFSET_COMMIT, 2 * BROKERS, 2);
    finish(&payd, ROWS);
}

Test(row_17, offset_commits_of_an_illegal_generation_lose_nothing)
{
    refuse_offset_commits(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
}

Test(row_17, offset_commits_of_an_unknown_member_lose_nothing)
{
    refuse_offset_commits(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
}

Test(row_17, offset_commits_that_time_out_lose_nothing)
{
    refuse_offset_commits(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
}

/* ---- the group ---- */

static void refuse_in_group(enum mock_request request, rd_kafka_resp_err_t code)
{
    pay();
    mock_fail(&mock, request, code, 1);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    expect_given(request, BROKERS, 1);
    finish(&payd, ROWS);
}

Test(row_18, heartbeats_of_an_unknown_member_make_it_join_again)
{
    refuse_in_group(MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
}

Test(row_18, heartbeats_of_an_illegal_generation_make_it_join_again)
{
    refuse_in_group(MOCK_HEARTBEAT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
}

Test(row_18, a_join_that_is_refused_is_tried_again)
{
    refuse_in_group(MOCK_JOIN_GROUP, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
}

Test(row_18, a_sync_that_meets_a_rebalance_is_tried_again)
{
    refuse_in_group(MOCK_SYNC_GROUP, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
}

/* ---- Fetch ---- */

/* Where the log does not hold the position, reading on would skip: it stops and says so. */
Test(row_19, an_offset_out_of_range_stops_it_clearly)
{
    struct process payd;

    pay();
    mock_fail(&mock, MOCK_FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 2);
    payd = scene_start_payd(&fault.scene, NULL, NULL);
    cr_assert_eq(process_wait(&payd, WAIT_MS), 78, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "payments["), "it says where: %s", file_tail(payd.err));
    expect_given(MOCK_FETCH, 2 * BROKERS, 1);
    /* Each broker leads a partition, so that each start takes at least one of the answers. */
    for (int left = mock_failures_left(&mock, MOCK_FETCH); left > 0; left--) {
        payd = scene_start_payd(&fault.scene, NULL, (const char *const[]){"--until-end", NULL});
        int code = process_wait(&payd, WAIT_MS);
        cr_assert(code == 78 || code == 0, "%d: %s", code, file_tail(payd.err));
    }
    cr_assert_eq(mock_failures_left(&mock, MOCK_FETCH), 0);
    fault_judge(&fault);
}

Test(row_19, fetches_from_a_broker_that_leads_no_more_lose_nothing)
{
    pay();
    mock_fail(&mock, MOCK_FETCH, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    expect_given(MOCK_FETCH, 3 * BROKERS, 3);
    finish(&payd, ROWS);
}

/* ---- brokers down ---- */

/* The leaders and the coordinator go to another broker, then this one goes down for good. */
static void lose_broker(int lost, int heir)
{
    static const char *const topics[] = {"payments", "payments.outcomes"};

    for (int i = 0; i < 8; i++) {
        cr_assert_eq(rd_kafka_mock_partition_set_leader(mock.cluster, topics[i / 4], i % 4, heir),
                     0);
    }
    cr_assert_eq(rd_kafka_mock_coordinator_set(mock.cluster, "group", "test", heir), 0);
    cr_assert_eq(rd_kafka_mock_broker_set_down(mock.cluster, lost), 0);
    fault_hit(&fault, 1);
}

Test(row_20, brokers_that_go_down_in_turn_lose_nothing)
{
    int first = 1 + fault_draw(&fault, BROKERS);
    int second = first % BROKERS + 1;
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    struct process sending =
        fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow", NULL);

    lose_broker(first, second);
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) > 0 FROM payments", 1, WAIT_MS), "%s",
              file_tail(payd.err));
    fault_snapshot(&fault);
    lose_broker(second, second % BROKERS + 1);
    int code = process_wait(&sending, WAIT_MS);
    fault_note_pay(&fault, &batch, &sending, code);
    cr_assert(code == 0 || code == 75, "%d", code);
    pay();
    finish(&payd, ROWS);
}

Test(row_20, a_coordinator_that_moves_is_found_again)
{
    struct fault_batch more;

    pay();
    cr_assert_eq(rd_kafka_mock_coordinator_set(mock.cluster, "group", "test", 1), 0);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", ROWS, WAIT_MS), "%s",
              file_tail(payd.err));
    fault_snapshot(&fault);
    cr_assert_eq(rd_kafka_mock_coordinator_set(mock.cluster, "group", "test", 2), 0);
    fault_hit(&fault, 1);
    fault_make_batch(&fault, &more, "more", ROWS);
    cr_assert_eq(fault_pay(&fault, &more, NULL, NULL), 0);
    finish(&payd, 2 * ROWS);
}

/* ---- the client gives up for good ---- */

Test(row_21, a_fatal_error_of_the_client_leaves_the_rest_unknown)
{
    struct process sending =
        fault_start_pay(&fault, &batch, "PAY_FAILPOINT=client-fatal=error@100",
                        (const char *const[]){"-X", "queue.buffering.max.messages=50", NULL});
    int code = process_wait(&sending, WAIT_MS);

    cr_assert_eq(code, 75, "%s", file_tail(sending.err));
    fault_expect_failpoint(&fault, &sending);
    fault_note_pay(&fault, &batch, &sending, code);
    pay();
    fault_judge(&fault);
}

/* payd's own client of the outcomes topic: it begins with a new one. */
Test(row_21, a_fatal_error_of_the_outbox_publishes_each_outcome)
{
    pay();
    struct process payd = scene_start_payd(&fault.scene, "PAY_FAILPOINT=client-fatal=error@100",
                                           (const char *const[]){"--until-end", NULL});
    cr_assert_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    fault_expect_failpoint(&fault, &payd);
    fault_judge(&fault);
}
