/*
 * Whether the outbox is stuck: what is held back while payd catches up is not, what was sent and is
 * not acknowledged is. The publisher is a stand-in that never reports, the clock one that is set.
 */
#include "consumer/outbox.h"

#include "common/publisher.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>

#define AWAY_MS 40000

static int64_t now_ms = 1;
static int in_flight;

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void)
{
    return now_ms;
}

int publisher_open(struct publisher **ret, const struct kafka_args *args, publisher_report *report,
                   void *user, struct error *err)
{
    (void)args;
    (void)report;
    (void)user;
    (void)err;
    *ret = (struct publisher *)&in_flight; /* never looked into */
    return 0;
}

int publisher_try(struct publisher *publisher, const struct publisher_message *message,
                  struct error *err)
{
    (void)publisher;
    (void)message;
    (void)err;
    in_flight++;
    return 0;
}

void publisher_poll(struct publisher *publisher, int timeout_ms)
{
    (void)publisher;
    (void)timeout_ms;
}

int publisher_waiting(struct publisher *publisher)
{
    (void)publisher;
    return in_flight;
}

void publisher_close(struct publisher *publisher)
{
    (void)publisher;
}

static const struct kafka_args no_args;
static struct error err;
static struct store *store;
static struct outbox *outbox;

/* A ledger with three outcomes to publish. */
static void open_outbox(void)
{
    static const struct kit_row rows[] = {{"k1", "ann", "bob", 1, "EUR", NULL, "applied"},
                                          {"k2", "ann", "bob", 2, "EUR", NULL, "applied"},
                                          {"k3", "ann", "bob", 3, "EUR", NULL, "applied"}};

    store = store_memory_new();
    cr_assert_not_null(store);
    cr_assert_eq(store->ops->bind(store, "cluster", "payments", &err), STORE_OK);
    cr_assert_eq(store->ops->adopt(store, 0, 0, &err), STORE_OK);
    kit_run(store, 0, rows, 3);
    cr_assert_eq(outbox_open(&outbox, store, store, &no_args, "outcomes", &err), 0);
}

static void close_outbox(void)
{
    in_flight = 0; /* nothing is waited for */
    cr_expect_eq(outbox_close(outbox, true, &err), 0);
    store_close(store);
}

TestSuite(outbox, .init = open_outbox, .fini = close_outbox);

static void step(size_t max)
{
    cr_assert_eq(outbox_step(outbox, max, 0, true, &err), 0, "%s", err.text);
}

Test(outbox, what_is_held_back_is_not_stuck)
{
    step(0);
    cr_expect_eq(outbox_backlog(outbox), 3);
    now_ms += AWAY_MS;
    step(0);
    cr_expect_eq(outbox_stuck_ms(outbox), 0);
    cr_expect_eq(outbox_sent(outbox), 0);
}

Test(outbox, what_is_sent_and_not_acknowledged_is_stuck)
{
    step(2);
    cr_expect_eq(outbox_sent(outbox), 2);
    now_ms += AWAY_MS;
    step(0);
    cr_expect_eq(outbox_stuck_ms(outbox), AWAY_MS);
    step(10);
    cr_expect_eq(outbox_sent(outbox), 3);
    cr_expect_eq(outbox_stuck_ms(outbox), AWAY_MS);
}
