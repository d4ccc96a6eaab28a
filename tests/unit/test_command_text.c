/*
 * Commands in words.
 */
#include "common/command_text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(command_text, every_type_reads_as_what_it_orders)
{
    static const struct {
        struct command command;
        const char *text;
    } rows[] = {
        {{.type = COMMAND_PAYMENT,
          .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1234}},
         "ann -> bob 12.34 EUR"},
        {{.type = COMMAND_PAYMENT,
          .payment = {.src = "a\x1B",
                      .dest = "b\"",
                      .currency = "JPY",
                      .amount_minor = 7,
                      .batch = {.id = "payroll-11"}}},
         "a\\x1B -> b\\\" 7 JPY, batch payroll-11"},
        {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}},
         "open account ann in EUR, lowest balance none"},
        {{.type = COMMAND_ACCOUNT_LIMIT,
          .payment = {.src = "ann", .currency = "EUR"},
          .has_min = true,
          .min_minor = -5000},
         "limit account ann in EUR, lowest balance -50.00"},
        {{.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "ann"}}, "close account ann"},
        {{.type = COMMAND_ACCOUNTS, .strict = true}, "accounts strict"},
        {{.type = COMMAND_ACCOUNTS, .strict = false}, "accounts open"},
        {{.type = COMMAND_CANCEL}, "cancel"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[COMMAND_TEXT_SIZE];
        cr_expect_str_eq(command_text(text, &rows[i].command), rows[i].text);
    }
}

Test(command_text, the_longest_names_fit)
{
    struct command command = {.type = COMMAND_PAYMENT,
                              .payment = {.currency = "EUR", .amount_minor = MONEY_MAX_MINOR}};
    char text[COMMAND_TEXT_SIZE];

    memset(command.payment.src, '"', PAYMENT_ACCOUNT_MAX);
    memset(command.payment.dest, '"', PAYMENT_ACCOUNT_MAX);
    memset(command.payment.batch.id, '"', PAYMENT_BATCH_ID_MAX);
    command_text(text, &command);
    cr_expect_eq(strlen(text), 2 * (2 * PAYMENT_ACCOUNT_MAX + PAYMENT_BATCH_ID_MAX) +
                                   strlen(" ->  99999999999999.99 EUR, batch "));
}
