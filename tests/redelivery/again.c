/*
 * Reading the topic, choosing, and sending again.
 */
#include "common/clock.h"
#include "common/command_json.h"
#include "common/kafka_error.h"
#include "common/kafka_topic.h"
#include "common/publisher.h"
#include "common/stop.h"
#include "tests/redelivery/redeliver.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS      15000
#define POLL_MS     100
#define WINDOW      1000 /* records that wait to be sent again in random order */
#define HEADERS_MAX 64   /* of a record with more, these are kept */

struct attack {
    const struct redeliver *options;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue; /* of all partitions */
    int partitions;
    int64_t *ends;               /* of the partitions at the start; -1 = it was read up to there */
    int unread;                  /* partitions that were not */
    struct publisher *publisher; /* NULL: a dry run */
    rd_kafka_message_t *window[WINDOW];
    size_t held;
    uint64_t order; /* state of the random numbers that order the window */
    int64_t start_ms;

    int64_t records; /* that were read */
    int64_t chosen;
    int64_t without_key;  /* chosen, but payd does not read such a record as a command */
    int64_t sent;         /* sent again, or would be in a dry run */
    int64_t other;        /* of those, with another amount */
    int64_t no_payment;   /* was to get another amount, and has none: sent as it was */
    int64_t acknowledged; /* of those sent */
};

/* ---- chance ---- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Depends on the seed and the record only, not on the order in which partitions are read. */
static bool chance(const struct attack *attack, const rd_kafka_message_t *message, uint64_t what,
                   int percent)
{
    uint64_t z = mix(attack->options->seed + what * UINT64_C(0x9E3779B97F4A7C15));

    z = mix(z + (uint64_t)message->partition);
    z = mix(z + (uint64_t)message->offset);
    return z % 100 < (uint64_t)percent;
}

/* ---- sending ---- */

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct attack *attack = user;

    attack->acknowledged += receipt->delivery == DELIVERY_ACKNOWLEDGED;
}

static size_t take_headers(const rd_kafka_message_t *message,
                           struct publisher_header ret[HEADERS_MAX])
{
    rd_kafka_headers_t *headers = NULL;
    size_t count = 0;
    const void *value;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return 0;
    }
    while (count < HEADERS_MAX &&
           rd_kafka_header_get_all(headers, count, &ret[count].name, &value,
                                   &ret[count].value_len) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ret[count++].value = value;
    }
    return count;
}

/* Write the same payment with another amount into buf. Returns its length, 0 for no payment. */
static size_t change_amount(const rd_kafka_message_t *message, char buf[COMMAND_JSON_SIZE])
{
    char detail[UNREADABLE_DETAIL_SIZE];
    struct command command;
    enum unreadable reason = READABLE;

    if (command_json_decode(message->key, message->key_len, message->payload, message->len,
                            &command, &reason, detail) != 0 ||
        reason != READABLE || command.type != COMMAND_PAYMENT) {
        return 0;
    }
    command.payment.amount_minor += command.payment.amount_minor < MONEY_MAX_MINOR ? 1 : -1;
    return command_json_encode(&command, buf);
}

/* Wait until it is the turn of the next record. */
static void keep_rate(struct attack *attack)
{
    if (attack->options->rate == 0) {
        return;
    }
    int64_t due_ms = attack->start_ms + attack->sent * 1000 / attack->options->rate;
    int64_t left_ms;
    while ((left_ms = due_ms - clock_monotonic_ms()) > 0 && !stop_requested()) {
        publisher_poll(attack->publisher, left_ms < POLL_MS ? (int)left_ms : POLL_MS);
    }
}

static int send_again(struct attack *attack, const rd_kafka_message_t *message, struct error *err)
{
    char other[COMMAND_JSON_SIZE];
    struct publisher_header headers[HEADERS_MAX];
    struct publisher_message again = {.key = message->key,
                                      .key_len = message->key_len,
                                      .value = message->payload,
                                      .value_len = message->len,
                                      .headers = headers,
                                      .header_count = take_headers(message, headers)};

    if (chance(attack, message, 2, attack->options->other_percent)) {
        size_t len = change_amount(message, other);
        if (len > 0) {
            again.value = other;
            again.value_len = len;
        }
        attack->other += len > 0;
        attack->no_payment += len == 0;
    }
    if (attack->publisher) {
        keep_rate(attack);
        if (publisher_send(attack->publisher, &again, err) != 0) {
            return -1;
        }
    }
    attack->sent++;
    return 0;
}

/* One of the window, any. */
static int send_one(struct attack *attack, struct error *err)
{
    attack->order += UINT64_C(0x9E3779B97F4A7C15);
    size_t at = mix(attack->order) % attack->held;
    rd_kafka_message_t *message = attack->window[at];

    attack->window[at] = attack->window[--attack->held];
    int result = send_again(attack, message, err);
    rd_kafka_message_destroy(message);
    return result;
}

/* ---- reading ---- */

static bool is_full(const struct attack *attack)
{
    return attack->options->limit > 0 &&
           attack->sent + (int64_t)attack->held >= attack->options->limit;
}

static int start(struct attack *attack, struct error *err)
{
    const char *name = attack->options->kafka.topic;

    for (int32_t i = 0; i < attack->partitions; i++) {
        int64_t low;
        if (kafka_topic_ends(attack->rk, name, i, ASK_MS, &low, &attack->ends[i], err) != 0) {
            return -1;
        }
        if (low >= attack->ends[i]) {
            attack->ends[i] = -1;
            continue;
        }
        attack->unread++;
        if (rd_kafka_consume_start_queue(attack->topic, i, low, attack->queue) != 0) {
            return error_set(err, EX_UNAVAILABLE, "partition %" PRId32 ": %s", i,
                             rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    return 0;
}

static void note_read(struct attack *attack, int32_t partition, int64_t next)
{
    if (attack->ends[partition] >= 0 && next >= attack->ends[partition]) {
        attack->ends[partition] = -1;
        attack->unread--;
    }
}

/* Takes the message over. */
static int take(struct attack *attack, rd_kafka_message_t *message, struct error *err)
{
    bool is_old = message->offset < attack->ends[message->partition]; /* not sent by ourselves */

    note_read(attack, message->partition, message->offset + 1);
    attack->records += is_old;
    if (!is_old || is_full(attack) || !chance(attack, message, 1, attack->options->share_percent)) {
        rd_kafka_message_destroy(message);
        return 0;
    }
    attack->chosen++;
    if (message->key_len == 0) {
        attack->without_key++;
        rd_kafka_message_destroy(message);
        return 0;
    }
    attack->window[attack->held++] = message;
    return attack->held == WINDOW ? send_one(attack, err) : 0;
}

/* Takes the message over. */
static int take_event(struct attack *attack, rd_kafka_message_t *message, struct error *err)
{
    struct kafka_place place = {attack->options->kafka.topic, message->partition, message->offset};
    int result = 0;

    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return take(attack, message, err);
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        note_read(attack, message->partition, message->offset);
    } else if (!kafka_error_passes(message->err)) {
        result = kafka_error_stops(message->err, rd_kafka_message_errstr(message), &place, err);
    }
    rd_kafka_message_destroy(message);
    return result;
}

static int read_all(struct attack *attack, struct error *err)
{
    while (attack->unread > 0 && !is_full(attack)) {
        if (stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped");
        }
        rd_kafka_message_t *message = rd_kafka_consume_queue(attack->queue, POLL_MS);
        if (message && take_event(attack, message, err) != 0) {
            return -1;
        }
    }
    while (attack->held > 0) {
        if (send_one(attack, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the whole ---- */

static void wait_for_reports(struct attack *attack)
{
    while (attack->publisher && publisher_waiting(attack->publisher) > 0 && !stop_requested()) {
        publisher_poll(attack->publisher, POLL_MS);
    }
}

static int open_attack(struct attack *attack, struct error *err)
{
    const struct redeliver *options = attack->options;

    if (redeliver_open(options, NULL, &attack->rk, &attack->partitions, err) != 0) {
        return -1;
    }
    attack->ends = calloc((size_t)attack->partitions, sizeof(*attack->ends));
    if (!attack->ends) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (!options->dry_run &&
        publisher_open(&attack->publisher, &options->kafka, on_report, attack, err) != 0) {
        return -1;
    }
    attack->topic = rd_kafka_topic_new(attack->rk, options->kafka.topic, NULL);
    attack->queue = rd_kafka_queue_new(attack->rk);
    attack->order = options->seed;
    attack->start_ms = clock_monotonic_ms();
    return start(attack, err);
}

static void close_attack(struct attack *attack)
{
    while (attack->held > 0) {
        rd_kafka_message_destroy(attack->window[--attack->held]);
    }
    for (int32_t i = 0; attack->topic && i < attack->partitions; i++) {
        /* Fails only for a partition that was not started. */
        (void)rd_kafka_consume_stop(attack->topic, i);
    }
    if (attack->queue) {
        rd_kafka_queue_destroy(attack->queue);
    }
    if (attack->topic) {
        rd_kafka_topic_destroy(attack->topic);
    }
    publisher_close(attack->publisher);
    if (attack->rk) {
        rd_kafka_destroy(attack->rk);
    }
    free(attack->ends);
}

static void print(const struct attack *attack)
{
    printf("seed=%" PRIu64 " records=%" PRId64 " chosen=%" PRId64 " without_key=%" PRId64
           " %s=%" PRId64 " other_payload=%" PRId64 " no_payment=%" PRId64,
           attack->options->seed, attack->records, attack->chosen, attack->without_key,
           attack->options->dry_run ? "would_send" : "sent", attack->sent, attack->other,
           attack->no_payment);
    if (attack->publisher) {
        printf(" acknowledged=%" PRId64, attack->acknowledged);
    }
    printf("\n");
}

int redeliver_again(const struct redeliver *options, struct error *err)
{
    struct attack attack = {.options = options};
    int result = open_attack(&attack, err);
    bool is_open = result == 0;

    if (result == 0) {
        result = read_all(&attack, err);
    }
    if (is_open) {
        wait_for_reports(&attack);
        print(&attack);
    }
    if (result == 0 && attack.publisher && attack.acknowledged < attack.sent) {
        result = error_set(err, EX_TEMPFAIL, "%" PRId64 " records were not acknowledged",
                           attack.sent - attack.acknowledged);
    }
    close_attack(&attack);
    return result;
}
