/*
 * What a store tells of what it knows: first decisions, recorded messages, balances, batches. Over
 * the store in memory and the one in SQLite.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>

#define ALICE "alice"
#define BOB   "bob"
#define UUID  "018f3c6e-0123-7abc-89de-f0123456789a"

#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

static const struct payment_batch b1 = {"b1", DIGEST_1, 2};
static const struct payment_batch b1_edited = {"b1", DIGEST_2, 2};

static struct error err;

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

/* A chunk of the history's messages again, claimed and loaded but not decided. */
static struct chunk *claimed_history(struct store *store, const char *which, const char *key)
{
    struct chunk *chunk = chunk_new(history_count + 1);
    const struct kit_row other = {key, BOB, "eve", 77, "USD", &b1, NULL};

    cr_assert_not_null(chunk);
    for (size_t i = 0; i < history_count; i++) {
        kit_add(chunk, &history[i], 0, (int64_t)i);
    }
    kit_add(chunk, &other, 1, 0);
    chunk_index(chunk);
    cr_assert_eq(store->ops->begin(store, &err), STORE_OK);
    cr_assert_eq(store->ops->claim(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    cr_assert_eq(store->ops->load(store, chunk, &err), STORE_OK, "%s: %s", which, err.text);
    store->ops->rollback(store);
    return chunk;
}

static void check_claim(struct store *store, const char *which)
{
    static const struct {
        size_t row; /* of the history: where the key was decided */
        int64_t seq;
    } decided[] = {{0, 1}, {1, 2}, {2, 3}, {7, 8}, {8, 9}};

    kit_begin(store);
    kit_run(store, 0, history, history_count);
    for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++) {
        const struct kit_row *row = &history[decided[i].row];
        struct payment payment = kit_payment(row);
        struct chunk *chunk = claimed_history(store, which, row->key);
        const struct chunk_key *key = &chunk->keys[chunk->items[history_count].key];
        cr_expect(key->known, "%s: %s", which, row->key);
        cr_expect_eq(key->seq, decided[i].seq, "%s: %s", which, row->key);
        cr_expect_eq(key->origin.partition, 0);
        cr_expect_eq(key->origin.offset, (int64_t)decided[i].row, "%s: %s", which, row->key);
        cr_expect_eq(payment_differs(&key->first->payment, &payment), 0, "%s: %s", which, row->key);
        cr_expect_str_eq(key->first->payment.key, row->key);
        chunk_free(chunk);
    }
    struct chunk *chunk = claimed_history(store, which, "k99");
    cr_expect_not(chunk->keys[chunk->items[history_count].key].known, "%s", which);
    cr_expect_not(chunk->keys[chunk->items[5].key].known, "%s: a conflict used a key up", which);
    chunk_free(chunk);
}

Test(store_claim, claim_finds_the_first_decision_whole)
{
    kit_on_each_store(check_claim);
}

static void check_recorded(struct store *store, const char *which)
{
    static const bool recorded[] = {false, false, false, true, true, true, true, false, false};

    kit_begin(store);
    kit_run(store, 0, history, history_count);
    struct chunk *chunk = claimed_history(store, which, "k99");
    for (size_t i = 0; i < history_count; i++) {
        cr_expect_eq(chunk->items[i].recorded, recorded[i], "%s: row %zu", which, i);
    }
    cr_expect_not(chunk->items[history_count].recorded, "%s: another partition", which);
    chunk_free(chunk);
}

Test(store_claim, claim_finds_repeats_and_quarantine_by_their_origin)
{
    kit_on_each_store(check_recorded);
}

static void check_load(struct store *store, const char *which)
{
    kit_begin(store);
    kit_run(store, 0, history, history_count);
    struct chunk *chunk = claimed_history(store, which, "k99");
    const struct chunk_batch *batch = &chunk->batches[chunk->items[history_count].batch];
    cr_expect(batch->bound, "%s", which);
    cr_expect(payment_batch_equal(&batch->content, &b1), "%s", which);
    cr_expect_neq(batch->id, 0, "%s", which);
    const struct chunk_account *known = &chunk->accounts[chunk->items[history_count].src];
    cr_expect_str_eq(known->name, BOB);
    cr_expect_str_eq(known->currency, "EUR");
    cr_expect_eq(known->balance_minor, 501, "%s", which);
    cr_expect_neq(known->id, 0, "%s", which);
    cr_expect_not(known->changed, "%s", which);
    const struct chunk_account *unknown = &chunk->accounts[chunk->items[history_count].dest];
    cr_expect_str_eq(unknown->name, "eve");
    cr_expect_eq(unknown->id, 0, "%s", which);
    cr_expect_str_eq(unknown->currency, "");
    cr_expect_eq(unknown->balance_minor, 0);
    chunk_free(chunk);
}

Test(store_claim, load_finds_balances_and_batches)
{
    kit_on_each_store(check_load);
}
