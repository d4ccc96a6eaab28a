#include "common/publisher.h"

#include "common/bounded_call.h"
#include "common/failpoint.h"
#include "common/kafka_error.h"
#include "common/kafka_topic.h"
#include "common/mutant.h"
#include "common/stop.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_OF(number)       #number
#define NUMBER_TEXT(constant) TEXT_OF(constant)

#define BROKER_MS      10000 /* how long the first question to a broker may take */
#define SETTINGS_MS    30000 /* and the next: a broker that is started again may be in between */
#define POLL_MS        100   /* how soon a wait notices a stop */
#define ABANDON_MS     2000  /* how long the client may take to hand back what it holds */
#define CLOSE_MS       3000  /* how long the client's own threads may take to end */
#define POLL_EVERY     256   /* messages between two looks at the reports */
#define LAST_ERROR_LEN 256

static const struct kafka_property defaults[] = {
    {"client.id", "pay"},
    {"message.timeout.ms", NUMBER_TEXT(PUBLISHER_MESSAGE_TIMEOUT_MS)},
    {"queue.buffering.max.messages", NUMBER_TEXT(PUBLISHER_QUEUE_MESSAGES)},
    {"queue.buffering.max.kbytes", NUMBER_TEXT(PUBLISHER_QUEUE_KIB)},
    {"compression.type", "lz4"},
    {"linger.ms", "5"},
    {NULL, NULL},
};

/*
 * One request at a time, since a broker takes an unknown producer's batch with any sequence number:
 * when the first batch of a partition fails and the one behind it succeeds, the client takes the
 * first one for written too (rd_kafka_dr_implicit_ack() of 2.0.2), and it is lost.
 */
static const struct kafka_property fixed[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"max.in.flight.requests.per.connection", "1"},
    {"partitioner", "murmur2_random"},
    {NULL, NULL},
};

struct publisher {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    publisher_report *report;
    void *user;
    unsigned sent;
    char last_error[LAST_ERROR_LEN];
};

static enum delivery delivery_of(const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return DELIVERY_ACKNOWLEDGED;
    }
    switch (rd_kafka_message_status(message)) {
    case RD_KAFKA_MSG_STATUS_PERSISTED:
        return DELIVERY_ACKNOWLEDGED;
    case RD_KAFKA_MSG_STATUS_NOT_PERSISTED:
        return DELIVERY_FAILED;
    case RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED:
    default:
        return MUTANT("timeout-is-failure") ? DELIVERY_FAILED : DELIVERY_UNKNOWN;
    }
}

/* What the broker answers to a whole batch when one of its messages can never be taken. */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct publisher *publisher = opaque;

    (void)rk;
    FAILPOINT("before-delivery-report");
    if (FAILPOINT_FAILS("client-fatal")) {
        rd_kafka_test_fatal_error(rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                  "a failpoint failed");
    }
    const struct publisher_receipt receipt = {
        .key = message->key,
        .key_len = message->key_len,
        .tag = message->_private,
        .delivery = delivery_of(message),
        .partition = message->partition,
        .offset = message->offset >= 0 ? message->offset : -1,
        .reason = rd_kafka_err2str(message->err),
        .refused = is_refusal(message->err),
    };
    publisher->report(publisher->user, &receipt);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct publisher *publisher = opaque;

    (void)rk;
    kafka_error_keep(publisher->last_error, sizeof(publisher->last_error), code, reason);
}

static int check_topic(struct publisher *publisher, const struct kafka_args *args,
                       struct error *err)
{
    int partitions;

    if (kafka_topic_partitions(publisher->rk, args->topic, BROKER_MS, &partitions, err) != 0) {
        rd_kafka_poll(publisher->rk, 0); /* lets on_error() hear why */
        if (publisher->last_error[0]) {
            error_set(err, err->code, "no broker answers: %s", publisher->last_error);
        }
        return -1;
    }
    if (partitions == 0) {
        return kafka_topic_missing(args->topic, err);
    }
    return args->skip_topic_check ? 0
                                  : kafka_topic_check(publisher->rk, args->topic, SETTINGS_MS, err);
}

int publisher_open(struct publisher **ret, const struct kafka_args *args, publisher_report *report,
                   void *user, struct error *err)
{
    struct publisher *publisher = calloc(1, sizeof(*publisher));
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (!publisher) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    publisher->report = report;
    publisher->user = user;
    if (kafka_conf_make(args, defaults, fixed, &conf, err) != 0) {
        goto fail;
    }
    rd_kafka_conf_set_opaque(conf, publisher);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    publisher->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!publisher->rk) {
        rd_kafka_conf_destroy(conf);
        error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
        goto fail;
    }
    /* rd_kafka_new() took conf over. */
    if (check_topic(publisher, args, err) != 0) {
        goto fail;
    }
    publisher->topic = rd_kafka_topic_new(publisher->rk, args->topic, NULL);
    if (!publisher->topic) {
        error_set(err, EX_USAGE, "topic \"%s\": %s", args->topic,
                  rd_kafka_err2str(rd_kafka_last_error()));
        goto fail;
    }
    *ret = publisher;
    return 0;

fail:
    publisher_close(publisher);
    return -1;
}

char *publisher_cluster(struct publisher *publisher, int timeout_ms, struct error *err)
{
    return kafka_topic_cluster(publisher->rk, timeout_ms, err);
}

/* The client's own word when it can never send again, e.g. after it was fenced. */
static int gave_up(struct publisher *publisher, rd_kafka_resp_err_t code, struct error *err)
{
    char why[512] = "";

    rd_kafka_fatal_error(publisher->rk, why, sizeof(why));
    return error_set(err, EX_TEMPFAIL, "the Kafka client gave up: %s",
                     why[0] ? why : rd_kafka_err2str(code));
}

static rd_kafka_headers_t *copy_headers(const struct publisher_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);

    for (size_t i = 0; i < message->header_count; i++) {
        const struct publisher_header *header = &message->headers[i];
        rd_kafka_header_add(headers, header->name, -1, header->value, (ssize_t)header->value_len);
    }
    return headers;
}

/* Into the client's queue, which copies it. */
static rd_kafka_resp_err_t produce(struct publisher *publisher,
                                   const struct publisher_message *message)
{
    if (message->header_count == 0) {
        return rd_kafka_produce(publisher->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                (void *)message->value, message->value_len, message->key,
                                message->key_len, message->tag) == 0
                   ? RD_KAFKA_RESP_ERR_NO_ERROR
                   : rd_kafka_last_error();
    }
    rd_kafka_headers_t *headers = copy_headers(message);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        publisher->rk, RD_KAFKA_V_RKT(publisher->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)message->value, message->value_len),
        RD_KAFKA_V_KEY(message->key, message->key_len), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(message->tag), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers); /* else they went with the message */
    }
    return code;
}

int publisher_try(struct publisher *publisher, const struct publisher_message *message,
                  struct error *err)
{
    rd_kafka_resp_err_t code = produce(publisher, message);

    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return 1;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return error_set(err, EX_DATAERR, "the message is larger than message.max.bytes");
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return gave_up(publisher, code, err);
    }
    if (++publisher->sent % POLL_EVERY == 0) {
        rd_kafka_poll(publisher->rk, 0);
    }
    return 0;
}

int publisher_send(struct publisher *publisher, const struct publisher_message *message,
                   struct error *err)
{
    int result = 1;

    if (FAILPOINT_FAILS("before-publish")) {
        return error_set(err, EX_TEMPFAIL, "a failpoint failed");
    }
    while (result > 0) {
        if (stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped");
        }
        result = publisher_try(publisher, message, err);
        if (result > 0) {
            rd_kafka_poll(publisher->rk, POLL_MS);
        }
    }
    return result;
}

void publisher_poll(struct publisher *publisher, int timeout_ms)
{
    rd_kafka_poll(publisher->rk, timeout_ms);
}

int publisher_waiting(struct publisher *publisher)
{
    return rd_kafka_outq_len(publisher->rk);
}

void publisher_abandon(struct publisher *publisher)
{
    rd_kafka_purge(publisher->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int waited = 0; rd_kafka_outq_len(publisher->rk) > 0 && waited < ABANDON_MS;
         waited += POLL_MS) {
        rd_kafka_poll(publisher->rk, POLL_MS);
    }
}

static void close_client(void *user)
{
    struct publisher *publisher = user;

    if (publisher->topic) {
        rd_kafka_topic_destroy(publisher->topic);
    }
    if (publisher->rk) {
        rd_kafka_destroy(publisher->rk);
    }
    free(publisher);
}

void publisher_close(struct publisher *publisher)
{
    if (!publisher) {
        return;
    }
    if (publisher->rk && publisher->topic) {
        publisher_abandon(publisher);
    }
    (void)bounded_call(CLOSE_MS, close_client, publisher); /* main() asks bounded_call_runs() */
}
