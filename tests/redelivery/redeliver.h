/*
 * pay-redeliver: sends records of a topic a second time, or moves a group's offsets back, while or
 * before payd runs. A consumer that keeps the promise pays nothing twice.
 */
#ifndef TESTS_REDELIVERY_REDELIVER_H
#define TESTS_REDELIVERY_REDELIVER_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"

#include <stdbool.h>
#include <stdint.h>

struct rd_kafka_s;

/* What the command line says. Strings are borrowed from argv. */
struct redeliver {
    bool help;
    struct kafka_args kafka;
    uint64_t seed;
    bool has_seed;
    bool dry_run;
    bool is_test; /* --yes-this-is-a-test */

    int share_percent; /* of the records, that are sent again */
    int other_percent; /* of those, with another amount */
    int rate;          /* records a second, 0 = as fast as it goes */
    int64_t limit;     /* records that are sent again at the most, 0 = no limit */

    const char *group; /* --rewind: whose offsets are moved back */
    bool is_rewind;
    bool rewind_by_percent;
    int64_t rewind_by; /* records of each partition, or percent of those behind the offset */
};

/* Read the command line. Fails with EX_USAGE. */
MUST_CHECK int redeliver_options(int argc, char **argv, struct redeliver *ret, struct error *err);

/* The help text. */
extern const char redeliver_usage[];

/*
 * Send a share of the topic's records again, and print what was done. Reads what stands in the
 * topic at the start, not what it sends. Fails with EX_UNAVAILABLE, EX_CONFIG or EX_TEMPFAIL (not
 * all was acknowledged, or stopped).
 */
MUST_CHECK int redeliver_again(const struct redeliver *options, struct error *err);

/*
 * Move the group's offsets back, and print from where to where. Fails with EX_CONFIG when the group
 * has members, EX_DATAERR when it has no offsets, EX_UNAVAILABLE.
 */
MUST_CHECK int redeliver_rewind(const struct redeliver *options, struct error *err);

/*
 * A client that reads, with the properties of the command line and group.id unless group is NULL.
 * *ret_partitions is the topic's number of partitions. On success the caller destroys it.
 */
MUST_CHECK int redeliver_open(const struct redeliver *options, const char *group,
                              struct rd_kafka_s **ret, int *ret_partitions, struct error *err);

#endif
