/*
 * What every store promises: the same checks over the store in memory and the one in SQLite.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ALICE "alice"
#define BOB   "bob"
#define UUID  "018f3c6e-0123-7abc-89de-f0123456789a"

#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

static const struct payment_batch b1 = {"b1", DIGEST_1, 2};
static const struct payment_batch b1_edited = {"b1", DIGEST_2, 2};

static struct error err;

static struct store_stats stats_of(struct store *store, const char *which)
{
    struct store_stats stats;

    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s: %s", which, err.text);
    return stats;
}

static void expect_balance(struct store *store, const char *which, const char *name, int64_t minor)
{
    struct chunk_account account = kit_account(store, name);

    cr_expect_eq(account.balance_minor, minor, "%s: %s has %lld", which, name,
                 (long long)account.balance_minor);
}

/* ---- binding and positions ---- */

static void check_bind(struct store *store, const char *which)
{
    static const struct {
        const char *cluster;
        const char *topic;
    } foreign[] = {{"c2", "payments"}, {"c1", "payments2"}, {"C1", "payments"}, {"payments", "c1"}};
    struct store_stats stats = stats_of(store, which);

    cr_expect_null(stats.topic, "%s", which);
    store_stats_release(&stats);
    cr_expect_eq(store->ops->bind(store, "c1", "payments", &err), STORE_OK, "%s", which);
    cr_expect_eq(store->ops->bind(store, "c1", "payments", &err), STORE_OK, "%s", which);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        err = (struct error){EX_OK, ""};
        cr_expect_eq(store->ops->bind(store, foreign[i].cluster, foreign[i].topic, &err),
                     STORE_FAILED, "%s: row %zu", which, i);
        cr_expect_eq(err.code, EX_CONFIG);
        cr_expect(strstr(err.text, "topic \"payments\" of Kafka cluster c1") != NULL, "%s: %s",
                  which, err.text);
    }
    cr_expect_eq(store->ops->bind(store, "c1", "payments", &err), STORE_OK, "%s", which);
    stats = stats_of(store, which);
    cr_expect_str_eq(stats.topic, "payments");
    store_stats_release(&stats);
}

Test(store_contract, a_store_belongs_to_one_topic)
{
    kit_on_each_store(check_bind);
}

static void check_adopt(struct store *store, const char *which)
{
    cr_expect_eq(kit_position(store, 3), -1, "%s", which);
    cr_assert_eq(store->ops->adopt(store, 3, 50, &err), STORE_OK, "%s", which);
    cr_assert_eq(store->ops->adopt(store, 0, INT64_C(9000000000000000000), &err), STORE_OK);
    cr_expect_eq(kit_position(store, 3), 50, "%s", which);
    cr_expect_eq(kit_position(store, 0), INT64_C(9000000000000000000), "%s", which);
    cr_expect_eq(kit_position(store, 1), -1, "%s", which);
    cr_expect_eq(store->ops->adopt(store, 3, 60, &err), STORE_FAILED, "%s", which);
    cr_expect_eq(kit_position(store, 3), 50, "%s", which);
}

Test(store_contract, a_partition_gets_its_first_position_once)
{
    kit_on_each_store(check_adopt);
}

/* ---- compare and set ---- */

static void check_stale(struct store *store, const char *which)
{
    static const struct kit_row paid[] = {{"k1", ALICE, BOB, 5, "EUR", NULL, "applied"}};
    static const struct kit_row late = {"k2", ALICE, BOB, 7, "EUR", &b1, NULL};
    static const struct {
        int32_t partition;
        int64_t from;
        int32_t good; /* a partition whose range is as it should be */
    } ranges[] = {{0, 0, 1}, {0, 2, 1}, {9, 0, 1}, {1, 1, 0}};

    kit_begin(store);
    kit_run(store, 0, paid, 1);
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct chunk *chunk = chunk_new(2);
        cr_assert_not_null(chunk);
        /* A good range before the stale one: it must not move either. */
        chunk_range(chunk, ranges[i].good, kit_position(store, ranges[i].good))->to = 5;
        kit_add(chunk, &late, ranges[i].partition, ranges[i].from);
        cr_expect_eq(kit_transact(store, chunk, &err), STORE_STALE, "%s: row %zu", which, i);
        chunk_free(chunk);
        cr_expect_eq(kit_position(store, 0), 1, "%s: row %zu", which, i);
        cr_expect_eq(kit_position(store, 1), 0, "%s: row %zu", which, i);
        cr_expect_eq(kit_position(store, 9), -1, "%s: row %zu", which, i);
        expect_balance(store, which, ALICE, -5);
        expect_balance(store, which, BOB, 5);
    }
    static const struct kit_row next[] = {{"k2", ALICE, BOB, 7, "EUR", &b1_edited, "applied"}};
    kit_run(store, 0, next, 1); /* neither key nor batch was taken */
    expect_balance(store, which, BOB, 12);
}

Test(store_contract, a_stale_chunk_changes_nothing)
{
    kit_on_each_store(check_stale);
}

static void check_moves(struct store *store, const char *which)
{
    struct chunk *chunk = chunk_new(1);

    cr_assert_not_null(chunk);
    kit_begin(store);
    chunk_range(chunk, 0, 0)->to = 17; /* offsets that nobody sees, and no message */
    chunk_range(chunk, 1, 0)->to = 1;
    cr_expect_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    cr_expect_eq(kit_position(store, 0), 17, "%s", which);
    cr_expect_eq(kit_position(store, 1), 1, "%s", which);
    cr_expect_eq(kit_transact(store, chunk, &err), STORE_STALE, "%s", which);
    cr_expect_eq(kit_position(store, 0), 17, "%s", which);
    chunk_free(chunk);
}

Test(store_contract, all_ranges_of_a_chunk_move_together)
{
    kit_on_each_store(check_moves);
}

/* ---- rollback and commit ---- */

static const struct kit_row history[] = {
    {"k1", ALICE, BOB, 500, "EUR", NULL, "applied"},
    {UUID, ALICE, BOB, 1, "EUR", &b1, "applied"},
    {"k2", ALICE, ALICE, 5, "EUR", NULL, "rejected same_account"},
    {"k1", ALICE, BOB, 500, "EUR", NULL, "duplicate"},
    {"k1", ALICE, BOB, 501, "EUR", NULL, "conflict payload_differs amount"},
    {"b1:2", ALICE, BOB, 2, "EUR", &b1_edited, "conflict batch_changed"},
    {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
    {"k3", "yuki", "ren", 9, "JPY", NULL, "applied"},
    {"k4", ALICE, "ren", 9, "JPY", NULL, "rejected currency_mismatch"},
};
static const size_t history_count = sizeof(history) / sizeof(history[0]);

static void expect_history(struct store *store, const char *which)
{
    static const struct {
        enum outcome outcome;
        int64_t count;
    } counts[] = {{OUTCOME_APPLIED, 3},  {OUTCOME_REJECTED, 2},    {OUTCOME_DUPLICATE, 1},
                  {OUTCOME_CONFLICT, 2}, {OUTCOME_REDELIVERED, 0}, {OUTCOME_QUARANTINED, 1},
                  {OUTCOME_NONE, 0}};
    struct store_stats stats = stats_of(store, which);
    char text[MONEY_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        cr_expect_eq(stats.counts[counts[i].outcome], counts[i].count, "%s: %s", which,
                     outcome_name(counts[i].outcome));
    }
    cr_assert_eq(stats.currency_count, 2, "%s: %zu", which, stats.currency_count);
    cr_expect_str_eq(stats.currencies[0].currency, "EUR");
    cr_expect_eq(stats.currencies[0].applied, 2, "%s", which);
    cr_expect_eq(stats.currencies[0].accounts, 2, "%s", which);
    cr_expect_str_eq(money_sum_format(text, &stats.currencies[0].total, "EUR"), "5.01");
    cr_expect_str_eq(money_sum_format(text, &stats.currencies[0].balances, "EUR"), "0.00");
    cr_expect_str_eq(stats.currencies[1].currency, "JPY");
    cr_expect_eq(stats.currencies[1].applied, 1, "%s", which);
    cr_expect_eq(stats.currencies[1].accounts, 2, "%s", which);
    cr_expect_str_eq(money_sum_format(text, &stats.currencies[1].total, "JPY"), "9");
    cr_assert_eq(stats.position_count, 2, "%s", which);
    cr_expect_eq(stats.positions[0].partition, 0);
    cr_expect_eq(stats.positions[0].next_offset, (int64_t)history_count, "%s", which);
    cr_expect_eq(stats.positions[1].partition, 1);
    cr_expect_eq(stats.positions[1].next_offset, 0);
    store_stats_release(&stats);
    expect_balance(store, which, ALICE, -501);
    expect_balance(store, which, BOB, 501);
    expect_balance(store, which, "yuki", -9);
}

static void check_history(struct store *store, const char *which)
{
    kit_begin(store);
    kit_run(store, 0, history, history_count);
    expect_history(store, which);
}

Test(store_contract, the_same_history_gives_the_same_stats)
{
    kit_on_each_store(check_history);
}

static void check_rollback(struct store *store, const char *which)
{
    static const struct kit_row next[] = {{"k5", BOB, ALICE, 1, "EUR", NULL, NULL},
                                          {"k1", BOB, ALICE, 1, "EUR", NULL, NULL},
                                          {NULL, NULL, NULL, 0, NULL, NULL, NULL},
                                          {"k6", "new", "newer", 1, "USD", &b1, NULL}};
    struct chunk *chunk = chunk_new(4);
    const struct store_ops *ops = store->ops;

    cr_assert_not_null(chunk);
    kit_begin(store);
    kit_run(store, 0, history, history_count);
    for (size_t i = 0; i < 4; i++) {
        kit_add(chunk, &next[i], 0, (int64_t)(history_count + i));
    }
    chunk_index(chunk);
    cr_assert_eq(ops->begin(store, &err), STORE_OK);
    cr_assert_eq(ops->claim(store, chunk, &err), STORE_OK);
    cr_assert_eq(ops->load(store, chunk, &err), STORE_OK);
    chunk->items[0].decision.outcome = OUTCOME_APPLIED;
    chunk->keys[chunk->items[0].key].owner = &chunk->items[0];
    chunk->items[1].decision = (struct decision){OUTCOME_CONFLICT, REASON_PAYLOAD_DIFFERS, 1};
    chunk->items[2].decision.outcome = OUTCOME_QUARANTINED;
    chunk->items[3].decision.outcome = OUTCOME_APPLIED;
    chunk->keys[chunk->items[3].key].owner = &chunk->items[3];
    for (size_t i = 0; i < chunk->account_count; i++) {
        memcpy(chunk->accounts[i].currency, "EUR", 4);
        chunk->accounts[i].state = ACCOUNT_USED;
        chunk->accounts[i].balance_minor = 12345;
        chunk->accounts[i].changed = true;
    }
    cr_assert_eq(ops->save(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    ops->rollback(store);
    expect_history(store, which);
    ops->rollback(store); /* nothing is open: nothing happens */
    expect_history(store, which);
    /* The same chunk can be taken again. */
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    cr_expect_eq(chunk->items[0].decision.outcome, OUTCOME_APPLIED, "%s", which);
    cr_expect_eq(chunk->items[3].decision.outcome, OUTCOME_APPLIED, "%s", which);
    expect_balance(store, which, BOB, 500);
    chunk_free(chunk);
}

Test(store_contract, rollback_brings_everything_back)
{
    kit_on_each_store(check_rollback);
}

/* ---- sums and counts ---- */

#define LARGEST 1900 /* of the largest payments: twice what 64 bits hold */

static void check_totals(struct store *store, const char *which)
{
    struct chunk *chunk = chunk_new(LARGEST / 2);
    char text[MONEY_TEXT_SIZE];

    cr_assert_not_null(chunk);
    kit_begin(store);
    for (int64_t done = 0; done < LARGEST; done += LARGEST / 2) {
        chunk_clear(chunk);
        for (int64_t i = done; i < done + LARGEST / 2; i++) {
            char key[32];
            char src[32];
            snprintf(key, sizeof(key), "k%lld", (long long)i);
            snprintf(src, sizeof(src), "a%lld", (long long)i);
            struct kit_row row = {key, src, "", MONEY_MAX_MINOR, "EUR", NULL, NULL};
            /* A destination for every hundred, or its balance would not fit. */
            char dest[32];
            snprintf(dest, sizeof(dest), "d%lld", (long long)i / 100);
            row.dest = dest;
            kit_add(chunk, &row, 0, i);
        }
        cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    }
    chunk_free(chunk);
    struct store_stats stats = stats_of(store, which);
    cr_assert_eq(stats.currency_count, 1);
    cr_expect_eq(stats.currencies[0].applied, LARGEST, "%s", which);
    cr_expect_str_eq(money_sum_format(text, &stats.currencies[0].total, "EUR"),
                     "189999999999999981.00", "%s: %s", which, text);
    cr_expect_str_eq(money_sum_format(text, &stats.currencies[0].balances, "EUR"), "0.00");
    store_stats_release(&stats);
}

Test(store_contract, totals_go_beyond_64_bits)
{
    kit_on_each_store(check_totals);
}

static void check_redelivered(struct store *store, const char *which)
{
    struct chunk *chunk = chunk_new(1);

    cr_assert_not_null(chunk);
    kit_begin(store);
    kit_run(store, 0, history, history_count);
    chunk->redelivered = 7; /* dropped by the worker, without an item */
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", which);
    chunk_clear(chunk);
    kit_add(chunk, &history[0], 0, 0);
    chunk->range_count = 0;
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    cr_expect_eq(chunk->items[0].decision.outcome, OUTCOME_REDELIVERED, "%s", which);
    chunk_free(chunk);
    struct store_stats stats = stats_of(store, which);
    cr_expect_eq(stats.counts[OUTCOME_REDELIVERED], 8, "%s", which);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 3, "%s", which);
    cr_expect_eq(stats.counts[OUTCOME_DUPLICATE], 1, "%s", which);
    store_stats_release(&stats);
    expect_balance(store, which, ALICE, -501);
}

Test(store_contract, redelivered_messages_are_only_counted)
{
    kit_on_each_store(check_redelivered);
}
