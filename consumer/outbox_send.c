#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/outcome_json.h"
#include "consumer/outbox_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#define HEADERS_MAX 4
#define REFUSED     "the topic does not take it; it may be larger than max.message.bytes"

static struct slot *last_slot(struct outbox *outbox)
{
    return &outbox->slots[(outbox->first + outbox->count - 1) % OUTBOX_WINDOW];
}

static struct slot *push(struct outbox *outbox, int64_t seq)
{
    if (outbox->count++ == 0) {
        outbox->moved_ms = clock_monotonic_ms(); /* from now on something waits */
    }
    struct slot *slot = last_slot(outbox);
    *slot = (struct slot){.seq = seq};
    return slot;
}

static bool is_done(const struct slot *slot)
{
    return slot->done[PART_OUTCOME] && slot->done[PART_LETTER];
}

void outbox_advance(struct outbox *outbox)
{
    while (outbox->count > 0 && is_done(&outbox->slots[outbox->first])) {
        outbox->published = outbox->slots[outbox->first].seq;
        outbox->first = (outbox->first + 1) % OUTBOX_WINDOW;
        outbox->count--;
        outbox->moved_ms = clock_monotonic_ms();
    }
    if (outbox->published >= outbox->small_up_to) {
        outbox->window = OUTBOX_WINDOW;
    }
}

int outbox_settle(enum store_status status)
{
    switch (status) {
    case STORE_OK:
        return 0;
    case STORE_BUSY:
    case STORE_FULL:
        return 1;
    case STORE_STALE:
    case STORE_FAILED:
    default:
        return -1;
    }
}

int outbox_skip(struct way *way, int64_t seq, struct error *err)
{
    static const char *const events[] = {"outcome_skipped", "dead_letter_skipped"};
    static const char *const whys[] = {REFUSED, "dead letter: " REFUSED};
    struct outbox *outbox = way->outbox;

    if (!outbox->may_write) {
        outbox->wants_store = true;
        return 1;
    }
    int result = outbox_settle(
        outbox->store->ops->skip(outbox->store, seq, whys[way->part], clock_unix_ms(), err));

    if (result == 0) {
        way->passed_seq = seq;
        log_event(LOG_LEVEL_ERROR, events[way->part], "topic=\"%s\" seq=%" PRId64 " reason=\"%s\"",
                  way->args.topic, seq, REFUSED);
    }
    return result;
}

static size_t make_headers(const struct store_outcome *outcome, char *digest,
                           struct publisher_header headers[HEADERS_MAX])
{
    const char *answer = outcome_name(outcome_answer(&outcome->record));
    size_t count = 2;

    digest_hex(digest, outcome->record.digest, DIGEST_SHORT_SIZE);
    headers[0] = (struct publisher_header){"outcome", answer, strlen(answer)};
    headers[1] = (struct publisher_header){"digest", digest, strlen(digest)};
    if (outcome->traceparent_len > 0) {
        headers[count++] = (struct publisher_header){"traceparent", outcome->traceparent,
                                                     outcome->traceparent_len};
    }
    if (outcome->tracestate_len > 0) {
        headers[count++] =
            (struct publisher_header){"tracestate", outcome->tracestate, outcome->tracestate_len};
    }
    return count;
}

/* Returns as publisher_try(). */
static int send_outcome(struct way *way, const struct store_outcome *outcome, void *tag,
                        struct error *err)
{
    const struct outcome_record *record = &outcome->record;
    struct publisher_header headers[HEADERS_MAX];
    char digest[DIGEST_SHORT_HEX_SIZE];
    char value[OUTCOME_JSON_SIZE];
    struct publisher_message message = {
        .key = record->key, .key_len = strlen(record->key), .headers = headers, .tag = tag};

    if (FAILPOINT_FAILS("before-outbox-send")) {
        return error_set(err, EX_TEMPFAIL, "a failpoint failed");
    }
    message.value_len = outcome_json_encode(record, value);
    message.value = value;
    if (message.value_len == 0) {
        return error_set(err, EX_SOFTWARE, "an outcome is longer than %d bytes", OUTCOME_JSON_SIZE);
    }
    message.header_count = make_headers(outcome, digest, headers);
    return publisher_try(way->publisher, &message, err);
}

/* Is there anything of this part to publish? */
static bool needs(const struct way *way, const struct store_outcome *outcome)
{
    const struct outcome_record *record = &outcome->record;
    bool has_some =
        way->part == PART_OUTCOME ? record->key[0] != '\0' : record->verdict == OUTCOME_QUARANTINED;

    return has_some && way->passed_seq != record->seq;
}

/* Returns 0 when the part is on its way or will never be, 1 when there is no room now, -1. */
static int send_part(struct way *way, struct slot *slot, const struct store_outcome *outcome,
                     struct error *err)
{
    int result = way->part == PART_OUTCOME ? send_outcome(way, outcome, slot, err)
                                           : outbox_send_letter(way, slot->seq, slot, err);

    if (result == 0) {
        slot->given[way->part] = true;
        FAILPOINT("outbox-sent");
    } else if (result < 0 && err->code == EX_DATAERR) {
        result = outbox_skip(way, slot->seq, err);
        slot->done[way->part] = result == 0;
    }
    return result;
}

/*
 * All parts of a seq. Pushed first: a client may report before publisher_try() returns. What had no
 * room is sent by a later call for the same seq.
 */
static int send_seq(struct outbox *outbox, const struct store_outcome *outcome, struct error *err)
{
    struct slot *slot = outbox->partial ? last_slot(outbox) : push(outbox, outcome->record.seq);
    bool any_given = outbox->partial;
    int result = 0;

    if (!outbox->partial) {
        for (size_t i = 0; i < PARTS; i++) {
            slot->done[i] = i >= outbox->way_count || !needs(&outbox->ways[i], outcome);
        }
    }
    for (size_t i = 0; result == 0 && i < outbox->way_count; i++) {
        if (!slot->given[i] && !slot->done[i]) {
            result = send_part(&outbox->ways[i], slot, outcome, err);
            any_given = any_given || result == 0;
        }
    }
    outbox->partial = result > 0 && any_given;
    if (result != 0 && !any_given) {
        outbox->count--;
    }
    outbox_advance(outbox);
    return result;
}

/* Reads on when all that was read is sent. Returns 1 when there is nothing more, now. */
static int refill(struct outbox *outbox, struct error *err)
{
    struct store *reader = outbox->reader;

    if (outbox->read_next < outbox->read_count) {
        return 0;
    }
    if (outbox->read_seq >= outbox->last) {
        return 1;
    }
    outbox->read_next = outbox->read_count = 0;
    int result = outbox_settle(reader->ops->outcomes(reader, outbox->read_seq, outbox->read,
                                                     OUTBOX_READ_MAX, &outbox->read_count, err));
    if (result != 0) {
        return result;
    }
    FAILPOINT("outbox-read");
    if (outbox->read_count == 0) {
        return 1;
    }
    outbox->read_seq = outbox->read[outbox->read_count - 1].record.seq;
    return 0;
}

bool outbox_has_room(const struct outbox *outbox)
{
    return (outbox->count < outbox->window || outbox->partial) && !outbox->broken;
}

int outbox_send_more(struct outbox *outbox, size_t max, struct error *err)
{
    int result = 0;

    for (size_t sent = 0; result == 0 && sent < max && outbox_has_room(outbox); sent++) {
        result = refill(outbox, err);
        if (result == 0) {
            result = send_seq(outbox, &outbox->read[outbox->read_next], err);
            outbox->read_next += result == 0;
            outbox->sent += result == 0;
        }
    }
    return result;
}
