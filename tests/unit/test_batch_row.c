/*
 * A row as bytes: the documented encoding, read back the same, and nothing else is read.
 */
#include "producer/batch_row.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct payment example = {.key = "key-1",
                                       .src = "ann",
                                       .dest = "b",
                                       .currency = "EUR",
                                       .amount_minor = INT64_C(0x0102030405060708)};

#define ENCODED                                                                                    \
    "\0\5key-1\0\3"                                                                                \
    "ann\0\1"                                                                                      \
    "b\0\3"                                                                                        \
    "EUR\1\2\3\4\5\6\7\10"
#define ENCODED_LEN (sizeof(ENCODED) - 1)

Test(batch_row, has_the_documented_encoding)
{
    unsigned char row[BATCH_ROW_MAX];

    cr_assert_eq(batch_row_put(&example, row), ENCODED_LEN);
    cr_expect_arr_eq(row, ENCODED, ENCODED_LEN);
}

Test(batch_row, comes_back_the_same_and_leaves_the_batch)
{
    struct payment back = {.batch = {.id = "b", .rows = 7}};

    cr_assert_eq(batch_row_take((const unsigned char *)ENCODED, sizeof(ENCODED), &back),
                 ENCODED_LEN);
    cr_expect_str_eq(back.key, example.key);
    cr_expect_str_eq(back.src, example.src);
    cr_expect_str_eq(back.dest, example.dest);
    cr_expect_str_eq(back.currency, example.currency);
    cr_expect_eq(back.amount_minor, example.amount_minor);
    cr_expect_str_eq(back.batch.id, "b");
    cr_expect_eq(back.batch.rows, 7);
}

Test(batch_row, the_longest_fits)
{
    unsigned char row[BATCH_ROW_MAX];
    struct payment longest = {.currency = "EUR", .amount_minor = MONEY_MAX_MINOR};
    struct payment back;

    memset(longest.key, 'k', PAYMENT_KEY_MAX);
    memset(longest.src, 's', PAYMENT_ACCOUNT_MAX);
    memset(longest.dest, 'd', PAYMENT_ACCOUNT_MAX);
    size_t len = batch_row_put(&longest, row);
    cr_assert_leq(len, sizeof(row));
    cr_assert_eq(batch_row_take(row, len, &back), len);
    cr_expect_str_eq(back.key, longest.key);
    cr_expect_str_eq(back.src, longest.src);
    cr_expect_str_eq(back.dest, longest.dest);
}

Test(batch_row, one_that_is_cut_is_none)
{
    struct payment back;

    for (size_t len = 0; len < ENCODED_LEN; len++) {
        cr_expect_eq(batch_row_take((const unsigned char *)ENCODED, len, &back), 0, "%zu bytes",
                     len);
    }
}

/* Each length in turn is one more than its field holds. */
Test(batch_row, a_text_that_is_too_long_is_none)
{
    static const struct {
        size_t at;
        size_t max;
    } lengths[] = {{0, PAYMENT_KEY_MAX},
                   {7, PAYMENT_ACCOUNT_MAX},
                   {12, PAYMENT_ACCOUNT_MAX},
                   {15, MONEY_CURRENCY_SIZE - 1}};
    unsigned char bytes[1024] = ENCODED;
    struct payment back;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memcpy(bytes, ENCODED, ENCODED_LEN);
        bytes[lengths[i].at] = (unsigned char)((lengths[i].max + 1) >> 8);
        bytes[lengths[i].at + 1] = (unsigned char)(lengths[i].max + 1);
        cr_expect_eq(batch_row_take(bytes, sizeof(bytes), &back), 0, "text %zu", i);
    }
}
