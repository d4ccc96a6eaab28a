/*
 * A topic as it was collected: topic.jsonl, one line a message in any order, and behind them one
 * line a partition, without which the file is no evidence.
 *
 *   {"partition":0,"offset":12,"timestamp_ms":1764000000000,"key":"k1","value":"{...}"}
 *   {"partition":0,"low":0,"high":13,"records":13}
 *
 * A message takes 210 bytes, its key some 60 more when no other has the same.
 */
#ifndef TESTS_CHECKER_TOPIC_H
#define TESTS_CHECKER_TOPIC_H

#include "tests/checker/fault.h"
#include "tests/checker/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPIC_PARTITIONS_MAX 100000
#define TOPIC_NO_BYTES       (-1) /* the length of a key or value that is not there */

struct record {
    int32_t partition;
    int32_t key;   /* of words.keys; NAMES_NONE: the message has none */
    bool is_keyed; /* the key can be one; without, a message is quarantined whatever its value */
    int64_t offset;
    int64_t timestamp_ms;
    int64_t key_len;
    int64_t value_len;
    unsigned char value_digest[SHA_SIZE];
    struct order order;
    /* What the store makes of it, by the fold. */
    int64_t seq;       /* 0: nothing stands at this origin */
    int64_t first_seq; /* of the key's decision at this point, 0: undecided */
    int outcome;       /* enum outcome: the store's, or else the model's own */
    char reason[32];   /* the same; "" for none */
    bool was_skipped;  /* it was passed when its turn came */
    bool is_answered;  /* the outcomes topic has an answer to it */
};

struct partition {
    bool is_known;
    int64_t low;
    int64_t high;
    size_t begin; /* its records are [begin, end) */
    size_t end;
};

struct topic {
    struct record *records; /* by partition and offset */
    size_t count;
    size_t room;
    struct partition *partitions;
    size_t partition_count;
    size_t partition_room;
};

/* Read a file; the orders and keys go into words. Release the topic also after a failure. */
int topic_read(struct topic *topic, const char *path, struct words *words, struct fault *fault);
void topic_release(struct topic *topic);

/* The record at an origin, or NULL. */
struct record *topic_find(const struct topic *topic, int64_t partition, int64_t offset);

/* The partition, or NULL when the topic has no such one. */
const struct partition *topic_partition(const struct topic *topic, int64_t number);

/* Its first record from an offset on, as an index. */
size_t topic_from(const struct topic *topic, const struct partition *partition, int64_t offset);

#endif
