/*
 * payd while it runs: stats beside it, a second writer, a lone message, signals, a missing topic.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOIN_MS 60000
/* The promise is 5 s; the rest is for a machine that is busy. */
#define STOP_MS 20000

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(running, .init = open_scene, .fini = close_scene);

static int stats(const char *format, struct process *process)
{
    return process_run(scene.dir, NULL, process,
                       (const char *const[]){PAY_BIN_DIR "/payd_failpoints", "stats", "--db",
                                             scene.db, format, NULL});
}

Test(running, stats_work_beside_it_and_a_second_writer_is_refused_by_name)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    struct process pay;
    struct process other;
    char holder[64];

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS));
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"send", "ann", "bob", "12.34", "--key", "k", NULL}),
        0);
    cr_assert(scene_comes_to(&scene, "SELECT count(*) FROM payments", 1, JOIN_MS),
              "a lone message does not wait for others");

    cr_assert_eq(stats("--json", &other), 0);
    cr_expect(file_has(other.out, "\"applied\":1,"));
    cr_expect(file_has(other.out, "\"total\":{\"EUR\":\"12.34\"}"));
    cr_expect(file_has(other.out, "\"balances\":{\"EUR\":\"0.00\"}"));
    cr_assert_eq(stats(NULL, &other), 0);
    cr_expect(file_has(other.out, "12.34"));

    other = scene_start_payd(&scene, NULL, NULL);
    snprintf(holder, sizeof(holder), "process %d (payd", (int)payd.pid);
    cr_expect_eq(process_wait(&other, JOIN_MS), 74);
    cr_expect(file_has(other.err, holder), "%s", file_tail(other.err));

    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, STOP_MS), 0, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=end applied=1"));
}

Test(running, sigterm_ends_it_in_time_with_the_broker_gone)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS));
    process_kill(&scene.broker);
    cr_assert(file_comes_to_have(payd.err, "error=_ALL_BROKERS_DOWN", JOIN_MS));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, STOP_MS), 0, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=stop code=0"));
}

Test(running, sigterm_ends_it_in_time_with_the_broker_hung)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS));
    process_signal(&scene.broker, SIGSTOP);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, STOP_MS), 0, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=stop code=0"));
}

Test(running, sigterm_in_a_transaction_finishes_it)
{
    struct process pay;
    struct process payd;

    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", "b", scene.sample, NULL}),
                 0);
    payd = scene_start_payd(&scene, "PAY_FAILPOINT=before-store-commit=stop", NULL);
    cr_assert(file_comes_to_have(payd.err, "failpoint before-store-commit stop", JOIN_MS));
    process_signal(&payd, SIGTERM);
    process_continue(&payd);
    cr_expect_eq(process_wait(&payd, STOP_MS), 0, "%s", file_tail(payd.err));
    cr_expect_gt(scene_int(&scene, "SELECT count(*) FROM payments"), 0);
    scene_check_books(&scene);
}

Test(running, it_waits_for_a_topic_that_is_not_there_but_not_with_until_end)
{
    struct process payd;

    snprintf(scene.topic, sizeof(scene.topic), "payment"); /* a misspelt name */
    payd = scene_start_payd(&scene, NULL, NULL);
    cr_expect(file_comes_to_have(payd.err, "there is no topic \\\"payment\\\"", JOIN_MS), "%s",
              file_tail(payd.err));
    cr_expect(file_has(payd.err, "event=waiting"));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, STOP_MS), 0, "%s", file_tail(payd.err));
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 69);
}

Test(running, a_ledger_of_another_log_is_refused)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    snprintf(scene.topic, sizeof(scene.topic), "others");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "another topic");
    cr_expect(file_has(payd.err, "belongs to topic"), "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "use another --db"));
    snprintf(scene.topic, sizeof(scene.topic), "payments");
    scene_change(&scene, "UPDATE logs SET cluster = 'another'");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "another cluster");
    cr_expect(file_has(payd.err, "of Kafka cluster another"), "%s", file_tail(payd.err));
}

Test(running, a_memory_broker_that_restarted_is_another_log)
{
    struct process payd;
    struct scene second;

    scene_produce(&scene, "k", "?");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    process_kill(&scene.broker);
    scene_open_embedded(&second);
    snprintf(second.db, sizeof(second.db), "%s", scene.db);
    cr_expect_eq(scene_drain(&second, NULL, &payd), 78, "%s", file_tail(payd.err));
    scene_close(&second);
}

Test(running, a_position_behind_the_end_of_the_log_stops_with_78)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    scene_change(&scene, "UPDATE positions SET next_offset = 5 WHERE partition = 2");
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78);
    cr_expect(file_has(payd.err, "payments[2]: the log ends at offset 0, the store is at 5"));
    cr_expect_eq(scene_int(&scene, "SELECT next_offset FROM positions WHERE partition = 2"), 5);
}

Test(running, a_ledger_that_is_removed_or_replaced_stops_it_with_74)
{
    static const char *const changes[] = {
        "rm \"$1\"", "cp \"$1\" \"$1.new\" && mv \"$1.new\" \"$1\"", "ln \"$1\" \"$1.second\""};
    struct process pay;

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        snprintf(scene.db, sizeof(scene.db), "%.400s/ledger-%zu.db", scene.dir, i);
        struct process payd =
            scene_start_payd(&scene, NULL, (const char *const[]){"--take-group", NULL});
        cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS));
        cr_assert_eq(
            process_run(scene.dir, NULL, &pay,
                        (const char *const[]){"sh", "-c", changes[i], "sh", scene.db, NULL}),
            0);
        cr_assert_eq(scene_pay(&scene, NULL, &pay,
                               (const char *const[]){"send", "ann", "bob", "1.00", "--new", NULL}),
                     0);
        cr_expect_eq(process_wait(&payd, JOIN_MS), 74, "%s", changes[i]);
        cr_expect(file_has(payd.err, scene.db), "%s", file_tail(payd.err));
    }
}

/* A member of the group that is not payd; it commits nothing, so the group stays nobody's. */
static rd_kafka_t *join_group(void)
{
    static const char *const properties[][2] = {{"bootstrap.servers", NULL},
                                                {"group.id", "test"},
                                                {"session.timeout.ms", "6000"},
                                                {"enable.auto.commit", "false"},
                                                {"partition.assignment.strategy", "range"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    char why[256];

    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        const char *value = properties[i][1] ? properties[i][1] : scene.brokers;
        cr_assert_eq(rd_kafka_conf_set(conf, properties[i][0], value, why, sizeof(why)),
                     RD_KAFKA_CONF_OK, "%s", why);
    }
    rd_kafka_t *member = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    cr_assert(member, "%s", why);
    rd_kafka_poll_set_consumer(member);
    rd_kafka_topic_partition_list_add(topics, scene.topic, RD_KAFKA_PARTITION_UA);
    cr_assert_eq(rd_kafka_subscribe(member, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
    return member;
}

Test(running, until_end_with_partitions_held_by_another_member_is_69)
{
    rd_kafka_t *member = join_group();
    rd_kafka_topic_partition_list_t *held = NULL;

    /* Alone in its group it has all of them; then payd comes. */
    for (int waited = 0; waited < JOIN_MS && (!held || held->cnt < 4); waited += 50) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member, 50);
        if (message) {
            rd_kafka_message_destroy(message);
        }
        if (held) {
            rd_kafka_topic_partition_list_destroy(held);
        }
        cr_assert_eq(rd_kafka_assignment(member, &held), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    cr_assert_eq(held->cnt, 4);
    rd_kafka_topic_partition_list_destroy(held);
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--until-end", NULL});
    int code = 0;

    for (int waited = 0; waited < JOIN_MS && !process_ended(&payd, &code); waited += 50) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(member, 50);
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    cr_expect_eq(code, 69);
    cr_expect(file_has(payd.err, "only 2 of 4 partitions were read"), "%s", file_tail(payd.err));
    process_kill(&payd);
    rd_kafka_consumer_close(member);
    rd_kafka_destroy(member);
}

Test(running, until_end_that_is_stopped_early_is_75)
{
    struct process payd;

    process_signal(&scene.broker, SIGSTOP); /* it answers nobody */
    payd = scene_start_payd(&scene, NULL, (const char *const[]){"--until-end", NULL});
    cr_assert(file_comes_to_have(payd.err, "event=start", JOIN_MS));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, STOP_MS), 75, "%s", file_tail(payd.err));
    cr_expect(file_has(payd.err, "run it again"));
}

Test(running, a_command_line_that_is_wrong_makes_no_ledger)
{
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"-X", "topic.acks=0", NULL});

    cr_expect_eq(process_wait(&payd, JOIN_MS), 64);
    cr_expect(file_has(payd.err, "topic.acks cannot be set"), "%s", file_tail(payd.err));
    cr_expect_neq(access(scene.db, F_OK), 0);
}

Test(running, a_closed_log_pipe_does_not_stop_it)
{
    struct process pay;
    char command[2048];

    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", "b", scene.sample, NULL}),
                 0);
    snprintf(command, sizeof(command),
             "'%s/payd_failpoints' run --db '%s' -b %s --skip-topic-check --until-end 2>&1 | true",
             PAY_BIN_DIR, scene.db, scene.brokers);
    process_run(scene.dir, NULL, &pay, (const char *const[]){"sh", "-c", command, NULL});
    cr_expect(scene_comes_to(&scene, "SELECT count(*) FROM payments", 1000, JOIN_MS));
}
