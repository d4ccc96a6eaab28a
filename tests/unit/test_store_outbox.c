/*
 * What every store promises of its answers: all in the order of seq, each with the first decision,
 * until they are published and after; and what it shows of a key. Both stores.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ALICE    "alice"
#define BOB      "bob"
#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

static const struct payment_batch b1 = {"b1", DIGEST_1, 2};
static const struct payment_batch b1_edited = {"b1", DIGEST_2, 2};

static const struct kit_row history[] = {
    {"k1", ALICE, BOB, 500, "EUR", &b1, "applied"},
    {"k2", ALICE, ALICE, 5, "EUR", NULL, "rejected same_account"},
    {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
    {"k1", ALICE, BOB, 500, "EUR", &b1, "duplicate"},
    {"k1", ALICE, BOB, 501, "EUR", &b1, "conflict payload_differs amount"},
    {"k3", ALICE, BOB, 1, "EUR", &b1_edited, "conflict batch_changed"},
    {"k3", ALICE, BOB, 1, "EUR", NULL, "applied"},
};
#define HISTORY (sizeof(history) / sizeof(history[0]))

static struct error err;

/* "3 applied k1 first=3 applied 500": what must be in a record. */
static void describe(char *text, size_t size, const struct outcome_record *record)
{
    char fields[COMMAND_FIELDS_SIZE];
    int used = snprintf(text, size, "%lld %s%s%s%s%s %s@%lld", (long long)record->seq,
                        outcome_name(record->verdict), record->reason[0] ? " " : "", record->reason,
                        record->fields ? " " : "", command_fields(fields, record->fields),
                        record->key, (long long)record->origin.offset);

    if (record->has_first) {
        snprintf(text + used, size - (size_t)used, " first=%lld %s %lld",
                 (long long)record->first.seq, outcome_name(record->first.outcome),
                 (long long)record->first.command.payment.amount_minor);
    }
}

static const char *const wanted[] = {
    "1 applied k1@0 first=1 applied 500",
    "2 rejected same_account k2@1 first=2 rejected 5",
    "3 quarantined bad_json raw key@2",
    "4 duplicate k1@3 first=1 applied 500",
    "5 conflict payload_differs amount k1@4 first=1 applied 500",
    "6 conflict batch_changed k3@5",
    "7 applied k3@6 first=7 applied 1",
};

static void expect_outcomes(struct store *store, const char *which, int64_t after, size_t max,
                            size_t count)
{
    static struct store_outcome outcomes[16];
    size_t found = 99;

    memset(outcomes, 0xFF, sizeof(outcomes)); /* nothing may be left of what stood there before */
    cr_assert_eq(store->ops->outcomes(store, after, outcomes, max, &found, &err), STORE_OK,
                 "%s: %s", which, err.text);
    cr_assert_eq(found, count, "%s: %zu after %lld", which, found, (long long)after);
    for (size_t i = 0; i < found; i++) {
        char text[256];
        describe(text, sizeof(text), &outcomes[i].record);
        cr_expect_str_eq(text, wanted[(size_t)after + i], "%s", which);
        cr_expect_str_eq(outcomes[i].record.origin.topic, "payments", "%s", which);
        cr_expect_eq(outcomes[i].record.rules, OUTCOME_RULES, "%s", which);
        cr_expect_neq(outcomes[i].record.store[0], '\0', "%s", which);
        bool is_first = memcmp(outcomes[i].record.digest, outcomes[i].record.first.digest,
                               DIGEST_SHORT_SIZE) == 0;
        cr_expect(!outcomes[i].record.has_first ||
                      is_first == (outcomes[i].record.verdict != OUTCOME_CONFLICT),
                  "%s: another message's digest", which);
        cr_expect(
            !outcomes[i].record.has_first ||
                strcmp(outcomes[i].record.first.command.payment.key, outcomes[i].record.key) == 0,
            "%s", which);
    }
}

static void expect_outbox(struct store *store, const char *which, int64_t published, int64_t last)
{
    int64_t found[2] = {-1, -1};

    cr_assert_eq(store->ops->outbox(store, &found[0], &found[1], &err), STORE_OK, "%s", which);
    cr_expect_eq(found[0], published, "%s: %lld", which, (long long)found[0]);
    cr_expect_eq(found[1], last, "%s: %lld", which, (long long)found[1]);
}

static void check_outcomes(struct store *store, const char *which)
{
    kit_begin(store);
    expect_outcomes(store, which, 0, 16, 0);
    expect_outbox(store, which, 0, 0);
    kit_run(store, 0, history, 4);
    expect_outcomes(store, which, 0, 16, 4);
    kit_run(store, 0, history + 4, HISTORY - 4);
    for (size_t after = 0; after <= HISTORY; after++) {
        expect_outcomes(store, which, (int64_t)after, 16, HISTORY - after);
        expect_outcomes(store, which, (int64_t)after, 2, HISTORY - after < 2 ? HISTORY - after : 2);
    }
    expect_outbox(store, which, 0, HISTORY);
    cr_assert_eq(store->ops->published(store, 3, &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->published(store, 2, &err), STORE_OK, "%s: it never goes back", which);
    expect_outbox(store, which, 3, HISTORY);
    cr_assert_eq(store->ops->skip(store, 4, "too large", 1, &err), STORE_OK, "%s", which);
    expect_outcomes(store, which, 0, 16, HISTORY);
}

Test(store_outbox, gives_every_answer_in_its_order_with_the_first_decision)
{
    kit_on_each_store(check_outcomes);
}

/* ---- names that stand in tables of their own ---- */

#define MANY                                                                                       \
    4200 /* accounts: some share their place among those that the SQLite store remembers           \
          */

static void name_row(int64_t i, char *account, struct payment_batch *batch)
{
    /* At first each account once; then in turns some whose numbers are 4096 or so apart. */
    int64_t number = i < MANY ? i : (i % 2) * 4096 + 20 + i % 7;

    snprintf(account, 32, "account %lld", (long long)number);
    *batch = (struct payment_batch){.digest = DIGEST_1, .rows = 1 + i % 100};
    snprintf(batch->id, sizeof(batch->id), "batch %lld", (long long)(i % 100));
}

static void fill_names(struct chunk *chunk, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        char key[32];
        char account[32];
        struct payment_batch batch;
        name_row(i, account, &batch);
        snprintf(key, sizeof(key), "key %lld", (long long)i);
        const struct kit_row row = {key, "payer", account, 1, "EUR", &batch, NULL};
        kit_add(chunk, &row, 0, i);
    }
}

static void check_names(struct store *store, const char *which)
{
    static struct store_outcome outcomes[64];
    struct chunk *chunk = chunk_new(MANY + 100);
    size_t count = 1;
    int64_t seq = 0;

    kit_begin(store);
    cr_assert_not_null(chunk);
    fill_names(chunk, MANY + 100);
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    chunk_free(chunk);
    while (count > 0) {
        cr_assert_eq(store->ops->outcomes(store, seq, outcomes, 64, &count, &err), STORE_OK);
        for (size_t i = 0; i < count; i++, seq++) {
            const struct payment *payment = &outcomes[i].record.first.command.payment;
            char account[32];
            struct payment_batch batch;
            name_row(seq, account, &batch);
            cr_expect_str_eq(payment->src, "payer", "%s", which);
            cr_expect_str_eq(payment->dest, account, "%s: %lld", which, (long long)seq);
            cr_expect_str_eq(payment->batch.id, batch.id, "%s: %lld", which, (long long)seq);
            cr_expect_str_eq(payment->batch.digest, batch.digest, "%s", which);
            cr_expect_eq(payment->batch.rows, batch.rows, "%s: %lld", which, (long long)seq);
        }
    }
    cr_expect_eq(seq, MANY + 100, "%s: %lld", which, (long long)seq);
}

Test(store_outbox, names_every_account_and_batch_however_many_there_are)
{
    kit_on_each_store(check_names);
}

/* After a crash between a skip and the cursor's save it is skipped again. */
static void check_skip(struct store *store, const char *which)
{
    struct store_stats stats;

    kit_begin(store);
    kit_run(store, 0, history, HISTORY);
    for (int64_t seq = 2; seq <= 4; seq += 2) {
        cr_assert_eq(store->ops->skip(store, seq, "too large", 1, &err), STORE_OK, "%s", which);
        cr_assert_eq(store->ops->skip(store, seq, "too large", 2, &err), STORE_OK, "%s", which);
    }
    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s", which);
    cr_expect_eq(stats.skipped, 2, "%s: %lld", which, (long long)stats.skipped);
    store_stats_release(&stats);
}

Test(store_outbox, an_outcome_that_is_skipped_twice_counts_once)
{
    kit_on_each_store(check_skip);
}

static void check_cursor(struct store *store, const char *which)
{
    struct chunk *chunk = chunk_new(1);
    struct store_stats stats;

    cr_assert_not_null(chunk);
    kit_begin(store);
    kit_run(store, 0, history, HISTORY);
    chunk->published = 5;
    kit_add(chunk, &history[0], 0, HISTORY);
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    expect_outbox(store, which, 5, HISTORY + 1);
    chunk_clear(chunk);
    chunk->published = 7;
    kit_add(chunk, &history[0], 9, 0); /* a partition without a position: stale */
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_STALE, "%s", which);
    expect_outbox(store, which, 5, HISTORY + 1);
    chunk_free(chunk);
    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s", which);
    cr_expect_eq(stats.published_seq, 5, "%s", which);
    cr_expect_eq(stats.last_seq, HISTORY + 1, "%s", which);
    store_stats_release(&stats);
}

Test(store_outbox, its_cursor_moves_with_the_chunk_or_not_at_all)
{
    kit_on_each_store(check_cursor);
}

/* ---- show ---- */

struct shown {
    char text[2048];
};

static void on_record(void *user, const struct outcome_record *record)
{
    struct shown *shown = user;
    size_t used = strlen(shown->text);

    describe(shown->text + used, sizeof(shown->text) - used - 1, record);
    strcat(shown->text, "\n");
}

static void expect_shown(struct store *store, const char *which, const char *key, int64_t repeats,
                         const char *text)
{
    struct shown shown = {.text = ""};
    int64_t found = -1;

    cr_assert_eq(store->ops->show(store, key, on_record, &shown, &found, &err), STORE_OK, "%s: %s",
                 which, err.text);
    cr_expect_eq(found, repeats, "%s: %s has %lld", which, key, (long long)found);
    cr_expect_str_eq(shown.text, text, "%s: %s", which, shown.text);
}

static void check_show(struct store *store, const char *which)
{
    kit_begin(store);
    kit_run(store, 0, history, HISTORY);
    expect_shown(store, which, "k1", 2,
                 "1 applied k1@0 first=1 applied 500\n4 duplicate k1@3 first=1 applied 500\n"
                 "5 conflict payload_differs amount k1@4 first=1 applied 500\n");
    expect_shown(store, which, "k2", 0, "2 rejected same_account k2@1 first=2 rejected 5\n");
    expect_shown(store, which, "k3", 1,
                 "7 applied k3@6 first=7 applied 1\n6 conflict batch_changed k3@5\n");
    expect_shown(store, which, "K1", 0, "");
}

Test(store_outbox, shows_the_decision_of_a_key_and_its_repeats)
{
    kit_on_each_store(check_show);
}

static void check_flood(struct store *store, const char *which)
{
    struct shown shown = {.text = ""};
    static const struct kit_row again[] = {{"k1", ALICE, BOB, 500, "EUR", &b1, "duplicate"}};
    int64_t repeats = 0;

    kit_begin(store);
    kit_run(store, 0, history, 1);
    for (int i = 0; i < 40; i++) {
        kit_run(store, 0, again, 1);
    }
    /* Before they are published none may be dropped; after it sixteen are kept, and all counted. */
    static struct store_outcome outcomes[64];
    size_t found = 0;
    cr_assert_eq(store->ops->outcomes(store, 0, outcomes, 64, &found, &err), STORE_OK);
    cr_expect_eq(found, 41, "%s: %zu", which, found);
    cr_assert_eq(store->ops->published(store, 41, &err), STORE_OK);
    cr_assert_eq(store->ops->show(store, "k1", on_record, &shown, &repeats, &err), STORE_OK);
    cr_expect_eq(repeats, 40, "%s: %lld", which, (long long)repeats);
    size_t lines = 0;
    for (const char *at = shown.text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    cr_expect_eq(lines, 1 + STORE_REPEATS_KEPT, "%s: %zu lines", which, lines);
}

Test(store_outbox, keeps_sixteen_repeats_of_a_key_and_counts_all)
{
    kit_on_each_store(check_flood);
}

/* ---- positions ---- */

static void check_marks(struct store *store, const char *which)
{
    struct chunk *chunk = chunk_new(2);
    struct log_marks marks = {.last = {.known = true}, .anchor = {.known = true}};
    int64_t offset = 0;
    bool found = false;

    cr_assert_not_null(chunk);
    kit_begin(store);
    cr_assert_eq(store->ops->position(store, 0, &found, &offset, &marks, &err), STORE_OK);
    cr_expect(!marks.last.known && !marks.anchor.known, "%s: nothing was read yet", which);
    kit_add(chunk, &history[0], 0, 0);
    chunk->ranges[0].marks =
        (struct log_marks){.last = {true, 0, {1, 2, 3}}, .anchor = {true, 0, {4, 5, 6}}};
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    /* A range in which no record was seen leaves them as they are. */
    chunk_clear(chunk);
    chunk_range(chunk, 0, 1)->to = 9;
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    cr_assert_eq(store->ops->position(store, 0, &found, &offset, &marks, &err), STORE_OK);
    cr_expect(found && offset == 9, "%s", which);
    cr_expect(marks.last.known && marks.last.offset == 0 && marks.last.print[2] == 3, "%s", which);
    cr_expect(marks.anchor.known && marks.anchor.print[2] == 6, "%s", which);
    cr_assert_eq(store->ops->move(store, 0, 4, 1, &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->position(store, 0, &found, &offset, &marks, &err), STORE_OK);
    cr_expect(offset == 4 && !marks.last.known && !marks.anchor.known,
              "%s: a position by hand is taken as it is", which);
    cr_expect_eq(store->ops->move(store, 7, 4, 1, &err), STORE_FAILED, "%s", which);
    cr_assert_eq(store->ops->new_log(store, 1, &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->position(store, 0, &found, &offset, &marks, &err), STORE_OK);
    cr_expect_not(found, "%s", which);
    cr_expect_eq(store->ops->bind(store, "c2", "other", &err), STORE_OK, "%s: %s", which, err.text);
    chunk_free(chunk);
}

Test(store_outbox, the_marks_of_the_log_are_remembered_with_the_position)
{
    kit_on_each_store(check_marks);
}

/* The same offset of another log is another message, and the key is known all the same. */
static void check_new_log(struct store *store, const char *which)
{
    static const struct kit_row again[] = {{"k1", ALICE, BOB, 500, "EUR", &b1, "duplicate"},
                                           {"k9", ALICE, BOB, 1, "EUR", NULL, "applied"},
                                           {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"}};

    kit_begin(store);
    kit_run(store, 0, history, HISTORY);
    cr_assert_eq(store->ops->new_log(store, 1, &err), STORE_OK, "%s", which);
    kit_begin(store);
    kit_run(store, 0, again, 3);
    cr_assert_eq(store->ops->move(store, 0, 0, 1, &err), STORE_OK, "%s", which);
    static const struct kit_row redelivered[] = {{"k1", ALICE, BOB, 500, "EUR", &b1, "redelivered"},
                                                 {"k9", ALICE, BOB, 1, "EUR", NULL, "redelivered"},
                                                 {NULL, NULL, NULL, 0, NULL, NULL, "redelivered"}};
    kit_run(store, 0, redelivered, 3);
}

Test(store_outbox, a_new_log_has_offsets_of_its_own)
{
    kit_on_each_store(check_new_log);
}

/* A duplicate stands in the new log, and its first decision in the old one. */
static void check_topics(struct store *store, const char *which)
{
    static struct store_outcome outcomes[4];
    static const struct kit_row again[] = {{"k1", ALICE, BOB, 500, "EUR", &b1, "duplicate"},
                                           {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
                                           {"k9", ALICE, BOB, 1, "EUR", NULL, "applied"}};
    size_t count = 0;

    kit_begin(store);
    kit_run(store, 0, history, 1);
    cr_assert_eq(store->ops->new_log(store, 1, &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->bind(store, "c1", "payments.2", &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->adopt(store, 0, 0, &err), STORE_OK, "%s", which);
    kit_run(store, 0, again, 3);
    cr_assert_eq(store->ops->outcomes(store, 0, outcomes, 4, &count, &err), STORE_OK);
    cr_assert_eq(count, 4, "%s: %zu", which, count);
    cr_expect_str_eq(outcomes[0].record.origin.topic, "payments", "%s", which);
    cr_expect_str_eq(outcomes[1].record.origin.topic, "payments.2", "%s", which);
    cr_expect_str_eq(outcomes[1].record.first.origin.topic, "payments", "%s", which);
    cr_expect_str_eq(outcomes[2].record.origin.topic, "payments.2", "%s", which);
    cr_expect_str_eq(outcomes[3].record.first.origin.topic, "payments.2", "%s", which);
}

Test(store_outbox, an_outcome_names_the_topic_of_its_own_log)
{
    kit_on_each_store(check_topics);
}
