#include "tests/lib/outcomes.h"

#include "common/outcome_json.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MS       30000
#define PARTITION_MAX 64

static void copy_header(const rd_kafka_message_t *message, const char *name, char *field,
                        size_t size)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    field[0] = '\0';
    if (rd_kafka_message_headers((rd_kafka_message_t *)message, &headers) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        snprintf(field, size, "%.*s", (int)len, (const char *)value);
    }
}

static void take(struct outcomes *outcomes, const rd_kafka_message_t *message)
{
    char problem[OUTCOME_PROBLEM_SIZE];
    struct outcome_message *grown = outcomes->messages;

    if (outcomes->count == outcomes->size) {
        outcomes->size = outcomes->size ? 2 * outcomes->size : 64;
        grown = realloc(outcomes->messages, outcomes->size * sizeof(*grown));
        cr_assert(grown);
        outcomes->messages = grown;
    }
    grown += outcomes->count++;
    *grown = (struct outcome_message){.text = strndup(message->payload, message->len)};
    cr_assert_eq(outcome_json_decode(message->payload, message->len, &grown->record, problem), 0,
                 "%s: %s", grown->text, problem);
    cr_expect_eq(strlen(grown->record.key), message->key_len);
    cr_expect_eq(memcmp(grown->record.key, message->key, message->key_len), 0);
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers((rd_kafka_message_t *)message, &headers) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        grown->header_count = rd_kafka_header_cnt(headers);
    }
    copy_header(message, "outcome", grown->outcome, sizeof(grown->outcome));
    copy_header(message, "digest", grown->digest, sizeof(grown->digest));
    copy_header(message, "traceparent", grown->traceparent, sizeof(grown->traceparent));
    copy_header(message, "tracestate", grown->tracestate, sizeof(grown->tracestate));
}

static rd_kafka_t *new_reader(const struct scene *scene)
{
    static const char *const properties[][2] = {{"group.id", "outcomes-of-a-test"},
                                                {"enable.partition.eof", "true"},
                                                {"enable.auto.commit", "false"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", scene->brokers, why, sizeof(why));
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        cr_assert_eq(rd_kafka_conf_set(conf, properties[i][0], properties[i][1], why, sizeof(why)),
                     RD_KAFKA_CONF_OK, "%s", why);
    }
    rd_kafka_t *reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    cr_assert(reader, "%s", why);
    return reader;
}

/* Assigns every partition from its beginning; returns how many there are. */
static int assign_all(rd_kafka_t *reader, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(reader, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);

    cr_assert_eq(rd_kafka_metadata(reader, 0, handle, &metadata, READ_MS),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
    int count = metadata->topics[0].partition_cnt;
    for (int i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    cr_assert_eq(rd_kafka_assign(reader, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

struct outcomes outcomes_read(const struct scene *scene)
{
    struct outcomes outcomes = {.messages = NULL};
    char topic[128];
    rd_kafka_t *reader = new_reader(scene);

    snprintf(topic, sizeof(topic), "%s.outcomes", scene->topic);
    for (int open = assign_all(reader, topic); open > 0;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, READ_MS);
        cr_assert(message, "%s: its end did not come", topic);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open--;
        } else {
            cr_assert_eq(message->err, RD_KAFKA_RESP_ERR_NO_ERROR, "%s",
                         rd_kafka_message_errstr(message));
            take(&outcomes, message);
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
    return outcomes;
}

void outcomes_release(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++) {
        free(outcomes->messages[i].text);
    }
    free(outcomes->messages);
    *outcomes = (struct outcomes){.messages = NULL};
}

const struct outcome_message *outcomes_last(const struct outcomes *outcomes, const char *key)
{
    for (size_t i = outcomes->count; i-- > 0;) {
        if (strcmp(outcomes->messages[i].record.key, key) == 0) {
            return &outcomes->messages[i];
        }
    }
    return NULL;
}

size_t outcomes_of(const struct outcomes *outcomes, const char *key)
{
    size_t count = 0;

    for (size_t i = 0; i < outcomes->count; i++) {
        count += strcmp(outcomes->messages[i].record.key, key) == 0;
    }
    return count;
}

void outcomes_check_count(const struct scene *scene, const char *key, size_t count)
{
    struct outcomes outcomes = outcomes_read(scene);

    cr_expect_eq(outcomes_of(&outcomes, key), count, "%s has %zu", key,
                 outcomes_of(&outcomes, key));
    outcomes_release(&outcomes);
}

/* ---- topic and ledger ---- */

static int compare_seq(const void *a, const void *b)
{
    int64_t left = (*(const struct outcome_message *const *)a)->record.seq;
    int64_t right = (*(const struct outcome_message *const *)b)->record.seq;

    return (left > right) - (left < right);
}

/* "applied||0|17": verdict, reason, partition, offset. */
static void describe(char *text, size_t size, const struct outcome_record *record)
{
    snprintf(text, size, "%s|%s|%d|%lld", outcome_name(record->verdict), record->reason,
             record->origin.partition, (long long)record->origin.offset);
}

static void check_row(const struct outcome_message *message, sqlite3_stmt *row)
{
    char said[256];
    char wanted[256];

    describe(said, sizeof(said), &message->record);
    snprintf(wanted, sizeof(wanted), "%s", (const char *)sqlite3_column_text(row, 1));
    cr_assert_str_eq(said, wanted, "seq %lld: %s", (long long)message->record.seq, message->text);
    if (sqlite3_column_type(row, 2) != SQLITE_NULL) {
        cr_assert(message->record.has_first, "%s", message->text);
        cr_assert_eq(message->record.first.seq, sqlite3_column_int64(row, 2), "%s", message->text);
        cr_assert_eq(message->record.first.outcome, (enum outcome)sqlite3_column_int(row, 3), "%s",
                     message->text);
        cr_assert_eq(message->record.first.command.payment.amount_minor,
                     sqlite3_column_int64(row, 4), "%s", message->text);
    }
}

void outcomes_check(const struct scene *scene)
{
    static const char sql[] =
        "SELECT d.seq, o.name || '|' || replace(r.name, 'none', '') || '|' || d.partition || '|' ||"
        " d.offset, d.seq, d.outcome, d.amount_minor FROM decisions d"
        " JOIN outcome_names o ON o.id = d.outcome JOIN reason_names r ON r.id = d.reason"
        " UNION ALL SELECT p.seq, o.name || '|' || replace(r.name, 'none', '') || '|' ||"
        " p.partition || '|' || p.offset, d.seq, d.outcome, d.amount_minor FROM repeats p"
        " JOIN outcome_names o ON o.id = p.outcome JOIN reason_names r ON r.id = p.reason"
        " LEFT JOIN decisions d ON d.seq = p.first_seq"
        " UNION ALL SELECT seq, 'quarantined|' || reason || '|' || partition || '|' || offset,"
        " NULL, NULL, NULL FROM quarantine WHERE reason <> 'bad_key'"
        " ORDER BY 1";
    struct outcomes outcomes = outcomes_read(scene);
    struct outcome_message **by_seq = calloc(outcomes.count + 1, sizeof(struct outcome_message *));
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    size_t at = 0;

    cr_assert(by_seq);
    for (size_t i = 0; i < outcomes.count; i++) {
        by_seq[i] = &outcomes.messages[i];
    }
    qsort(by_seq, outcomes.count, sizeof(struct outcome_message *), compare_seq);
    cr_assert_eq(sqlite3_open_v2(scene->db, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    while (sqlite3_step(row) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(row, 0);
        cr_assert(at < outcomes.count && by_seq[at]->record.seq == seq,
                  "seq %lld has no outcome in the topic", (long long)seq);
        for (; at < outcomes.count && by_seq[at]->record.seq == seq; at++) {
            check_row(by_seq[at], row);
        }
    }
    cr_assert_eq(at, outcomes.count, "the topic has an outcome of which the ledger knows nothing");
    sqlite3_finalize(row);
    sqlite3_close(db);
    free(by_seq);
    outcomes_release(&outcomes);
}
