/*
 * What the files of the inbox share. Nobody else includes this header.
 *
 *   inbox.c             open, close
 *   inbox_poll.c        messages
 *   inbox_assignment.c  rebalances, and offsets committed to Kafka
 *   inbox_owner.c       whose the group is
 */
#ifndef CONSUMER_INBOX_INTERNAL_H
#define CONSUMER_INBOX_INTERNAL_H

#include "consumer/inbox.h"

#include <librdkafka/rdkafka.h>

/* What is known of one assigned partition. */
struct inbox_partition {
    int32_t partition;
    int64_t noted;     /* the next offset to commit to Kafka */
    int64_t committed; /* the last one that was sent there, -1 for none */
    bool at_end;
    int64_t end;            /* the offset of the last end that was seen */
    int64_t stuck_since_ms; /* 0 = no record waits behind the end */
};

enum rebalance { REBALANCE_NONE, REBALANCE_ASSIGN, REBALANCE_REVOKE };

struct inbox {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct kafka_waker *waker; /* keeps the client fetching */
    /* With so much in its queue the client stops fetching. */
    uint64_t queue_bytes;
    uint64_t queue_messages;
    char *topic;
    size_t topic_partitions;
    bool skip_topic_check;
    bool closing;
    bool claimed; /* we have signed in the group */
    struct inbox_callbacks callbacks;

    /* The rebalance callback only takes notes; inbox_poll() acts on them between two batches. */
    enum rebalance pending;
    rd_kafka_topic_partition_list_t *pending_list;
    bool pending_is_stale; /* the group has gone on without us since it gave us pending_list */

    struct inbox_partition *partitions; /* by partition number, for the assigned ones */
    size_t partition_count;
    int64_t commit_due_ms; /* 0 = nothing to commit */
    int64_t look_due_ms;   /* when to look for stuck partitions again */
};

/* Something for the log. */
void inbox_note(struct inbox *inbox, const char *what, const char *text);

/* NULL when the partition is not assigned. */
struct inbox_partition *inbox_find_partition(struct inbox *inbox, int32_t partition);

/* Do what the rebalance callback left to do. */
MUST_CHECK int inbox_follow_rebalance(struct inbox *inbox, struct error *err);

/* Send the noted offsets to Kafka: when it is time, and without waiting for the answer. */
void inbox_commit_due(struct inbox *inbox);

/* All of them, waiting up to INBOX_CLOSE_MS for the answer. */
void inbox_commit_all(struct inbox *inbox);

/* Commit a list and wait for the answer. */
rd_kafka_resp_err_t inbox_commit_list(struct inbox *inbox,
                                      const rd_kafka_topic_partition_list_t *list, int timeout_ms);

/* Put the text that says who we are beside each offset of a list that is to be committed. */
void inbox_sign(struct inbox *inbox, rd_kafka_topic_partition_list_t *list);

/*
 * Make sure that the group is ours, before the partitions of list (with their starts as offsets)
 * are read. Returns 0, 1 when it cannot be said yet and must be asked again, or -1 to stop. Sets
 * pending_is_stale when asking again is of no use.
 */
MUST_CHECK int inbox_claim(struct inbox *inbox, const rd_kafka_topic_partition_list_t *list,
                           struct error *err);

/*
 * Note partitions where records stand behind an end that does not move: they belong to, or wait
 * for, a transaction that is not ended.
 */
void inbox_note_stuck(struct inbox *inbox);

/* The client's callback for committed offsets. */
void inbox_on_offset_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                            rd_kafka_topic_partition_list_t *list, void *opaque);

#endif
