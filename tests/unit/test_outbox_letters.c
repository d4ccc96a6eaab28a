/*
 * The outbox with dead letters: the cursor moves over a quarantined message only when its outcome
 * and its letter are acknowledged, whatever becomes of either. The publishers are stand-ins that
 * answer when the test says so.
 */
#include "common/publisher.h"
#include "consumer/outbox.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define QUEUE_MAX 16
#define ROUNDS    20

struct publisher {
    publisher_report *report;
    void *user;
    void *tags[QUEUE_MAX];
    int count;
    int taken;      /* ever */
    bool is_full;   /* takes nothing now */
    bool too_large; /* refuses each, before it is sent */
};

static struct publisher outcomes;
static struct publisher letters;
static char last_origin[64]; /* of the last letter, */
static char last_reason[64];
static size_t last_headers;

int publisher_open(struct publisher **ret, const struct kafka_args *args, publisher_report *report,
                   void *user, struct error *err)
{
    (void)err;
    *ret = strcmp(args->topic, "letters") == 0 ? &letters : &outcomes;
    (*ret)->report = report;
    (*ret)->user = user;
    return 0;
}

static void note_header(const struct publisher_header *header)
{
    char *field = strcmp(header->name, "origin") == 0   ? last_origin
                  : strcmp(header->name, "reason") == 0 ? last_reason
                                                        : NULL;

    if (field) {
        snprintf(field, sizeof(last_origin), "%.*s", (int)header->value_len, header->value);
    }
}

int publisher_try(struct publisher *publisher, const struct publisher_message *message,
                  struct error *err)
{
    if (publisher->is_full) {
        return 1;
    }
    if (publisher->too_large) {
        return error_set(err, EX_DATAERR, "larger than message.max.bytes");
    }
    for (size_t i = 0; publisher == &letters && i < message->header_count; i++) {
        note_header(&message->headers[i]);
        last_headers = message->header_count;
    }
    cr_assert_lt(publisher->count, QUEUE_MAX);
    publisher->tags[publisher->count++] = message->tag;
    publisher->taken++;
    return 0;
}

void publisher_poll(struct publisher *publisher, int timeout_ms)
{
    (void)publisher;
    (void)timeout_ms;
}

int publisher_waiting(struct publisher *publisher)
{
    return publisher->count;
}

void publisher_close(struct publisher *publisher)
{
    (void)publisher;
}

static void answer(struct publisher *publisher, enum delivery delivery, bool refused)
{
    int count = publisher->count;

    publisher->count = 0;
    for (int i = 0; i < count; i++) {
        const struct publisher_receipt receipt = {.key = "",
                                                  .tag = publisher->tags[i],
                                                  .delivery = delivery,
                                                  .reason = "as the test says",
                                                  .refused = refused};
        publisher->report(publisher->user, &receipt);
    }
}

static void acknowledge(struct publisher *publisher)
{
    answer(publisher, DELIVERY_ACKNOWLEDGED, false);
}

static const struct kafka_args no_args;
static struct error err;
static char folder[KIT_PATH_SIZE];
static struct store *store;
static struct outbox *outbox;

/* A ledger with a payment, a message that cannot be read, and a payment. */
static void open_outbox(void)
{
    static const struct kit_row rows[] = {{"k1", "ann", "bob", 1, "EUR", NULL, "applied"},
                                          {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
                                          {"k3", "ann", "bob", 3, "EUR", NULL, "applied"}};
    char path[KIT_PATH_SIZE + 32];

    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    cr_assert_eq(store_sqlite_open(&store, path, NULL, &err), 0, "%s", err.text);
    kit_begin(store);
    kit_run(store, 0, rows, 3);
    cr_assert_eq(outbox_open(&outbox, store, store, &no_args, "outcomes", &err), 0);
    cr_assert_eq(outbox_open_letters(outbox, "letters", &err), 0);
}

static void close_outbox(void)
{
    outcomes.count = letters.count = 0; /* nothing is waited for */
    cr_expect_eq(outbox_close(outbox, true, &err), 0);
    store_close(store);
    kit_folder_remove(folder);
}

TestSuite(outbox_letters, .init = open_outbox, .fini = close_outbox);

static void step(void)
{
    cr_assert_eq(outbox_step(outbox, 10, 0, true, &err), 0, "%s", err.text);
}

static void expect_skipped(int64_t count)
{
    struct store_stats stats;

    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK);
    cr_expect_eq(stats.skipped, count);
    store_stats_release(&stats);
}

Test(outbox_letters, both_must_be_acknowledged_before_the_cursor_moves)
{
    step();
    cr_expect_eq(outcomes.taken, 3);
    cr_expect_eq(letters.taken, 1, "only what cannot be read is a dead letter");
    cr_expect_str_eq(last_origin, "payments:0:1");
    cr_expect_str_eq(last_reason, "bad_json");
    cr_expect_eq(last_headers, 4);
    acknowledge(&outcomes);
    cr_expect_eq(outbox_published(outbox), 1);
    acknowledge(&letters);
    cr_expect_eq(outbox_published(outbox), 3);
    step();
    cr_expect_eq(outcomes.taken, 3);
    expect_skipped(0);
}

Test(outbox_letters, a_failure_of_one_sends_both_again)
{
    step();
    acknowledge(&outcomes);
    answer(&letters, DELIVERY_UNKNOWN, false);
    step();
    cr_expect_eq(outcomes.taken, 5, "from the quarantined one on");
    cr_expect_eq(letters.taken, 2);
    acknowledge(&letters);
    cr_expect_eq(outbox_published(outbox), 1);
    acknowledge(&outcomes);
    cr_expect_eq(outbox_published(outbox), 3);
}

Test(outbox_letters, nothing_is_sent_again_before_all_have_reported)
{
    step();
    answer(&letters, DELIVERY_FAILED, false);
    step();
    cr_expect_eq(outcomes.taken, 3);
    cr_expect_eq(letters.taken, 1);
    acknowledge(&outcomes);
    step();
    cr_expect_eq(letters.taken, 2);
}

Test(outbox_letters, one_without_room_is_sent_later_and_its_outcome_not_again)
{
    letters.is_full = true;
    step();
    cr_expect_eq(outcomes.taken, 2, "what is behind it waits");
    cr_expect_eq(letters.taken, 0);
    acknowledge(&outcomes);
    step();
    cr_expect_eq(outcomes.taken, 2);
    cr_expect_eq(outbox_published(outbox), 1);
    letters.is_full = false;
    step();
    cr_expect_eq(outcomes.taken, 3);
    cr_expect_eq(letters.taken, 1);
    acknowledge(&letters);
    acknowledge(&outcomes);
    cr_expect_eq(outbox_published(outbox), 3);
}

Test(outbox_letters, one_that_the_client_finds_too_large_is_skipped)
{
    letters.too_large = true;
    step();
    expect_skipped(1);
    acknowledge(&outcomes);
    cr_expect_eq(outbox_published(outbox), 3);
    cr_expect_eq(outcomes.taken, 3);
}

Test(outbox_letters, one_that_the_topic_refuses_is_skipped_and_its_outcome_is_not_lost)
{
    bool was_lost = false;

    /* Once it stands alone, its outcome fails with it. */
    for (int i = 0; i < ROUNDS && outbox_published(outbox) < 3; i++) {
        bool is_alone = outbox_published(outbox) == 1 && outcomes.count == 1 && letters.count == 1;
        answer(&letters, DELIVERY_FAILED, true);
        if (is_alone && !was_lost) {
            answer(&outcomes, DELIVERY_FAILED, false);
            was_lost = true;
            step();
            expect_skipped(1);
            cr_expect_eq(outcomes.count, 1, "it is sent again");
            cr_expect_eq(letters.count, 0, "and the letter is not");
            cr_expect_eq(outbox_published(outbox), 1);
        }
        acknowledge(&outcomes);
        step();
    }
    cr_expect(was_lost);
    cr_expect_eq(outbox_published(outbox), 3);
    expect_skipped(1);
}

Test(outbox_letters, what_may_not_be_written_now_is_skipped_later)
{
    letters.too_large = true;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(outbox_step(outbox, 10, 0, false, &err), 0, "%s", err.text);
        acknowledge(&outcomes);
        cr_expect_eq(outbox_published(outbox), 1);
        cr_expect(outbox_wants_store(outbox), "so that it is let, however much is in work");
        expect_skipped(0);
    }
    step();
    cr_expect_not(outbox_wants_store(outbox));
    acknowledge(&outcomes);
    expect_skipped(1);
    cr_expect_eq(outbox_published(outbox), 3);
}
