/*
 * A consumer group belongs to one ledger: another ledger, a copy and an old backup are refused.
 */
#include "tests/lib/mock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define JOIN_MS 60000

static struct scene scene;
static struct scene other; /* the same broker and folder, another ledger */

static void open_scene(void)
{
    struct process pay;

    scene_open_embedded(&scene);
    other = scene;
    snprintf(other.db, sizeof(other.db), "%.480s/other.db", scene.dir);
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"batch", "--batch-id", "sample", scene.sample, NULL}),
        0);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(group, .init = open_scene, .fini = close_scene);

static void copy_ledger(const struct scene *from, const struct scene *to)
{
    struct process copy;

    cr_assert_eq(
        process_run(scene.dir, NULL, &copy, (const char *const[]){"cp", from->db, to->db, NULL}),
        0);
}

static void send_one(const char *key)
{
    struct process pay;

    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"send", "x", "y", "1.00", "--key", key, NULL}),
                 0);
}

Test(group, of_another_ledger_is_refused_and_can_be_taken_on_purpose)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_drain(&other, NULL, &payd), 78);
    cr_expect(file_has(payd.err, "the group belongs to another ledger"), "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, scene_text(&scene, "SELECT uuid FROM store")),
              "it says who owns the group");
    cr_expect_eq(scene_int(&other, "SELECT count(*) FROM payments"), 0, "nothing was read");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 0, "the owner goes on");

    payd =
        scene_start_payd(&other, NULL, (const char *const[]){"--until-end", "--take-group", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&other, "SELECT count(*) FROM payments"), 1000);
    cr_expect_eq(scene_drain(&other, NULL, &payd), 0, "from then on the group is its own");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "and no more the first one's");
}

Test(group, refuses_an_old_backup_of_its_ledger)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    copy_ledger(&scene, &other);
    send_one("after the backup");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);

    cr_expect_eq(scene_drain(&other, NULL, &payd), 78);
    cr_expect(file_has(payd.err, "this ledger is a copy or an old backup"), "%s",
              file_tail(payd.err));
    cr_expect_eq(scene_int(&other, "SELECT count(*) FROM payments"), 1000, "nothing was read");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 0, "the true one goes on");
}

Test(group, lets_at_most_one_of_two_new_ledgers_consume)
{
    struct process first = scene_start_payd(&scene, NULL, NULL);
    struct process second = scene_start_payd(&other, NULL, NULL);
    struct process *both[] = {&first, &second};
    int refused = 0;
    int code;

    /* Who is refused says so; who is not takes over the partitions and pays all. */
    for (int waited = 0; waited < JOIN_MS && refused == 0; waited += 50) {
        for (int i = 0; i < 2; i++) {
            if (both[i]->pid > 0 && process_ended(both[i], &code)) {
                cr_expect_eq(code, 78, "%s", file_tail(both[i]->err));
                refused++;
            }
        }
        file_comes_to_have(first.err, "event=stop", 50);
    }
    cr_expect_geq(refused, 1);
    for (int i = 0; i < 2; i++) {
        process_signal(both[i], SIGTERM);
        if (both[i]->pid > 0) {
            process_wait(both[i], JOIN_MS);
        }
    }
    int64_t paid_first = scene_int(&scene, "SELECT count(*) FROM payments");
    int64_t paid_second = scene_int(&other, "SELECT count(*) FROM payments");
    cr_expect(paid_first == 0 || paid_second == 0, "%lld and %lld", (long long)paid_first,
              (long long)paid_second);
}

/* Asking again would not help, and until somebody looks nothing would be read. */
Test(group, that_refuses_offsets_stops_payd_with_the_reason)
{
    struct scene mocked;
    struct mock mock;

    mock_open(&mock, &mocked, 1);
    mock_fail(&mock, MOCK_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 100);
    struct process payd = scene_start_payd(&mocked, NULL, NULL);
    cr_expect_eq(process_wait(&payd, JOIN_MS), 78, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "the group gives and takes no offsets of topic"), "%s",
              file_tail(payd.err));
    process_kill(&payd);
    scene_close(&mocked);
    mock_close(&mock);
}
