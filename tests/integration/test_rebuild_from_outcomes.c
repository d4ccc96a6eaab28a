/*
 * payd replay --into with the decisions that the outcomes topic tells: they hold, whatever the
 * rules say now; what contradicts them leaves no ledger; and deciding anew lists what would change.
 *
 * The test plays the outcomes topic: it copies the true outcomes, doctored, to `payments.outcomes`.
 */
#include "common/digest.h"
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD    "payments.outcomes"
#define MANY    6000
#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define OTHER   "01234567-89ab-7def-8123-456789abcdef"

static struct scene scene;
static struct process process;
static struct outcomes told;
static char rebuilt[PROCESS_PATH_MAX + 8];

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* Ten payments of 1.00, a repeat, a conflict, and one that cannot be read; all are answered. */
static void open_scene(void)
{
    char key[16];

    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    snprintf(rebuilt, sizeof(rebuilt), "%s/new.db", scene.dir);
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        scene_produce(&scene, key, PAYMENT);
    }
    scene_produce(&scene, "k1", PAYMENT);
    scene_produce(&scene, "k2",
                  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\","
                  "\"amount\":\"777\"}");
    scene_produce(&scene, "bad", "garbage");
    drain();
    told = outcomes_read(&scene);
    cr_assert_eq(told.count, 13);
}

static void close_scene(void)
{
    outcomes_release(&told);
    scene_close(&scene);
}

TestSuite(rebuild_from_outcomes, .init = open_scene, .fini = close_scene, .timeout = 280);

/* The text with each `from` in it replaced; the caller frees it. */
static char *replace(const char *text, const char *from, const char *to)
{
    size_t size = 4 * strlen(text) + 1;
    char *result = calloc(1, size);

    cr_assert_not_null(result);
    for (const char *at = text; *at;) {
        size_t len = strlen(result);
        if (strncmp(at, from, strlen(from)) == 0) {
            snprintf(result + len, size - len, "%s", to);
            at += strlen(from);
        } else {
            result[len] = *at++;
        }
    }
    return result;
}

/* A key's outcomes to the topic that is told from, with a text in them replaced. */
static void tell(const char *key, const char *from, const char *to)
{
    for (size_t i = 0; i < told.count; i++) {
        const struct outcome_message *message = &told.messages[i];
        if (strcmp(message->record.key, key) == 0) {
            char *text = replace(message->text, from, to);
            scene_produce_to(&scene, TOLD, key, text, strlen(text));
            free(text);
        }
    }
}

/* All outcomes as they are, but those of two keys. */
static void tell_all_but_two(const char *key, const char *other)
{
    for (size_t i = 0; i < told.count; i++) {
        const struct outcome_message *message = &told.messages[i];
        if (strcmp(message->record.key, key) != 0 && strcmp(message->record.key, other) != 0) {
            scene_produce_to(&scene, TOLD, message->record.key, message->text,
                             strlen(message->text));
        }
    }
}

static void tell_all_but(const char *key)
{
    tell_all_but_two(key, key);
}

#define RUN(...) scene_payd(&scene, &process, (const char *const[]){__VA_ARGS__, NULL})

/* payd replay --into with more arguments. */
#define REBUILD(...)                                                                               \
    RUN("replay", "--into", rebuilt, "-b", scene.brokers, "-t", scene.topic, "--decisions",        \
        __VA_ARGS__)

static void expect_no_ledger(void)
{
    char path[sizeof(rebuilt) + 16];

    snprintf(path, sizeof(path), "%s.rebuilding", rebuilt);
    cr_expect_eq(access(rebuilt, F_OK), -1);
    cr_expect_eq(access(path, F_OK), -1);
}

static void expect_equal(void)
{
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("verify", "--db", rebuilt), 0, "%s", file_tail(process.out));
}

/* As a payd of other rules had decided k7: rejected. */
static void reject_k7(void)
{
    char *rejected = NULL;

    for (size_t i = 0; i < told.count; i++) {
        if (!rejected && strcmp(told.messages[i].record.key, "k7") == 0) {
            rejected = replace(told.messages[i].text, "\"applied\",\"reason\":null",
                               "\"rejected\",\"reason\":\"unknown_account\"");
        }
    }
    cr_assert_not_null(rejected);
    char *text = replace(rejected, "\"verdict\":\"applied\"", "\"verdict\":\"rejected\"");
    scene_produce_to(&scene, TOLD, "k7", text, strlen(text));
    free(text);
    free(rejected);
    scene_change(&scene, "UPDATE decisions SET outcome = 2, reason = 9 WHERE key = x'026B37';"
                         "UPDATE accounts SET balance_minor = balance_minor + 100"
                         " WHERE name = 'ann';"
                         "UPDATE accounts SET balance_minor = balance_minor - 100"
                         " WHERE name = 'bob'");
}

Test(rebuild_from_outcomes, the_outcomes_alone_give_the_ledger_again)
{
    cr_assert_eq(REBUILD("topic:"), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "\n13 records were read again, 1 were decided."); /* the quarantined one */
    expect_equal();
    cr_expect_eq(RUN("audit", "--db", rebuilt, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
    /* payd goes on with it; the group is told that it is another one. */
    cr_assert(file_copy(rebuilt, scene.db));
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--until-end", "--take-group", NULL});
    cr_expect_eq(process_wait(&payd, 60000), 0, "%s", file_tail(payd.err));
    scene_check_books(&scene);
}

Test(rebuild_from_outcomes, a_decision_that_was_told_holds_whatever_the_rules_say)
{
    tell_all_but("k7");
    tell_all_but("k7"); /* at least once */
    reject_k7();
    cr_assert_eq(REBUILD("topic:" TOLD, "--json"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"applied\":{\"records\":9,");
    expect_printed(&process, "\"rejected\":{\"records\":1,");
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
}

/* The accounts that they open, limit and close, and a mode that later refuses. */
Test(rebuild_from_outcomes, commands_about_accounts_hold_too)
{
    static const char *const rows[][2] = {
        {"a1", "{\"v\":1,\"type\":\"account_open\",\"account\":\"zoe\",\"currency\":\"EUR\","
               "\"min_balance\":\"-50\"}"},
        {"a2", "{\"v\":1,\"type\":\"account_limit\",\"account\":\"zoe\",\"currency\":\"EUR\","
               "\"min_balance\":\"-150\"}"},
        {"a3",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"zoe\",\"dest\":\"bob\",\"amount\":\"100\"}"},
        {"a4",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"zoe\",\"dest\":\"bob\",\"amount\":\"100\"}"},
        {"a5", "{\"v\":1,\"type\":\"account_open\",\"account\":\"yan\",\"currency\":\"JPY\","
               "\"min_balance\":null}"},
        {"a6", "{\"v\":1,\"type\":\"account_close\",\"account\":\"yan\"}"},
        {"a7", "{\"v\":1,\"type\":\"cancel\"}"},
        {"a7", PAYMENT},
        {"a8", "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}"},
        {"a9",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"new\",\"amount\":\"100\"}"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scene_produce(&scene, rows[i][0], rows[i][1]);
    }
    drain();
    cr_assert_eq(scene_int(&scene, "SELECT count(*) FROM decisions"), 19);
    cr_assert_eq(scene_int(&scene, "SELECT count(*) FROM quarantine"), 1);
    cr_assert_eq(REBUILD("topic:"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n23 records were read again, 1 were decided.");
    expect_equal();
    cr_expect_eq(RUN("stats", "--json", "--db", rebuilt), 0);
    expect_printed(&process, "\"mode\":\"strict\"");
}

Test(rebuild_from_outcomes, what_was_never_told_is_decided_by_the_rules)
{
    tell_all_but("k5");
    scene_produce_to(&scene, TOLD, "k5", "nonsense", 8);
    cr_assert_eq(REBUILD("topic:" TOLD), 0, "%s", file_tail(process.err));
    expect_printed(&process, "others[0]@5 k5: applied: ann -> bob 1.00 EUR\n");
    expect_printed(&process, "\n1 records of the outcomes topic are no outcomes.\n");
    expect_equal();
}

Test(rebuild_from_outcomes, of_several_ledgers_one_is_chosen)
{
    const char *own = told.messages[0].record.store;

    tell_all_but("k7");
    tell("k7", own, OTHER);
    cr_expect_eq(REBUILD("topic:" TOLD), 65);
    expect_said(&process, "choose with --store UUID: ");
    expect_said(&process, own);
    expect_said(&process, OTHER);
    expect_no_ledger();
    cr_expect_eq(REBUILD("topic:" TOLD, "--store", "01234567-89ab-7def-8123-456789abcde0"), 65);
    expect_said(&process, "has no outcomes of this ledger");
    cr_assert_eq(REBUILD("topic:" TOLD, "--store", OTHER), 0, "%s", file_tail(process.err));
    expect_printed(&process, " 10 were decided.");
    cr_assert_eq(remove(rebuilt), 0);
    cr_assert_eq(REBUILD("topic:" TOLD, "--store", own), 0, "%s", file_tail(process.err));
    expect_printed(&process, " 2 were decided.");
    cr_assert_eq(remove(rebuilt), 0);
    char both[96];
    snprintf(both, sizeof(both), "%s,%s", OTHER, own);
    cr_assert_eq(REBUILD("topic:" TOLD, "--store", both), 0, "%s", file_tail(process.err));
    expect_printed(&process, " 1 were decided.");
    expect_equal();
}

Test(rebuild_from_outcomes, a_key_that_is_told_in_two_ways_is_an_error_with_its_place)
{
    char place[64];
    int named = 0;

    tell_all_but("");
    reject_k7();
    cr_expect_eq(REBUILD("topic:" TOLD), 65);
    expect_said(&process, "key k7: its first decision is not the one that was told before");
    for (int partition = 0; partition < 4; partition++) {
        snprintf(place, sizeof(place), TOLD "[%d]@", partition);
        named += file_has(process.err, place);
    }
    cr_expect_eq(named, 1, "the place is not named: %s", file_tail(process.err));
    expect_no_ledger();
}

Test(rebuild_from_outcomes, a_command_that_is_not_of_its_digest_is_an_error)
{
    tell_all_but("k3");
    tell("k3", "\"amount\":\"100\"", "\"amount\":\"900\"");
    cr_expect_eq(REBUILD("topic:" TOLD), 65);
    expect_said(&process, "key k3: the first decision's command has another digest");
    expect_no_ledger();
}

Test(rebuild_from_outcomes, what_was_told_and_does_not_come_again_leaves_no_ledger)
{
    tell_all_but("");
    for (size_t i = 0; i < told.count; i++) {
        if (strcmp(told.messages[i].record.key, "k4") == 0) {
            char *text = replace(told.messages[i].text, "\"key\":\"k4\"", "\"key\":\"ghost\"");
            scene_produce_to(&scene, TOLD, "ghost", text, strlen(text));
            free(text);
        }
    }
    cr_expect_eq(REBUILD("topic:" TOLD), 70);
    expect_said(&process,
                "key ghost: was applied, is not decided (the log does not hold it any more)\n");
    expect_said(&process, "1 decisions differ");
    expect_no_ledger();
}

Test(rebuild_from_outcomes, what_was_told_to_be_quarantined_must_be_so_again)
{
    tell_all_but_two("bad", "k6");
    tell("bad", "\"offset\":12", "\"offset\":6");
    cr_expect_eq(REBUILD("topic:" TOLD), 70);
    expect_said(&process, "key k6 at [0]@6 was quarantined, and can be read now\n");
    expect_no_ledger();
    tell("bad", "\"offset\":12", "\"offset\":900");
    cr_expect_eq(REBUILD("topic:" TOLD), 70);
    expect_said(&process, "key k6 at [0]@6 was quarantined, and can be read now\n"
                          "1 messages that were quarantined are not in the log\n");
    expect_no_ledger();
}

/* "bad" as it was told, but in place of k6, for another reason. */
static void tell_bad_at_k6(const char *reason)
{
    for (size_t i = 0; i < told.count; i++) {
        if (strcmp(told.messages[i].record.key, "bad") == 0) {
            char *moved = replace(told.messages[i].text, "\"offset\":12", "\"offset\":6");
            char *other = replace(moved, "\"bad_json\"", reason);
            scene_produce_to(&scene, TOLD, "bad", other, strlen(other));
            free(moved);
            free(other);
        }
    }
}

Test(rebuild_from_outcomes, of_the_quarantine_too_an_answer_belongs_to_key_and_digest)
{
    tell_all_but_two("bad", "k6");
    tell_bad_at_k6("\"stale\"");
    cr_expect_eq(REBUILD("topic:" TOLD), 70);
    expect_said(&process, "key k6 at [0]@6 was quarantined, and can be read now\n");
    expect_no_ledger();
}

/* The digest of a value, as the quarantine has it. */
static void digest_of(const char *value, char hex[DIGEST_SHORT_HEX_SIZE])
{
    unsigned char whole[DIGEST_SIZE];
    struct digest *digest;
    struct error err;

    cr_assert_eq(digest_open(&digest, &err), 0);
    cr_assert_eq(digest_add(digest, value, strlen(value), &err), 0);
    cr_assert_eq(digest_finish(digest, whole, &err), 0);
    digest_close(digest);
    digest_hex(hex, whole, DIGEST_SHORT_SIZE);
}

/* "bad" as it was told, but with k6's value at its place, and under a key. */
static void tell_k6_quarantined(const char *key)
{
    char quoted[32];
    char garbage[DIGEST_SHORT_HEX_SIZE];
    char payment[DIGEST_SHORT_HEX_SIZE];

    digest_of("garbage", garbage);
    digest_of(PAYMENT, payment);
    snprintf(quoted, sizeof(quoted), "\"key\":\"%s\"", key);
    for (size_t i = 0; i < told.count; i++) {
        if (strcmp(told.messages[i].record.key, "bad") == 0) {
            char *moved = replace(told.messages[i].text, "\"offset\":12", "\"offset\":6");
            char *other = replace(moved, garbage, payment);
            char *named = replace(other, "\"key\":\"bad\"", quoted);
            scene_produce_to(&scene, TOLD, key, named, strlen(named));
            free(moved);
            free(other);
            free(named);
        }
    }
}

Test(rebuild_from_outcomes, what_an_older_payd_could_not_read_is_not_paid)
{
    tell_all_but("k6");
    tell_k6_quarantined("k6");
    cr_expect_eq(REBUILD("topic:" TOLD), 0, "%s", file_tail(process.err));
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 1);
    expect_printed(&process, "key k6: A applied (ann -> bob 1.00 EUR), B not decided\n");
    cr_expect_eq(RUN("audit", "--db", rebuilt, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
}

Test(rebuild_from_outcomes, what_could_not_be_read_under_another_key_is_another_message)
{
    tell_all_but("k6");
    tell_k6_quarantined("k66");
    cr_expect_eq(REBUILD("topic:" TOLD), 70);
    expect_said(&process, "key k6 at [0]@6 was quarantined, and can be read now\n");
    expect_no_ledger();
}

Test(rebuild_from_outcomes, an_unknown_reason_to_quarantine_is_an_error_with_its_place)
{
    tell_all_but("bad");
    tell_bad_at_k6("\"new_reason\"");
    cr_expect_eq(REBUILD("topic:" TOLD), 65);
    expect_said(&process, "key bad: a reason that this payd does not know");
    expect_no_ledger();
}

Test(rebuild_from_outcomes, what_stood_in_another_topic_is_counted)
{
    tell_all_but("");
    for (size_t i = 0; i < told.count; i++) {
        if (strcmp(told.messages[i].record.key, "k4") == 0) {
            char *text = replace(told.messages[i].text, "\"key\":\"k4\"", "\"key\":\"past\"");
            char *other = replace(text, "\"topic\":\"others\"", "\"topic\":\"older\"");
            scene_produce_to(&scene, TOLD, "past", other, strlen(other));
            free(text);
            free(other);
        }
    }
    cr_assert_eq(REBUILD("topic:" TOLD), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "\n1 decisions were told of messages that are not in the log any more");
    expect_equal();
}

Test(rebuild_from_outcomes, deciding_anew_lists_what_would_change_and_leaves_no_file)
{
    cr_expect_eq(REBUILD("topic:", "--redecide"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n13 records were decided anew, 0 keys and accounts would change.");
    expect_no_ledger();
    tell_all_but("k7");
    reject_k7();
    cr_expect_eq(REBUILD("topic:" TOLD, "--redecide"), 1, "%s", file_tail(process.err));
    expect_printed(&process, "key k7: A rejected unknown_account (ann -> bob 1.00 EUR),"
                             " B applied (ann -> bob 1.00 EUR)\nwould be ");
    expect_printed(&process, "\n13 records were decided anew, 1 keys and accounts would change.");
    expect_no_ledger();
    cr_expect_eq(REBUILD(scene.db, "--redecide"), 1, "%s", file_tail(process.err));
    expect_printed(&process, "key k7: A rejected unknown_account (ann -> bob 1.00 EUR),"
                             " B applied (ann -> bob 1.00 EUR)\n"
                             "account ann: A used -9.00 EUR, B used -10.00 EUR\n"
                             "account bob: A used 9.00 EUR, B used 10.00 EUR\nwould be ");
    expect_no_ledger();
}

Test(rebuild_from_outcomes, executed_the_new_decisions_are_kept)
{
    tell_all_but("k7");
    reject_k7();
    cr_expect_eq(REBUILD("topic:" TOLD, "--redecide", "--execute", "--json"), 0, "%s",
                 file_tail(process.err));
    expect_printed(&process, "{\"key\":\"k7\",\"a\":{\"outcome\":\"rejected\"");
    expect_printed(&process, "{\"executed\":true,");
    expect_printed(&process, "\"changes\":1,");
    cr_expect_eq(RUN("show", "k7", "--db", rebuilt), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("verify", "--db", rebuilt), 0, "%s", file_tail(process.out));
}

/* So many that they are kept in several transactions; each key is told twice. */
Test(rebuild_from_outcomes, many_outcomes_of_several_partitions_give_the_ledger_again)
{
    char csv[PROCESS_PATH_MAX + 16];

    snprintf(scene.topic, sizeof(scene.topic), "payments");
    snprintf(scene.db, sizeof(scene.db), "%.400s/many.db", scene.dir);
    snprintf(csv, sizeof(csv), "%s/many.csv", scene.dir);
    FILE *file = fopen(csv, "w");
    cr_assert_not_null(file);
    fputs("src,dest,amount\n", file);
    for (int i = 0; i < MANY; i++) {
        fprintf(file, "a%d,b%d,%d.%02d\n", i % 40, i % 31, 1 + i % 7, i % 100);
    }
    fclose(file);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(scene_pay(&scene, NULL, &process,
                               (const char *const[]){"batch", "--batch-id", "many", csv, NULL}),
                     0, "%s", file_tail(process.err));
    }
    drain();
    cr_assert_eq(REBUILD("topic:"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n12000 records were read again, 0 were decided.");
    expect_equal();
}

Test(rebuild_from_outcomes, a_topic_that_is_not_there_or_empty_tells_nothing)
{
    cr_expect_eq(REBUILD("topic:nowhere"), 69);
    expect_said(&process, "outcomes: ");
    cr_expect_eq(REBUILD("topic:" TOLD), 65);
    expect_said(&process, "has no outcomes: without --decisions all is decided anew");
    expect_no_ledger();
}
