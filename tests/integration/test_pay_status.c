/*
 * pay status: what the outcomes topic holds of a key, and what it does not. The test plays payd.
 */
#include "tests/lib/answerer.h"

#include <criterion/criterion.h>
#include <stdio.h>
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

TestSuite(pay_status, .init = open_scene, .fini = close_scene);

static struct arrival arrival_of(const char *key, int64_t amount_minor)
{
    struct arrival arrival = {.origin = {.topic = "payments", .partition = 1, .offset = 5}};

    arrival.command = (struct command){
        .type = COMMAND_PAYMENT,
        .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = amount_minor}};
    strcpy(arrival.command.payment.key, key);
    return arrival;
}

static void answer(const char *key, int64_t amount_minor, enum outcome verdict, enum reason reason)
{
    struct arrival arrival = arrival_of(key, amount_minor);

    answerer_answer(answerer, &arrival, verdict, reason);
}

static int status(struct process *pay, const char *const *args)
{
    return scene_pay(&scene, NULL, pay, args);
}

Test(pay_status, nothing_is_known_of_a_key_in_an_empty_topic)
{
    struct process pay;

    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", NULL}), 4);
    cr_expect(file_has(pay.out, "k: unknown, may still be paid; resend with the same key\n"), "%s",
              file_tail(pay.out));
}

Test(pay_status, keys_of_all_partitions_are_found_among_others)
{
    const char *args[24] = {"status"};
    char keys[20][16];
    struct process pay;

    for (int i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        answer(key, 100 + i, OUTCOME_APPLIED, REASON_NONE);
    }
    for (int i = 0; i < 20; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key-%d", i * 10);
        args[i + 1] = keys[i];
    }
    cr_expect_eq(status(&pay, args), 0, "%s", file_tail(pay.err));
    cr_expect_eq(file_count(pay.out, ": applied (ann -> bob "), 20);
    cr_expect(file_has(pay.out, "key-190: applied (ann -> bob 2.90 EUR; payments[1]@5, decided "
                                "2026-11-25T12:00:00.000Z)\n"),
              "%s", file_tail(pay.out));

    args[20] = "key-nobody";
    cr_expect_eq(status(&pay, args), 4);
    cr_expect_eq(file_count(pay.out, ": applied (ann -> bob "), 19);
    cr_expect(file_has(pay.out, "key-nobody: unknown, may still be paid"));
}

Test(pay_status, the_worst_of_the_keys_is_the_exit_code)
{
    struct arrival arrival = arrival_of("k-batch", 100);
    struct outcome_record record =
        answerer_record(&arrival, OUTCOME_CONFLICT, REASON_BATCH_CHANGED);
    struct process pay;

    answerer_send(answerer, &record);
    answer("k-applied", 100, OUTCOME_APPLIED, REASON_NONE);
    answer("k-poor", 100, OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS);
    answer("k-poison", 100, OUTCOME_QUARANTINED, REASON_NONE);
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k-applied", "k-poor", NULL}), 1);
    cr_expect(file_has(pay.out, "k-poor: rejected: insufficient_funds (ann -> bob 1.00 EUR; "));
    cr_expect_eq(
        status(&pay, (const char *const[]){"status", "k-batch", "k-applied", "k-poor", NULL}), 2);
    cr_expect(file_has(pay.out, "conflict k-batch: batch_changed\n"), "%s", file_tail(pay.out));
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k-batch", "k-poison", NULL}), 3);
}

Test(pay_status, a_digest_asks_for_one_payload)
{
    struct arrival mine = arrival_of("k", 200);
    struct command first = arrival_of("k", 100).command;
    char hex[DIGEST_SHORT_HEX_SIZE];
    struct process pay;

    answer("k", 100, OUTCOME_APPLIED, REASON_NONE);
    struct outcome_record record =
        answerer_repeat(&mine, OUTCOME_CONFLICT, &first, OUTCOME_APPLIED, REASON_NONE);
    digest_hex(hex, record.digest, DIGEST_SHORT_SIZE);
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", "--digest", hex, NULL}), 4,
                 "another's payment is not mine");
    answerer_send(answerer, &record);
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", "--digest", hex, NULL}), 2);
    cr_expect(file_has(pay.out, "conflict k: amount differs from the first payload"), "%s",
              file_tail(pay.out));
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", NULL}), 0);
    cr_expect(file_has(pay.out, "repeats 0, conflicts 1, quarantined 0\n"), "%s",
              file_tail(pay.out));
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", "--digest", "xyz", NULL}), 64);
}

Test(pay_status, json_has_one_object_for_all_keys)
{
    struct process pay;

    answer("k", 100, OUTCOME_APPLIED, REASON_NONE);
    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", "l", "--json", NULL}), 4);
    cr_expect_eq(file_count(pay.out, "\n"), 1);
    cr_expect(file_has(pay.out, "{\"keys\":[{\"key\":\"k\",\"found\":true,\"outcome\":\"applied\""),
              "%s", file_tail(pay.out));
    cr_expect(file_has(pay.out, "{\"key\":\"l\",\"found\":false,\"outcome\":\"unknown\""), "%s",
              file_tail(pay.out));
}

Test(pay_status, a_missing_topic_is_told)
{
    struct process pay;

    cr_expect_eq(status(&pay, (const char *const[]){"status", "k", "--outcomes", "nowhere", NULL}),
                 69);
    cr_expect(file_has(pay.err, "no topic \"nowhere\""), "%s", file_tail(pay.err));
}
