/*
 * The load of the benchmark: the same for each seed, keys of the kind that was asked for, and
 * repeats that follow their payment within the distance.
 */
#include "common/command.h"
#include "common/uuid7.h"
#include "tests/bench/load.h"
#include "tests/bench/records.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PAYMENTS 5000

static struct payment payment_of(const struct load *load, int64_t i)
{
    struct payment payment;

    memset(&payment, 0, sizeof(payment));
    load_payment(load, i, &payment);
    return payment;
}

Test(load, a_payment_is_the_same_whoever_asks)
{
    const struct load load = load_default();

    for (int64_t i = 0; i < PAYMENTS; i++) {
        struct payment first = payment_of(&load, i);
        (void)payment_of(&load, PAYMENTS - i);
        struct payment second = payment_of(&load, i);
        cr_assert_str_eq(first.key, second.key);
        cr_assert_eq(payment_differs(&first, &second), 0);
    }
}

/* What was written once is what was measured: a change here makes old results not comparable. */
Test(load, seed_1_begins_as_it_always_did)
{
    const struct load load = load_default();
    struct payment payment = payment_of(&load, 0);

    cr_assert_str_eq(payment.key, "f4a90164-c474-4e1a-bfa9-ae8d44b45a35");
    cr_assert_str_eq(payment.src, "account-0141");
    cr_assert_str_eq(payment.dest, "account-0823");
    cr_assert_eq(payment.amount_minor, 5349);
}

Test(load, another_seed_is_another_load)
{
    struct load load = load_default();
    struct payment first = payment_of(&load, 0);

    load.seed = 2;
    cr_assert_str_neq(payment_of(&load, 0).key, first.key);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

Test(load, keys_are_all_different)
{
    static char keys[PAYMENTS][PAYMENT_KEY_MAX + 1];
    struct load load = load_default();

    for (int kind = KEYS_UUID4; kind <= KEYS_BATCH; kind++) {
        load.keys = (enum load_keys)kind;
        for (int i = 0; i < PAYMENTS; i++) {
            strcpy(keys[i], payment_of(&load, i).key);
        }
        qsort(keys, PAYMENTS, sizeof(keys[0]), compare);
        for (int i = 1; i < PAYMENTS; i++) {
            cr_assert_str_neq(keys[i - 1], keys[i]);
        }
    }
}

Test(load, uuids_have_their_version_and_variant)
{
    struct load load = load_default();

    for (int i = 0; i < PAYMENTS; i++) {
        load.keys = KEYS_UUID4;
        struct payment random = payment_of(&load, i);
        load.keys = KEYS_UUID7;
        struct payment timed = payment_of(&load, i);
        cr_assert_eq(strlen(random.key), UUID7_TEXT_SIZE - 1);
        cr_assert_eq(random.key[14], '4');
        cr_assert(strchr("89ab", random.key[19]));
        cr_assert_eq(strlen(timed.key), UUID7_TEXT_SIZE - 1);
        cr_assert_eq(timed.key[14], '7');
        cr_assert(strchr("89ab", timed.key[19]));
    }
}

Test(load, batch_rows_carry_the_batch)
{
    struct load load = load_default();
    struct error err;

    load.keys = KEYS_BATCH;
    load.payments = 100;
    cr_assert_eq(load_bind_batch(&load, &err), 0);
    struct payment payment = payment_of(&load, 9);
    cr_assert_str_eq(payment.key, "bench:0000000010");
    cr_assert_str_eq(payment.batch.id, "bench");
    cr_assert_eq(payment.batch.rows, 100);
    cr_assert_null(payment_digest_problem(payment.batch.digest, strlen(payment.batch.digest)));
}

Test(load, payments_can_be_applied)
{
    struct load load = load_default();

    load.accounts = 2;
    for (int i = 0; i < PAYMENTS; i++) {
        struct payment payment = payment_of(&load, i);
        cr_assert_str_neq(payment.src, payment.dest);
        cr_assert(payment.amount_minor >= 1 && payment.amount_minor <= MONEY_MAX_MINOR);
    }
}

Test(load, repeats_follow_their_payment_within_the_distance)
{
    struct load load = load_default();
    struct load_cursor cursor = {&load, 0, 0};
    int64_t highest = -1;
    int64_t repeats = 0;
    int64_t payment;

    load.payments = 3 * LOAD_DISTANCE_MAX;
    while ((payment = load_next(&cursor)) >= 0) {
        if (payment == highest + 1) {
            highest = payment;
        } else {
            cr_assert(payment <= highest && highest - payment < LOAD_DISTANCE_MAX);
            repeats++;
        }
    }
    cr_assert_eq(highest, load.payments - 1);
    cr_assert_eq(repeats, load.payments * 5 / 100);
    cr_assert_eq(load_records(&load), load.payments + repeats);
}

Test(load, without_repeats_each_payment_comes_once)
{
    struct load load = load_default();
    struct load_cursor cursor = {&load, 0, 0};

    load.payments = 100;
    load.repeat_percent = 0;
    for (int64_t i = 0; i < 100; i++) {
        cr_assert_eq(load_next(&cursor), i);
    }
    cr_assert_eq(load_next(&cursor), -1);
}

Test(records, a_sum_does_not_depend_on_the_order)
{
    struct record_sum first = {0};
    struct record_sum second = {0};
    struct record_sum third = {0};

    record_sum_add(&first, "a", 1, "xy", 2);
    record_sum_add(&first, "b", 1, "z", 1);
    record_sum_add(&second, "b", 1, "z", 1);
    record_sum_add(&second, "a", 1, "xy", 2);
    record_sum_add(&third, "b", 1, "xy", 2);
    record_sum_add(&third, "a", 1, "z", 1);
    cr_assert_eq(first.sum, second.sum);
    cr_assert_eq(first.records, 2);
    cr_assert_eq(first.bytes, 5);
    cr_assert_neq(first.sum, third.sum);
}
