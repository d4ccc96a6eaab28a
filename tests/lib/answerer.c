#include "tests/lib/answerer.h"

#include "common/command_digest.h"
#include "common/outcome_json.h"
#include "common/publisher.h"
#include "common/topic_reader.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKER_MS 30000
#define NEXT_MS   60000
#define PARTS     4

struct answerer {
    struct topic_reader *reader;
    struct publisher *publisher;
    char topic[64];
};

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    (void)user;
    cr_assert_eq(receipt->delivery, DELIVERY_ACKNOWLEDGED, "%s", receipt->reason);
}

struct answerer *answerer_open(const struct scene *scene)
{
    struct answerer *answerer = calloc(1, sizeof(*answerer));
    struct kafka_args args = {.brokers = scene->brokers,
                              .topic = ANSWERER_OUTCOMES,
                              .skip_topic_check = scene->is_embedded};
    struct error err;

    cr_assert(answerer);
    snprintf(answerer->topic, sizeof(answerer->topic), "%s", scene->topic);
    cr_assert_eq(topic_reader_open(&answerer->reader, &args, scene->topic, 1 << 20, &err), 0, "%s",
                 err.text);
    for (int32_t i = 0; i < PARTS; i++) {
        cr_assert_eq(topic_reader_start(answerer->reader, i, 0, &err), 0, "%s", err.text);
    }
    cr_assert_eq(publisher_open(&answerer->publisher, &args, on_report, NULL, &err), 0, "%s",
                 err.text);
    return answerer;
}

void answerer_close(struct answerer *answerer)
{
    topic_reader_close(answerer->reader);
    publisher_close(answerer->publisher);
    free(answerer);
}

struct arrival answerer_next(struct answerer *answerer)
{
    struct arrival arrival = {.value_len = 0};
    char detail[UNREADABLE_DETAIL_SIZE];
    struct topic_record record;
    enum unreadable reason;
    struct error err;

    do {
        cr_assert_eq(topic_reader_poll(answerer->reader, NEXT_MS, &record, &err),
                     TOPIC_READER_RECORD, "no command came");
    } while (record.is_end);
    cr_assert_eq(command_json_decode(record.key, record.key_len, record.value, record.value_len,
                                     &arrival.command, &reason, detail),
                 0);
    cr_assert_eq(reason, READABLE, "%s", detail);
    cr_assert_lt(record.value_len, sizeof(arrival.value));
    memcpy(arrival.value, record.value, record.value_len);
    arrival.value_len = record.value_len;
    strcpy(arrival.origin.topic, answerer->topic);
    arrival.origin.partition = record.partition;
    arrival.origin.offset = record.offset;
    return arrival;
}

int64_t answerer_count(struct answerer *answerer)
{
    struct error err;
    int64_t count = 0;
    int64_t low;
    int64_t high;

    for (int32_t i = 0; i < PARTS; i++) {
        cr_assert_eq(topic_reader_ends(answerer->reader, i, BROKER_MS, &low, &high, &err), 0);
        count += high - low;
    }
    return count;
}

static void put_digest(const struct arrival *arrival, enum outcome verdict,
                       unsigned char ret[DIGEST_SHORT_SIZE])
{
    unsigned char whole[DIGEST_SIZE];
    struct digest *digest;
    struct error err;

    cr_assert_eq(digest_open(&digest, &err), 0);
    if (verdict == OUTCOME_QUARANTINED) {
        cr_assert_eq(digest_add(digest, arrival->value, arrival->value_len, &err), 0);
        cr_assert_eq(digest_finish(digest, whole, &err), 0);
        memcpy(ret, whole, DIGEST_SHORT_SIZE);
    } else {
        cr_assert_eq(command_digest(digest, &arrival->command, ret, &err), 0);
    }
    digest_close(digest);
}

struct outcome_record answerer_record(const struct arrival *arrival, enum outcome verdict,
                                      enum reason reason)
{
    static int64_t seq;
    struct outcome_record record = {
        .verdict = verdict,
        .seq = ++seq,
        .origin = arrival->origin,
        .decided_ms = INT64_C(1795608000000),
        .store = "0193a1b2-0000-7000-8000-000000000001",
        .rules = OUTCOME_RULES,
    };

    strcpy(record.key, arrival->command.payment.key);
    if (verdict == OUTCOME_QUARANTINED) {
        strcpy(record.reason, unreadable_name(UNREADABLE_TYPE));
    } else if (reason != REASON_NONE) {
        strcpy(record.reason, reason_name(reason));
    }
    put_digest(arrival, verdict, record.digest);
    if (verdict == OUTCOME_APPLIED || verdict == OUTCOME_REJECTED) {
        record.has_first = true;
        record.first = (struct outcome_first){.outcome = verdict,
                                              .reason = reason,
                                              .seq = record.seq,
                                              .command = arrival->command,
                                              .origin = record.origin,
                                              .decided_ms = record.decided_ms};
        memcpy(record.first.digest, record.digest, sizeof(record.digest));
    }
    return record;
}

struct outcome_record answerer_repeat(const struct arrival *arrival, enum outcome verdict,
                                      const struct command *first, enum outcome outcome,
                                      enum reason reason)
{
    struct outcome_record record = answerer_record(
        arrival, verdict, verdict == OUTCOME_CONFLICT ? REASON_PAYLOAD_DIFFERS : REASON_NONE);
    struct arrival before = *arrival;

    before.command = *first;
    strcpy(before.command.payment.key, record.key);
    before.origin.offset = 17;
    record.has_first = true;
    record.first = answerer_record(&before, outcome, reason).first;
    record.fields = verdict == OUTCOME_CONFLICT ? command_differs(&arrival->command, first) : 0;
    return record;
}

void answerer_send(struct answerer *answerer, const struct outcome_record *record)
{
    char value[OUTCOME_JSON_SIZE];
    size_t len = outcome_json_encode(record, value);
    struct publisher_message message = {
        .key = record->key, .key_len = strlen(record->key), .value = value, .value_len = len};
    struct error err;

    cr_assert_gt(len, 0);
    cr_assert_eq(publisher_send(answerer->publisher, &message, &err), 0, "%s", err.text);
    while (publisher_waiting(answerer->publisher) > 0) {
        publisher_poll(answerer->publisher, 10);
    }
}

void answerer_answer(struct answerer *answerer, const struct arrival *arrival, enum outcome verdict,
                     enum reason reason)
{
    const struct outcome_record record = answerer_record(arrival, verdict, reason);

    answerer_send(answerer, &record);
}
