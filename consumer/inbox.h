/*
 * The inbox: messages of one topic, at least once, from the positions that the store gives.
 *
 * The group's committed offsets are written for lag tools and never read: where reading starts is
 * asked through a callback at each assignment. A poll in which the assignment changes gives no
 * messages, so what it gives always belongs to the current assignment.
 */
#ifndef CONSUMER_INBOX_H
#define CONSUMER_INBOX_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that wait in the client beside those that inbox_poll() has handed out. */
#define INBOX_QUEUE_KIB 6144

/* Closing takes no longer than four times this, also with the broker gone. */
#define INBOX_CLOSE_MS 1500

struct inbox_message {
    struct origin origin;
    struct raw_message raw;
    /* Not a message but the end of the partition: origin.offset is the next offset there. */
    bool is_end;
};

/*
 * What one poll took. The messages, and all that they point to, are valid until the batch is
 * released; meanwhile another thread may read them.
 */
struct inbox_batch {
    struct inbox_message messages[CHUNK_MESSAGES_MAX];
    size_t count;
    /* The inbox's own: what the messages borrow from. */
    struct rd_kafka_message_s *held[CHUNK_MESSAGES_MAX];
    size_t held_count;
};

/* An empty batch, or NULL when memory ran out. The caller frees it. */
struct inbox_batch *inbox_batch_new(void);

/* Let go of what was taken, before the inbox is closed. An empty batch is accepted. */
void inbox_batch_release(struct inbox_batch *batch);

/* Release and free; NULL is accepted. */
void inbox_batch_free(struct inbox_batch *batch);

/* Bytes of the text that goes with each committed offset, with its ending NUL. */
#define INBOX_METADATA_SIZE 128

struct inbox_callbacks {
    void *user;
    /*
     * The assignment is about to change: be done with all that was polled, so that the store has
     * its positions. Returns 0, or -1 to stop with *err.
     */
    int (*drain)(void *user, struct error *err);
    /*
     * Where to start in a partition whose log holds the offsets low <= offset < high. Returns 0 and
     * sets *ret, or -1 to stop with *err.
     */
    int (*position)(void *user, int32_t partition, int64_t low, int64_t high, int64_t *ret,
                    struct error *err);
    /*
     * The partitions that are about to be read, when each has its position. Returns 0 to go on, 1
     * when it cannot be said yet and is to be asked again, or -1 to stop with *err.
     */
    int (*ready)(void *user, const int32_t *partitions, size_t count, struct error *err);
    /* Write the text that goes with each committed offset: who has read so far. */
    void (*sign)(void *user, char text[INBOX_METADATA_SIZE]);
    /*
     * The text that stands in the group for a partition, "" for none. claimed: this inbox has
     * signed there before. Returns 0, or -1 to stop with *err. Asked for every partition of the
     * topic before an assignment is read from, and again after it was signed.
     */
    int (*owner)(void *user, int32_t partition, const char *text, bool claimed, struct error *err);
    /* The assignment changed: from the next poll on, these partitions and no others. */
    void (*assigned)(void *user, const int32_t *partitions, const int64_t *offsets, size_t count);
    /* Something that passes: "broker 1 is away". For the log. */
    void (*note)(void *user, const char *what, const char *text);
};

struct inbox;

/*
 * Make the consumer; nothing is joined yet. group is the consumer group. Errors as
 * kafka_conf_make(). On success the caller closes *ret; callbacks are copied.
 */
MUST_CHECK int inbox_open(struct inbox **ret, const struct kafka_args *args, const char *group,
                          const struct inbox_callbacks *callbacks, struct error *err);

/*
 * Look at the topic: is it there, may it be trusted (kafka_topic.h)? Fails with EX_UNAVAILABLE when
 * no broker answers or the topic is not there: it may come, ask again.
 */
MUST_CHECK int inbox_check_topic(struct inbox *inbox, struct error *err);

/* The cluster's id, to be released with free(), or NULL with *err set. */
char *inbox_cluster(struct inbox *inbox, struct error *err);

/* Join the group. */
MUST_CHECK int inbox_join(struct inbox *inbox, struct error *err);

/*
 * Take what has arrived into a batch, waiting up to timeout_ms for the first message and for no
 * other. What the batch held before is released. Within a partition, messages come in the order of
 * their offsets. Fails when going on would skip or mistake messages: EX_CONFIG when the log does
 * not hold the position, or access is refused, EX_IOERR for a damaged record, EX_UNAVAILABLE when
 * the client gave up.
 */
MUST_CHECK int inbox_poll(struct inbox *inbox, int timeout_ms, struct inbox_batch *batch,
                          struct error *err);

/* True when an assignment is there and the end of each of its partitions was seen. */
bool inbox_at_end(const struct inbox *inbox);

/*
 * Note the next offset of a partition, to be committed to Kafka soon. Call only after the store has
 * committed it. A commit that fails is noted and sent again.
 */
void inbox_commit(struct inbox *inbox, int32_t partition, int64_t next_offset);

/* How many partitions are assigned, and how many the topic is known to have. */
size_t inbox_assigned(const struct inbox *inbox);
size_t inbox_topic_partitions(const struct inbox *inbox);

/*
 * Messages between the noted offsets and the ends of the assigned partitions, as far as known; -1
 * when none is assigned.
 */
int64_t inbox_lag(struct inbox *inbox);

/*
 * Commit what is noted, leave the group, close. NULL is accepted. Returns false when the client did
 * not close in time: its threads still run, and the process must end with _exit(), since the
 * libraries' handlers at exit() may pull the ground from under them.
 */
bool inbox_close(struct inbox *inbox);

/*
 * Header number index (from 0) of a message, by its raw_message.headers: false when there is none.
 * The value may be NULL. Borrowed as the message is.
 */
bool inbox_header(const void *headers, size_t index, const char **ret_name, const void **ret_value,
                  size_t *ret_value_len);

#endif
