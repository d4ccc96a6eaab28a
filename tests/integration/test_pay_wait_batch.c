/*
 * pay batch --wait: every row has its answer or is named, and the worst of them is the exit code.
 * The test plays payd.
 */
#include "tests/lib/answerer.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

TestSuite(pay_wait_batch, .init = open_scene, .fini = close_scene);

#define END_MS 60000

static struct process start_batch(const char *env, const char *wait, const char *more)
{
    return scene_start_pay(
        &scene, env, (const char *const[]){"batch", "--batch-id", "b", file, wait, more, NULL});
}

#define ROWS "src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\n"

/* The amount of a row says what becomes of it: so many euros. */
enum { APPLIED = 1, REJECTED, CONFLICT, QUARANTINED, SILENT };

static void answer_by_amount(int count)
{
    for (int i = 0; i < count; i++) {
        struct arrival arrival = answerer_next(answerer);
        struct outcome_record record;
        struct command first = arrival.command;
        switch (arrival.command.payment.amount_minor / 100) {
        case APPLIED:
            record = answerer_record(&arrival, OUTCOME_APPLIED, REASON_NONE);
            break;
        case REJECTED:
            record = answerer_record(&arrival, OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS);
            break;
        case CONFLICT:
            first.payment.amount_minor = 77;
            record =
                answerer_repeat(&arrival, OUTCOME_CONFLICT, &first, OUTCOME_APPLIED, REASON_NONE);
            break;
        case QUARANTINED:
            record = answerer_record(&arrival, OUTCOME_QUARANTINED, REASON_NONE);
            break;
        default:
            continue;
        }
        answerer_send(answerer, &record);
    }
}

Test(pay_wait_batch, the_worst_row_is_the_exit_code)
{
    static const struct {
        int amounts[4];
        const char *wait;
        int code;
        const char *decided;
    } rows[] = {
        {{APPLIED, APPLIED, APPLIED, APPLIED},
         "--wait",
         0,
         "decided: 4 applied, 0 rejected, 0 conflict, 0 quarantined, 0 unknown\n"},
        {{APPLIED, REJECTED, APPLIED, REJECTED},
         "--wait",
         1,
         "decided: 2 applied, 2 rejected, 0 conflict, 0 quarantined, 0 unknown\n"},
        {{APPLIED, REJECTED, CONFLICT, APPLIED},
         "--wait",
         2,
         "decided: 2 applied, 1 rejected, 1 conflict, 0 quarantined, 0 unknown\n"},
        {{CONFLICT, REJECTED, QUARANTINED, APPLIED},
         "--wait",
         3,
         "decided: 1 applied, 1 rejected, 1 conflict, 1 quarantined, 0 unknown\n"},
        {{QUARANTINED, SILENT, CONFLICT, APPLIED},
         "--wait=5",
         75,
         "decided: 1 applied, 0 rejected, 1 conflict, 1 quarantined, 1 unknown\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "src,dest,amount\na,b,%d\na,b,%d\na,b,%d\na,b,%d\n",
                 rows[i].amounts[0], rows[i].amounts[1], rows[i].amounts[2], rows[i].amounts[3]);
        file_write(file, text);
        /* The waiting begins with the last report: the answers are there before. */
        struct process pay =
            start_batch("PAY_FAILPOINT=before-delivery-report=stop@4", rows[i].wait, NULL);
        cr_assert(file_comes_to_have(pay.err, "failpoint before-delivery-report stop", END_MS));
        answer_by_amount(4);
        process_continue(&pay);
        cr_expect_eq(process_wait(&pay, END_MS), rows[i].code, "row %zu: %s", i,
                     file_tail(pay.err));
        cr_expect(file_has(pay.out, rows[i].decided), "row %zu: %s", i, file_tail(pay.out));
        cr_expect_eq(file_has(pay.err, "rejected b:0000000002: insufficient_funds\n"),
                     rows[i].amounts[1] == REJECTED, "row %zu", i);
        cr_expect_eq(file_has(pay.err, "unknown b:0000000002: no outcome\n"),
                     rows[i].amounts[1] == SILENT, "row %zu", i);
        cr_expect_eq(file_has(pay.err, "run the same command again"), rows[i].code == 75, "row %zu",
                     i);
    }
}

Test(pay_wait_batch, outcomes_that_come_while_rows_are_sent_are_taken)
{
    file_write(file, ROWS);
    struct process pay = start_batch("PAY_FAILPOINT=before-delivery-report=stop", "--wait", NULL);

    cr_assert(file_comes_to_have(pay.err, "failpoint before-delivery-report stop", END_MS));
    /* One row is there, and its answer comes before pay knows that it was acknowledged. */
    struct arrival arrival = answerer_next(answerer);
    answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
    process_continue(&pay);
    for (int i = 0; i < 2; i++) {
        arrival = answerer_next(answerer);
        answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
    }
    cr_expect_eq(process_wait(&pay, END_MS), 0, "%s", file_tail(pay.err));
}

Test(pay_wait_batch, one_key_with_two_payloads_gets_two_answers)
{
    file_write(file, "src,dest,amount,key\na,b,1,k\na,b,2,k\na,b,1,k\n");
    struct process pay = start_batch(NULL, "--wait", NULL);

    answer_by_amount(2);
    cr_expect_eq(process_wait(&pay, END_MS), 1);
    cr_expect(file_has(pay.out, "decided: 2 applied, 1 rejected"), "%s", file_tail(pay.out));
}

Test(pay_wait_batch, skipped_rows_count_only_when_all_else_is_well)
{
    static const struct {
        const char *rows;
        int code;
    } rows[] = {{"a,b,1\na,b,x\na,b,1\n", 65}, {"a,b,1\na,b,x\na,b,2\n", 1}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "src,dest,amount\n%s", rows[i].rows);
        file_write(file, text);
        struct process pay = start_batch(NULL, "--wait", "--skip-bad");
        answer_by_amount(2);
        cr_expect_eq(process_wait(&pay, END_MS), rows[i].code, "%s", file_tail(pay.err));
    }
}

Test(pay_wait_batch, many_refused_rows_are_shown_up_to_a_limit)
{
    char text[1024] = "src,dest,amount\n";

    for (int i = 0; i < 25; i++) {
        strcat(text, "a,b,2\n");
    }
    file_write(file, text);
    struct process pay = start_batch(NULL, "--wait", "--json");
    answer_by_amount(25);
    cr_expect_eq(process_wait(&pay, END_MS), 1);
    cr_expect_eq(file_count(pay.err, "rejected b:"), 20);
    cr_expect(file_has(pay.err, "and 5 more rows that were not applied\n"), "%s",
              file_tail(pay.err));
    cr_expect(file_has(pay.out, "\"decided\":{\"applied\":0,\"rejected\":25,\"conflict\":0,"
                                "\"quarantined\":0,\"unknown\":0}}\n"),
              "%s", file_tail(pay.out));
}

Test(pay_wait_batch, a_stop_ends_the_waiting_and_names_what_is_open)
{
    struct process pay = scene_start_pay(
        &scene, NULL,
        (const char *const[]){"batch", "--batch-id", "b", scene.sample, "--wait=86400", NULL});

    /* All arrived, one is answered: now it waits. */
    for (int i = 0; i < 1000; i++) {
        struct arrival arrival = answerer_next(answerer);
        if (i == 999) {
            answerer_answer(answerer, &arrival, OUTCOME_REJECTED, REASON_SAME_ACCOUNT);
        }
    }
    cr_assert(file_comes_to_have(pay.err, "rejected b:", END_MS));
    process_signal(&pay, SIGTERM);
    cr_expect_eq(process_wait(&pay, END_MS), 75);
    cr_expect_eq(file_count(pay.err, "unknown b:"), 20);
    cr_expect(file_has(pay.err, "and 979 more rows that have no outcome\n"), "%s",
              file_tail(pay.err));
    cr_expect(file_has(pay.out, "0 applied, 1 rejected, 0 conflict, 0 quarantined, 999 unknown"),
              "%s", file_tail(pay.out));
}

Test(pay_wait_batch, a_missing_outcomes_topic_is_told_before_anything_is_published)
{
    file_write(file, ROWS);
    struct process pay = start_batch(NULL, "--wait", "--outcomes=nowhere");

    cr_expect_eq(process_wait(&pay, END_MS), 69);
    cr_expect(file_has(pay.err, "no topic \"nowhere\""), "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "nothing was published"), "%s", file_tail(pay.err));
    cr_expect_eq(answerer_count(answerer), 0);
}
