/*
 * A scan of the outcomes topic: every record of the partitions where given keys land, once, from
 * where they begin to where they ended when the scan began.
 *
 * Memory: some bytes for each partition of the topic, beside what the client fetches ahead.
 */
#ifndef PRODUCER_SCAN_H
#define PRODUCER_SCAN_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "common/progress.h"
#include "common/topic_reader.h"

/* Without a record for so long, a scan gives up. */
#define SCAN_STALL_MS 30000

struct scan;

/*
 * Called for each record, in the order of offsets within a partition; the record is borrowed for
 * the call. Most are of keys that nobody asked for. Returns -1 with *err set to end the scan.
 */
typedef int scan_take(void *user, const struct topic_record *record, struct error *err);

/*
 * Ask the topic for its partitions. args gives brokers and properties. Fails with EX_UNAVAILABLE
 * when no broker answers or the topic is not there, and as topic_reader_open(). On success the
 * caller closes *ret.
 */
MUST_CHECK int scan_open(struct scan **ret, const struct kafka_args *args, const char *topic,
                         struct error *err);

/* Read the partition where this key lands too, in the next scan_read(). The key is not kept. */
void scan_want(struct scan *scan, const char *key);

/*
 * Read all partitions that were wanted since the last call. Fails with EX_UNAVAILABLE when a broker
 * does not say where they begin and end, EX_TEMPFAIL when they were not read to their ends
 * (stopped, or SCAN_STALL_MS went by), and as topic_reader_poll() and take. After a failure only
 * scan_close() may be called.
 */
MUST_CHECK int scan_read(struct scan *scan, struct progress *progress, scan_take *take, void *user,
                         struct error *err);

/* NULL is accepted. */
void scan_close(struct scan *scan);

#endif
