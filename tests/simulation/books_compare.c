#include "tests/simulation/books_internal.h"

#include "tests/simulation/world.h"

#include <inttypes.h>
#include <string.h>

#define READ_MAX 64

static int64_t counted; /* records of the store, while it is looked at */

/* ---- what must never change ---- */

static uint64_t add_bytes(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3); /* FNV-1a */
    }
    return hash;
}

static uint64_t hash_of(const struct outcome_record *record)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    const int64_t numbers[] = {record->seq,
                               record->verdict,
                               record->fields,
                               record->origin.partition,
                               record->origin.offset,
                               record->decided_ms,
                               record->has_first,
                               record->has_first ? record->first.seq : 0,
                               record->has_first ? record->first.decided_ms : 0};

    hash = add_bytes(hash, numbers, sizeof(numbers));
    hash = add_bytes(hash, record->key, strlen(record->key));
    hash = add_bytes(hash, record->reason, strlen(record->reason));
    return add_bytes(hash, record->digest, sizeof(record->digest));
}

/* ---- a record that is new ---- */

static void wrong(const struct outcome_record *record, const char *what)
{
    world_violated("partition %d, offset %" PRId64 ", key \"%s\": %s (it is record %" PRId64
                   " of the ledger: %s %s)",
                   (int)record->origin.partition, record->origin.offset, record->key, what,
                   record->seq, outcome_name(record->verdict), record->reason);
}

static const struct record *find_record(const struct outcome_record *record)
{
    int32_t partition = record->origin.partition;
    const struct record *found = partition >= 0 && partition < topic_partitions()
                                     ? topic_find(partition, record->origin.offset)
                                     : NULL;

    if (!found) {
        wrong(record, "no such record stands in the topic");
        return NULL;
    }
    if (record->origin.offset <= books.last_offset[partition]) {
        wrong(record, "this record was decided before, or one behind it was");
    }
    if (record->origin.offset >= books.positions[partition] &&
        record->origin.offset >= books.highest[partition]) {
        wrong(record, "the position has not passed this record");
    }
    books.last_offset[partition] = record->origin.offset;
    return found;
}

static void check_first(const struct outcome_record *record, const struct model_key *wanted)
{
    const struct outcome_first *first = &record->first;

    if (record->has_first != (wanted != NULL)) {
        wrong(record, wanted ? "the key's decision is missing" : "the key has no decision yet");
        return;
    }
    if (!wanted) {
        return;
    }
    if (first->seq != wanted->seq || first->outcome != wanted->outcome ||
        strcmp(first->reason == REASON_NONE ? "" : reason_name(first->reason), wanted->reason) !=
            0 ||
        first->origin.partition != wanted->record->partition ||
        first->origin.offset != wanted->record->offset) {
        wrong(record, "the key's decision is another one");
    }
    if (!model_same_payload(&first->command, &wanted->record->message->command)) {
        wrong(record, "the key's payload is not the first one");
    }
    bool same = record->verdict == OUTCOME_APPLIED || record->verdict == OUTCOME_REJECTED;
    if (same && memcmp(first->digest, record->digest, sizeof(record->digest)) != 0) {
        wrong(record, "its digest is not its decision's");
    }
}

static void judge(const struct outcome_record *record)
{
    const struct record *found = find_record(record);

    if (!found) {
        return;
    }
    const struct message *message = found->message;
    struct model_answer answer = model_decide(&books.model, found, record->seq);
    if (record->verdict != answer.verdict || strcmp(record->reason, answer.reason) != 0 ||
        record->fields != answer.fields) {
        world_violated("partition %d, offset %" PRId64 ", key \"%s\": the ledger says %s %s, the "
                       "model %s %s",
                       (int)found->partition, found->offset, record->key,
                       outcome_name(record->verdict), record->reason, outcome_name(answer.verdict),
                       answer.reason);
    }
    if (strcmp(record->key, message->has_key ? message->key : "") != 0) {
        wrong(record, "its key is another one");
    }
    check_first(record, answer.first);
    books.seen[record->seq] = (struct seen){hash_of(record), found, answer};
}

static void compare_record(const struct store_outcome *outcome)
{
    const struct outcome_record *record = &outcome->record;

    if (record->seq != ++counted || record->seq > OUTCOMES_MAX) {
        world_violated("record %" PRId64 " of the ledger is followed by %" PRId64, counted - 1,
                       record->seq);
    } else if (record->seq > books.last_seq) {
        judge(record);
        books.last_seq = record->seq;
    } else if (hash_of(record) != books.seen[record->seq].hash) {
        wrong(record, "it is not what it was");
    }
}

/* ---- the whole store ---- */

void books_each_record(struct store *store, void (*visit)(const struct store_outcome *outcome))
{
    static struct store_outcome read[READ_MAX];
    struct error err = {0, ""};
    int64_t after = 0;
    size_t count;

    do {
        if (store->ops->outcomes(store, after, read, READ_MAX, &count, &err) != STORE_OK) {
            world_violated("the ledger's records cannot be read: %s", err.text);
            return;
        }
        for (size_t i = 0; i < count && !world_violation(); i++) {
            visit(&read[i]);
            after = read[i].record.seq;
        }
    } while (count > 0 && !world_violation());
}

/* Each record that the position has passed must have been decided: none is left out. */
static void check_passed(void)
{
    int64_t passed = 0;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        const struct record *record = topic_next(i, 0);
        while (record && record->offset < books.highest[i]) {
            passed++;
            record = topic_next(i, record->offset + 1);
        }
    }
    if (passed != books.last_seq && !world_violation()) {
        world_violated("the positions have passed %" PRId64 " records, and %" PRId64 " are decided",
                       passed, books.last_seq);
    }
}

bool books_is_settled(int64_t seq)
{
    const struct published *published = outcomes_find(seq);

    return !books.seen[seq].record->message->has_key || books.skipped[seq] ||
           (published && published->acknowledged);
}

static void check_cursor(struct store *store)
{
    struct error err = {0, ""};
    int64_t published = 0;
    int64_t last = 0;

    if (store->ops->outbox(store, &published, &last, &err) != STORE_OK) {
        world_violated("the cursor cannot be read: %s", err.text);
        return;
    }
    if (published < books.published || last != books.last_seq) {
        world_violated("outcomes are published up to %" PRId64 ", before up to %" PRId64
                       "; the last is %" PRId64 " of %" PRId64,
                       published, books.published, last, books.last_seq);
        return;
    }
    for (int64_t seq = books.published + 1; seq <= published; seq++) {
        if (!books_is_settled(seq)) {
            world_violated("outcome %" PRId64 " counts as published and nobody has it", seq);
        }
    }
    books.published = published;
    world_event(EVENT_CHECKED, last, published);
}

void books_compare(struct store *store)
{
    int64_t before = books.last_seq;

    books_compare_positions(store);
    counted = 0;
    books_each_record(store, compare_record);
    if (counted < before && !world_violation()) {
        world_violated("the ledger had %" PRId64 " records, and has %" PRId64, before, counted);
    }
    books.durable_seq = books.last_seq;
    if (!world_violation()) {
        check_passed();
        check_cursor(store);
    }
}
