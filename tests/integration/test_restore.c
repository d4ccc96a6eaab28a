/*
 * payd restore: a backup takes a lost ledger's place, goes backwards only when told to, and then
 * comes to be what was lost.
 */
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define BIGGER  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"777\"}"
#define SELF    "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"ann\",\"amount\":\"50\"}"

static struct scene scene;
static struct process process;
static char backup[PROCESS_PATH_MAX + 16];
static char lost[PROCESS_PATH_MAX + 16];

#define RUN(...) scene_payd(&scene, &process, (const char *const[]){__VA_ARGS__, NULL})

/* payd restore of a file, with more arguments. */
#define RESTORE(...)                                                                               \
    RUN("restore", "--db", scene.db, "-b", scene.brokers, "-t", scene.topic, "-g", "test",         \
        "--skip-topic-check", __VA_ARGS__)

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* Ten payments in four partitions, read and backed up. */
static void open_scene(void)
{
    char key[16];

    scene_open_embedded(&scene);
    snprintf(backup, sizeof(backup), "%s/backup.db", scene.dir);
    snprintf(lost, sizeof(lost), "%s/lost.db", scene.dir);
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        scene_produce(&scene, key, PAYMENT);
    }
    drain();
    cr_assert_eq(RUN("backup", backup, "--db", scene.db), 0, "%s", file_tail(process.err));
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(restore, .init = open_scene, .fini = close_scene, .timeout = 280);

/* Seven records more: 3 payments, one to oneself, a repeat, a conflict, one that is no payment. */
static void go_on(void)
{
    scene_produce(&scene, "n1", PAYMENT);
    scene_produce(&scene, "n2", PAYMENT);
    scene_produce(&scene, "n3", BIGGER);
    scene_produce(&scene, "n4", SELF);
    scene_produce(&scene, "k1", PAYMENT);
    scene_produce(&scene, "k2", BIGGER);
    scene_produce(&scene, "bad", "garbage");
    drain();
}

/* Without a suffix the ledger itself. */
static bool is_there(const char *suffix)
{
    char path[PROCESS_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s%s", scene.db, suffix);
    return access(path, F_OK) == 0;
}

/* The ledger is gone; the test keeps it elsewhere. Readers leave an empty WAL. */
static void lose(void)
{
    char path[PROCESS_PATH_MAX + 16];
    struct stat wal;

    snprintf(path, sizeof(path), "%s-wal", scene.db);
    cr_assert(stat(path, &wal) != 0 || wal.st_size == 0, "payd was stopped, and left a WAL");
    remove(path);
    snprintf(path, sizeof(path), "%s-shm", scene.db);
    remove(path);
    cr_assert_eq(rename(scene.db, lost), 0);
}

static void expect_nothing_there(void)
{
    cr_expect_not(is_there(""));
    cr_expect_not(is_there("-wal"));
    cr_expect_not(is_there("-shm"));
    cr_expect_not(is_there(".restoring"));
    cr_expect_not(is_there(".restoring-wal"));
    cr_expect_not(is_there(".restoring-shm"));
}

Test(restore, going_backwards_is_refused_and_says_by_how_much)
{
    go_on();
    lose();
    cr_expect_eq(RESTORE(backup), 78);
    expect_printed(&process,
                   "partition    backup's next     group's next  to be read again\n        0  ");
    expect_said(&process,
                "group \"test\" has read 7 records further than the backup: payd restore --rewind");
    expect_nothing_there();
}

Test(restore, json_is_a_line_for_each_step)
{
    go_on();
    lose();
    cr_expect_eq(RESTORE(backup, "--json"), 78);
    expect_printed(&process, "{\"partition\":0,\"backup\":");
    cr_expect_eq(file_count(process.out, ",\"again\":"), 4, "one a partition");
    cr_assert_eq(RESTORE(backup, "--rewind", "--json"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"applied\":{\"records\":3,\"amounts\":{\"EUR\":\"9.77\"}}");
    expect_printed(&process, "\n{\"told\":4,\"gone\":0}\n{\"file\":\"");
    expect_printed(&process, ",\"decisions\":14,\"topic\":\"");
    cr_expect_eq(file_count(process.out, "\n"), 4 + 3);
}

Test(restore, a_rewind_gives_the_lost_ledger_again_and_payd_goes_on)
{
    go_on();
    lose();
    cr_assert_eq(RESTORE(backup, "--rewind"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\napplied                    3  EUR                      9.77\n");
    expect_printed(&process, "\nrejected                   1  EUR                      0.50\n");
    expect_printed(&process, "\nduplicate                  1  EUR                      1.00\n");
    expect_printed(&process, "\nconflict                   1  EUR                      7.77\n");
    expect_printed(&process, "\nquarantined                1\n");
    expect_printed(
        &process, "\n7 records were read again, 4 decided, 4 of them as the outcomes topic tells.");
    expect_printed(&process, ": restored, 14 decisions\n");
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("verify", "--db", scene.db), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("audit", "--db", scene.db, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
    scene_produce(&scene, "n1", PAYMENT);
    scene_produce(&scene, "later", PAYMENT);
    drain(); /* in the same group, and takes it from nobody */
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"), 14);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 1000 + 977 + 100);
    scene_check_books(&scene);
    /* The lost ledger comes back: the group is not its any more. */
    snprintf(scene.db, sizeof(scene.db), "%.400s/lost.db", scene.dir);
    struct process payd;
    for (int i = 0; i < 3; i++) { /* however often it tries, and counts that */
        cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "%s", file_tail(payd.err));
        cr_expect(file_has(payd.err, "its later self owns the group"), "%s", file_tail(payd.err));
    }
}

/* The outcome of n1 as a ledger of other rules had told it, and nothing else of what was lost. */
static void tell_n1_rejected(void)
{
    struct outcomes told = outcomes_read(&scene);
    const struct outcome_message *message = outcomes_last(&told, "n1");
    static const char from[] = "\"applied\",\"reason\":null";
    char text[8192] = "";
    size_t len = 0;

    cr_assert_not_null(message);
    for (const char *at = message->text; *at;) {
        bool is_outcome = strncmp(at, from, strlen(from)) == 0;
        bool is_verdict = strncmp(at, "\"verdict\":\"applied\"", 19) == 0;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s",
                                is_outcome || is_verdict ? 99 : 1,
                                is_outcome   ? "\"rejected\",\"reason\":\"unknown_account\""
                                : is_verdict ? "\"verdict\":\"rejected\""
                                             : at);
        at += is_outcome ? strlen(from) : is_verdict ? 19 : 1;
    }
    scene_produce_to(&scene, "others.outcomes", "n1", text, strlen(text));
    outcomes_release(&told);
}

Test(restore, what_the_lost_ledger_told_holds_and_the_rest_is_decided)
{
    go_on();
    tell_n1_rejected();
    lose();
    cr_assert_eq(RESTORE(backup, "--rewind", "--outcomes", "others.outcomes"), 0, "%s",
                 file_tail(process.err));
    expect_printed(
        &process, "\n7 records were read again, 4 decided, 1 of them as the outcomes topic tells.");
    cr_expect_eq(RUN("diff", lost, scene.db), 1);
    expect_printed(&process, "key n1: A applied (ann -> bob 1.00 EUR), B rejected unknown_account");
    scene_check_books(&scene);
}

Test(restore, without_the_outcomes_only_deciding_anew_rewinds)
{
    go_on();
    lose();
    cr_expect_eq(RESTORE(backup, "--rewind", "--outcomes", "nowhere"), 69);
    expect_said(&process, "(--redecide decides anew)");
    expect_nothing_there();
    cr_assert_eq(RESTORE(backup, "--rewind", "--outcomes", "nowhere", "--redecide"), 0, "%s",
                 file_tail(process.err));
    expect_printed(
        &process, "\n7 records were read again, 4 decided, 0 of them as the outcomes topic tells.");
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
}

/* The test build of payd restore --rewind, killed at a place. */
static void restore_until(const char *place)
{
    setenv("TMPDIR", scene.dir, 1); /* where its scratch ledger is left */
    cr_assert_eq(
        process_run(scene.dir, place, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd_failpoints", "restore", backup,
                                          "--rewind", "--db", scene.db, "-b", scene.brokers, "-t",
                                          scene.topic, "-g", "test", "--skip-topic-check", NULL}),
        PROCESS_KILLED, "%s", file_tail(process.err));
}

Test(restore, after_a_crash_it_is_done_again_or_payd_goes_on)
{
    char path[PROCESS_PATH_MAX + 16];

    go_on();
    lose();
    restore_until("PAY_FAILPOINT=restore-made=kill");
    cr_expect_not(is_there(""));
    cr_expect_eq(RESTORE(backup, "--rewind"), 73);
    expect_said(&process, ".restoring: is there already: a restore was cut off: remove it");
    snprintf(path, sizeof(path), "%s.restoring", scene.db);
    cr_assert_eq(remove(path), 0);
    expect_nothing_there();
    restore_until("PAY_FAILPOINT=restore-named=kill");
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
    scene_produce(&scene, "later", PAYMENT);
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"), 14);
    scene_check_books(&scene);
}

Test(restore, a_backup_that_the_group_is_not_further_than_is_restored)
{
    lose();
    cr_assert_eq(RESTORE(backup), 0, "%s", file_tail(process.err));
    expect_printed(&process, ": restored, 10 decisions\npartition 0: next offset ");
    cr_expect_not(is_there("-wal"));
    cr_expect_not(is_there(".restoring"));
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
    scene_produce(&scene, "later", PAYMENT);
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 11);
    /* And again, by the next one: the backup of what was restored. */
    char second[PROCESS_PATH_MAX + 16];
    snprintf(second, sizeof(second), "%s/second.db", scene.dir);
    cr_assert_eq(RUN("backup", second, "--db", scene.db), 0);
    lose();
    cr_assert_eq(RESTORE(second, "--rewind"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n0 records were read again,");
    drain();
}

/*
 * A replay decides below the positions, so these do not tell that a backup is older. Here the
 * backup's are moved on, which comes to the same.
 */
Test(restore, what_was_decided_below_the_positions_is_not_lost_unnoticed)
{
    char partition[16];
    char next[16];

    scene_produce(&scene, "n1", PAYMENT);
    drain();
    snprintf(partition, sizeof(partition), "%d",
             (int)scene_int(&scene, "SELECT partition FROM payments WHERE key = 'n1'"));
    snprintf(next, sizeof(next), "%d",
             (int)scene_int(&scene, "SELECT offset + 1 FROM payments WHERE key = 'n1'"));
    cr_assert_eq(RUN("position", "--db", backup, "--partition", partition, "--to", next), 0, "%s",
                 file_tail(process.err));
    lose();
    cr_expect_eq(RESTORE(backup), 78);
    expect_said(&process, "has read no further than the backup, but seen 1 transactions more of "
                          "this ledger: payd replay --execute may have decided");
    expect_nothing_there();
    cr_assert_eq(RESTORE(backup, "--rewind"), 0, "%s", file_tail(process.err));
    expect_said(&process, "payd replay --from beginning shows what of the log was not decided\n");
}

Test(restore, an_empty_group_knows_nothing_better)
{
    lose();
    cr_expect_eq(RUN("restore", backup, "--db", scene.db, "-b", scene.brokers, "-t", scene.topic,
                     "-g", "nobodys", "--skip-topic-check"),
                 0, "%s", file_tail(process.err));
    cr_expect_not(file_has(process.err, "could not be told"), "%s", file_tail(process.err));
    /* It is told who owns it now. */
    lose();
    cr_expect_eq(RUN("restore", backup, "--db", scene.db, "-b", scene.brokers, "-t", scene.topic,
                     "-g", "nobodys", "--skip-topic-check"),
                 0, "%s", file_tail(process.err));
    cr_expect_gt(scene_int(&scene, "SELECT chunks FROM store"), 2000000, "it is not the later one");
}

Test(restore, the_group_of_another_ledger_is_refused_by_name)
{
    lose(); /* and begin again with a new one */
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--until-end", "--take-group", NULL});
    cr_assert_eq(process_wait(&payd, 60000), 0, "%s", file_tail(payd.err));
    snprintf(lost, sizeof(lost), "%s/new.db", scene.dir);
    char *uuid = strdup(scene_text(&scene, "SELECT uuid FROM store"));
    lose();
    cr_expect_eq(RESTORE(backup), 78);
    expect_said(&process, "belongs to ledger ");
    expect_said(&process, uuid);
    free(uuid);
    cr_expect_eq(RESTORE(backup, "--rewind"), 78);
    expect_nothing_there();
}

Test(restore, what_is_there_already_is_not_written_over)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".restoring"};
    char path[PROCESS_PATH_MAX + 16];

    lose();
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", scene.db, suffixes[i]);
        file_write(path, "x");
        cr_expect_eq(RESTORE(backup), 73, "%s: %s", path, file_tail(process.err));
        expect_said(&process, i < 3 ? "move it, with its -wal and -shm, out of the way first"
                                    : "a restore was cut off: remove it");
        cr_assert_eq(remove(path), 0);
    }
    expect_nothing_there();
}

Test(restore, a_backup_that_is_not_whole_is_refused)
{
    char path[PROCESS_PATH_MAX + 32];

    lose();
    cr_expect_eq(RESTORE("/nowhere.db"), 66);
    snprintf(path, sizeof(path), "%s-wal", backup);
    file_write(path, "a WAL");
    cr_expect_eq(RESTORE(backup), 65);
    expect_said(&process, "-wal: lies beside the backup, which is not whole without it");
    cr_assert_eq(remove(path), 0);

    snprintf(path, sizeof(path), "%s/bad.db", scene.dir);
    file_write(path,
               "This is not a database, however much it may be called one, is it? No. ......");
    cr_expect_eq(RESTORE(path), 78, "%s", file_tail(process.err));
    expect_said(&process, "file is not a database");
    cr_assert(file_copy(backup, path));
    char *db = strdup(scene.db);
    snprintf(scene.db, sizeof(scene.db), "%.400s/bad.db", scene.dir);
    scene_change(&scene, "PRAGMA journal_mode = DELETE;"
                         "UPDATE accounts SET balance_minor = 5 WHERE name = 'ann'");
    snprintf(scene.db, sizeof(scene.db), "%s", db);
    cr_expect_eq(RESTORE(path), 65, "%s", file_tail(process.err));
    expect_said(&process, "is not whole: payd verify finds");
    snprintf(scene.db, sizeof(scene.db), "%.400s/bad.db", scene.dir);
    scene_change(&scene, "PRAGMA application_id = 1");
    snprintf(scene.db, sizeof(scene.db), "%s", db);
    free(db);
    cr_expect_eq(RESTORE(path), 78, "%s", file_tail(process.err));
    expect_said(&process, "is a database of another program");
    expect_nothing_there();
    cr_expect_eq(RUN("restore", backup, "--db", scene.db, "-b", scene.brokers, "-t", "others", "-g",
                     "test", "--skip-topic-check"),
                 78);
    expect_said(&process, "belongs to topic \"payments\"");
    expect_nothing_there();
}
