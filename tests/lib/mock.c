#include "tests/lib/mock.h"

#include <criterion/criterion.h>

#define PARTITIONS 4

void mock_open(struct mock *mock, struct scene *scene, int brokers)
{
    static const char *const topics[] = {"payments", "payments.outcomes"};
    char why[256];

    mock->brokers = brokers;
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, why, sizeof(why));
    cr_assert(mock->rk, "%s", why);
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, brokers);
    cr_assert(mock->cluster, "no mock cluster");
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        cr_assert_eq(rd_kafka_mock_topic_create(mock->cluster, topics[i], PARTITIONS, brokers),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
        for (int partition = 0; partition < PARTITIONS; partition++) {
            cr_assert_eq(rd_kafka_mock_partition_set_leader(mock->cluster, topics[i], partition,
                                                            partition % brokers + 1),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
        }
    }
    scene_open_on(scene, rd_kafka_mock_cluster_bootstraps(mock->cluster));
}

void mock_close(struct mock *mock)
{
    if (mock->cluster) {
        rd_kafka_mock_cluster_destroy(mock->cluster);
        rd_kafka_destroy(mock->rk);
        mock->cluster = NULL;
    }
}

void mock_fail(struct mock *mock, enum mock_request request, rd_kafka_resp_err_t code, int times)
{
    mock_fail_late(mock, request, code, times, 0);
}

void mock_fail_late(struct mock *mock, enum mock_request request, rd_kafka_resp_err_t code,
                    int times, int after_ms)
{
    for (int broker = 1; broker <= mock->brokers; broker++) {
        for (int i = 0; i < times; i++) {
            cr_assert_eq(rd_kafka_mock_broker_push_request_error_rtts(
                             mock->cluster, broker, (int16_t)request, 1, code, after_ms),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
        }
    }
}

int mock_failures_left(const struct mock *mock, enum mock_request request)
{
    size_t all = 0;

    for (int broker = 1; broker <= mock->brokers; broker++) {
        size_t left = 0;
        rd_kafka_mock_broker_error_stack_cnt(mock->cluster, broker, (int16_t)request, &left);
        all += left;
    }
    return (int)all;
}
