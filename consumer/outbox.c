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
#define CLOSE_POLL_MS 50
#define SMALL_STEP_MS 50 /* one step with a small window */
#define SHRINK        8  /* of the window, each time that the refused one is in it */

/* ---- what became of what was sent ---- */

static void log_delay(const struct way *way, const char *reason)
{
    static const char *const events[] = {"outcomes_delayed", "dead_letters_delayed"};
    struct outbox *outbox = way->outbox;
    int64_t now_ms = clock_monotonic_ms();
    char shown[TEXT_ESCAPED_SIZE];

    if (now_ms >= outbox->log_due_ms) {
        log_event(LOG_LEVEL_WARN, events[way->part],
                  "topic=\"%s\" waiting=%" PRId64 " reason=\"%s\"", way->args.topic,
                  outbox_backlog(outbox),
                  text_escape(shown, sizeof(shown), reason, strlen(reason)));
        outbox->log_due_ms = now_ms + LOG_EVERY_MS;
    }
}

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct way *way = user;
    struct outbox *outbox = way->outbox;
    struct slot *slot = receipt->tag;

    FAILPOINT("outbox-acknowledged");
    if (receipt->delivery == DELIVERY_ACKNOWLEDGED) {
        slot->done[way->part] = true;
        outbox_advance(outbox);
        return;
    }
    outbox->broken = true;
    if (receipt->refused) {
        way->refused = true;
    } else {
        log_delay(way, receipt->reason);
    }
}

/* Sends again from the first one that is not acknowledged. */
static void rewind_window(struct outbox *outbox)
{
    outbox->count = 0;
    outbox->read_count = outbox->read_next = 0;
    outbox->read_seq = outbox->published;
    outbox->broken = outbox->partial = false;
    for (size_t i = 0; i < outbox->way_count; i++) {
        outbox->ways[i].refused = false;
    }
}

/* ---- failures, and steps ---- */

/* A client never sends again after some errors: begin with new ones. */
static void give_up_clients(struct outbox *outbox, const struct error *err)
{
    log_delay(&outbox->ways[PART_OUTCOME], err->text);
    for (size_t i = 0; i < outbox->way_count; i++) {
        publisher_close(outbox->ways[i].publisher);
        outbox->ways[i].publisher = NULL;
    }
    outbox->reopen_due_ms = clock_monotonic_ms() + REOPEN_MS;
    rewind_window(outbox);
}

static bool has_clients(const struct outbox *outbox)
{
    bool all = true;

    for (size_t i = 0; i < outbox->way_count; i++) {
        all = all && outbox->ways[i].publisher;
    }
    return all;
}

static int open_client(struct way *way, struct error *err)
{
    if (publisher_open(&way->publisher, &way->args, on_report, way, err) != 0) {
        way->publisher = NULL;
        return -1;
    }
    return 0;
}

/* True when there are all clients. */
static bool ensure_clients(struct outbox *outbox)
{
    struct error err;

    if (clock_monotonic_ms() < outbox->reopen_due_ms) {
        return has_clients(outbox);
    }
    for (size_t i = 0; i < outbox->way_count; i++) {
        struct way *way = &outbox->ways[i];
        if (!way->publisher && open_client(way, &err) != 0) {
            outbox->reopen_due_ms = clock_monotonic_ms() + REOPEN_MS;
            log_delay(way, err.text);
            return false;
        }
    }
    return true;
}

/* How many messages have no report yet. */
static int waiting(const struct outbox *outbox)
{
    int sum = 0;

    for (size_t i = 0; i < outbox->way_count; i++) {
        sum += outbox->ways[i].publisher ? publisher_waiting(outbox->ways[i].publisher) : 0;
    }
    return sum;
}

/* Takes reports; waits for those of the outcomes, as each has one. */
static void poll_clients(struct outbox *outbox, int timeout_ms)
{
    for (size_t i = outbox->way_count; i-- > 0;) {
        if (outbox->ways[i].publisher) {
            publisher_poll(outbox->ways[i].publisher, i == PART_OUTCOME ? timeout_ms : 0);
        }
    }
}

static bool is_refused(const struct outbox *outbox)
{
    bool any = false;

    for (size_t i = 0; i < outbox->way_count; i++) {
        any = any || outbox->ways[i].refused;
    }
    return any;
}

/* What stands alone in the window and was refused is passed over when it is sent again. */
static int pass_over(struct outbox *outbox, int64_t seq, struct error *err)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < outbox->way_count; i++) {
        if (outbox->ways[i].refused) {
            result = outbox_skip(&outbox->ways[i], seq, err);
        }
    }
    return result;
}

/*
 * All have reported, and one of them will never be taken. The broker refuses what is sent together
 * as a whole, so fewer are sent together, until the one stands alone: that one is passed over.
 */
static int search_refused(struct outbox *outbox, struct error *err)
{
    const struct slot *last = &outbox->slots[(outbox->first + outbox->count - 1) % OUTBOX_WINDOW];

    if (outbox->count == 0) {
        return 0;
    }
    if (outbox->count == 1) {
        return pass_over(outbox, outbox->slots[outbox->first].seq, err);
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
    if (waiting(outbox) > 0) {
        return 1;
    }
    int result = is_refused(outbox) ? search_refused(outbox, err) : 0;
    if (result == 0) {
        rewind_window(outbox);
    }
    return result;
}

static int work(struct outbox *outbox, size_t max, int timeout_ms, struct error *err)
{
    poll_clients(outbox, timeout_ms);
    int result = outbox->broken ? recover(outbox, err) : 0;
    if (result == 0) {
        result = outbox_send_more(outbox, max, err);
    }
    if (result < 0 && err->code == EX_TEMPFAIL) {
        give_up_clients(outbox, err);
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
    outbox->wants_store = false;
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
    if (!ensure_clients(outbox)) {
        (void)stop_wait(timeout_ms);
        return 0;
    }
    result = work(outbox, max, timeout_ms, err);
    /* With a small window each answer lets a few more go. */
    while (result == 0 && has_clients(outbox) && outbox->window < OUTBOX_WINDOW &&
           clock_monotonic_ms() < until_ms) {
        result = work(outbox, max, 1, err);
    }
    return result;
}

bool outbox_wants_store(const struct outbox *outbox)
{
    return outbox->wants_store;
}

bool outbox_can_send(const struct outbox *outbox)
{
    return has_clients(outbox) && outbox_has_room(outbox) &&
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
    struct way *way = &outbox->ways[PART_OUTCOME];
    *way = (struct way){.outbox = outbox, .part = PART_OUTCOME, .args = *args};
    way->args.topic = topic;
    way->args.client_id = "payd";
    way->args.skip_topic_check = true; /* losing an old outcome loses no payment */
    outbox->way_count = 1;
    if (reader->ops->outbox(reader, &outbox->published, &outbox->last, err) != STORE_OK ||
        open_client(way, err) != 0) {
        free(outbox);
        return -1;
    }
    outbox->saved = outbox->read_seq = outbox->published;
    outbox->window = OUTBOX_WINDOW;
    outbox->moved_ms = clock_monotonic_ms();
    *ret = outbox;
    return 0;
}

int outbox_open_letters(struct outbox *outbox, const char *topic, struct error *err)
{
    struct way *way = &outbox->ways[PART_LETTER];

    *way = outbox->ways[PART_OUTCOME];
    way->part = PART_LETTER;
    way->args.topic = topic;
    if (open_client(way, err) != 0) {
        return -1;
    }
    outbox->way_count = PARTS;
    return 0;
}

int outbox_close(struct outbox *outbox, bool store_is_good, struct error *err)
{
    if (!outbox) {
        return 0;
    }
    int64_t deadline_ms = clock_monotonic_ms() + CLOSE_MS;
    while (waiting(outbox) > 0 && clock_monotonic_ms() < deadline_ms) {
        poll_clients(outbox, CLOSE_POLL_MS);
    }
    int result = store_is_good ? save(outbox, err) : 0;
    for (size_t i = 0; i < outbox->way_count; i++) {
        publisher_close(outbox->ways[i].publisher);
    }
    free(outbox);
    return result;
}
