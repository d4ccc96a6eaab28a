/*
 * Wakes a consumer's fetchers.
 *
 * When its queue is above its limit, librdkafka 2.0.2 asks for no more messages, and looks again
 * only when something else happens on that broker's connection, or after a second
 * (rd_kafka_broker_consumer_serve(), rd_kafka_max_block_ms). A reader that takes all of the queue
 * at once would wait for the rest of that second. A question to the brokers that lead the
 * partitions, for the ends of their logs, is such a something; a thread asks it, since it waits for
 * the answer.
 */
#ifndef COMMON_KAFKA_WAKER_H
#define COMMON_KAFKA_WAKER_H

#include "common/compiler.h"
#include "common/error.h"

/* The library's own types, rd_kafka_t and rd_kafka_topic_partition_list_t. */
struct rd_kafka_s;
struct rd_kafka_topic_partition_list_s;

struct kafka_waker;

/* Start the thread. rk must outlive it. Fails with EX_OSERR. On success the caller closes *ret. */
MUST_CHECK int kafka_waker_open(struct kafka_waker **ret, struct rd_kafka_s *rk, struct error *err);

/* End it, which takes no longer than half a second; NULL is accepted. */
void kafka_waker_close(struct kafka_waker *waker);

/*
 * The queue was above its limit and is not any more: fetch on, from these partitions. Takes the
 * list over; its offsets do not matter. Does not wait.
 */
void kafka_waker_wake(struct kafka_waker *waker,
                      struct rd_kafka_topic_partition_list_s *partitions);

#endif
