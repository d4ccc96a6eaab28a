/*
 * payd restore on a real Kafka: the group says whether somebody is in it, is told of the restored
 * ledger, and may know less than the outcomes topic.
 */
#include "tests/lib/admin.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOIN_MS 90000
#define END_MS  20000

static struct scene scene;
static struct process process;
static char backup[PROCESS_PATH_MAX + 16];
static char lost[PROCESS_PATH_MAX + 16];

#define RUN(...) scene_payd(&scene, &process, (const char *const[]){__VA_ARGS__, NULL})

#define RESTORE(...)                                                                               \
    RUN("restore", backup, "--db", scene.db, "-b", scene.brokers, "-t", scene.topic, "-g", "test", \
        __VA_ARGS__)

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

static void pay_all(const char *batch)
{
    cr_assert_eq(scene_pay(&scene, NULL, &process,
                           (const char *const[]){"batch", "--batch-id", batch, scene.sample, NULL}),
                 0, "%s", file_tail(process.err));
}

/* The sample of 1,000 payments, read and backed up; then as another batch, and once more. */
static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
    snprintf(backup, sizeof(backup), "%s/backup.db", scene.dir);
    snprintf(lost, sizeof(lost), "%s/lost.db", scene.dir);
    pay_all("first");
    drain();
    cr_assert_eq(RUN("backup", backup, "--db", scene.db), 0, "%s", file_tail(process.err));
    pay_all("second");
    pay_all("second");
    drain();
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_restore, .init = open_scene, .fini = close_scene);

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
    admin_wait_empty(&scene, "test");
}

Test(kafka_restore, a_rewind_gives_the_lost_ledger_again_and_the_group_takes_no_other)
{
    struct process payd;

    lose();
    cr_expect_eq(RESTORE(NULL), 78);
    expect_said(&process, "has read 2000 records further than the backup");
    cr_expect_eq(access(scene.db, F_OK), -1);
    cr_assert_eq(RESTORE("--rewind"), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "\n2000 records were read again, 1000 decided, 1000 of them as the outcomes");
    cr_expect_not(file_has(process.err, "could not be told"), "%s", file_tail(process.err));
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("audit", "--db", scene.db, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
    /* The lost one comes back before the restored one has run: too late. */
    char *db = strdup(scene.db);
    snprintf(scene.db, sizeof(scene.db), "%.400s/lost.db", scene.dir);
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "its later self owns the group"), "%s", file_tail(payd.err));
    snprintf(scene.db, sizeof(scene.db), "%s", db);
    free(db);
    pay_all("third");
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 3000);
    scene_check_books(&scene);
}

Test(kafka_restore, a_payd_in_the_group_is_in_the_way)
{
    char *db = strdup(scene.db);
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    snprintf(scene.db, sizeof(scene.db), "%.400s/other.db", scene.dir);
    cr_expect_eq(RESTORE("--rewind"), 78);
    expect_said(&process, "group \"test\" has 1 members: a payd runs");
    cr_expect_eq(access(scene.db, F_OK), -1);
    snprintf(scene.db, sizeof(scene.db), "%s", db);
    free(db);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, END_MS), 0);
}

Test(kafka_restore, what_was_told_is_read_again_although_the_group_does_not_know)
{
    lose();
    admin_delete_group(&scene, "test");
    cr_assert_eq(RESTORE("--rewind"), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "\n2000 records were read again, 1000 decided, 1000 of them as the outcomes");
    cr_expect_eq(RUN("diff", lost, scene.db), 0, "%s", file_tail(process.out));
    drain();
    scene_check_books(&scene);
}

Test(kafka_restore, what_retention_has_removed_is_not_passed_over_in_silence)
{
    char rebuilt[PROCESS_PATH_MAX + 16];

    snprintf(rebuilt, sizeof(rebuilt), "%s/new.db", scene.dir);
    admin_delete_records(&scene, 0, 10);
    cr_expect_eq(RUN("replay", "--into", rebuilt, "--decisions", "topic:", "-b", scene.brokers,
                     "-t", scene.topic),
                 78);
    expect_said(&process, "[0] begins at 10: what its first records decided would be missing");
    cr_assert_eq(RUN("replay", "--into", rebuilt, "--decisions", "topic:", "-b", scene.brokers,
                     "-t", scene.topic, "--from-log-start"),
                 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "\n10 decisions were told of messages that are not in the log any more");
    cr_expect_eq(RUN("verify", "--db", rebuilt), 0, "%s", file_tail(process.out));
    /* The backup ends before what the log still holds. */
    lose();
    admin_delete_records(&scene, 0, admin_high(&scene, 0) - 1);
    cr_expect_eq(RESTORE("--rewind"), 78);
    expect_said(&process, " records are gone unread");
    cr_expect_eq(access(scene.db, F_OK), -1);
}
