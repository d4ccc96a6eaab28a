/*
 * pay batch --only-missing: rows that have their answer are not sent again, all others are, and an
 * answer is that of key and payload. The test plays payd, but for the last one.
 */
#include "producer/batch.h"
#include "tests/lib/answerer.h"
#include "tests/lib/mock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static struct scene scene;
static struct answerer *answerer;
static char file[PROCESS_PATH_MAX];

static void open_scene(void)
{
    scene_open_embedded(&scene);
    answerer = answerer_open(&scene);
    snprintf(file, sizeof(file), "%.480s/rows.csv", scene.dir);
}

static void close_scene(void)
{
    answerer_close(answerer);
    scene_close(&scene);
}

TestSuite(pay_only_missing, .init = open_scene, .fini = close_scene);

#define END_MS 60000

static struct process start_batch(const char *env, const char *more, const char *still_more)
{
    return scene_start_pay(
        &scene, env,
        (const char *const[]){"batch", "--batch-id", "b", file, more, still_more, NULL});
}

static int run_batch(struct process *pay, const char *more, const char *still_more)
{
    *pay = start_batch(NULL, more, still_more);
    return process_wait(pay, END_MS);
}

/* The amount of a row says what becomes of it: so many euros. */
enum { APPLIED = 1, REJECTED, CONFLICT, QUARANTINED, SILENT };

static void answer_by_amount(const struct arrival *arrival)
{
    struct outcome_record record;
    struct command first = arrival->command;

    switch (arrival->command.payment.amount_minor / 100) {
    case APPLIED:
        record = answerer_record(arrival, OUTCOME_APPLIED, REASON_NONE);
        break;
    case REJECTED:
        record = answerer_record(arrival, OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS);
        break;
    case CONFLICT:
        first.payment.amount_minor = 77;
        record = answerer_repeat(arrival, OUTCOME_CONFLICT, &first, OUTCOME_APPLIED, REASON_NONE);
        break;
    case QUARANTINED:
        record = answerer_record(arrival, OUTCOME_QUARANTINED, REASON_NONE);
        break;
    default:
        return;
    }
    answerer_send(answerer, &record);
}

/* Send the file a first time, without waiting, and answer its rows by their amounts. */
static void send_first(int rows)
{
    struct process pay;

    cr_assert_eq(run_batch(&pay, NULL, NULL), 0, "%s", file_tail(pay.err));
    for (int i = 0; i < rows; i++) {
        struct arrival arrival = answerer_next(answerer);
        answer_by_amount(&arrival);
    }
}

Test(pay_only_missing, when_all_is_answered_nothing_is_sent)
{
    struct process pay;

    file_write(file, "src,dest,amount\na,b,1\na,b,1.01\na,b,1.02\n");
    send_first(3);
    for (int waits = 0; waits <= 1; waits++) {
        cr_expect_eq(run_batch(&pay, "--only-missing", waits ? "--wait" : NULL), 0, "%s",
                     file_tail(pay.err));
        cr_expect(file_has(pay.out, "b: 3 rows: 3 answered before, 0 acknowledged, 0 unknown, "
                                    "0 failed, 0 skipped\n"
                                    "answered before: 3 applied, 0 rejected, 0 conflict, "
                                    "0 quarantined\n"),
                  "%s", file_tail(pay.out));
        cr_expect_eq(file_has(pay.out, "decided: 3 applied, 0 rejected, 0 conflict, 0 quarantined, "
                                       "0 unknown\n"),
                     waits, "%s", file_tail(pay.out));
    }
    cr_expect_eq(answerer_count(answerer), 3);
}

Test(pay_only_missing, what_is_sent_is_the_rest_and_carries_the_digest_of_all_rows)
{
    struct process pay;
    char digest[PAYMENT_DIGEST_LEN + 16];

    file_write(file, "src,dest,amount\na,b,5\na,b,1\na,b,5\na,b,1\n");
    send_first(4);
    pay = start_batch(NULL, "--only-missing", "--wait");
    for (int i = 0; i < 2; i++) {
        struct arrival arrival = answerer_next(answerer);
        cr_expect_eq(arrival.command.payment.amount_minor, 500);
        cr_expect_str_eq(arrival.command.payment.batch.id, "b");
        cr_expect_eq(arrival.command.payment.batch.rows, 4);
        snprintf(digest, sizeof(digest), "digest %s,", arrival.command.payment.batch.digest);
        answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
    }
    cr_expect_eq(process_wait(&pay, END_MS), 0, "%s", file_tail(pay.err));
    cr_expect(file_has(pay.out, "b: 4 rows: 2 answered before, 2 acknowledged, 0 unknown"), "%s",
              file_tail(pay.out));
    cr_expect(file_has(pay.out, "decided: 4 applied, 0 rejected"), "%s", file_tail(pay.out));
    cr_expect(file_has(pay.out, digest), "%s", file_tail(pay.out));
    cr_expect_eq(answerer_count(answerer), 6);

    cr_assert_eq(run_batch(&pay, NULL, NULL), 0);
    cr_expect(file_has(pay.out, digest), "it is the digest of the whole file: %s",
              file_tail(pay.out));
}

Test(pay_only_missing, an_answer_to_another_payload_of_the_key_is_not_this_rows)
{
    struct process pay;
    struct arrival arrival;
    struct command first;

    file_write(file, "src,dest,amount,key\na,b,1,k\n");
    send_first(1);
    file_write(file, "src,dest,amount,key\na,b,2,k\n");
    pay = start_batch(NULL, "--only-missing", "--wait");
    arrival = answerer_next(answerer);
    first = arrival.command;
    first.payment.amount_minor = 100;
    struct outcome_record record =
        answerer_repeat(&arrival, OUTCOME_CONFLICT, &first, OUTCOME_APPLIED, REASON_NONE);
    answerer_send(answerer, &record);
    cr_expect_eq(process_wait(&pay, END_MS), 2, "%s", file_tail(pay.err));
    cr_expect(file_has(pay.out, "b: 1 rows: 0 answered before, 1 acknowledged"), "%s",
              file_tail(pay.out));

    /* Now the conflict is this payload's answer. */
    cr_expect_eq(run_batch(&pay, "--only-missing", NULL), 2, "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "conflict k: answered before, not sent again\n"), "%s",
              file_tail(pay.err));
    cr_expect_eq(answerer_count(answerer), 2);
}

Test(pay_only_missing, what_was_found_counts_in_the_exit_code)
{
    static const struct {
        int amounts[3];
        int code;
        int code_waiting; /* with a row that gets no answer in time */
        const char *json;
    } rows[] = {
        {{APPLIED, APPLIED, SILENT}, 0, 75, "\"applied\":2,\"rejected\":0,\"conflict\":0,"},
        {{REJECTED, APPLIED, SILENT}, 1, 75, "\"applied\":1,\"rejected\":1,\"conflict\":0,"},
        {{REJECTED, CONFLICT, APPLIED}, 2, 2, "\"applied\":1,\"rejected\":1,\"conflict\":1,"},
        {{QUARANTINED, CONFLICT, APPLIED}, 3, 3, "\"applied\":1,\"rejected\":0,\"conflict\":1,"},
    };
    struct process pay;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        char found[128];
        bool is_open = rows[i].amounts[2] == SILENT;
        /* Other accounts in each round: another batch id would do as well. */
        snprintf(text, sizeof(text), "src,dest,amount\na%zu,b,%d\na%zu,b,%d\na%zu,b,%d\n", i,
                 rows[i].amounts[0], i, rows[i].amounts[1], i, rows[i].amounts[2]);
        file_write(file, text);
        send_first(3);
        cr_expect_eq(run_batch(&pay, "--only-missing", "--json"), rows[i].code, "row %zu: %s", i,
                     file_tail(pay.err));
        snprintf(found, sizeof(found), "\"answered\":%d,\"acknowledged\":%d,", is_open ? 2 : 3,
                 is_open ? 1 : 0);
        cr_expect(file_has(pay.out, found), "row %zu: %s", i, file_tail(pay.out));
        snprintf(found, sizeof(found), "\"found\":{%s\"quarantined\":%d}}\n", rows[i].json,
                 rows[i].amounts[0] == QUARANTINED);
        cr_expect(file_has(pay.out, found), "row %zu: %s", i, file_tail(pay.out));
        cr_expect_eq(run_batch(&pay, "--only-missing", "--wait=1"), rows[i].code_waiting,
                     "row %zu: %s", i, file_tail(pay.err));
        cr_expect_eq(file_count(pay.err, "unknown b:0000000003: no outcome\n"), is_open, "row %zu",
                     i);
        for (int sent = 0; is_open && sent < 2; sent++) {
            answerer_next(answerer);
        }
    }
}

Test(pay_only_missing, many_rows_that_were_refused_before_are_shown_up_to_a_limit)
{
    char text[1024] = "src,dest,amount\n";
    struct process pay;

    for (int i = 0; i < ANSWERED_SHOWN + 5; i++) {
        strcat(text, "a,b,2\n");
    }
    file_write(file, text);
    send_first(ANSWERED_SHOWN + 5);
    cr_expect_eq(run_batch(&pay, "--only-missing", "--wait"), 1);
    cr_expect_eq(file_count(pay.err, "rejected b:"), ANSWERED_SHOWN);
    cr_expect(file_has(pay.err, "and 5 more rows that were answered before and not applied\n"),
              "%s", file_tail(pay.err));
    cr_expect_eq(file_count(pay.err, "more rows"), 1, "%s", file_tail(pay.err));
}

Test(pay_only_missing, a_stop_names_what_was_to_be_sent_and_was_not)
{
    struct process pay;

    file_write(file, "src,dest,amount\na,b,1\na,b,5\na,b,1\na,b,5\na,b,1\na,b,5\na,b,1\n");
    send_first(7);
    pay = start_batch("PAY_FAILPOINT=before-publish=stop@2", "--only-missing", NULL);
    cr_assert(file_comes_to_have(pay.err, "failpoint before-publish stop", END_MS));
    process_signal(&pay, SIGTERM);
    process_continue(&pay);
    cr_expect_eq(process_wait(&pay, END_MS), 75);
    cr_expect(file_has(pay.err, "failed b:0000000004 to b:0000000006: 2 rows without an outcome "
                                "were not sent\n"),
              "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "2 of 3 rows were not sent"), "%s", file_tail(pay.err));
    cr_expect(file_has(pay.out, "7 rows: 4 answered before, 1 acknowledged, 0 unknown, 2 failed"),
              "%s", file_tail(pay.out));
}

Test(pay_only_missing, without_the_outcomes_nothing_is_sent)
{
    struct process pay;

    file_write(file, "src,dest,amount\na,b,1\n");
    cr_expect_eq(run_batch(&pay, "--only-missing", "--outcomes=nowhere"), EX_UNAVAILABLE);
    cr_expect(file_has(pay.err, "no topic \"nowhere\""), "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "nothing was published"), "%s", file_tail(pay.err));
    cr_expect_eq(answerer_count(answerer), 0);
}

/* Whole answers are needed: what a broker holds back might be of any row. */
Test(pay_only_missing, outcomes_that_do_not_come_are_told_and_nothing_is_sent)
{
    struct scene mocked;
    struct mock mock;
    struct process pay;

    mock_open(&mock, &mocked, 1);
    file_write(file, "src,dest,amount\na,b,1\n");
    scene_produce_to(&mocked, ANSWERER_OUTCOMES, "b:0000000001", "{}", 2);
    mock_fail(&mock, MOCK_FETCH, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 5000);
    cr_expect_eq(
        scene_pay(&mocked, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "b", file, "--only-missing", NULL}),
        EX_UNAVAILABLE);
    cr_expect(file_has(pay.err, "the outcomes topic was not read to its end"), "%s",
              file_tail(pay.err));
    cr_expect(file_has(pay.err, "nothing was published"), "%s", file_tail(pay.err));
    struct answerer *of_mocked = answerer_open(&mocked);
    cr_expect_eq(answerer_count(of_mocked), 0);
    answerer_close(of_mocked);
    scene_close(&mocked);
    mock_close(&mock);
}

/* ---- the search by itself ---- */

#define ROWS 10

static void check_rows(const char *text, struct progress *progress, struct batch *ret)
{
    struct batch_input input = {
        .in = fmemopen((void *)text, strlen(text), "r"),
        .name = "in",
        .id = "b",
        .spool_dir = scene.dir,
        .messages = stderr,
        .progress = progress,
    };
    struct error err;

    cr_assert_eq(batch_check(&input, ret, &err), 0, "%s", err.text);
    fclose(input.in);
}

static void answer_rows(struct batch *batch, const bool answered[ROWS])
{
    struct arrival arrival = {.command = batch_command(batch), .origin = {.topic = "payments"}};
    struct error err;

    cr_assert_eq(spool_rewind(batch->spool, &err), 0);
    for (int i = 0; i < ROWS; i++) {
        cr_assert_eq(spool_next(batch->spool, &arrival.command.payment, &err), 1);
        if (answered[i]) {
            answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
        }
    }
}

Test(pay_only_missing, windows_of_any_size_find_the_same_rows)
{
    static const bool wanted[ROWS] = {true,  false, false, true, true,
                                      false, true,  false, true, true};
    static const int64_t windows[] = {1, 3, 5, 9, 10, 11};
    static const char text[] = "src,dest,amount\na,b,1\na,b,2\na,b,3\na,b,4\na,b,5\na,b,6\n"
                               "a,b,7\na,b,8\na,b,9\na,b,10\n";
    struct kafka_args kafka = {.brokers = scene.brokers, .topic = "payments"};
    struct progress progress;
    struct batch batch = {.spool = NULL};
    struct error err;

    progress_init(&progress, NULL);
    check_rows(text, &progress, &batch);
    answer_rows(&batch, wanted);
    const struct command same = batch_command(&batch);
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        const struct answered_args args = {.kafka = &kafka,
                                           .topic = ANSWERER_OUTCOMES,
                                           .spool = batch.spool,
                                           .rows = ROWS,
                                           .same = &same,
                                           .window_rows = windows[i],
                                           .messages = stderr,
                                           .progress = &progress};
        struct answered *answered;
        cr_assert_eq(answered_find(&answered, &args, &err), 0, "%s", err.text);
        for (int row = 0; row < ROWS; row++) {
            cr_expect_eq(answered_has(answered, row), wanted[row], "window %zu, row %d", i, row);
        }
        cr_expect_eq(answered_counts(answered)->applied, 6, "window %zu", i);
        answered_close(answered);
    }
    batch_release(&batch);
}

/* ---- with payd ---- */

Test(pay_only_missing, after_a_crash_payd_gets_the_missing_rows_and_no_other)
{
    static const char *const again[] = {"batch",          "--batch-id", "b", scene.sample,
                                        "--only-missing", "--wait",     NULL};
    struct process pay;
    struct process payd;
    char rows[128];

    /* Rows past the hundred that the queue holds wait for a report, and the first one kills. */
    cr_assert_eq(scene_pay(&scene, "PAY_FAILPOINT=before-delivery-report=kill", &pay,
                           (const char *const[]){"batch", "--batch-id", "b", scene.sample, "-X",
                                                 "queue.buffering.max.messages=100", NULL}),
                 PROCESS_KILLED);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    int64_t before = answerer_count(answerer);
    cr_assert_gt(before, 0);
    cr_assert_leq(before, 100);

    payd = scene_start_payd(&scene, NULL, NULL);
    cr_expect_eq(scene_pay(&scene, NULL, &pay, again), 0, "%s", file_tail(pay.err));
    snprintf(rows, sizeof(rows), "b: 1000 rows: %d answered before, %d acknowledged, ", (int)before,
             1000 - (int)before);
    cr_expect(file_has(pay.out, rows), "%s: %s", rows, file_tail(pay.out));
    cr_expect(file_has(pay.out, "decided: 1000 applied, 0 rejected"), "%s", file_tail(pay.out));
    cr_expect_eq(answerer_count(answerer), 1000);
    process_kill(&payd);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 0,
                 "none came twice");
    scene_check_books(&scene);
}
