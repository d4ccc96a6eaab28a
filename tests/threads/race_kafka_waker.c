/*
 * The thread that keeps the client fetching is asked again and again while it asks the brokers, and
 * ended in the middle of it. Built with the thread sanitizer it finds what the two threads share by
 * mistake. The question itself is a stand-in (the linker's --wrap), since no broker is there.
 */
#include "common/kafka_waker.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMES      200
#define WAKES      50
#define PARTITIONS 3

static atomic_int questions;
static atomic_int wrong;

rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *rk,
                                                      rd_kafka_topic_partition_list_t *list,
                                                      int timeout_ms);
rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *rk,
                                                      rd_kafka_topic_partition_list_t *list,
                                                      int timeout_ms)
{
    (void)rk;
    if (list->cnt != PARTITIONS || timeout_ms <= 0) {
        atomic_fetch_add(&wrong, 1);
    }
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].partition != i || strcmp(list->elems[i].topic, "payments") != 0) {
            atomic_fetch_add(&wrong, 1);
        }
    }
    usleep(20);
    atomic_fetch_add(&questions, 1);
    return RD_KAFKA_RESP_ERR__TIMED_OUT;
}

static void expect(bool is_so, const char *what)
{
    if (!is_so) {
        printf("race_kafka_waker: %s\n", what);
        exit(1);
    }
}

static rd_kafka_topic_partition_list_t *partitions(void)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (int i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(list, "payments", i);
    }
    return list;
}

int main(void)
{
    struct kafka_waker *waker;
    struct error err;

    for (int i = 0; i < TIMES; i++) {
        int before = atomic_load(&questions);
        expect(kafka_waker_open(&waker, NULL, &err) == 0, "it does not start");
        for (int j = 0; j < WAKES; j++) {
            kafka_waker_wake(waker, partitions());
        }
        while (i % 2 == 0 && atomic_load(&questions) == before) { /* a call is never lost */
            usleep(10);
        }
        kafka_waker_close(waker);
        int after = atomic_load(&questions);
        expect(after - before <= WAKES, "it asked more often than it was called");
    }
    expect(atomic_load(&wrong) == 0, "it asked for something else");
    kafka_waker_close(NULL);
    return 0;
}
