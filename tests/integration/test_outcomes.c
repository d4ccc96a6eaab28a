/*
 * Every message with a key gets its outcome in the outcomes topic: whatever it says, whenever payd
 * is killed, and never a wrong one.
 */
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MS 60000

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(outcomes, .init = open_scene, .fini = close_scene);

static void send_sample(void)
{
    struct process pay;

    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        0);
}

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

#define PAYMENT(amount)                                                                            \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"" amount "\"}"

Test(outcomes, answer_each_message_with_its_own_verdict_and_the_first_decision)
{
    scene_produce(&scene, "k1", PAYMENT("500"));
    scene_produce(&scene, "k1", PAYMENT("500"));
    scene_produce(&scene, "k1", PAYMENT("501"));
    scene_produce(&scene, "k2", "{\"v\":1,\"type\":\"cancel\"}");
    scene_produce(&scene, "k2", PAYMENT("7"));
    scene_produce(&scene, "k3", "{");
    scene_produce(&scene, NULL, "{"); /* nobody can be answered */
    scene_produce(&scene, "k4", "{\"v\":2,\"type\":\"payment\"}");
    drain();
    outcomes_check(&scene);

    struct outcomes outcomes = outcomes_read(&scene);
    cr_expect_eq(outcomes.count, 7);
    cr_expect_eq(outcomes_of(&outcomes, "k1"), 3);
    const struct outcome_message *last = outcomes_last(&outcomes, "k1");
    cr_assert(last);
    cr_expect_str_eq(last->outcome, "conflict");
    cr_expect_eq(last->record.fields, PAYMENT_AMOUNT);
    cr_expect_eq(last->record.first.command.payment.amount_minor, 500);
    cr_expect_neq(memcmp(last->record.digest, last->record.first.digest, DIGEST_SHORT_SIZE), 0,
                  "the digest is of what came, not of what was decided");
    last = outcomes_last(&outcomes, "k2");
    cr_assert(last);
    cr_expect_str_eq(last->outcome, "rejected");
    cr_expect_eq(last->record.verdict, OUTCOME_DUPLICATE);
    cr_expect_str_eq(outcome_answer_reason(&last->record), "cancelled");
    last = outcomes_last(&outcomes, "k3");
    cr_assert(last);
    cr_expect_str_eq(last->outcome, "quarantined");
    cr_expect_str_eq(last->record.reason, "bad_json");
    cr_expect_str_eq(last->digest, "021fb596db81e6d02bf3d2586ee3981f", "SHA-256 of the value");
    last = outcomes_last(&outcomes, "k4");
    cr_assert(last);
    cr_expect_str_eq(last->record.reason, "unknown_version");
    outcomes_release(&outcomes);
}

Test(outcomes, survive_a_kill_at_each_step)
{
    static const char *const places[] = {
        "outbox-read=kill",         "outbox-read=kill@3",
        "outbox-sent=kill",         "outbox-sent=kill@500",
        "outbox-acknowledged=kill", "outbox-acknowledged=kill@700",
        "outbox-saved=kill",        "before-store-commit=kill",
        "after-store-commit=kill",  "outbox-acknowledged=kill@200"};
    struct process payd;
    char env[96];

    send_sample();
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char key[32];
        snprintf(key, sizeof(key), "between-%zu", i); /* so that each life has something to do */
        scene_produce(&scene, key, PAYMENT("5"));
        send_sample();
        snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", places[i]);
        payd = scene_start_payd(&scene, env, (const char *const[]){"--until-end", NULL});
        cr_expect_eq(process_wait(&payd, JOIN_MS), PROCESS_KILLED, "%s: %s", places[i],
                     file_tail(payd.err));
        cr_expect(file_has(payd.err, "failpoint "), "%s was not hit", places[i]);
    }
    drain();
    outcomes_check(&scene);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1010);
    scene_check_books(&scene);
}

/* Payments enough for chunks that say that more wait, and beyond what may wait in this build. */
#define MANY_ROWS 12000

static void send_many(void)
{
    char path[PROCESS_PATH_MAX + 16];
    struct process pay;

    snprintf(path, sizeof(path), "%s/many.csv", scene.dir);
    FILE *file = fopen(path, "we");
    cr_assert(file);
    fputs("src,dest,amount\n", file);
    for (int i = 0; i < MANY_ROWS; i++) {
        fprintf(file, "ann,bob,0.%02d\n", i % 99 + 1);
    }
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", "many", path, NULL}),
                 0, "%s", file_tail(pay.err));
}

Test(outcomes, that_waited_while_payd_caught_up_are_all_published)
{
    send_many();
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), MANY_ROWS);
    struct outcomes outcomes = outcomes_read(&scene);
    cr_expect_eq(outcomes.count, MANY_ROWS);
    outcomes_release(&outcomes);
}

Test(outcomes, are_trimmed_once_they_are_published)
{
    for (int i = 0; i < 21; i++) {
        scene_produce(&scene, "again", PAYMENT("5"));
    }
    drain();
    outcomes_check_count(&scene, "again", 21);
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 21);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM repeats"), 16, "the others are counted");
    cr_expect_eq(scene_int(&scene, "SELECT count FROM repeat_counts"), 20);
    drain();
    outcomes_check_count(&scene, "again", 21);
    scene_produce(&scene, "again", PAYMENT("5"));
    drain();
    outcomes_check_count(&scene, "again", 22);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM repeats"), 16);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM repeat_counts"), 21);
}

Test(outcomes, that_are_too_large_are_skipped_loudly_and_the_others_are_published)
{
    char value[1024];
    char account[129];
    struct process payd;

    memset(account, 'a', 128);
    account[128] = '\0';
    for (int i = 0; i < 30; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        snprintf(value, sizeof(value),
                 "{\"v\":1,\"type\":\"payment\",\"src\":\"%s\",\"dest\":\"bob\",\"amount\":\"5\","
                 "\"batch\":{\"id\":\"%s%s\",\"rows\":1,\"digest\":\"%064d\"}}",
                 i % 10 == 3 ? account : "ann", i % 10 == 3 ? account : "b",
                 i % 10 == 3 ? "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" : "", 0);
        scene_produce(&scene, key, value);
    }
    payd = scene_start_payd(
        &scene, NULL, (const char *const[]){"--until-end", "-X", "message.max.bytes=1000", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0, "%s", file_tail(payd.err));
    cr_expect_eq(file_count(payd.err, "event=outcome_skipped"), 3, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM outcomes_skipped"), 3);
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 30);
    struct outcomes outcomes = outcomes_read(&scene);
    cr_expect_eq(outcomes.count, 27);
    cr_expect_null(outcomes_last(&outcomes, "key-13"));
    cr_expect_not_null(outcomes_last(&outcomes, "key-14"));
    outcomes_release(&outcomes);
}

Test(outcomes, carry_the_trace_of_the_message_and_no_other_header)
{
    static const char trace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    char longest[513];
    char too_long[514];

    memset(longest, 's', 512);
    longest[512] = '\0';
    memset(too_long, 't', 513);
    too_long[513] = '\0';
    scene_produce_with_headers(&scene, "k1", PAYMENT("1"),
                               (const char *const[]){"traceparent", trace, "tracestate", longest,
                                                     "password", "secret", NULL});
    scene_produce_with_headers(&scene, "k2", PAYMENT("1"),
                               (const char *const[]){"tracestate", too_long, NULL});
    drain();
    struct outcomes outcomes = outcomes_read(&scene);
    const struct outcome_message *first = outcomes_last(&outcomes, "k1");
    const struct outcome_message *second = outcomes_last(&outcomes, "k2");
    cr_assert(first && second);
    cr_expect_str_eq(first->traceparent, trace);
    cr_expect_str_eq(first->tracestate, longest);
    cr_expect_eq(first->header_count, 4, "outcome, digest, and the two");
    cr_expect_str_eq(second->tracestate, "");
    cr_expect_eq(second->header_count, 2);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM traces"), 0, "kept until published");
    outcomes_release(&outcomes);
}

Test(outcomes, wait_for_their_topic_and_until_end_does_not)
{
    struct process payd;

    send_sample();
    payd = scene_start_payd(&scene, NULL, (const char *const[]){"--outcomes", "misspelt", NULL});
    cr_expect(file_comes_to_have(payd.err, "there is no topic \\\"misspelt\\\"", JOIN_MS), "%s",
              file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=waiting"));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0);
    payd = scene_start_payd(&scene, NULL,
                            (const char *const[]){"--outcomes", "misspelt", "--until-end", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 69, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 0, "nothing was read");
}

Test(outcomes, need_one_partition_for_strict_accounts)
{
    struct process payd;

    payd = scene_start_payd(&scene, NULL,
                            (const char *const[]){"--accounts", "strict", "--until-end", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 78, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "has more than one partition"), "%s", file_tail(payd.err));

    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    snprintf(scene.db, sizeof(scene.db), "%.480s/strict.db", scene.dir);
    scene_produce(&scene, "k1", PAYMENT("5"));
    payd = scene_start_payd(
        &scene, NULL,
        (const char *const[]){"--accounts", "strict", "--until-end", "--take-group", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0, "%s", file_tail(payd.err));
    cr_expect_str_eq(scene_text(&scene, "SELECT reason FROM payments"), "unknown_account");
    payd = scene_start_payd(&scene, NULL,
                            (const char *const[]){"--accounts", "open", "--until-end", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 78, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "pay account mode open"), "%s", file_tail(payd.err));
}
