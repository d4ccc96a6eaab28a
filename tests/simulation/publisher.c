/*
 * The simulated publisher: common/publisher.h without Kafka. Partitions answer one batch after the
 * other, each in its order, and in no order among each other.
 */
#include "common/publisher.h"

#include "tests/simulation/books.h"
#include "tests/simulation/outcomes.h"
#include "tests/simulation/world.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define QUEUE_MAX  64
#define BATCH_MAX  8
#define ROUNDS_MAX 4

struct waiting {
    void *tag;
    int64_t seq;
    int32_t partition;
    bool refused;
};

struct publisher {
    publisher_report *report;
    void *user;
    struct waiting queue[QUEUE_MAX];
    size_t count;
    bool gave_up;
};

int publisher_open(struct publisher **ret, const struct kafka_args *args, publisher_report *report,
                   void *user, struct error *err)
{
    struct publisher *publisher;

    (void)args;
    if (world_strikes(EVENT_OUTCOMES_AWAY, 60)) {
        world_event(EVENT_OUTCOMES_AWAY, 0, 0);
        world_excuse("no broker for outcomes");
        return error_set(err, EX_UNAVAILABLE, "no broker for outcomes");
    }
    publisher = calloc(1, sizeof(*publisher));
    if (!publisher) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    publisher->report = report;
    publisher->user = user;
    *ret = publisher;
    return 0;
}

/* ---- what becomes of them ---- */

enum fate { FATE_ACKNOWLEDGED, FATE_FAILED, FATE_UNKNOWN, FATE_REFUSED };

static void report(struct publisher *publisher, const struct waiting *waiting, enum fate fate)
{
    const struct publisher_receipt receipt = {
        .key = "",
        .tag = waiting->tag,
        .delivery = fate == FATE_ACKNOWLEDGED ? DELIVERY_ACKNOWLEDGED
                    : fate == FATE_UNKNOWN    ? DELIVERY_UNKNOWN
                                              : DELIVERY_FAILED,
        .reason = "simulated",
        .refused = fate == FATE_REFUSED,
    };

    if (fate == FATE_ACKNOWLEDGED) {
        outcomes_acknowledge(waiting->seq);
    }
    publisher->report(publisher->user, &receipt);
}

static enum fate draw_fate(const struct waiting *batch, size_t count, size_t *ret_appended)
{
    enum fate fate = FATE_ACKNOWLEDGED;

    *ret_appended = 0;
    for (size_t i = 0; i < count; i++) {
        fate = batch[i].refused ? FATE_REFUSED : fate;
    }
    if (fate == FATE_REFUSED) {
        world_event(EVENT_REFUSED, (int64_t)count, 0);
    } else if (world_strikes(EVENT_DELIVERY_FAILED, 80)) {
        fate = FATE_FAILED;
        world_event(EVENT_DELIVERY_FAILED, (int64_t)count, 0);
    } else if (world_strikes(EVENT_DELIVERY_UNKNOWN, 80)) {
        fate = FATE_UNKNOWN;
        *ret_appended = world_below(count + 1);
        world_event(EVENT_DELIVERY_UNKNOWN, (int64_t)count, (int64_t)*ret_appended);
    } else {
        *ret_appended = count;
    }
    return fate;
}

/* Takes the first ones of a partition out of the queue. */
static size_t take_batch(struct publisher *publisher, struct waiting *batch, size_t max)
{
    int32_t partition = publisher->queue[world_below(publisher->count)].partition;
    size_t taken = 0;
    size_t left = 0;

    for (size_t i = 0; i < publisher->count; i++) {
        if (publisher->queue[i].partition == partition && taken < max) {
            batch[taken++] = publisher->queue[i];
        } else {
            publisher->queue[left++] = publisher->queue[i];
        }
    }
    publisher->count = left;
    return taken;
}

static void answer_batch(struct publisher *publisher)
{
    struct waiting batch[BATCH_MAX];
    size_t count = take_batch(publisher, batch, 1 + world_below(BATCH_MAX));
    size_t appended;
    enum fate fate = draw_fate(batch, count, &appended);

    for (size_t i = 0; i < appended; i++) {
        outcomes_append(batch[i].seq);
    }
    world_step("answered");
    for (size_t i = 0; i < count; i++) {
        report(publisher, &batch[i], fate);
    }
}

void publisher_poll(struct publisher *publisher, int timeout_ms)
{
    world_step("publisher_poll");
    world_pass((int64_t)world_below((size_t)timeout_ms + 1));
    for (size_t rounds = world_below(ROUNDS_MAX + 1); rounds > 0 && publisher->count > 0;
         rounds--) {
        answer_batch(publisher);
    }
}

/* ---- what is handed over ---- */

static int take_message(struct publisher *publisher, const struct publisher_message *message,
                        struct error *err)
{
    if (publisher->gave_up || world_strikes(EVENT_PUBLISHER_GAVE_UP, 10)) {
        if (!publisher->gave_up) {
            world_event(EVENT_PUBLISHER_GAVE_UP, 0, 0);
        }
        publisher->gave_up = true;
        return error_set(err, EX_TEMPFAIL, "the client gave up");
    }
    if (publisher->count == QUEUE_MAX ||
        (publisher->count > 0 && world_strikes(EVENT_NO_ROOM, 60))) {
        world_event(EVENT_NO_ROOM, (int64_t)publisher->count, 0);
        return 1;
    }
    int64_t seq = outcomes_take(message);
    books_publishing(seq);
    if (outcomes_is_too_large(message->key, message->key_len)) {
        world_event(EVENT_TOO_LARGE, seq, 0);
        return error_set(err, EX_DATAERR, "larger than message.max.bytes");
    }
    publisher->queue[publisher->count++] =
        (struct waiting){message->tag, seq, outcomes_find(seq)->partition,
                         outcomes_is_refused(message->key, message->key_len)};
    if (world_chance(100)) {
        answer_batch(publisher); /* the client may report at once */
    }
    return 0;
}

/*
 * No crash in here: the outbox holds the value, which a jump would leave behind. It has failpoints
 * before and behind.
 */
int publisher_try(struct publisher *publisher, const struct publisher_message *message,
                  struct error *err)
{
    world_hold(true);
    int result = take_message(publisher, message, err);
    world_hold(false);
    return result;
}

int publisher_waiting(struct publisher *publisher)
{
    return world_is_dead() ? 0 : (int)publisher->count;
}

void publisher_close(struct publisher *publisher)
{
    if (!publisher) {
        return;
    }
    /* What waits is reported as what is known of it. */
    while (publisher->count > 0 && !world_is_dead()) {
        struct waiting batch[BATCH_MAX];
        size_t count = take_batch(publisher, batch, BATCH_MAX);
        for (size_t i = 0; i < count; i++) {
            if (!batch[i].refused && world_chance(500)) {
                outcomes_append(batch[i].seq);
            }
            report(publisher, &batch[i], FATE_UNKNOWN);
        }
    }
    free(publisher);
}
