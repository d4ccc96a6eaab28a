#include "consumer/outbox.h"

#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/outcome_json.h"
#include "common/publisher.h"
#include "common/stop.h"
#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define READ_MAX      256  /* outcomes that are read at once */
#define STEP_MAX      8192 /* and sent in one step */
#define SAVE_EVERY_MS 1000
#define LOG_EVERY_MS  10000
#define REOPEN_MS     1000
#define CLOSE_MS      1000
#define SMALL_STEP_MS 50 /* one step with a small window */
#define SHRINK        8  /* of the window, each time that the refused one is in it */
#define HEADERS_MAX   4
#define REFUSED       "the topic does not take it: larger than message.max.bytes, max.message.bytes"

/* An outcome on its way. */
struct slot {
    int64_t seq;
    bool done; /* acknowledged, or nothing to publish */
};

struct outbox {
    struct store *store;
    struct kafka_args args;
    struct publisher *publisher; /* NULL after it gave up, until it is opened again */

    /* What was sent, in the order of seq: slots[first], ..., around the end of the array. */
    struct slot slots[OUTBOX_WINDOW];
    size_t first;
    size_t count;
    int64_t published; /* all up to it are acknowledged */
    int64_t saved;     /* the store knows */
    int64_t last;      /* the store's last seq */

    /* What was read and not sent yet. */
    struct store_outcome read[READ_MAX];
    size_t read_count;
    size_t read_next;
    int64_t read_seq; /* the last one that was read */

    bool broken;         /* one was not acknowledged: when all have reported, send again */
    bool refused;        /* because the topic takes one of them never */
    size_t window;       /* how many may be on their way: fewer while that one is searched for */
    int64_t small_up_to; /* up to this seq */

    int64_t save_due_ms;
    int64_t log_due_ms;
    int64_t reopen_due_ms;
    int64_t moved_ms; /* when an acknowledgement last came, or something began to wait */
};

/* ---- the window ---- */

static struct slot *push(struct outbox *outbox, int64_t seq, bool done)
{
    struct slot *slot = &outbox->slots[(outbox->first + outbox->count) % OUTBOX_WINDOW];

    if (outbox->count++ == 0) {
        outbox->moved_ms = clock_monotonic_ms(); /* from now on something waits */
    }
    *slot = (struct slot){seq, done};
    return slot;
}

/* The cursor moves over what is done from its beginning on. */
static void advance(struct outbox *outbox)
{
    while (outbox->count > 0 && outbox->slots[outbox->first].done) {
        outbox->published = outbox->slots[outbox->first].seq;
        outbox->first = (outbox->first + 1) % OUTBOX_WINDOW;
        outbox->count--;
        outbox->moved_ms = clock_monotonic_ms();
    }
    if (outbox->published >= outbox->small_up_to) {
        outbox->window = OUTBOX_WINDOW;
    }
}

static void log_delay(struct outbox *outbox, const char *reason)
{
    int64_t now_ms = clock_monotonic_ms();
    char shown[TEXT_ESCAPED_SIZE];

    if (now_ms >= outbox->log_due_ms) {
        log_event(LOG_LEVEL_WARN, "outcomes_delayed",
                  "topic=\"%s\" waiting=%" PRId64 " reason=\"%s\"", outbox->args.topic,
                  outbox_backlog(outbox),
                  text_escape(shown, sizeof(shown), reason, strlen(reason)));
        outbox->log_due_ms = now_ms + LOG_EVERY_MS;
    }
}

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct outbox *outbox = user;
    struct slot *slot = receipt->tag;

    FAILPOINT("outbox-acknowledged");
    if (receipt->delivery == DELIVERY_ACKNOWLEDGED) {
        slot->done = true;
        advance(outbox);
        return;
    }
    outbox->broken = true;
    if (receipt->refused) {
        outbox->refused = true;
    } else {
        log_delay(outbox, receipt->reason);
    }
}

/* Sends again from the first one that is not acknowledged. */
static void rewind_window(struct outbox *outbox)
{
    outbox->count = 0;
    outbox->read_count = outbox->read_next = 0;
    outbox->read_seq = outbox->published;
    outbox->broken = outbox->refused = false;
}

/* ---- sending ---- */

/* A store that is busy or full loses nothing here: 1 = later. Else 0 or -1. */
static int settle(enum store_status status)
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

static int skip(struct outbox *outbox, int64_t seq, struct error *err)
{
    int result =
        settle(outbox->store->ops->skip(outbox->store, seq, REFUSED, clock_unix_ms(), err));

    if (result == 0) {
        log_event(LOG_LEVEL_ERROR, "outcome_skipped", "topic=\"%s\" seq=%" PRId64 " reason=\"%s\"",
                  outbox->args.topic, seq, REFUSED);
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

/* Returns 0 when it is on its way or needs none, 1 when there is no room now, -1. */
static int send_outcome(struct outbox *outbox, const struct store_outcome *outcome,
                        struct error *err)
{
    const struct outcome_record *record = &outcome->record;
    struct publisher_header headers[HEADERS_MAX];
    char digest[DIGEST_SHORT_HEX_SIZE];
    char *value = NULL;
    struct publisher_message message = {
        .key = record->key, .key_len = strlen(record->key), .headers = headers};

    if (message.key_len == 0) {
        push(outbox, record->seq, true);
        advance(outbox);
        return 0;
    }
    message.value_len = outcome_json_encode(record, &value);
    message.value = value;
    if (message.value_len == 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    message.header_count = make_headers(outcome, digest, headers);
    /* Pushed first: the client may report before publisher_try() returns. */
    message.tag = push(outbox, record->seq, false);
    int result = publisher_try(outbox->publisher, &message, err);
    free(value);
    if (result == 0) {
        FAILPOINT("outbox-sent");
        return 0;
    }
    outbox->count--;
    if (result < 0 && err->code == EX_DATAERR) {
        result = skip(outbox, record->seq, err);
        if (result == 0) {
            push(outbox, record->seq, true);
            advance(outbox);
        }
    }
    return result;
}

/* Reads on when all that was read is sent. Returns 1 when there is nothing more, now. */
static int refill(struct outbox *outbox, struct error *err)
{
    struct store *store = outbox->store;

    if (outbox->read_next < outbox->read_count) {
        return 0;
    }
    if (outbox->read_seq >= outbox->last) {
        return 1;
    }
    outbox->read_next = outbox->read_count = 0;
    int result = settle(store->ops->outcomes(store, outbox->read_seq, outbox->read, READ_MAX,
                                             &outbox->read_count, err));
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

static bool has_room(const struct outbox *outbox)
{
    return outbox->count < outbox->window && !outbox->broken;
}

static int send_more(struct outbox *outbox, struct error *err)
{
    int result = 0;

    for (int sent = 0; result == 0 && sent < STEP_MAX && has_room(outbox); sent++) {
        result = refill(outbox, err);
        if (result == 0) {
            result = send_outcome(outbox, &outbox->read[outbox->read_next], err);
            outbox->read_next += result == 0;
        }
    }
    return result;
}

/* The client never sends again after some errors: begin with a new one. */
static void give_up_client(struct outbox *outbox, const struct error *err)
{
    log_delay(outbox, err->text);
    publisher_close(outbox->publisher);
    outbox->publisher = NULL;
    outbox->reopen_due_ms = clock_monotonic_ms() + REOPEN_MS;
    rewind_window(outbox);
}

/* True when there is a client. */
static bool ensure_client(struct outbox *outbox)
{
    struct error err;

    if (!outbox->publisher && clock_monotonic_ms() >= outbox->reopen_due_ms) {
        if (publisher_open(&outbox->publisher, &outbox->args, on_report, outbox, &err) != 0) {
            outbox->publisher = NULL;
            outbox->reopen_due_ms = clock_monotonic_ms() + REOPEN_MS;
            log_delay(outbox, err.text);
        }
    }
    return outbox->publisher != NULL;
}

/*
 * All have reported, and one of them will never be taken. The broker refuses what is sent together
 * as a whole, so fewer are sent together, until the one stands alone: that one is passed over.
 */
static int search_refused(struct outbox *outbox, struct error *err)
{
    const struct slot *first = &outbox->slots[outbox->first];
    const struct slot *last = &outbox->slots[(outbox->first + outbox->count - 1) % OUTBOX_WINDOW];

    if (outbox->count == 0) {
        return 0;
    }
    if (outbox->count == 1) {
        int result = skip(outbox, first->seq, err);
        outbox->published = result == 0 ? first->seq : outbox->published;
        return result;
    }
    if (last->seq > outbox->small_up_to) {
        outbox->small_up_to = last->seq;
    }
    outbox->window = outbox->count / SHRINK > 0 ? outbox->count / SHRINK : 1;
    return 0;
}

/* After a failure: waits for all reports, then begins again. Returns 1 while it waits. */
static int recover(struct outbox *outbox, struct error *err)
{
    if (publisher_waiting(outbox->publisher) > 0) {
        return 1;
    }
    int result = outbox->refused ? search_refused(outbox, err) : 0;
    if (result == 0) {
        rewind_window(outbox);
    }
    return result;
}

static int work(struct outbox *outbox, int timeout_ms, struct error *err)
{
    publisher_poll(outbox->publisher, timeout_ms);
    int result = outbox->broken ? recover(outbox, err) : 0;
    if (result == 0) {
        result = send_more(outbox, err);
    }
    if (result < 0 && err->code == EX_TEMPFAIL) {
        give_up_client(outbox, err);
        return 0;
    }
    return result < 0 ? -1 : 0;
}

int outbox_step(struct outbox *outbox, int timeout_ms, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + SMALL_STEP_MS;
    int64_t ignored;
    int result = settle(outbox->store->ops->outbox(outbox->store, &ignored, &outbox->last, err));

    if (result != 0) {
        return result < 0 ? -1 : 0;
    }
    if (outbox->count == 0 && outbox->read_seq >= outbox->last &&
        outbox->read_next == outbox->read_count) {
        outbox->moved_ms = clock_monotonic_ms(); /* nothing waits */
        return 0;
    }
    if (!ensure_client(outbox)) {
        (void)stop_wait(timeout_ms);
        return 0;
    }
    result = work(outbox, timeout_ms, err);
    /* With a small window each answer lets a few more go. */
    while (result == 0 && outbox->publisher && outbox->window < OUTBOX_WINDOW &&
           clock_monotonic_ms() < until_ms) {
        result = work(outbox, 1, err);
    }
    return result;
}

/* ---- the cursor ---- */

int64_t outbox_published(const struct outbox *outbox)
{
    return outbox->published;
}

void outbox_saved(struct outbox *outbox)
{
    if (outbox->saved != outbox->published) {
        FAILPOINT("outbox-saved");
    }
    outbox->saved = outbox->published;
    outbox->save_due_ms = clock_monotonic_ms() + SAVE_EVERY_MS;
}

static int save(struct outbox *outbox, struct error *err)
{
    if (outbox->saved == outbox->published) {
        return 0;
    }
    int result = settle(outbox->store->ops->published(outbox->store, outbox->published, err));
    if (result == 0) {
        outbox_saved(outbox);
    }
    return result < 0 ? -1 : 0;
}

int outbox_save_due(struct outbox *outbox, struct error *err)
{
    return clock_monotonic_ms() >= outbox->save_due_ms ? save(outbox, err) : 0;
}

int64_t outbox_backlog(const struct outbox *outbox)
{
    return outbox->last - outbox->published;
}

int64_t outbox_stuck_ms(const struct outbox *outbox)
{
    return outbox_backlog(outbox) > 0 ? clock_monotonic_ms() - outbox->moved_ms : 0;
}

/* ---- life ---- */

int outbox_open(struct outbox **ret, struct store *store, const struct kafka_args *args,
                const char *topic, struct error *err)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));

    if (!outbox) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    outbox->store = store;
    outbox->args = *args;
    outbox->args.topic = topic;
    outbox->args.client_id = "payd";
    outbox->args.skip_topic_check = true; /* losing an old outcome loses no payment */
    if (store->ops->outbox(store, &outbox->published, &outbox->last, err) != STORE_OK ||
        publisher_open(&outbox->publisher, &outbox->args, on_report, outbox, err) != 0) {
        free(outbox);
        return -1;
    }
    outbox->saved = outbox->read_seq = outbox->published;
    outbox->window = OUTBOX_WINDOW;
    outbox->moved_ms = clock_monotonic_ms();
    *ret = outbox;
    return 0;
}

int outbox_close(struct outbox *outbox, bool store_is_good, struct error *err)
{
    if (!outbox) {
        return 0;
    }
    int64_t deadline_ms = clock_monotonic_ms() + CLOSE_MS;
    while (outbox->publisher && publisher_waiting(outbox->publisher) > 0 &&
           clock_monotonic_ms() < deadline_ms) {
        publisher_poll(outbox->publisher, 50);
    }
    int result = store_is_good ? save(outbox, err) : 0;
    publisher_close(outbox->publisher);
    free(outbox);
    return result;
}
