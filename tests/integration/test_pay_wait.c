/*
 * pay send --wait: it exits by the outcome of its own key and payload, whenever that comes, and
 * never by another's. The test plays payd.
 */
#include "tests/lib/answerer.h"

#include <criterion/criterion.h>
#include <signal.h>
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

TestSuite(pay_wait, .init = open_scene, .fini = close_scene);

#define END_MS 60000

static struct process start_send(const char *env, const char *key, const char *wait)
{
    return scene_start_pay(
        &scene, env,
        (const char *const[]){"send", "ann", "bob", "12.34", "--key", key, wait, NULL});
}

static struct command first_payment(int64_t amount_minor)
{
    struct command first = {
        .type = COMMAND_PAYMENT,
        .payment = {.src = "ann", .dest = "bob", .amount_minor = amount_minor, .currency = "EUR"}};
    return first;
}

Test(pay_wait, each_outcome_has_its_exit_code_and_its_line)
{
    static const struct {
        const char *key;
        enum outcome verdict;
        enum reason reason; /* of the decision, whether it is this arrival's or the first's */
        enum outcome first; /* of a repeat */
        int64_t first_minor;
        int code;
        const char *line;
    } rows[] = {
        {"k-applied", OUTCOME_APPLIED, REASON_NONE, 0, 0, 0, "\napplied k-applied\n"},
        {"k-poor", OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS, 0, 0, 1,
         "\nrejected k-poor: insufficient_funds\n"},
        {"k-again", OUTCOME_DUPLICATE, REASON_NONE, OUTCOME_APPLIED, 1234, 0,
         "\napplied k-again (duplicate of payments["},
        {"k-burnt", OUTCOME_DUPLICATE, REASON_CANCELLED, OUTCOME_REJECTED, 1234, 1,
         "\nrejected k-burnt: cancelled (duplicate of payments["},
        {"k-other", OUTCOME_CONFLICT, REASON_NONE, OUTCOME_APPLIED, 1200, 2,
         "\nconflict k-other: amount differs from the first payload (ann -> bob 12.00 EUR, "
         "applied"},
        {"k-poison", OUTCOME_QUARANTINED, REASON_NONE, 0, 0, 3,
         "\nquarantined k-poison: unknown_type\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct process pay = start_send(NULL, rows[i].key, "--wait");
        struct arrival arrival = answerer_next(answerer);
        struct outcome_record record = answerer_record(&arrival, rows[i].verdict, rows[i].reason);
        if (rows[i].first != OUTCOME_NONE) {
            struct command first = first_payment(rows[i].first_minor);
            record =
                answerer_repeat(&arrival, rows[i].verdict, &first, rows[i].first, rows[i].reason);
        }
        cr_expect_str_eq(arrival.command.payment.key, rows[i].key);
        answerer_send(answerer, &record);
        cr_expect_eq(process_wait(&pay, END_MS), rows[i].code, "%s", rows[i].key);
        cr_expect(file_has(pay.out, "acknowledged ann -> bob 12.34 EUR key=k-"), "%s", rows[i].key);
        cr_expect(file_has(pay.out, rows[i].line), "%s: %s", rows[i].key, file_tail(pay.out));
    }
}

Test(pay_wait, an_outcome_that_comes_before_it_looks_is_not_missed)
{
    struct process pay = start_send("PAY_FAILPOINT=before-delivery-report=stop", "k", "--wait");

    cr_assert(file_comes_to_have(pay.err, "failpoint before-delivery-report stop", END_MS));
    struct arrival arrival = answerer_next(answerer);
    answerer_answer(answerer, &arrival, OUTCOME_REJECTED, REASON_ACCOUNT_CLOSED);
    process_continue(&pay);
    cr_expect_eq(process_wait(&pay, END_MS), 1);
    cr_expect(file_has(pay.out, "rejected k: account_closed"));
}

Test(pay_wait, what_is_not_the_answer_to_this_key_and_payload_is_ignored)
{
    struct process pay = start_send(NULL, "k", "--wait");
    struct arrival arrival = answerer_next(answerer);
    struct arrival foreign = arrival;
    struct outcome_record record;

    scene_produce_to(&scene, ANSWERER_OUTCOMES, "k", "hello", 5);
    scene_produce_to(&scene, ANSWERER_OUTCOMES, "k", NULL, 0);
    foreign.command.payment.amount_minor++;
    answerer_answer(answerer, &foreign, OUTCOME_APPLIED, REASON_NONE);
    foreign = arrival;
    strcpy(foreign.command.payment.key, "l");
    answerer_answer(answerer, &foreign, OUTCOME_APPLIED, REASON_NONE);
    record = answerer_record(&arrival, OUTCOME_APPLIED, REASON_NONE);
    record.digest[0] ^= 1;
    answerer_send(answerer, &record);
    answerer_answer(answerer, &arrival, OUTCOME_REJECTED, REASON_SAME_ACCOUNT);
    cr_expect_eq(process_wait(&pay, END_MS), 1, "%s", file_tail(pay.out));
}

/* More than the embedded broker keeps of a partition. */
static void flood_partition_of(const char *key)
{
    static char junk[900000];

    memset(junk, 'x', sizeof(junk));
    for (int i = 0; i < 10; i++) {
        scene_produce_to(&scene, ANSWERER_OUTCOMES, key, junk, sizeof(junk));
    }
}

Test(pay_wait, an_outcome_is_found_behind_records_that_were_deleted_unread)
{
    struct process pay = start_send(NULL, "k", "--wait");
    struct arrival arrival = answerer_next(answerer);

    cr_assert(file_comes_to_have(pay.out, "acknowledged", END_MS));
    process_signal(&pay, SIGSTOP);
    flood_partition_of("k");
    answerer_answer(answerer, &arrival, OUTCOME_APPLIED, REASON_NONE);
    process_continue(&pay);
    cr_expect_eq(process_wait(&pay, END_MS), 0, "%s", file_tail(pay.err));
}

Test(pay_wait, without_an_outcome_in_time_the_payment_is_unknown)
{
    struct process pay = start_send(NULL, "k", "--wait=1");

    cr_expect_eq(process_wait(&pay, END_MS), 75);
    cr_expect(file_has(pay.out, "acknowledged ann -> bob 12.34 EUR key=k"));
    cr_expect(file_has(pay.err, "unknown k: no outcome came in time"), "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "--wait=1 --key k -- ann bob 12.34 EUR"), "%s", file_tail(pay.err));
}

Test(pay_wait, a_stop_ends_the_waiting_at_once)
{
    struct process pay = start_send(NULL, "k", "--wait=86400");

    cr_assert(file_comes_to_have(pay.out, "acknowledged", END_MS));
    process_signal(&pay, SIGTERM);
    cr_expect_eq(process_wait(&pay, END_MS), 75);
    cr_expect(file_has(pay.err, "unknown k: stopped before its outcome came"), "%s",
              file_tail(pay.err));
}

Test(pay_wait, a_missing_outcomes_topic_is_told_before_anything_is_published)
{
    struct process pay =
        scene_start_pay(&scene, NULL,
                        (const char *const[]){"send", "ann", "bob", "1", "--key", "k", "--wait",
                                              "--outcomes", "nowhere", NULL});

    cr_expect_eq(process_wait(&pay, END_MS), 69);
    cr_expect(file_has(pay.err, "no topic \"nowhere\""), "%s", file_tail(pay.err));
    cr_expect(file_has(pay.err, "--outcomes names another"), "%s", file_tail(pay.err));
    cr_expect_eq(answerer_count(answerer), 0);
}

Test(pay_wait, json_carries_the_outcome)
{
    struct process pay =
        scene_start_pay(&scene, NULL,
                        (const char *const[]){"send", "ann", "bob", "12.34", "--key", "k", "--wait",
                                              "--json", NULL});
    struct arrival arrival = answerer_next(answerer);

    answerer_answer(answerer, &arrival, OUTCOME_REJECTED, REASON_UNKNOWN_ACCOUNT);
    cr_expect_eq(process_wait(&pay, END_MS), 1);
    cr_expect(file_has(pay.out, "\"delivery\":\"acknowledged\",\"reason\":\"unknown_account\","
                                "\"outcome\":\"rejected\",\"verdict\":\"rejected\""),
              "%s", file_tail(pay.out));
    cr_expect_eq(file_count(pay.out, "\n"), 1, "one object on one line");
}
