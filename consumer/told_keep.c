/*
 * Records become items that are decided already: the store takes them as if its ledger had. A key,
 * or a quarantined message, that it has is told again, and must be told the same.
 */
#include "common/clock.h"
#include "common/command_digest.h"
#include "common/text.h"
#include "consumer/told_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* EX_DATAERR, with the place and the key. Returns -1. */
static int refuse(const struct told *told, struct told_place place, const char *key,
                  const char *why, struct error *err)
{
    char escaped[TEXT_ESCAPED_SIZE];

    return error_set(err, EX_DATAERR,
                     "%s[%" PRId32 "]@%" PRId64 ": key %s: %s: the outcomes of two ledgers are "
                     "mixed, or somebody else writes there; nothing was decided by them",
                     told->source.outcomes, place.partition, place.offset,
                     text_escape(escaped, sizeof(escaped), key, strlen(key)), why);
}

/* The same for a record that a later payd wrote. */
static int refuse_reason(const struct told *told, struct told_place place, const char *key,
                         struct error *err)
{
    char escaped[TEXT_ESCAPED_SIZE];

    return error_set(err, EX_DATAERR,
                     "%s[%" PRId32 "]@%" PRId64 ": key %s: a reason that this payd does not know: "
                     "a newer one wrote it, and can read it; nothing was decided by them",
                     told->source.outcomes, place.partition, place.offset,
                     text_escape(escaped, sizeof(escaped), key, strlen(key)));
}

/* ---- records to items ---- */

/* The place of the next item. */
static struct chunk_item *add_item(struct told *told, struct told_place place,
                                   const struct outcome_origin *origin)
{
    told->places[told->chunk->item_count] = place;
    struct chunk_item *item = chunk_add(told->chunk);
    item->origin = (struct origin){origin->partition, origin->offset, 0};
    item->raw = (struct raw_message){.key = NULL};
    item->detail[0] = '\0';
    return item;
}

static bool is_there(const struct chunk *chunk, const struct outcome_origin *origin)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        if (item->unreadable != READABLE && item->origin.partition == origin->partition &&
            item->origin.offset == origin->offset) {
            return true;
        }
    }
    return false;
}

/* A quarantined message, as far as is told of it. Of another topic's nothing is to be seen here. */
static int keep_quarantined(struct told *told, const struct outcome_record *record,
                            struct told_place place, struct error *err)
{
    enum unreadable reason;

    if (strcmp(record->origin.topic, told->source.kafka->topic) != 0 ||
        record->origin.partition >= CHUNK_PARTITIONS_MAX ||
        is_there(told->chunk, &record->origin)) {
        return 0;
    }
    if (!unreadable_parse(record->reason, &reason)) {
        return refuse_reason(told, place, record->key, err);
    }
    struct chunk_item *item = add_item(told, place, &record->origin);
    size_t len = strlen(record->key);
    item->unreadable = reason;
    item->decision = (struct decision){OUTCOME_QUARANTINED, REASON_NONE, 0};
    memcpy(item->digest, record->digest, sizeof(item->digest));
    memcpy(item->command.payment.key, record->key, len + 1); /* the item's own copy */
    item->raw.key = item->command.payment.key;
    item->raw.key_len = len;
    chunk_range(told->chunk, item->origin.partition, 0); /* so that the store looks it up */
    return 0;
}

/* A decision belongs to key and digest: what is told of its payload must have this digest. */
static int keep_first(struct told *told, const struct outcome_record *record,
                      struct told_place place, struct error *err)
{
    const struct outcome_first *first = &record->first;
    unsigned char digest[DIGEST_SHORT_SIZE];

    if (command_digest(told->digest, &first->command, digest, err) != 0) {
        return -1;
    }
    if (memcmp(digest, first->digest, sizeof(digest)) != 0) {
        return refuse(told, place, record->key, "the first decision's command has another digest",
                      err);
    }
    if ((first->reason == REASON_NONE) != (first->outcome == OUTCOME_APPLIED)) {
        return refuse_reason(told, place, record->key, err);
    }
    struct chunk_item *item = add_item(told, place, &first->origin);
    if (strcmp(first->origin.topic, told->source.kafka->topic) != 0) {
        item->origin = (struct origin){TOLD_ELSEWHERE, 0, 0};
    }
    item->command = first->command;
    item->decision = (struct decision){first->outcome, first->reason, 0};
    memcpy(item->digest, first->digest, sizeof(item->digest));
    return 0;
}

static void note_end(struct told *told, const struct outcome_origin *origin)
{
    if (strcmp(origin->topic, told->source.kafka->topic) == 0 &&
        origin->partition < CHUNK_PARTITIONS_MAX &&
        told->ends[origin->partition] <= origin->offset) {
        told->ends[origin->partition] = origin->offset + 1;
    }
}

int told_keep(struct told *told, const struct outcome_record *record, struct told_place place,
              struct error *err)
{
    int result = 0;

    note_end(told, &record->origin);
    if (record->verdict == OUTCOME_QUARANTINED) {
        result = keep_quarantined(told, record, place, err);
    } else if (record->has_first) {
        note_end(told, &record->first.origin);
        result = keep_first(told, record, place, err);
    }
    return result == 0 && told->chunk->item_count == TOLD_CHUNK ? told_flush(told, err) : result;
}

/* ---- items to the store ---- */

/* True when the item tells its key as it was told before. */
static bool tells_the_same(const struct chunk_key *key, const struct chunk_item *item)
{
    const struct command *first = key->known ? key->first : &key->owner->command;
    enum outcome outcome = key->known ? key->outcome : key->owner->decision.outcome;
    enum reason reason = key->known ? key->reason : key->owner->decision.reason;

    return outcome == item->decision.outcome && reason == item->decision.reason &&
           command_differs(first, &item->command) == 0;
}

/* What is there already is left out. Owners are items that are decided, and stay so. */
static int settle(struct told *told, size_t at, struct error *err)
{
    struct chunk *chunk = told->chunk;
    struct chunk_item *item = &chunk->items[at];

    if (item->unreadable != READABLE) {
        item->decision.outcome = item->recorded ? OUTCOME_REDELIVERED : OUTCOME_QUARANTINED;
        return 0;
    }
    struct chunk_key *key = &chunk->keys[item->key];
    if (key->known || key->owner) {
        bool is_same = tells_the_same(key, item);
        item->decision.outcome = OUTCOME_REDELIVERED;
        return is_same ? 0
                       : refuse(told, told->places[at], key->key,
                                "its first decision is not the one that was told before", err);
    }
    if (!chunk_bind_batch(chunk, item)) {
        return refuse(told, told->places[at], key->key,
                      "its batch is not the one that was told before", err);
    }
    key->owner = item;
    told->decisions++;
    return 0;
}

static enum store_status take(struct told *told, struct error *err)
{
    struct store *store = told->store;
    struct chunk *chunk = told->chunk;
    enum store_status status = store_begin_chunk(store, chunk, err);

    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        status = settle(told, i, err) == 0 ? STORE_OK : STORE_FAILED;
    }
    chunk->range_count = 0; /* they would move positions, and it has none */
    return store_end_chunk(store, status, chunk, err);
}

int told_flush(struct told *told, struct error *err)
{
    struct chunk *chunk = told->chunk;

    if (chunk->item_count == 0) {
        return 0;
    }
    chunk->now_ms = clock_unix_ms();
    chunk_index(chunk);
    if (take(told, err) != STORE_OK) {
        return -1;
    }
    chunk_clear(chunk);
    return 0;
}
