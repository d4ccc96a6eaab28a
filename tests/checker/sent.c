#include "tests/checker/sent.h"

#include <inttypes.h>
#include <string.h>

/* ---- I3 ---- */

static bool is_payload(const struct payload *payload, const struct record *record)
{
    const struct order *order = &record->order;

    if (!payload->is_fields) {
        return payload->is_null == (record->value_len == TOPIC_NO_BYTES) &&
               memcmp(payload->digest, record->value_digest, SHA_SIZE) == 0;
    }
    return order->type == ORDER_PAYMENT && order->src == payload->src &&
           order->dest == payload->dest && order->amount_minor == payload->amount_minor &&
           strcmp(order->currency, payload->currency) == 0;
}

static bool was_sent(const struct key *key, const struct record *record)
{
    if (key->sent_anything) {
        return true;
    }
    for (const struct payload *payload = key->payloads; payload; payload = payload->next) {
        if (is_payload(payload, record)) {
            return true;
        }
    }
    return false;
}

/* A message without a usable key may be in the history under its key, or under none. */
static void check_record(struct evidence *evidence, const struct record *record)
{
    const struct key *key = keys_at(&evidence->keys, record->key);
    bool is_nameless = !record->is_keyed && was_sent(&evidence->keys.nameless, record);

    if (is_nameless || was_sent(key, record)) {
        return;
    }
    report_of(evidence, I3_NOTHING_NOBODY_SENT, record->key,
              "partition %" PRId32 " offset %" PRId64 " holds %s", record->partition,
              record->offset,
              key->invoked > 0 ? "a payload that nobody sent with this key"
                               : "a message that nobody sent");
}

/* ---- I1 ---- */

static bool has_outcome(const struct key *key)
{
    return key->decisions > 0 || key->counted > 0 || key->repeat_rows > 0 || key->quarantined > 0;
}

static void check_key(struct evidence *evidence, int32_t number)
{
    const struct key *key = keys_at(&evidence->keys, number);
    bool may_wait = !evidence->is_settled && key->undecided > 0;

    if (key->acknowledged > 0 && !has_outcome(key) && !may_wait) {
        report_of(evidence, I1_ACKNOWLEDGED_IS_DECIDED, number, "it was acknowledged, %s",
                  key->records == 0 ? "and neither the topic nor the store has it"
                                    : "and has no outcome");
    }
    if (key->invoked == 0 && has_outcome(key) && key->records == 0) {
        report_of(evidence, I3_NOTHING_NOBODY_SENT, number, "the store has it, and nobody sent it");
    }
    if (key->records > 0 && key->invoked > 0 && key->failed >= key->invoked &&
        key->acknowledged == 0 && key->unknown == 0) {
        report_of(evidence, I3_NOTHING_NOBODY_SENT, number,
                  "each sending of it failed for sure, and the topic has it");
    }
}

/* Those without a key can only be counted. */
static void check_nameless(struct evidence *evidence)
{
    const struct key *nameless = &evidence->keys.nameless;

    if (nameless->acknowledged > nameless->records) {
        report_any(&evidence->report, I1_ACKNOWLEDGED_IS_DECIDED,
                   "%" PRIu32 " messages without a usable key were acknowledged, the topic has "
                   "%" PRIu32,
                   nameless->acknowledged, nameless->records);
    } else if (evidence->is_settled && nameless->undecided > 0) {
        report_any(&evidence->report, I1_ACKNOWLEDGED_IS_DECIDED,
                   "%" PRIu32 " messages without a usable key wait for the quarantine",
                   nameless->undecided);
    }
}

void sent_check(struct evidence *evidence)
{
    if (evidence->topic.count == 0) {
        report_any(&evidence->report, I1_ACKNOWLEDGED_IS_DECIDED,
                   "the history has %zu events, and the topic is empty", evidence->events);
    }
    for (size_t i = 0; i < names_count(evidence->words.keys); i++) {
        check_key(evidence, (int32_t)i);
    }
    check_nameless(evidence);
    for (size_t i = 0; i < evidence->topic.count; i++) {
        check_record(evidence, &evidence->topic.records[i]);
    }
}
