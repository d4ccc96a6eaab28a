/*
 * pay account and pay cancel: their commands arrive as the ledger reads them, and their exit codes
 * tell what became of them. The test plays payd.
 */
#include "tests/lib/answerer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scene scene;
static struct answerer *answerer;

static void open_scene(void)
{
    scene_open_embedded(&scene);
    answerer = answerer_open(&scene);
}

static void close_scene(void)
{
    answerer_close(answerer);
    scene_close(&scene);
}

TestSuite(pay_account, .init = open_scene, .fini = close_scene);

#define END_MS   60000
#define ARGS_MAX 12

static struct command payment(void)
{
    struct command command = {
        .type = COMMAND_PAYMENT,
        .payment = {.src = "ann", .dest = "bob", .amount_minor = 1234, .currency = "EUR"}};
    return command;
}

Test(pay_account, each_command_arrives_and_its_outcome_is_the_exit_code)
{
    static const struct {
        const char *args[ARGS_MAX];
        const char *value;
        enum outcome verdict;
        enum reason reason;
        int code;
        const char *line;
    } rows[] = {
        {{"account", "open", "ann", "--min-balance", "-50.00"},
         "{\"v\":1,\"type\":\"account_open\",\"account\":\"ann\",\"currency\":\"EUR\","
         "\"min_balance\":\"-5000\"}",
         OUTCOME_APPLIED,
         REASON_NONE,
         0,
         "acknowledged open account ann in EUR, lowest balance -50.00 key=account-open:ann\n"
         "applied account-open:ann\n"},
        {{"account", "limit", "ann", "--min-balance=0", "--key", "k1"},
         "{\"v\":1,\"type\":\"account_limit\",\"account\":\"ann\",\"currency\":\"EUR\","
         "\"min_balance\":\"0\"}",
         OUTCOME_REJECTED,
         REASON_NEEDS_ONE_PARTITION,
         1,
         "rejected k1: needs_one_partition (limits"},
        {{"account", "close", "ann", "--key", "k2"},
         "{\"v\":1,\"type\":\"account_close\",\"account\":\"ann\"}",
         OUTCOME_REJECTED,
         REASON_BALANCE_NOT_ZERO,
         1,
         "rejected k2: balance_not_zero\n"},
        {{"account", "mode", "strict", "--key", "k3"},
         "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}",
         OUTCOME_APPLIED,
         REASON_NONE,
         0,
         "applied k3\n"},
        {{"cancel", "k4"},
         "{\"v\":1,\"type\":\"cancel\"}",
         OUTCOME_REJECTED,
         REASON_CANCELLED,
         0,
         "cancelled k4: it will not be paid\n"},
        {{"cancel", "k5"},
         "{\"v\":1,\"type\":\"cancel\"}",
         OUTCOME_QUARANTINED,
         REASON_NONE,
         3,
         "quarantined k5: unknown_type\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct process pay = scene_start_pay(&scene, NULL, rows[i].args);
        struct arrival arrival = answerer_next(answerer);
        cr_expect_eq(arrival.value_len, strlen(rows[i].value), "row %zu", i);
        cr_expect_arr_eq(arrival.value, rows[i].value, arrival.value_len, "row %zu: %.*s", i,
                         (int)arrival.value_len, arrival.value);
        answerer_answer(answerer, &arrival, rows[i].verdict, rows[i].reason);
        cr_expect_eq(process_wait(&pay, END_MS), rows[i].code, "row %zu", i);
        cr_expect(file_has(pay.out, rows[i].line), "row %zu: %s", i, file_tail(pay.out));
    }
}

Test(pay_account, an_open_that_is_sent_again_is_answered_as_the_first_time)
{
    struct process pay;

    for (int round = 0; round < 2; round++) {
        pay = scene_start_pay(&scene, NULL, (const char *const[]){"account", "open", "ann", NULL});
        struct arrival arrival = answerer_next(answerer);
        struct outcome_record record = answerer_record(&arrival, OUTCOME_APPLIED, REASON_NONE);
        if (round == 1) {
            record = answerer_repeat(&arrival, OUTCOME_DUPLICATE, &arrival.command, OUTCOME_APPLIED,
                                     REASON_NONE);
        }
        cr_expect_str_eq(arrival.command.payment.key, "account-open:ann");
        answerer_send(answerer, &record);
        cr_expect_eq(process_wait(&pay, END_MS), 0);
    }
    cr_expect(file_has(pay.out, "applied account-open:ann (duplicate of payments["), "%s",
              file_tail(pay.out));
}

Test(pay_account, a_drawn_key_is_printed_before_it_is_used)
{
    struct process pay =
        scene_start_pay(&scene, NULL, (const char *const[]){"account", "close", "ann", NULL});
    struct arrival arrival = answerer_next(answerer);
    char *text = file_text(pay.out);
    size_t len = strlen(arrival.command.payment.key);

    cr_expect_eq(len, 36);
    cr_expect_eq(strncmp(text, arrival.command.payment.key, len), 0, "%s", text);
    free(text);
    answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
    cr_expect_eq(process_wait(&pay, END_MS), 0);
}

Test(pay_account, a_cancel_tells_what_was_decided_before_it)
{
    static const struct {
        const char *key;
        enum outcome first;
        enum reason reason;
        int code;
        const char *line;
    } rows[] = {
        {"k1", OUTCOME_APPLIED, REASON_NONE, 1,
         "too late: k1 was applied (ann -> bob 12.34 EUR; payments["},
        {"k2", OUTCOME_REJECTED, REASON_SAME_ACCOUNT, 0,
         "k2 was rejected before: same_account; it will not be paid\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct process pay =
            scene_start_pay(&scene, NULL, (const char *const[]){"cancel", rows[i].key, NULL});
        struct arrival arrival = answerer_next(answerer);
        struct command first = payment();
        struct outcome_record record =
            answerer_repeat(&arrival, OUTCOME_DUPLICATE, &first, rows[i].first, rows[i].reason);
        answerer_send(answerer, &record);
        cr_expect_eq(process_wait(&pay, END_MS), rows[i].code, "row %zu", i);
        cr_expect(file_has(pay.out, rows[i].line), "row %zu: %s", i, file_tail(pay.out));
    }
}

Test(pay_account, a_cancel_lands_where_the_payment_lands)
{
    char key[16];

    for (int i = 0; i < 8; i++) {
        struct process pay;
        snprintf(key, sizeof(key), "key-%d", i);
        cr_assert_eq(
            scene_pay(&scene, NULL, &pay,
                      (const char *const[]){"send", "ann", "bob", "1", "--key", key, NULL}),
            0);
        struct arrival sent = answerer_next(answerer);
        cr_assert_eq(
            scene_pay(&scene, NULL, &pay, (const char *const[]){"cancel", key, "--no-wait", NULL}),
            0, "only the acknowledgement is waited for");
        struct arrival cancelled = answerer_next(answerer);
        cr_expect_eq(cancelled.origin.partition, sent.origin.partition, "%s", key);
    }
}

Test(pay_account, without_an_outcome_the_line_to_run_again_is_printed)
{
    struct process pay =
        scene_start_pay(&scene, NULL,
                        (const char *const[]){"account", "limit", "ann", "--min-balance", "none",
                                              "--wait=1", NULL});
    struct arrival arrival = answerer_next(answerer);
    char line[512];

    cr_expect_eq(process_wait(&pay, END_MS), 75);
    snprintf(line, sizeof(line), "--wait=1 --currency EUR --min-balance none --key %s -- ann\n",
             arrival.command.payment.key);
    cr_expect(file_has(pay.err, line), "%s", file_tail(pay.err));
}

Test(pay_account, json_names_the_command_and_its_outcome)
{
    struct process pay = scene_start_pay(
        &scene, NULL, (const char *const[]){"account", "close", "ann", "--json", NULL});
    struct arrival arrival = answerer_next(answerer);

    answerer_answer(answerer, &arrival, OUTCOME_REJECTED, REASON_UNKNOWN_ACCOUNT);
    cr_expect_eq(process_wait(&pay, END_MS), 1);
    cr_expect(file_has(pay.out, "\"type\":\"account_close\",\"account\":\"ann\","
                                "\"delivery\":\"acknowledged\",\"reason\":\"unknown_account\","
                                "\"outcome\":\"rejected\""),
              "%s", file_tail(pay.out));
    cr_expect(file_has(pay.err, arrival.command.payment.key), "the new key, beside the object");
}
