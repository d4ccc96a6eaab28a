/*
 * The publisher: sends messages to one topic so that a retry inside the client never writes one
 * twice (acks=all, idempotent producer), and tells the fate of each.
 */
#ifndef COMMON_PUBLISHER_H
#define COMMON_PUBLISHER_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of what waits inside the publisher; publisher_send() waits for room. */
#define PUBLISHER_QUEUE_MESSAGES 100000
#define PUBLISHER_QUEUE_KIB      65536

/* How long a message may wait for its acknowledgement (message.timeout.ms, can be set with -X). */
#define PUBLISHER_MESSAGE_TIMEOUT_MS 60000

enum delivery {
    DELIVERY_ACKNOWLEDGED, /* the topic has it */
    DELIVERY_UNKNOWN,      /* the topic may have it: send it again with the same key */
    DELIVERY_FAILED,       /* the topic surely does not have it */
};

/* A message to send. Everything is copied, but tag, which comes back in the receipt. */
struct publisher_header {
    const char *name;
    const char *value; /* may be NULL */
    size_t value_len;
};

struct publisher_message {
    const char *key; /* not empty, or NULL for a message without a key */
    size_t key_len;
    const char *value; /* NULL = none */
    size_t value_len;
    const struct publisher_header *headers; /* may be NULL */
    size_t header_count;
    void *tag;
};

/* What became of a message. */
struct publisher_receipt {
    const char *key; /* borrowed for the call */
    size_t key_len;
    void *tag; /* the message's own */
    enum delivery delivery;
    int32_t partition;  /* where the topic has it, when it was acknowledged; */
    int64_t offset;     /* -1 = the broker did not say */
    const char *reason; /* why it was not acknowledged; borrowed for the call */
    bool refused;       /* the topic takes it never, or one that was sent together with it */
};

/*
 * Called once for each message that publisher_send() took, on the thread that calls into the
 * publisher.
 */
typedef void publisher_report(void *user, const struct publisher_receipt *receipt);

struct publisher;

/*
 * Connect, check the topic, and be ready to send. Errors: those of kafka_conf_make(),
 * EX_UNAVAILABLE when no broker answers or the topic is not there, EX_CONFIG when the topic's
 * settings would lose payments. On success the caller closes *ret. args is not kept, its topic is
 * copied; user is borrowed until publisher_close() returns.
 */
MUST_CHECK int publisher_open(struct publisher **ret, const struct kafka_args *args,
                              publisher_report *report, void *user, struct error *err);

/*
 * The cluster's id, to be released with free(), or NULL with *err set (EX_UNAVAILABLE when there is
 * no answer within timeout_ms).
 */
char *publisher_cluster(struct publisher *publisher, int timeout_ms, struct error *err);

/*
 * Hand over one message. Waits for room, but not once a stop is requested. On failure the message
 * was not taken and will not be reported: EX_TEMPFAIL when stopped or the client gave up for good,
 * EX_DATAERR when it is larger than message.max.bytes.
 */
MUST_CHECK int publisher_send(struct publisher *publisher, const struct publisher_message *message,
                              struct error *err);

/*
 * As publisher_send(), but without waiting: returns 1 when there is no room, and goes on sending
 * when a stop is requested.
 */
MUST_CHECK int publisher_try(struct publisher *publisher, const struct publisher_message *message,
                             struct error *err);

/* Give reports that are ready to the callback, waiting up to timeout_ms for the first. */
void publisher_poll(struct publisher *publisher, int timeout_ms);

/* How many messages have no report yet. */
int publisher_waiting(struct publisher *publisher);

/*
 * Report everything that still waits as what is known of it, without sending more. After it
 * publisher_waiting() is 0.
 */
void publisher_abandon(struct publisher *publisher);

/*
 * Close; NULL is accepted. What still waits is abandoned first. Takes seconds at the most: a client
 * that does not end is left behind, see bounded_call_runs().
 */
void publisher_close(struct publisher *publisher);

#endif
