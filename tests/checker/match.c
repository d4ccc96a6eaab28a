#include "tests/checker/match.h"

#include <inttypes.h>
#include <string.h>

#define PLACE "seq %" PRId64 " of partition %" PRId64 " offset %" PRId64

static bool same(const unsigned char a[SHA_SIZE], const unsigned char b[SHA_SIZE])
{
    return memcmp(a, b, SHA_SIZE) == 0;
}

static void say(struct evidence *evidence, const struct row *row, const char *what)
{
    report_of(evidence, I8_STORED_IS_WHAT_WAS_SENT, row->key, PLACE ": %s", row->seq,
              row->partition, row->offset, what);
}

static void match_decision(struct evidence *evidence, const struct row *row,
                           const struct record *record)
{
    char fields[ORDER_FIELDS_SIZE];

    if (record->order.type == ORDER_UNREADABLE) {
        say(evidence, row, "is decided, and its message cannot be read");
    } else if (!same(row->order.digest, record->order.digest)) {
        report_of(evidence, I8_STORED_IS_WHAT_WAS_SENT, row->key,
                  PLACE ": the stored payload differs from the message in %s", row->seq,
                  row->partition, row->offset, order_differs(fields, &row->order, &record->order));
    } else if (!same(row->digest, record->order.digest)) {
        say(evidence, row, "the stored digest is not that of its payload");
    }
}

static void match_repeat(struct evidence *evidence, const struct row *row,
                         const struct record *record)
{
    if (!same(row->digest, record->order.digest)) {
        say(evidence, row, "the stored digest is not that of the message");
    } else if (row->outcome == OUTCOME_CONFLICT &&
               (!row->has_value || !same(row->value_digest, record->value_digest))) {
        say(evidence, row, "the kept payload of the conflict is not the message's");
    }
}

static void match_quarantined(struct evidence *evidence, const struct row *row,
                              const struct record *record)
{
    bool is_whole = row->has_value && row->kept_len == row->value_len;

    if (row->key_len != record->key_len || row->value_len != record->value_len ||
        !same(row->digest, record->value_digest) ||
        (is_whole && !same(row->value_digest, record->value_digest))) {
        say(evidence, row, "the quarantine does not hold this message");
    } else if (row->timestamp_ms != record->timestamp_ms) {
        say(evidence, row, "the quarantine has another time than the broker");
    }
}

/* The quarantine keeps the beginning of a long key, and perhaps nothing of it. */
static bool is_its_key(const struct evidence *evidence, const struct row *row,
                       const struct record *record)
{
    size_t kept = 0;
    size_t whole = 0;

    if (row->key == record->key) {
        return true;
    }
    if (row->outcome != OUTCOME_QUARANTINED) {
        return false;
    }
    if (row->key == NAMES_NONE) {
        return !record->is_keyed;
    }
    const char *beginning = names_text(evidence->words.keys, row->key, &kept);
    return record->key != NAMES_NONE &&
           memcmp(beginning, names_text(evidence->words.keys, record->key, &whole),
                  kept < whole ? kept : whole) == 0 &&
           kept < whole;
}

bool match_row(struct evidence *evidence, const struct row *row, const struct record *record)
{
    if (!is_its_key(evidence, row, record)) {
        say(evidence, row, "the message there has another key");
        return false;
    }
    switch (row->outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
        match_decision(evidence, row, record);
        break;
    case OUTCOME_DUPLICATE:
    case OUTCOME_CONFLICT:
        match_repeat(evidence, row, record);
        break;
    default:
        match_quarantined(evidence, row, record);
        break;
    }
    return true;
}
