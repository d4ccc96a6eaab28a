/*
 * Chunks: each name stands once in its table, every item points at its own, and a chunk that is
 * used again remembers nothing.
 */
#include "consumer/chunk.h"
#include "consumer/key_form.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define CAPACITY 64

struct row {
    const char *key; /* NULL = an unreadable message */
    const char *src;
    const char *dest;
    const char *batch; /* NULL = none */
};

static struct chunk *chunk;

static void make_chunk(void)
{
    chunk = chunk_new(CAPACITY);
    cr_assert_not_null(chunk);
}

static void free_chunk(void)
{
    chunk_free(chunk);
}

TestSuite(chunk, .init = make_chunk, .fini = free_chunk);

static void add_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chunk_item *item = chunk_add(chunk);
        if (!rows[i].key) {
            item->unreadable = UNREADABLE_JSON;
            continue;
        }
        command_init(&item->command, COMMAND_PAYMENT);
        payment_copy(item->command.payment.key, rows[i].key, strlen(rows[i].key));
        payment_copy(item->command.payment.src, rows[i].src, strlen(rows[i].src));
        payment_copy(item->command.payment.dest, rows[i].dest, strlen(rows[i].dest));
        if (rows[i].batch) {
            payment_copy(item->command.payment.batch.id, rows[i].batch, strlen(rows[i].batch));
        }
    }
}

/* Every item's indices lead to its own names. */
static void expect_own_names(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        if (!rows[i].key) {
            continue;
        }
        cr_assert_lt(item->key, chunk->key_count);
        cr_assert_lt(item->src, chunk->account_count);
        cr_assert_lt(item->dest, chunk->account_count);
        cr_expect_str_eq(chunk->keys[item->key].key, rows[i].key);
        cr_expect_str_eq(chunk->accounts[item->src].name, rows[i].src);
        cr_expect_str_eq(chunk->accounts[item->dest].name, rows[i].dest);
        if (rows[i].batch) {
            cr_assert_lt(item->batch, chunk->batch_count);
            cr_expect_str_eq(chunk->batches[item->batch].content.id, rows[i].batch);
        } else {
            cr_expect_eq(item->batch, CHUNK_NONE);
        }
    }
}

static const struct row rows[] = {
    {"k2", "bob", "ann", NULL},  {"k1", "ann", "bob", "b2"}, {NULL, NULL, NULL, NULL},
    {"k2", "ann", "ann", NULL},  {"k3", "eve", "bob", "b1"}, {"k1", "bob", "eve", "b2"},
    {"k10", "an", "anna", NULL}, {"K1", "Ann", "ann", "B1"}, {NULL, NULL, NULL, NULL},
};
static const size_t row_count = sizeof(rows) / sizeof(rows[0]);

Test(chunk, each_name_stands_once_keys_in_byte_order_others_as_they_come)
{
    static const char *const keys[] = {"K1", "k1", "k10", "k2", "k3"};
    static const char *const accounts[] = {"bob", "ann", "eve", "an", "anna", "Ann"};
    static const char *const batches[] = {"b2", "b1", "B1"};

    add_rows(rows, row_count);
    chunk_index(chunk);
    cr_assert_eq(chunk->key_count, 5);
    for (size_t i = 0; i < chunk->key_count; i++) {
        cr_expect_str_eq(chunk->keys[i].key, keys[i]);
    }
    cr_assert_eq(chunk->account_count, 6);
    for (size_t i = 0; i < chunk->account_count; i++) {
        cr_expect_str_eq(chunk->accounts[i].name, accounts[i]);
    }
    cr_assert_eq(chunk->batch_count, 3);
    for (size_t i = 0; i < chunk->batch_count; i++) {
        cr_expect_str_eq(chunk->batches[i].content.id, batches[i]);
    }
}

/* Expects the keys in strictly rising order of their stored forms, and every item at its own. */
static void expect_rising_forms(const char *what)
{
    for (size_t i = 0; i < chunk->key_count; i++) {
        const struct chunk_key *key = &chunk->keys[i];
        unsigned char form[KEY_FORM_SIZE];
        cr_expect_eq(key->form_len, key_form(form, key->key), "%s", what);
        cr_expect_arr_eq(key->form, form, key->form_len, "%s", what);
        if (i > 0) {
            const struct chunk_key *before = &chunk->keys[i - 1];
            size_t len = before->form_len < key->form_len ? before->form_len : key->form_len;
            int order = memcmp(before->form, key->form, len);
            cr_expect(order < 0 || (order == 0 && before->form_len < key->form_len), "%s: %s, %s",
                      what, before->key, key->key);
        }
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        cr_expect_str_eq(chunk->keys[item->key].key, item->command.payment.key, "%s", what);
    }
}

Test(chunk, keys_stand_in_the_order_of_their_stored_forms)
{
    /* Different in the first bytes, far behind a common beginning, in length alone; UUIDs, of which
     * the last is none. */
    static const char *const sets[][8] = {
        {"b", "a", "c", "aa", "a", "b"},
        {"batch-of-may:0000000010", "batch-of-may:0000000009", "batch-of-may:0000000011",
         "batch-of-may:00000000091", "batch-of-may:0000000010"},
        {"abcdefgh", "abcdefghi", "abcdefg", "abcdefgh", "abcdefghabcdefgh", "abcdefgz"},
        {"018f3c6e-0000-7000-8000-000000000002", "018f3c6e-0000-7000-8000-000000000001",
         "018f3c6e-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-000000000001",
         "018f3c6e-0000-7000-8000-000000000001", "0", "ffffffff-0000-7000-8000-000000000001",
         "018F3C6E-0000-7000-8000-000000000001"},
        {"same", "same", "same"},
    };
    static const size_t distinct[] = {4, 4, 5, 7, 1};

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        chunk_clear(chunk);
        for (size_t j = 0; j < 8 && sets[i][j]; j++) {
            const struct row row = {sets[i][j], "ann", "bob", NULL};
            add_rows(&row, 1);
        }
        chunk_index(chunk);
        cr_expect_eq(chunk->key_count, distinct[i], "%s", sets[i][0]);
        expect_rising_forms(sets[i][0]);
    }
}

Test(chunk, items_point_at_their_own_names)
{
    add_rows(rows, row_count);
    chunk_index(chunk);
    expect_own_names(rows, row_count);
    cr_expect_eq(chunk->items[2].batch, CHUNK_NONE);
}

Test(chunk, nothing_is_known_after_indexing)
{
    add_rows(rows, row_count);
    for (size_t i = 0; i < CAPACITY; i++) {
        chunk->keys[i].known = true;
        chunk->keys[i].owner = &chunk->items[0];
        chunk->keys[i].seq = 7;
        chunk->accounts[i] =
            (struct chunk_account){.id = 7, .currency = "EUR", .balance_minor = 5, .changed = true};
        chunk->batches[i] = (struct chunk_batch){
            .content = {.id = "a longer name", .digest = "d", .rows = 3}, .id = 7, .bound = true};
    }
    chunk_index(chunk);
    for (size_t i = 0; i < chunk->key_count; i++) {
        cr_expect_not(chunk->keys[i].known);
        cr_expect_null(chunk->keys[i].owner);
        cr_expect_eq(chunk->keys[i].seq, 0, "a key without a decision has no number");
    }
    for (size_t i = 0; i < chunk->account_count; i++) {
        cr_expect_eq(chunk->accounts[i].id, 0);
        cr_expect_str_eq(chunk->accounts[i].currency, "");
        cr_expect_eq(chunk->accounts[i].balance_minor, 0);
        cr_expect_not(chunk->accounts[i].changed);
    }
    for (size_t i = 0; i < chunk->batch_count; i++) {
        cr_expect_eq(chunk->batches[i].id, 0);
        cr_expect_not(chunk->batches[i].bound);
        cr_expect_eq(chunk->batches[i].content.rows, 0);
        cr_expect_str_eq(chunk->batches[i].content.digest, "");
    }
}

Test(chunk, indexing_again_starts_over)
{
    static const struct row more[] = {{"k0", "zoe", "ann", "b0"}};

    add_rows(rows, row_count);
    chunk_index(chunk);
    chunk_index(chunk);
    cr_expect_eq(chunk->key_count, 5);
    cr_expect_eq(chunk->account_count, 6);
    cr_expect_eq(chunk->batch_count, 3);
    expect_own_names(rows, row_count);
    add_rows(more, 1);
    chunk_index(chunk);
    cr_expect_eq(chunk->key_count, 6);
    cr_expect_eq(chunk->account_count, 7);
    cr_expect_eq(chunk->batch_count, 4);
    expect_own_names(rows, row_count);
    cr_expect_str_eq(chunk->keys[chunk->items[row_count].key].key, "k0");
}

Test(chunk, a_cleared_chunk_is_empty_and_its_items_are_new)
{
    static const struct row other[] = {{"k9", "zoe", "yan", NULL}};

    add_rows(rows, row_count);
    chunk->items[0].origin = (struct origin){3, 99, 1234};
    chunk->items[0].raw = (struct raw_message){"k", 1, "v", 1, "h"};
    chunk->items[0].recorded = true;
    chunk->items[0].unreadable = UNREADABLE_JSON;
    chunk->items[0].decision = (struct decision){OUTCOME_CONFLICT, REASON_PAYLOAD_DIFFERS, 3};
    chunk_range(chunk, 3, 99)->to = 100;
    chunk_index(chunk);
    chunk->redelivered = 4;
    chunk->now_ms = 5;

    chunk_clear(chunk);
    cr_expect_eq(chunk->item_count, 0);
    cr_expect_eq(chunk->range_count, 0);
    cr_expect_eq(chunk->key_count, 0);
    cr_expect_eq(chunk->account_count, 0);
    cr_expect_eq(chunk->batch_count, 0);
    cr_expect_eq(chunk->redelivered, 0);
    cr_expect_eq(chunk->now_ms, 0);

    const struct chunk_item *item = chunk_add(chunk);
    cr_expect_eq(item, &chunk->items[0]);
    cr_expect_eq(item->unreadable, READABLE);
    cr_expect_not(item->recorded);
    cr_expect_eq(item->decision.outcome, OUTCOME_NONE);
    cr_expect_eq(item->decision.reason, REASON_NONE);
    cr_expect_eq(item->decision.fields, 0);
    cr_expect_eq(item->origin.partition, 0);
    cr_expect_eq(item->origin.offset, 0);
    cr_expect_null(item->raw.key);
    cr_expect_null(item->raw.value);
    cr_expect_null(item->raw.headers);

    chunk_clear(chunk);
    add_rows(other, 1);
    chunk_index(chunk);
    cr_expect_eq(chunk->key_count, 1);
    cr_expect_eq(chunk->account_count, 2);
    cr_expect_eq(chunk->batch_count, 0);
    expect_own_names(other, 1);
}

Test(chunk, a_range_is_made_once_a_partition)
{
    struct chunk_range *first = chunk_range(chunk, 7, 100);

    cr_expect_eq(first->partition, 7);
    cr_expect_eq(first->from, 100);
    cr_expect_eq(first->to, 100);
    first->to = 105;
    cr_expect_eq(chunk_range(chunk, 0, 3)->from, 3);
    cr_expect_eq(chunk_range(chunk, 7, 999), &chunk->ranges[0]);
    cr_expect_eq(chunk->ranges[0].from, 100);
    cr_expect_eq(chunk->ranges[0].to, 105);
    cr_expect_eq(chunk->range_count, 2);
}

Test(chunk, holds_as_many_different_names_as_it_can_have)
{
    for (size_t i = 0; i < CAPACITY; i++) {
        struct payment *payment = &chunk_add(chunk)->command.payment;
        *payment = (struct payment){.amount_minor = 1};
        /* Backwards, so that sorting has something to do. */
        snprintf(payment->key, sizeof(payment->key), "k%03zu", CAPACITY - i);
        snprintf(payment->src, sizeof(payment->src), "s%03zu", CAPACITY - i);
        snprintf(payment->dest, sizeof(payment->dest), "d%03zu", CAPACITY - i);
        snprintf(payment->batch.id, sizeof(payment->batch.id), "b%03zu", CAPACITY - i);
    }
    for (int32_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        chunk_range(chunk, i, i);
    }
    chunk_index(chunk);
    cr_expect_eq(chunk->key_count, CAPACITY);
    cr_expect_eq(chunk->account_count, 2 * CAPACITY);
    cr_expect_eq(chunk->batch_count, CAPACITY);
    cr_expect_eq(chunk->range_count, CHUNK_PARTITIONS_MAX);
    for (size_t i = 0; i < CAPACITY; i++) {
        const struct chunk_item *item = &chunk->items[i];
        cr_expect_eq(chunk->keys[item->key].key, item->command.payment.key);
        cr_expect_str_eq(chunk->batches[item->batch].content.id, item->command.payment.batch.id);
        cr_expect_str_eq(chunk->accounts[item->src].name, item->command.payment.src);
        cr_expect_str_eq(chunk->accounts[item->dest].name, item->command.payment.dest);
    }
}

Test(chunk, a_row_with_other_content_than_its_batchs_first_is_bound_by_its_own)
{
    static const struct row same[] = {
        {"k1", "ann", "bob", "b"}, {"k2", "ann", "bob", "b"}, {"k3", "ann", "bob", "b"}};

    add_rows(same, 3);
    chunk->items[1].command.payment.batch.rows = 2;
    chunk_index(chunk);
    cr_expect(chunk->items[0].as_first);
    cr_expect_not(chunk->items[1].as_first);
    cr_expect(chunk->items[2].as_first);
    cr_expect(chunk_bind_batch(chunk, &chunk->items[1]), "whichever comes first binds");
    cr_expect_eq(chunk->batches[0].content.rows, 2);
    cr_expect_not(chunk_bind_batch(chunk, &chunk->items[0]));
    cr_expect_not(chunk_bind_batch(chunk, &chunk->items[2]));
    cr_expect(chunk_bind_batch(chunk, &chunk->items[1]));
}

Test(chunk, one_other_command_says_that_there_are_not_only_payments)
{
    add_rows(rows, row_count);
    chunk_index(chunk);
    cr_expect(chunk->only_payments, "what cannot be read is no command");
    command_init(&chunk_add(chunk)->command, COMMAND_ACCOUNTS);
    chunk_index(chunk);
    cr_expect_not(chunk->only_payments);
    chunk_clear(chunk);
    add_rows(rows, row_count);
    chunk_index(chunk);
    cr_expect(chunk->only_payments);
}

Test(chunk, an_empty_chunk_has_nothing_to_index)
{
    chunk_index(chunk);
    cr_expect_eq(chunk->key_count, 0);
    cr_expect_eq(chunk->account_count, 0);
    cr_expect_eq(chunk->batch_count, 0);
    chunk_free(NULL);
}
