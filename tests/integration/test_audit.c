/*
 * payd audit: a ledger that was made from its topic passes, also while payd writes it, and whatever
 * differs from the topic is found and named.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define OTHER   "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"999\"}"

static struct scene scene;
static struct process process;

/* 40 payments of one partition, 30 of them again, a conflict, garbage, and one key 20 times. */
static void open_scene(void)
{
    char key[16];

    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    for (int i = 0; i < 70; i++) {
        snprintf(key, sizeof(key), "k%02d", i % 40);
        scene_produce(&scene, key, PAYMENT);
    }
    scene_produce(&scene, "k03", OTHER);
    scene_produce(&scene, "bad", "garbage");
    for (int i = 0; i < 20; i++) {
        scene_produce(&scene, "often", PAYMENT);
    }
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(audit, .init = open_scene, .fini = close_scene);

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

static int audit(const char *more)
{
    return process_run(scene.dir, NULL, &process,
                       (const char *const[]){PAY_BIN_DIR "/payd", "audit", "--db", scene.db, "-b",
                                             scene.brokers, "-t", scene.topic, more, NULL});
}

static void expect_narrow(void)
{
    char *text = file_text(process.out);

    for (const char *line = text; *line;) {
        size_t columns = strcspn(line, "\n");
        cr_expect_leq(columns, 80, "%.100s", line);
        line += columns + (line[columns] == '\n');
    }
    free(text);
}

Test(audit, a_ledger_that_its_topic_made_is_what_the_log_says)
{
    drain();
    cr_assert_eq(audit(NULL), 0, "%s%s", file_tail(process.out), file_tail(process.err));
    cr_expect(file_has(process.out, "is what the log says"));
    expect_narrow();
    cr_assert_eq(audit("--json"), 0, "%s", file_tail(process.out));
    cr_expect(file_has(process.out,
                       "{\"whole\":true,\"topic\":\"others\",\"partitions\":1,\"records\":92,"
                       "\"decided\":41,\"repeats\":47,\"unkept\":3,\"quarantined\":1,\"forgotten\":"
                       "0,\"waiting\":0,"
                       "\"removed\":0,\"readable\":0,\"digest\":\""),
              "%s", file_tail(process.out));
    cr_expect(file_has(process.out, "\"wrong\":0,\"findings\":[]}"), "%s", file_tail(process.out));
}

Test(audit, what_is_not_read_yet_is_waiting)
{
    drain();
    for (int i = 0; i < 5; i++) {
        scene_produce(&scene, "new", PAYMENT);
    }
    cr_assert_eq(audit("--json"), 0, "%s", file_tail(process.out));
    cr_expect(file_has(process.out, "\"records\":92,"), "%s", file_tail(process.out));
    cr_expect(file_has(process.out, "\"waiting\":5,"), "%s", file_tail(process.out));
}

Test(audit, works_while_payd_runs)
{
    struct process payd = scene_start_payd(&scene, NULL, (const char *const[]){NULL});

    cr_assert(scene_comes_to(&scene, "SELECT next_offset FROM positions", 92, 60000));
    cr_expect_eq(audit(NULL), 0, "%s%s", file_tail(process.out), file_tail(process.err));
    cr_expect(!process_ended(&payd, &(int){0}));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 30000), 0);
}

Test(audit, whatever_differs_from_the_topic_is_found_and_named)
{
    static const struct {
        const char *damage;
        const char *says;
    } damages[] = {
        {"DELETE FROM decisions WHERE offset = 7; DELETE FROM keys WHERE key = x'026B3037'",
         "others[0]@7 k07: has no outcome"},
        {"UPDATE decisions SET amount_minor = 101 WHERE offset = 7",
         "others[0]@7 k07: was decided with another payload, which differs in amount"},
        {"UPDATE decisions SET dest = src, src = dest WHERE offset = 7",
         "others[0]@7 k07: was decided with another payload, which differs in src,dest"},
        {"UPDATE decisions SET offset = 200 WHERE offset = 7",
         "others[0]@200 k07: the ledger has it as applied, but the log has no such place"},
        {"UPDATE decisions SET offset = 200 WHERE offset = 7",
         "others[0]@7 k07: came again, and has no outcome of its own"},
        {"UPDATE decisions SET partition = 3 WHERE offset = 7",
         "others[3]@7 k07: the ledger has it as applied, but the log has no such place"},
        {"UPDATE decisions SET offset = 8 WHERE offset = 7",
         "the ledger has it as applied, beside another outcome of the same record"},
        {"DELETE FROM quarantine",
         "others[0]@71 bad_json: cannot be read as a command, and is not in quarantine"},
        {"DELETE FROM repeats WHERE offset = 42",
         "others[0]@42 k02: came again, and has no outcome of its own"},
        {"UPDATE repeats SET key = d.key, first_seq = d.seq FROM decisions d"
         " WHERE d.offset = 5 AND repeats.offset = 42",
         "others[0]@42 k02: is recorded as duplicate, with another key"},
        {"UPDATE repeats SET first_seq = first_seq + 1 WHERE offset = 42",
         "others[0]@42 k02: is recorded as duplicate, with another decision"},
        {"UPDATE repeats SET digest = zeroblob(16) WHERE offset = 42",
         "others[0]@42 k02: is recorded as duplicate, with another digest"},
        {"UPDATE repeats SET first_seq = NULL WHERE offset = 42",
         "others[0]@42 k02: is recorded as duplicate, with another outcome"},
        {"UPDATE repeats SET payload = x'7B7D' WHERE outcome = 4",
         "others[0]@70 k03: is recorded as conflict, with another payload"},
        {"UPDATE repeats SET outcome = 3, reason = 0, payload = NULL WHERE outcome = 4",
         "others[0]@70 k03: is recorded as duplicate, with another reason"},
        {"UPDATE repeats SET fields = 'src,amount' WHERE outcome = 4",
         "others[0]@70 k03: is recorded as conflict, with another list of fields"},
        {"UPDATE quarantine SET reason = 'bad_utf8'",
         "others[0]@71 bad_json: is recorded as quarantined, with another reason"},
        {"UPDATE quarantine SET digest = zeroblob(16)",
         "others[0]@71 bad_json: is recorded as quarantined, with another digest"},
        {"UPDATE quarantine SET key = CAST('bed' AS BLOB)",
         "others[0]@71 bad_json: is recorded as quarantined, with another key"},
        {"UPDATE quarantine SET value = CAST('garbige' AS BLOB)",
         "others[0]@71 bad_json: is recorded as quarantined, with another value"},
        {"UPDATE quarantine SET value_len = 8",
         "others[0]@71 bad_json: is recorded as quarantined, with another value"},
        {"UPDATE quarantine SET timestamp_ms = 1",
         "others[0]@71 bad_json: is recorded as quarantined, with another timestamp"},
        {"INSERT INTO decisions SELECT 1000, x'026E6F6E65', type, src, dest, amount_minor, "
         "currency,"
         " batch, min_minor, strict, outcome, reason, digest, log, partition, offset, decided_ms,"
         " rules FROM decisions WHERE offset = 7; INSERT INTO keys VALUES (1, x'026E6F6E65', 1000)",
         "others[0]@7 none: the ledger has it as applied, beside another outcome"},
        {"DELETE FROM repeats WHERE offset = 42; INSERT INTO quarantine SELECT 999, log, partition,"
         " 42, 'bad_json', '', NULL, NULL, NULL, NULL, digest, 1, 1 FROM quarantine",
         "others[0]@42 k02: is recorded as quarantined, with another key"},
        {"UPDATE positions SET next_offset = 100",
         "others[0]: the position is 100, the log ends at 92"},
        {"UPDATE accounts SET balance_minor = balance_minor + 1 WHERE name = 'ann'",
         "accounts: account ann: its balance is -40.99, its postings sum to -41.00 EUR"},
    };

    drain();
    scene_change(&scene, "PRAGMA journal_mode = DELETE"); /* all of it in one file */
    char kept[PROCESS_PATH_MAX + 8];
    snprintf(kept, sizeof(kept), "%s.kept", scene.db);
    cr_assert(file_copy(scene.db, kept));
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        scene_change(&scene, damages[i].damage);
        cr_expect_eq(audit(NULL), 1, "%s: %s", damages[i].damage, file_tail(process.err));
        cr_expect(file_has(process.out, damages[i].says), "%s:\n%s", damages[i].damage,
                  file_tail(process.out));
        cr_assert(file_copy(kept, scene.db));
    }
    cr_expect_eq(audit(NULL), 0, "%s", file_tail(process.out));
}

Test(audit, a_position_that_was_set_back_or_a_log_that_was_begun_anew_is_no_fault)
{
    drain();
    cr_assert_eq(
        process_run(scene.dir, NULL, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db", scene.db,
                                          "--partition", "0", "--to", "30", NULL}),
        0);
    cr_expect_eq(audit(NULL), 0, "%s", file_tail(process.out));
    drain();
    cr_expect_eq(audit(NULL), 0, "%s", file_tail(process.out));
    cr_assert_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db",
                                                   scene.db, "--new-log", NULL}),
                 0);
    cr_expect_eq(audit(NULL), 78, "it is bound to no log");
    drain(); /* reads all of it again, as repeats */
    cr_expect_eq(audit(NULL), 0, "%s", file_tail(process.out));
}

Test(audit, another_topic_is_refused)
{
    drain();
    snprintf(scene.topic, sizeof(scene.topic), "payments");
    cr_expect_eq(audit(NULL), 78);
    cr_expect(file_has(process.err, "belongs to topic \"others\""), "%s", file_tail(process.err));
    snprintf(scene.topic, sizeof(scene.topic), "nowhere");
    cr_expect_eq(audit(NULL), 69);
    cr_expect(file_has(process.err, "there is no topic \"nowhere\""), "%s", file_tail(process.err));
}
