/*
 * A producer of Kafka transactions, as another client might be: what it aborts stays in the log,
 * and only readers that ask for committed records do not see it.
 */
#ifndef TESTS_LIB_TRANSACTIONS_H
#define TESTS_LIB_TRANSACTIONS_H

#include "tests/lib/scene.h"

#include <librdkafka/rdkafka.h>

/*
 * A producer with a transactional id, which the test ends with rd_kafka_destroy(). One that another
 * of the same id has left in a transaction is shut out by it, and the transaction is aborted.
 */
rd_kafka_t *transactions_open(const struct scene *scene, const char *id);

void transactions_begin(rd_kafka_t *rk);

/* Into the scene's topic, as any client chooses the partition. It may still be on its way. */
void transactions_produce(rd_kafka_t *rk, const struct scene *scene, const char *key,
                          const char *value);

/* Wait until all of it is in the log. */
void transactions_flush(rd_kafka_t *rk);

/* Flush, then commit or abort. */
void transactions_end(rd_kafka_t *rk, bool commit);

#endif
