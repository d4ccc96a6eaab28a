#include "common/clock.h"
#include "common/failpoint.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/text.h"
#include "consumer/outbox_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SAVE_EVERY_MS 1000
#define LOG_EVERY_MS  10000
#define REOPEN_MS     1000
#define CLOSE_MS      1000
#define SMALL_STEP_MS 50 /* one step with a small window */
#define SHRINK        8  /* of the window, each time that the refused one is in it */

/* ---- what became of what was sent ---- */

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
        outbox_advance(outbox);
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

/* ---- failures, and steps ---- */

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
        int result = outbox_skip(outbox, first->seq, err);
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

static int work(struct outbox *outbox, size_t max, int timeout_ms, struct error *err)
{
    publisher_poll(outbox->publisher, timeout_ms);
    int result = outbox->broken ? recover(outbox, err) : 0;
    if (result == 0) {
        result = outbox_send_more(outbox, max, err);
    }
    if (result < 0 && err->code == EX_TEMPFAIL) {
        give_up_client(outbox, err);
        return 0;
    }
    return result < 0 ? -1 : 0;
}

int outbox_step(struct outbox *outbox, size_t max, int timeout_ms, bool may_write,
                struct error *err)
{
    struct store *reader = outbox->reader;
    int64_t until_ms = clock_monotonic_ms() + SMALL_STEP_MS;
    int result = outbox_settle(reader->ops->outbox(reader, NULL, &outbox->last, err));

    outbox->may_write = may_write;
    if (result != 0) {
        return result < 0 ? -1 : 0;
    }
    if (outbox->count == 0 && outbox->read_seq >= outbox->last &&
        outbox->read_next == outbox->read_count) {
        outbox->moved_ms = clock_monotonic_ms(); /* nothing waits */
        return 0;
    }
    if (outbox->count == 0 && max == 0) {
        outbox->moved_ms = clock_monotonic_ms(); /* what waits is held back, and not stuck */
    }
    if (!ensure_client(outbox)) {
        (void)stop_wait(timeout_ms);
        return 0;
    }
    result = work(outbox, max, timeout_ms, err);
    /* With a small window each answer lets a few more go. */
    while (result == 0 && outbox->publisher && outbox->window < OUTBOX_WINDOW &&
           clock_monotonic_ms() < until_ms) {
        result = work(outbox, max, 1, err);
    }
    return result;
}

bool outbox_can_send(const struct outbox *outbox)
{
    return outbox->publisher && outbox_has_room(outbox) &&
           (outbox->read_next < outbox->read_count || outbox->read_seq < outbox->last);
}

/* ---- the cursor ---- */

int64_t outbox_published(const struct outbox *outbox)
{
    return outbox->published;
}

void outbox_saved(struct outbox *outbox, int64_t published)
{
    if (outbox->saved != published) {
        FAILPOINT("outbox-saved");
    }
    outbox->saved = published;
    outbox->save_due_ms = clock_monotonic_ms() + SAVE_EVERY_MS;
}

static int save(struct outbox *outbox, struct error *err)
{
    if (outbox->saved == outbox->published) {
        return 0;
    }
    FAILPOINT("before-outbox-save");
    int result =
        outbox_settle(outbox->store->ops->published(outbox->store, outbox->published, err));
    if (result == 0) {
        outbox_saved(outbox, outbox->published);
    }
    return result < 0 ? -1 : 0;
}

int outbox_save_due(struct outbox *outbox, struct error *err)
{
    return clock_monotonic_ms() >= outbox->save_due_ms ? save(outbox, err) : 0;
}

int64_t outbox_sent(const struct outbox *outbox)
{
    return outbox->sent;
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

int outbox_open(struct outbox **ret, struct store *store, struct store *reader,
                const struct kafka_args *args, const char *topic, struct error *err)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));

    if (!outbox) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    outbox->store = store;
    outbox->reader = reader;
    outbox->args = *args;
    outbox->args.topic = topic;
    outbox->args.client_id = "payd";
    outbox->args.skip_topic_check = true; /* losing an old outcome loses no payment */
    if (reader->ops->outbox(reader, &outbox->published, &outbox->last, err) != STORE_OK ||
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
