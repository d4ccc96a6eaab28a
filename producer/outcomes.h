/*
 * The outcomes topic, as whoever reads it needs it: its partitions, its records, and how to go on
 * when some of them were deleted.
 */
#ifndef PRODUCER_OUTCOMES_H
#define PRODUCER_OUTCOMES_H

#include "common/outcome_record.h"
#include "common/topic_reader.h"

#include <stdbool.h>

/* How long a question to a broker may take. */
#define OUTCOMES_BROKER_MS 10000

/*
 * What is fetched of a partition ahead. When so much waits to be looked at, librdkafka before 2.2
 * asks for more only a second later: less than this would be the speed of a large batch.
 */
#define OUTCOMES_FETCH_BYTES 16777216

/*
 * As topic_reader_partitions(), and says how to name another topic: EX_UNAVAILABLE when no broker
 * answers or the topic is not there.
 */
MUST_CHECK int outcomes_partitions(struct topic_reader *reader, int *ret_partitions,
                                   struct error *err);

/* Read a record. False when it is no outcome of its key: then it is nothing to us. */
bool outcomes_read(const struct topic_record *record, struct outcome_record *ret);

/*
 * Go on in a partition that does not hold the offset where it was read (retention, or the topic was
 * made anew) at the first record that it holds. Fails with EX_UNAVAILABLE.
 */
MUST_CHECK int outcomes_restart(struct topic_reader *reader, int32_t partition, struct error *err);

#endif
