/*
 * The main job on Apache Kafka, and what only a real broker can show: topic settings and committed
 * offsets.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_main_job, .init = open_scene, .fini = close_scene, .timeout = 300);

static const char *const sample_batch[] = {"batch", "--batch-id", "sample", scene.sample, NULL};

static rd_kafka_t *client(rd_kafka_type_t type, const char *name, const char *value)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", scene.brokers, why, sizeof(why));
    rd_kafka_conf_set(conf, name, value, why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    cr_assert(rk, "%s", why);
    return rk;
}

/* The group's committed offset of a partition, -1001 for none. */
static int64_t committed(int32_t partition)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, "group.id", "test");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, scene.topic, partition);
    cr_assert_eq(rd_kafka_committed(rk, list, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}

Test(kafka_main_job, the_sample_is_paid_once_and_the_offsets_are_committed_after_it)
{
    struct process pay;
    struct process payd;
    char sql[96];

    for (int round = 0; round < 2; round++) {
        cr_assert_eq(scene_pay(&scene, NULL, &pay, sample_batch), 0, "%s", file_tail(pay.err));
        cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
        cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                     1000);
        cr_expect_eq(scene_int(&scene, "SELECT sum(next_offset) FROM positions"),
                     1000 * (round + 1));
        for (int32_t partition = 0; partition < 4; partition++) {
            snprintf(sql, sizeof(sql), "SELECT next_offset FROM positions WHERE partition = %d",
                     partition);
            cr_expect_eq(committed(partition), scene_int(&scene, sql), "partition %d", partition);
        }
    }
    cr_expect_str_eq(scene_text(&scene, "SELECT high || ' ' || low FROM totals"), "0 100000");
    scene_check_books(&scene);
}

/* A broker learns of a new topic a moment after it was made. */
static void wait_until_listed(rd_kafka_t *rk, const char *name)
{
    bool listed = false;

    while (!listed) {
        const struct rd_kafka_metadata *metadata;
        cr_assert_eq(rd_kafka_metadata(rk, 1, NULL, &metadata, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
        for (int i = 0; i < metadata->topic_cnt; i++) {
            listed = listed || strcmp(metadata->topics[i].topic, name) == 0;
        }
        rd_kafka_metadata_destroy(metadata);
    }
}

/* Makes a topic with one property set, as an operator would. */
static void make_topic(const char *name, const char *property, const char *value)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, "client.id", "test");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char why[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, 1, 1, why, sizeof(why));

    rd_kafka_NewTopic_set_config(topic, property, value);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    cr_assert(event);
    cr_assert_eq(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    wait_until_listed(rk, name);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

Test(kafka_main_job, a_topic_whose_settings_lose_payments_is_refused_by_both_programs)
{
    static const struct {
        const char *topic;
        const char *property;
        const char *value;
        const char *said;
    } rows[] = {
        {"compacted", "cleanup.policy", "compact", "cleanup.policy=compact"},
        {"clients-clock", "message.timestamp.type", "CreateTime",
         "message.timestamp.type=CreateTime"},
    };
    struct process process;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_topic(rows[i].topic, rows[i].property, rows[i].value);
        snprintf(scene.topic, sizeof(scene.topic), "%s", rows[i].topic);
        cr_expect_eq(scene_pay(&scene, NULL, &process,
                               (const char *const[]){"send", "a", "b", "1.00", "--new", NULL}),
                     78);
        cr_expect(file_has(process.err, rows[i].said), "%s", file_tail(process.err));
        cr_expect_eq(scene_drain(&scene, NULL, &process), 78);
        cr_expect(file_has(process.err, rows[i].said), "%s", file_tail(process.err));
    }
}

Test(kafka_main_job, a_misspelt_topic_is_not_created)
{
    struct process process;

    snprintf(scene.topic, sizeof(scene.topic), "payment");
    for (int round = 0; round < 2; round++) {
        cr_expect_eq(scene_pay(&scene, NULL, &process,
                               (const char *const[]){"send", "a", "b", "1.00", "--new", NULL}),
                     69);
        cr_expect(file_has(process.err, "there is no topic \"payment\""), "%s",
                  file_tail(process.err));
    }
    cr_expect_eq(scene_drain(&scene, NULL, &process), 69);
}

Test(kafka_main_job, offsets_that_a_crash_left_uncommitted_are_committed_at_the_next_start)
{
    struct process process;
    int64_t sum = 0;

    cr_assert_eq(scene_pay(&scene, NULL, &process, sample_batch), 0);
    while (scene_drain(&scene, "PAY_FAILPOINT=after-store-commit=kill", &process) != 0) {
        cr_assert_eq(file_count(process.err, "failpoint after-store-commit kill"), 1);
    }
    for (int32_t partition = 0; partition < 4; partition++) {
        sum += committed(partition);
    }
    cr_expect_eq(sum, 1000);
    cr_expect_eq(scene_int(&scene, "SELECT sum(next_offset) FROM positions"), 1000);
}
