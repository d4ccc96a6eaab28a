/*
 * The simulated topic: partitions of records, with holes between the offsets where transactions
 * were aborted or ended. One at a time.
 */
#ifndef TESTS_SIMULATION_TOPIC_H
#define TESTS_SIMULATION_TOPIC_H

#include "common/command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPIC_NAME           "payments"
#define TOPIC_PARTITIONS_MAX 4
#define TOPIC_RECORDS_MAX    256 /* of all partitions together */

/* What a producer sends, and what it means by it. */
struct message {
    size_t number; /* of the submission */
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    const char *unreadable; /* why it cannot be read: the name of the reason; NULL = it can */
    bool has_key;           /* a usable one, so that somebody can be answered */
    size_t key_id;          /* of a usable key: its number */
    struct command command; /* when it can be read: what it says */
    bool traced;            /* with a traceparent header */
};

struct record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    const struct message *message; /* borrowed from whoever appended it */
};

void topic_begin(int32_t partitions);
int32_t topic_partitions(void);

/* The log of a partition holds the offsets low <= offset < high. */
int64_t topic_low(int32_t partition);
int64_t topic_high(int32_t partition);

/* Append; returns the offset. */
int64_t topic_append(int32_t partition, const struct message *message);

/* Leave count offsets out: nobody will see a record there. */
void topic_skip(int32_t partition, int64_t count);

/* Retention: what stands before low is gone for readers. */
void topic_raise_low(int32_t partition, int64_t low);

/* The first record at the offset or behind it, also one that retention took; NULL for none. */
const struct record *topic_next(int32_t partition, int64_t offset);

/* The record at an offset; NULL for none. */
const struct record *topic_find(int32_t partition, int64_t offset);

size_t topic_record_count(void);

/* True when so many records are there that no more should be made than must be. */
bool topic_is_crowded(void);

#endif
