/*
 * Commands as values: in which fields two payloads differ, and the bytes that their digests are
 * computed over.
 */
#include "common/command_digest.h"

#include <criterion/criterion.h>
#include <string.h>

#define CASES(rows) (sizeof(rows) / sizeof((rows)[0]))
#define DIGEST      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* No two of these are the same payload. Rows of one type differ from its first in one field. */
static const struct {
    struct command command;
    unsigned differs; /* from the first of its type */
} rows[] = {
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1234}},
     0},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "an", .dest = "bob", .currency = "EUR", .amount_minor = 1234}},
     PAYMENT_SRC},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "annb", .dest = "ob", .currency = "EUR", .amount_minor = 1234}},
     PAYMENT_SRC | PAYMENT_DEST},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann", .dest = "Bob", .currency = "EUR", .amount_minor = 1234}},
     PAYMENT_DEST},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann", .dest = "bob", .currency = "USD", .amount_minor = 1234}},
     PAYMENT_CURRENCY},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1235}},
     PAYMENT_AMOUNT},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 0}},
     PAYMENT_AMOUNT},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann",
                  .dest = "bob",
                  .currency = "EUR",
                  .amount_minor = 1234,
                  .batch = {.id = "b", .digest = DIGEST, .rows = 3}}},
     PAYMENT_BATCH},
    {{.type = COMMAND_PAYMENT,
      .payment = {.src = "ann",
                  .dest = "bob",
                  .currency = "EUR",
                  .amount_minor = 1234,
                  .batch = {.id = "b", .digest = DIGEST, .rows = 4}}},
     PAYMENT_BATCH},
    {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}}, 0},
    {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "bob", .currency = "EUR"}},
     COMMAND_FIELD_ACCOUNT},
    {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "USD"}},
     PAYMENT_CURRENCY},
    {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}, .has_min = true},
     COMMAND_FIELD_MIN_BALANCE},
    {{.type = COMMAND_ACCOUNT_OPEN,
      .payment = {.src = "ann", .currency = "EUR"},
      .has_min = true,
      .min_minor = -1},
     COMMAND_FIELD_MIN_BALANCE},
    {{.type = COMMAND_ACCOUNT_LIMIT, .payment = {.src = "ann", .currency = "EUR"}}, 0},
    {{.type = COMMAND_ACCOUNT_LIMIT,
      .payment = {.src = "bob", .currency = "USD"},
      .has_min = true,
      .min_minor = 5},
     COMMAND_FIELD_ACCOUNT | PAYMENT_CURRENCY | COMMAND_FIELD_MIN_BALANCE},
    {{.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "ann"}}, 0},
    {{.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "bob"}}, COMMAND_FIELD_ACCOUNT},
    {{.type = COMMAND_ACCOUNTS, .strict = true}, 0},
    {{.type = COMMAND_ACCOUNTS, .strict = false}, COMMAND_FIELD_MODE},
    {{.type = COMMAND_CANCEL}, 0},
};

Test(command, names_of_types_never_change)
{
    static const char *const names[] = {"payment",       "account_open", "account_limit",
                                        "account_close", "accounts",     "cancel"};

    cr_assert_eq(CASES(names) + 1, COMMAND_TYPE_COUNT);
    for (int i = COMMAND_PAYMENT; i < COMMAND_TYPE_COUNT; i++) {
        cr_expect_str_eq(command_type_name((enum command_type)i), names[i - 1]);
    }
}

Test(command, payloads_differ_in_these_fields)
{
    size_t first = 0;

    for (size_t i = 0; i < CASES(rows); i++) {
        if (rows[i].command.type != rows[first].command.type) {
            cr_expect_eq(command_differs(&rows[first].command, &rows[i].command),
                         COMMAND_FIELD_TYPE, "row %zu", i);
            first = i;
        }
        cr_expect_eq(command_differs(&rows[first].command, &rows[i].command), rows[i].differs,
                     "row %zu", i);
        cr_expect_eq(command_differs(&rows[i].command, &rows[first].command), rows[i].differs,
                     "row %zu", i);
    }
}

Test(command, the_key_is_not_part_of_the_payload)
{
    for (size_t i = 0; i < CASES(rows); i++) {
        struct command other = rows[i].command;
        unsigned char a[COMMAND_CANONICAL_SIZE];
        unsigned char b[COMMAND_CANONICAL_SIZE];
        strcpy(other.payment.key, "k2");
        cr_expect_eq(command_differs(&rows[i].command, &other), 0, "row %zu", i);
        size_t len = command_canonical(&rows[i].command, a);
        cr_expect_eq(command_canonical(&other, b), len);
        cr_expect_arr_eq(a, b, len);
    }
}

Test(command, canonical_forms_differ_when_and_only_when_the_payloads_do)
{
    for (size_t i = 0; i < CASES(rows); i++) {
        for (size_t j = 0; j < CASES(rows); j++) {
            unsigned char a[COMMAND_CANONICAL_SIZE];
            unsigned char b[COMMAND_CANONICAL_SIZE];
            size_t a_len = command_canonical(&rows[i].command, a);
            size_t b_len = command_canonical(&rows[j].command, b);
            bool same = a_len == b_len && memcmp(a, b, a_len) == 0;
            cr_expect_eq(same, command_differs(&rows[i].command, &rows[j].command) == 0,
                         "rows %zu and %zu", i, j);
            cr_expect_eq(same, i == j, "rows %zu and %zu", i, j);
        }
    }
}

Test(command, the_longest_canonical_form_fits)
{
    struct command command;
    unsigned char bytes[COMMAND_CANONICAL_SIZE];
    struct payment *payment = &command.payment;

    command_init(&command, COMMAND_PAYMENT);
    memset(payment->src, 'x', PAYMENT_ACCOUNT_MAX);
    memset(payment->dest, 'x', PAYMENT_ACCOUNT_MAX);
    memset(payment->batch.id, 'x', PAYMENT_BATCH_ID_MAX);
    strcpy(payment->batch.digest, DIGEST);
    strcpy(payment->currency, "EUR");
    cr_expect_leq(command_canonical(&command, bytes), sizeof(bytes));
}

/* Computed by hand from the header's comment (Python, hashlib): what is stored must not change. */
Test(command, digests_never_change)
{
    static const struct {
        struct command command;
        const char *hex;
    } pinned[] = {
        {{.type = COMMAND_PAYMENT,
          .payment =
              {.key = "k1", .src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1234}},
         "975c5542687620a8ed815806d0b0e977"},
        {{.type = COMMAND_PAYMENT,
          .payment = {.src = "ann",
                      .dest = "bob",
                      .currency = "EUR",
                      .amount_minor = 1234,
                      .batch = {.id = "payroll-11", .digest = DIGEST, .rows = 1000}}},
         "b2f4cf8612c0214f56efb4ef761b079e"},
        {{.type = COMMAND_ACCOUNT_LIMIT,
          .payment = {.src = "ann", .currency = "EUR"},
          .has_min = true,
          .min_minor = -5000},
         "194aa88896d18052b89de07083b0ecc6"},
    };
    struct digest *digest;
    struct error err;

    cr_assert_eq(digest_open(&digest, &err), 0);
    for (size_t i = 0; i < CASES(pinned); i++) {
        unsigned char bytes[DIGEST_SHORT_SIZE];
        char hex[DIGEST_SHORT_HEX_SIZE];
        cr_assert_eq(command_digest(digest, &pinned[i].command, bytes, &err), 0);
        cr_expect_str_eq(digest_hex(hex, bytes, sizeof(bytes)), pinned[i].hex);
    }
    digest_close(digest);
}

Test(command, names_fields_in_the_order_of_their_bits)
{
    char names[COMMAND_FIELDS_SIZE];
    unsigned all = PAYMENT_SRC | PAYMENT_DEST | PAYMENT_AMOUNT | PAYMENT_CURRENCY | PAYMENT_BATCH |
                   COMMAND_FIELD_TYPE | COMMAND_FIELD_ACCOUNT | COMMAND_FIELD_MIN_BALANCE |
                   COMMAND_FIELD_MODE;

    cr_expect_str_eq(command_fields(names, 0), "");
    cr_expect_str_eq(command_fields(names, COMMAND_FIELD_TYPE), "type");
    cr_expect_str_eq(command_fields(names, COMMAND_FIELD_MODE | PAYMENT_CURRENCY), "currency,mode");
    cr_expect_str_eq(command_fields(names, all),
                     "src,dest,amount,currency,batch,type,account,min_balance,mode");
    for (unsigned bit = 1; bit <= COMMAND_FIELD_MODE; bit <<= 1) {
        cr_expect_eq(command_field_of(command_fields(names, bit)), bit);
    }
    cr_expect_eq(command_field_of(""), 0);
    cr_expect_eq(command_field_of("Src"), 0);
    cr_expect_eq(command_field_of("src,dest"), 0);
}
