/*
 * librdkafka's mock cluster in the test's own process, so that the test can make its brokers answer
 * errors or go down.
 */
#ifndef TESTS_LIB_MOCK_H
#define TESTS_LIB_MOCK_H

#include "tests/lib/scene.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    int brokers;
};

/* The request types of the protocol that are told to fail here (Kafka's ApiKey). */
enum mock_request {
    MOCK_PRODUCE = 0,
    MOCK_FETCH = 1,
    MOCK_OFFSET_COMMIT = 8,
    MOCK_JOIN_GROUP = 11,
    MOCK_HEARTBEAT = 12,
    MOCK_SYNC_GROUP = 14,
};

/*
 * Open a scene on a cluster of so many brokers, with `payments` and `payments.outcomes` of 4
 * partitions, which the brokers lead in turn. The scene is closed with scene_close(), the cluster
 * with mock_close().
 */
void mock_open(struct mock *mock, struct scene *scene, int brokers);
void mock_close(struct mock *mock);

/* The next times requests of a type are answered with code, by each broker. */
void mock_fail(struct mock *mock, enum mock_request request, rd_kafka_resp_err_t code, int times);

/* The same, but each answer takes its time. */
void mock_fail_late(struct mock *mock, enum mock_request request, rd_kafka_resp_err_t code,
                    int times, int after_ms);

/* How many of them still wait to be answered so, in all. */
int mock_failures_left(const struct mock *mock, enum mock_request request);

#endif
