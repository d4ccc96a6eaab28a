/*
 * The topic reader: reads records of one topic where it is told to. It belongs to no group, commits
 * nothing, and sees only committed records.
 */
#ifndef COMMON_TOPIC_READER_H
#define COMMON_TOPIC_READER_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct topic_reader;

struct topic_record {
    int32_t partition;
    int64_t offset;       /* is_end: the next offset of the partition */
    int64_t timestamp_ms; /* the broker's append time */
    const char *key;      /* borrowed until the next poll, stop or close; NULL = none */
    size_t key_len;
    const char *value; /* as key */
    size_t value_len;
    const void *headers; /* as key; opaque, see topic_reader_header(); NULL = none */
    bool is_end;         /* not a record but the end of the partition, for now */
};

/* What topic_reader_poll() found. */
enum topic_reader_result {
    TOPIC_READER_RECORD,  /* *ret is a record or an end */
    TOPIC_READER_NOTHING, /* nothing came within the time */
    TOPIC_READER_GONE,    /* ret->partition does not hold ret->offset, the next to be read */
    TOPIC_READER_FAILED,  /* stop: see *err */
};

/*
 * Make a reader of the topic named topic; args gives brokers and properties, its own topic is not
 * looked at. Connects to nothing yet. fetch_bytes bounds what is fetched of a partition ahead
 * (a whole batch of records at the least). Errors as kafka_conf_make(). On success the caller
 * closes *ret; topic is copied.
 */
MUST_CHECK int topic_reader_open(struct topic_reader **ret, const struct kafka_args *args,
                                 const char *topic, size_t fetch_bytes, struct error *err);

/*
 * Ask how many partitions the topic has. Fails as kafka_topic_partitions(), also when it is not
 * there (EX_UNAVAILABLE).
 */
MUST_CHECK int topic_reader_partitions(struct topic_reader *reader, int timeout_ms,
                                       int *ret_partitions, struct error *err);

/* The offsets low <= offset < high that a partition holds now. Fails with EX_UNAVAILABLE. */
MUST_CHECK int topic_reader_ends(struct topic_reader *reader, int32_t partition, int timeout_ms,
                                 int64_t *ret_low, int64_t *ret_high, struct error *err);

/*
 * The first offset of a partition whose record is not older than unix_ms, by the broker's append
 * time; the end of the partition when none is so new. Fails with EX_UNAVAILABLE.
 */
MUST_CHECK int topic_reader_offset_at(struct topic_reader *reader, int32_t partition,
                                      int64_t unix_ms, int timeout_ms, int64_t *ret,
                                      struct error *err);

/* How long the topic keeps a record, as kafka_topic_retention(). */
MUST_CHECK int topic_reader_retention(struct topic_reader *reader, int timeout_ms, int64_t *ret_ms,
                                      struct error *err);

/* The cluster's id, to be released with free(), or NULL with *err set (EX_UNAVAILABLE). */
char *topic_reader_cluster(struct topic_reader *reader, int timeout_ms, struct error *err);

/*
 * Header number index (from 0) of a record, by its topic_record.headers: false when there is none.
 * The value may be NULL. Borrowed as the record is.
 */
bool topic_reader_header(const void *headers, size_t index, const char **ret_name,
                         const void **ret_value, size_t *ret_value_len);

/*
 * Begin to read a partition at an offset, 0 or more. It must not be started already. Fails with
 * EX_UNAVAILABLE or EX_OSERR.
 */
MUST_CHECK int topic_reader_start(struct topic_reader *reader, int32_t partition, int64_t offset,
                                  struct error *err);

/*
 * No more of a partition: nothing that was fetched of it comes any more. Nothing happens to one
 * that was not started. Does not wait for a broker.
 */
void topic_reader_stop(struct topic_reader *reader, int32_t partition);

/*
 * The next record or end of any started partition, waiting up to timeout_ms. Within a partition
 * records come in the order of their offsets, and an end comes each time that one is reached. A
 * partition that is GONE gives nothing more until it was stopped and started again. Errors that
 * pass by themselves (a broker is away) are not told; the last of them is topic_reader_trouble().
 * FAILED: EX_CONFIG when access is refused, EX_IOERR for a damaged record, else EX_UNAVAILABLE.
 */
MUST_CHECK enum topic_reader_result topic_reader_poll(struct topic_reader *reader, int timeout_ms,
                                                      struct topic_record *ret, struct error *err);

/*
 * The last passing trouble as a sentence, "" for none or when something was read since. Borrowed
 * until the next call.
 */
const char *topic_reader_trouble(const struct topic_reader *reader);

/*
 * The partition of a topic with that many partitions where every client's key lands: murmur2, as
 * the Java clients' default does. The key must not be empty. Asks nobody.
 */
int32_t topic_reader_partition_of(struct topic_reader *reader, const char *key, size_t key_len,
                                  int partitions);

/*
 * Close; NULL is accepted. Waits for no broker, and at most seconds for the client: one that does
 * not end is left behind, see bounded_call_runs().
 */
void topic_reader_close(struct topic_reader *reader);

#endif
