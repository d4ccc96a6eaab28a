/*
 * Payments as values: the rules of form at their exact limits, and which fields two payloads
 * differ in.
 */
#include "common/command.h"

#include <criterion/criterion.h>
#include <string.h>

typedef const char *(*rule)(const char *data, size_t len);

static char filler[512];

/* A text of len bytes. */
static const char *text_of(size_t len)
{
    memset(filler, 'x', len);
    filler[len] = '\0';
    return filler;
}

Test(payment, lengths_end_exactly_at_their_limits)
{
    static const struct {
        rule problem_of;
        size_t len;
        const char *problem; /* NULL = accepted */
    } rows[] = {
        {payment_key_problem, 0, "the key is empty"},
        {payment_key_problem, 1, NULL},
        {payment_key_problem, 255, NULL},
        {payment_key_problem, 256, "the key is longer than 255 bytes"},
        {payment_account_problem, 0, "the account is empty"},
        {payment_account_problem, 1, NULL},
        {payment_account_problem, 128, NULL},
        {payment_account_problem, 129, "the account is longer than 128 bytes"},
        {payment_batch_id_problem, 0, "the batch id is empty"},
        {payment_batch_id_problem, 1, NULL},
        {payment_batch_id_problem, 244, NULL},
        {payment_batch_id_problem, 245, "the batch id is longer than 244 bytes"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *problem = rows[i].problem_of(text_of(rows[i].len), rows[i].len);
        const char *wanted = rows[i].problem ? rows[i].problem : "none";
        cr_expect_str_eq(problem ? problem : "none", wanted, "row %zu: %s", i, problem);
    }
}

Test(payment, texts_must_be_printable_utf8)
{
    static const char *const texts[] = {"a\nb",  "a\x7F",    "\xFF",
                                        "a\xC3", "\xC2\x85", "\xE2\x80\xA8"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t len = strlen(texts[i]);
        cr_expect_str_eq(payment_key_problem(texts[i], len), "the key is not printable UTF-8");
        cr_expect_str_eq(payment_account_problem(texts[i], len),
                         "the account is not printable UTF-8");
        cr_expect_str_eq(payment_batch_id_problem(texts[i], len),
                         "the batch id is not printable UTF-8");
    }
    cr_expect_str_eq(payment_key_problem("a\0b", 3), "the key is not printable UTF-8");
    cr_expect_null(payment_key_problem("\xF0\x9F\x98\x80 \"\\", 7));
    cr_expect_null(payment_account_problem("J\xC3\xB6rg", 5));
    cr_expect_null(payment_batch_id_problem("M\xC3\xA4rz 2026", 10));
}

Test(payment, only_accounts_refuse_spaces_at_their_ends)
{
    static const char problem[] = "the account has a space at its beginning or end";

    cr_expect_str_eq(payment_account_problem(" ann", 4), problem);
    cr_expect_str_eq(payment_account_problem("ann ", 4), problem);
    cr_expect_str_eq(payment_account_problem(" ", 1), problem);
    cr_expect_null(payment_account_problem("ann lee", 7));
    cr_expect_null(payment_key_problem(" k ", 3));
    cr_expect_null(payment_batch_id_problem(" b ", 3));
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(payment, a_digest_is_64_lower_case_hex_digits)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {DIGEST, true},
        {"", false},
        {DIGEST "0", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", false},
        {"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", false},
        {"g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false},
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde ", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *problem = payment_digest_problem(rows[i].text, strlen(rows[i].text));
        cr_expect_str_eq(problem ? problem : "none",
                         rows[i].good ? "none" : "the digest is not 64 lower-case hex digits", "%s",
                         rows[i].text);
    }
}

Test(payment, a_row_key_of_the_longest_batch_id_is_a_key)
{
    char key[PAYMENT_KEY_MAX + 1];

    payment_copy(key, text_of(PAYMENT_BATCH_ID_MAX), PAYMENT_BATCH_ID_MAX);
    cr_assert_eq(strlen(key), PAYMENT_BATCH_ID_MAX);
    strcat(key, ":9999999999");
    cr_expect_eq(strlen(key), PAYMENT_KEY_MAX);
    cr_expect_null(payment_key_problem(key, strlen(key)));
}

Test(payment, copies_exactly_the_bytes_and_ends_them)
{
    char field[8];

    memset(field, '#', sizeof(field));
    payment_copy(field, "abcdef", 3);
    cr_expect_str_eq(field, "abc");
    cr_expect_eq(field[4], '#');
}

static const struct payment original = {.key = "k1",
                                        .src = "ann",
                                        .dest = "bob",
                                        .currency = "EUR",
                                        .amount_minor = 500,
                                        .batch = {.id = "payroll", .digest = DIGEST, .rows = 3}};

Test(payment, names_each_field_that_differs)
{
    struct payment other = original;
    char names[COMMAND_FIELDS_SIZE];

    cr_expect_eq(payment_differs(&original, &other), 0);
    strcpy(other.key, "k2");
    cr_expect_eq(payment_differs(&original, &other), 0, "the key is not part of the payload");

    strcpy(other.src, "eve");
    cr_expect_eq(payment_differs(&original, &other), PAYMENT_SRC);
    strcpy(other.dest, "Bob");
    cr_expect_eq(payment_differs(&original, &other), PAYMENT_SRC | PAYMENT_DEST);
    cr_expect_eq(payment_differs(&other, &original), PAYMENT_SRC | PAYMENT_DEST);
    cr_expect_str_eq(command_fields(names, payment_differs(&original, &other)), "src,dest");

    other = original;
    other.amount_minor = 501;
    cr_expect_eq(payment_differs(&original, &other), PAYMENT_AMOUNT);
    other = original;
    strcpy(other.currency, "USD");
    cr_expect_eq(payment_differs(&original, &other), PAYMENT_CURRENCY);
}

Test(payment, each_part_of_a_batch_counts)
{
    static const struct payment_batch batches[] = {
        {.id = "payroll 2", .digest = DIGEST, .rows = 3},
        {.id = "payroll", .digest = DIGEST, .rows = 4},
        {.id = "payroll",
         .digest = "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
         .rows = 3},
        {.id = "", .digest = "", .rows = 0},
    };

    cr_expect(payment_batch_equal(&original.batch, &original.batch));
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        struct payment other = original;
        other.batch = batches[i];
        cr_expect_not(payment_batch_equal(&original.batch, &other.batch), "row %zu", i);
        cr_expect_eq(payment_differs(&original, &other), PAYMENT_BATCH, "row %zu", i);
    }
}

Test(payment, lists_field_names_in_the_order_of_the_payload)
{
    char names[COMMAND_FIELDS_SIZE];

    cr_expect_str_eq(command_fields(names, 0), "");
    cr_expect_str_eq(command_fields(names, PAYMENT_AMOUNT), "amount");
    cr_expect_str_eq(command_fields(names, PAYMENT_BATCH | PAYMENT_DEST), "dest,batch");
    cr_expect_str_eq(command_fields(names, PAYMENT_SRC | PAYMENT_DEST | PAYMENT_AMOUNT |
                                               PAYMENT_CURRENCY | PAYMENT_BATCH),
                     "src,dest,amount,currency,batch");
}
