#include "tests/lib/admin.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

#define ASK_MS  30000
#define LOOK_MS 100

/* group may be NULL. */
static rd_kafka_t *connect_to(const struct scene *scene, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", scene->brokers, why, sizeof(why));
    if (group) {
        rd_kafka_conf_set(conf, "group.id", group, why, sizeof(why));
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    cr_assert(rk, "%s", why);
    return rk;
}

static void expect_done(rd_kafka_resp_err_t code, const char *what)
{
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR, "%s: %s", what, rd_kafka_err2str(code));
}

static rd_kafka_topic_partition_list_t *list_of(const struct scene *scene, int first, int last)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add_range(list, scene->topic, first, last);
    return list;
}

/* The answer to a request, which the caller destroys with the queue. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);

    cr_assert(event, "%s: no answer", what);
    expect_done(rd_kafka_event_error(event), what);
    return event;
}

static void end(rd_kafka_t *rk, rd_kafka_queue_t *queue, rd_kafka_event_t *event)
{
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void read_ends(const struct scene *scene, int partition, int64_t *low, int64_t *high)
{
    rd_kafka_t *rk = connect_to(scene, NULL);

    expect_done(rd_kafka_query_watermark_offsets(rk, scene->topic, partition, low, high, ASK_MS),
                "ends");
    rd_kafka_destroy(rk);
}

int64_t admin_low(const struct scene *scene, int partition)
{
    int64_t low;
    int64_t high;

    read_ends(scene, partition, &low, &high);
    return low;
}

int64_t admin_high(const struct scene *scene, int partition)
{
    int64_t low;
    int64_t high;

    read_ends(scene, partition, &low, &high);
    return high;
}

void admin_delete_records(const struct scene *scene, int partition, int64_t before)
{
    rd_kafka_t *rk = connect_to(scene, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = list_of(scene, partition, partition);

    list->elems[0].offset = before;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "DeleteRecords");
    expect_done(rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
                    ->elems->err,
                "DeleteRecords");
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    end(rk, queue, event);
}

static int count_partitions(rd_kafka_t *rk, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);

    expect_done(rd_kafka_metadata(rk, 0, topic, &metadata, ASK_MS), "metadata");
    int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

void admin_grow_topic(const struct scene *scene, const char *topic, int partitions)
{
    rd_kafka_t *rk = connect_to(scene, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    char why[256];
    size_t count;

    rd_kafka_NewPartitions_t *request =
        rd_kafka_NewPartitions_new(topic, (size_t)partitions, why, sizeof(why));
    cr_assert(request, "%s", why);
    rd_kafka_CreatePartitions(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "CreatePartitions");
    expect_done(rd_kafka_topic_result_error(rd_kafka_CreatePartitions_result_topics(
                    rd_kafka_event_CreatePartitions_result(event), &count)[0]),
                "CreatePartitions");
    rd_kafka_NewPartitions_destroy(request);
    /* The controller has answered; a broker may hear of it later. */
    for (int waited = 0; count_partitions(rk, topic) < partitions; waited += LOOK_MS) {
        cr_assert_lt(waited, ASK_MS, "the topic does not grow");
        pause_ms(LOOK_MS);
    }
    end(rk, queue, event);
}

static void expect_group_done(const rd_kafka_group_result_t *result, const char *what)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(result);

    cr_assert_null(rd_kafka_group_result_error(result), "%s: %s", what,
                   rd_kafka_error_string(rd_kafka_group_result_error(result)));
    for (int i = 0; list && i < list->cnt; i++) {
        expect_done(list->elems[i].err, what);
    }
}

static int members_of(rd_kafka_t *rk, const char *group)
{
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(rk, group, &list, ASK_MS);
    int members = code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 1;

    for (int i = 0; list && i < list->group_cnt; i++) {
        members += list->groups[i].err ? 1 : list->groups[i].member_cnt;
    }
    if (list) {
        rd_kafka_group_list_destroy(list);
    }
    return members;
}

void admin_wait_empty(const struct scene *scene, const char *group)
{
    rd_kafka_t *rk = connect_to(scene, NULL);
    int waited = 0;

    while (members_of(rk, group) > 0) {
        cr_assert_lt(waited, ASK_MS, "the group keeps members");
        pause_ms(LOOK_MS);
        waited += LOOK_MS;
    }
    rd_kafka_destroy(rk);
}

void admin_delete_group(const struct scene *scene, const char *group)
{
    admin_wait_empty(scene, group);
    rd_kafka_t *rk = connect_to(scene, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteGroup_t *request = rd_kafka_DeleteGroup_new(group);
    size_t count;

    rd_kafka_DeleteGroups(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "DeleteGroups");
    expect_group_done(
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count)[0],
        "DeleteGroups");
    rd_kafka_DeleteGroup_destroy(request);
    end(rk, queue, event);
}

void admin_delete_offsets(const struct scene *scene, const char *group, int partitions)
{
    admin_wait_empty(scene, group);
    rd_kafka_t *rk = connect_to(scene, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = list_of(scene, 0, partitions - 1);
    rd_kafka_DeleteConsumerGroupOffsets_t *request =
        rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    size_t count;

    rd_kafka_DeleteConsumerGroupOffsets(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue, "DeleteConsumerGroupOffsets");
    expect_group_done(rd_kafka_DeleteConsumerGroupOffsets_result_groups(
                          rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count)[0],
                      "DeleteConsumerGroupOffsets");
    rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    end(rk, queue, event);
}

void admin_set_offset(const struct scene *scene, const char *group, int partition, int64_t offset)
{
    admin_wait_empty(scene, group);
    rd_kafka_t *rk = connect_to(scene, group);
    rd_kafka_topic_partition_list_t *list = list_of(scene, partition, partition);

    list->elems[0].offset = offset;
    expect_done(rd_kafka_commit(rk, list, 0), "commit");
    expect_done(list->elems[0].err, "commit");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}
