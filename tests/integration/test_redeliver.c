/*
 * The redelivery kit against payd: whatever is sent a second time, and wherever the group's offsets
 * stand, each payment is paid once.
 */
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MS 60000

static struct scene scene;
static struct process kit;

/* The sample of 1,000 payments is in the topic. */
static void open_scene(void)
{
    struct process process;

    scene_open_embedded(&scene);
    cr_assert_eq(
        scene_pay(&scene, NULL, &process,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        0);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(redeliver, .init = open_scene, .fini = close_scene);

/* The kit on the scene's topic; returns its exit code. */
static int redeliver(const char *const *more)
{
    const char *args[PROCESS_ARGS_MAX] = {
        PAY_BIN_DIR "/pay-redeliver", "-b",     scene.brokers, "-t", scene.topic,
        "--skip-topic-check",         "--seed", "42"};
    int count = 8;

    while (*more) {
        args[count++] = *more++;
    }
    return process_run(scene.dir, NULL, &kit, args);
}

/* A number that the kit printed; -1 when it did not. */
static long printed(const char *name)
{
    char wanted[64];
    char *text = file_text(kit.out);

    snprintf(wanted, sizeof(wanted), " %s=", name);
    const char *at = strstr(text, wanted);
    long number = at ? strtol(at + strlen(wanted), NULL, 10) : -1;
    free(text);
    return number;
}

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* What payd stats counts. */
static int64_t counted(const char *name)
{
    char wanted[64];
    struct process payd;

    cr_assert_eq(process_run(scene.dir, NULL, &payd,
                             (const char *const[]){PAY_BIN_DIR "/payd_failpoints", "stats",
                                                   "--json", "--db", scene.db, NULL}),
                 0);
    char *text = file_text(payd.out);
    snprintf(wanted, sizeof(wanted), "\"%s\":", name);
    const char *at = strstr(text, wanted);
    cr_assert(at, "no %s in %s", name, text);
    int64_t number = strtoll(at + strlen(wanted), NULL, 10);
    free(text);
    return number;
}

/* The thousand payments stand as they were, and nothing else moved. */
static void check_paid_once(void)
{
    cr_expect_eq(counted("applied"), 1000);
    cr_expect_eq(scene_int(&scene, "SELECT sum(amount_minor) FROM payments"), 100000);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM postings"), 2000);
    cr_expect_eq(counted("quarantined"), 0);
    scene_check_books(&scene);
}

#define BALANCES "SELECT group_concat(account || balance_minor) FROM balances"

Test(redeliver, everything_sent_twice_more_is_paid_once)
{
    for (int i = 1; i <= 2; i++) {
        cr_assert_eq(
            redeliver((const char *const[]){"--share", "100", "--yes-this-is-a-test", NULL}), 0,
            "%s", file_tail(kit.err));
        /* The second time, what the first has sent is sent again too. */
        cr_expect_eq(printed("records"), 1000 * i);
        cr_expect_eq(printed("sent"), 1000 * i);
        cr_expect_eq(printed("acknowledged"), 1000 * i);
    }
    drain();
    check_paid_once();
    cr_expect_eq(counted("duplicate"), 3000);
    cr_expect_eq(counted("conflict"), 0);
    outcomes_check(&scene);
}

Test(redeliver, a_running_payd_pays_nothing_twice)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    cr_assert_eq(redeliver((const char *const[]){"--share", "30", "--rate", "500",
                                                 "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    long sent = printed("sent");
    cr_expect(sent > 240 && sent < 360, "%ld of 1000 are not a share of 30 %%", sent);
    cr_expect(
        scene_comes_to(&scene, "SELECT sum(next_offset) FROM positions", 1000 + sent, JOIN_MS));
    process_kill(&payd);
    check_paid_once();
    cr_expect_eq(counted("duplicate"), sent);
}

Test(redeliver, another_amount_is_a_conflict_and_moves_nothing)
{
    char before[1024];

    drain();
    snprintf(before, sizeof(before), "%s", scene_text(&scene, BALANCES));
    cr_assert_eq(redeliver((const char *const[]){"--share", "100", "--other-payload", "40",
                                                 "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    long other = printed("other_payload");
    cr_expect(other > 320 && other < 480, "%ld of 1000 are not a share of 40 %%", other);
    cr_expect_eq(printed("no_payment"), 0);
    drain();
    check_paid_once();
    cr_expect_eq(counted("conflict"), other);
    cr_expect_eq(counted("duplicate"), 1000 - other);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts WHERE fields = 'amount'"),
                 other);
    cr_expect_str_eq(scene_text(&scene, BALANCES), before);
    outcomes_check(&scene);
}

Test(redeliver, headers_go_along_and_records_that_are_no_payments_stay_as_they_are)
{
    struct outcomes outcomes;

    scene_produce_with_headers(&scene, "traced", "{\"v\":1,\"type\":\"cancel\"}",
                               (const char *const[]){"traceparent", "00-ab-cd-01", NULL});
    scene_produce_bytes(&scene, NULL, "x", 1);
    cr_assert_eq(redeliver((const char *const[]){"--share", "100", "--other-payload", "100",
                                                 "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    cr_expect_eq(printed("chosen"), 1002);
    cr_expect_eq(printed("without_key"), 1);
    cr_expect_eq(printed("other_payload"), 1000);
    cr_expect_eq(printed("no_payment"), 1);
    drain();
    outcomes = outcomes_read(&scene);
    cr_expect_eq(outcomes_of(&outcomes, "traced"), 2);
    const struct outcome_message *last = outcomes_last(&outcomes, "traced");
    cr_assert(last);
    cr_expect_eq(last->record.verdict, OUTCOME_DUPLICATE);
    cr_expect_str_eq(last->traceparent, "00-ab-cd-01");
    outcomes_release(&outcomes);
}

Test(redeliver, a_dry_run_says_what_a_real_one_does_and_sends_nothing)
{
    cr_assert_eq(redeliver((const char *const[]){"--share", "50", "--other-payload", "50",
                                                 "--dry-run", NULL}),
                 0, "%s", file_tail(kit.err));
    long would = printed("would_send");
    long other = printed("other_payload");
    cr_assert_eq(redeliver((const char *const[]){"--share", "50", "--other-payload", "50",
                                                 "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    cr_expect_eq(printed("records"), 1000, "the dry run has sent something");
    cr_expect_eq(printed("sent"), would);
    cr_expect_eq(printed("other_payload"), other);
    cr_assert_eq(redeliver((const char *const[]){"--share", "100", "--limit", "7",
                                                 "--yes-this-is-a-test", NULL}),
                 0);
    cr_expect_eq(printed("sent"), 7);
}

Test(redeliver, offsets_that_were_moved_back_do_not_move_payd)
{
    char before[1024];

    drain();
    snprintf(before, sizeof(before), "%s",
             scene_text(&scene, "SELECT group_concat(next_offset) FROM positions"));
    cr_assert_eq(redeliver((const char *const[]){"--rewind", "100%", "-g", "test",
                                                 "--yes-this-is-a-test", NULL}),
                 0, "%s", file_tail(kit.err));
    cr_expect(file_has(kit.out, "moved back by 1000 records in 4 partitions"), "%s",
              file_tail(kit.out));
    cr_assert_eq(redeliver((const char *const[]){"--rewind", "1", "-g", "test", "--dry-run", NULL}),
                 0);
    cr_expect(file_has(kit.out, "partition 0: 0 -> 0"), "%s", file_tail(kit.out));
    drain();
    check_paid_once();
    cr_expect_eq(counted("duplicate"), 0);
    cr_expect_eq(counted("redelivered"), 0);
    cr_expect_str_eq(scene_text(&scene, "SELECT group_concat(next_offset) FROM positions"), before);
}

Test(redeliver, offsets_of_a_group_with_members_are_not_moved)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    cr_expect_eq(redeliver((const char *const[]){"--rewind", "10", "-g", "test",
                                                 "--yes-this-is-a-test", NULL}),
                 78);
    cr_expect(file_has(kit.err, "is not empty"), "%s", file_tail(kit.err));
    process_kill(&payd);
}

Test(redeliver, nothing_is_done_without_the_word_that_it_is_a_test)
{
    cr_expect_eq(redeliver((const char *const[]){"--share", "100", NULL}), 64);
    cr_expect(file_has(kit.err, "--yes-this-is-a-test"), "%s", file_tail(kit.err));
    cr_expect_eq(redeliver((const char *const[]){"--share", "0", "--dry-run", NULL}), 64);
    cr_expect_eq(redeliver((const char *const[]){"--rewind", "5", "--dry-run", NULL}), 64);
    cr_expect_eq(redeliver((const char *const[]){"-t", "nowhere", "--dry-run", NULL}), 69);
    cr_expect_eq(
        redeliver((const char *const[]){"--rewind", "5", "-g", "nobody", "--dry-run", NULL}), 65);
    cr_expect_eq(redeliver((const char *const[]){"--share", "100", "--dry-run", NULL}), 0);
    cr_expect_eq(printed("records"), 1000);
}
