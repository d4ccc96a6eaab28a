/* pay account and pay cancel: which command they order, and the line that orders it again. */
#include "producer/account.h"
#include "producer/again.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define ARGS_MAX  14
#define TEXT_SIZE 2048

static struct options options_of(const char *const args[ARGS_MAX])
{
    static const struct options_env no_env = {NULL, NULL, NULL};
    char *argv[ARGS_MAX + 2] = {(char *)"pay"};
    struct options options;
    struct error err = {0};
    int argc = 1;

    for (; argc <= ARGS_MAX && args[argc - 1]; argc++) {
        argv[argc] = (char *)args[argc - 1];
    }
    cr_assert_eq(options_parse(argc, argv, &no_env, &options, &err), 0, "%s", err.text);
    return options;
}

Test(account, each_verb_makes_its_command)
{
    static const struct {
        const char *args[ARGS_MAX];
        enum command_type type;
        const char *key; /* NULL: a new one */
        const char *account;
        const char *currency;
        bool has_min;
        int64_t min_minor;
        bool strict;
    } rows[] = {
        {{"account", "open", "ann"},
         COMMAND_ACCOUNT_OPEN,
         "account-open:ann",
         "ann",
         "EUR",
         false,
         0,
         false},
        {{"account", "open", "ann", "--currency", "JPY", "--min-balance", "-50"},
         COMMAND_ACCOUNT_OPEN,
         "account-open:ann",
         "ann",
         "JPY",
         true,
         -50,
         false},
        {{"account", "open", "ann", "--key", "k", "--min-balance", "0"},
         COMMAND_ACCOUNT_OPEN,
         "k",
         "ann",
         "EUR",
         true,
         0,
         false},
        {{"account", "limit", "ann", "--min-balance=-50.00"},
         COMMAND_ACCOUNT_LIMIT,
         NULL,
         "ann",
         "EUR",
         true,
         -5000,
         false},
        {{"account", "limit", "ann", "--min-balance", "none", "--key", "k"},
         COMMAND_ACCOUNT_LIMIT,
         "k",
         "ann",
         "EUR",
         false,
         0,
         false},
        {{"account", "close", "ann"}, COMMAND_ACCOUNT_CLOSE, NULL, "ann", "", false, 0, false},
        {{"account", "mode", "strict"}, COMMAND_ACCOUNTS, NULL, "", "", false, 0, true},
        {{"account", "mode", "open", "--key", "k"}, COMMAND_ACCOUNTS, "k", "", "", false, 0, false},
        {{"cancel", "invoice-7"}, COMMAND_CANCEL, "invoice-7", "", "", false, 0, false},
    };
    struct command command;
    struct error err = {0};
    bool is_new;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options options = options_of(rows[i].args);
        cr_assert_eq(account_command(&options, &command, &is_new, &err), 0, "row %zu: %s", i,
                     err.text);
        cr_expect_eq(command.type, rows[i].type, "row %zu", i);
        cr_expect_eq(is_new, !rows[i].key, "row %zu", i);
        if (rows[i].key) {
            cr_expect_str_eq(command.payment.key, rows[i].key, "row %zu", i);
        } else {
            cr_expect_eq(strlen(command.payment.key), 36, "row %zu: a UUID", i);
        }
        cr_expect_str_eq(command.payment.src, rows[i].account, "row %zu", i);
        cr_expect_str_eq(command.payment.currency, rows[i].currency, "row %zu", i);
        cr_expect_eq(command.has_min, rows[i].has_min, "row %zu", i);
        cr_expect_eq(command.min_minor, rows[i].min_minor, "row %zu", i);
        cr_expect_eq(command.strict, rows[i].strict, "row %zu", i);
    }
}

Test(account, refuses_bad_values)
{
    static const struct {
        const char *args[ARGS_MAX];
        const char *says;
    } rows[] = {
        {{"account", "open", ""}, "account is empty"},
        {{"account", "close", "a\nb"}, "account is not printable"},
        {{"account", "open", "ann", "--currency", "XXX"}, "ISO 4217"},
        {{"account", "open", "ann", "--currency", "eur"}, "ISO 4217"},
        {{"account", "open", "ann", "--min-balance", "x"}, "or none"},
        {{"account", "open", "ann", "--min-balance", "0.001"}, "more decimals"},
        {{"account", "open", "ann", "--min-balance", "-100000000000000"}, "larger than"},
        {{"account", "mode", "open", "--key", "a\nb"}, "key is not printable"},
        {{"cancel", ""}, "key is empty"},
    };
    struct command command;
    bool is_new;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options options = options_of(rows[i].args);
        struct error err = {0};
        cr_expect_eq(account_command(&options, &command, &is_new, &err), -1, "row %zu", i);
        cr_expect_eq(err.code, EX_DATAERR, "row %zu", i);
        cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
    }
}

Test(account, the_line_to_run_again_orders_the_same)
{
    static const struct {
        const char *args[ARGS_MAX];
        const char *line;
    } rows[] = {
        {{"account", "open", "--min-balance", "-50", "--wait=5", "--", "-ann"},
         "pay account open -t payments --wait=5 --currency EUR --min-balance -50.00 "
         "--key account-open:-ann -- -ann\n"},
        {{"account", "limit", "ann", "--min-balance", "none", "--key", "a key"},
         "pay account limit -t payments --wait=60 --currency EUR --min-balance none "
         "--key 'a key' -- ann\n"},
        {{"account", "close", "ann", "--key", "k", "--no-wait", "-b", "h:1"},
         "pay account close -b h:1 -t payments --no-wait --key k -- ann\n"},
        {{"account", "mode", "strict", "--key", "k", "--outcomes", "answers"},
         "pay account mode -t payments --outcomes answers --wait=60 --key k -- strict\n"},
        {{"cancel", "it's"}, "pay cancel -t payments --wait=60 -- 'it'\\''s'\n"},
        {{"cancel", "k", "-X", "sasl.password=x", "-X", "a=b c", "--json"},
         "pay cancel -t payments -X sasl.password=... -X 'a=b c' --json --wait=60 -- k\n"},
    };
    char text[TEXT_SIZE];
    struct command command;
    struct error err;
    bool is_new;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options options = options_of(rows[i].args);
        FILE *out = fmemopen(text, sizeof(text), "w");
        cr_assert_eq(account_command(&options, &command, &is_new, &err), 0);
        again_print(&options, &command, out);
        fclose(out);
        cr_expect_str_eq(text, rows[i].line, "row %zu", i);
    }
}

Test(account, a_payment_is_sent_again_as_it_was)
{
    static const char *const plain[ARGS_MAX] = {"send", "ann", "bob", "1", "--key", "k"};
    static const char *const waiting[ARGS_MAX] = {"send",      "ann",        "bob",    "1",
                                                  "--key",     "k",          "-F",     "my file",
                                                  "--wait=10", "--outcomes", "answers"};
    struct command command = {
        .type = COMMAND_PAYMENT,
        .payment = {
            .key = "k", .src = "ann", .dest = "bob", .amount_minor = 100, .currency = "EUR"}};
    struct options options = options_of(plain);
    char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    again_print(&options, &command, out);
    options = options_of(waiting);
    again_print(&options, &command, out);
    fclose(out);
    cr_expect_str_eq(text, "pay send -t payments --key k -- ann bob 1.00 EUR\n"
                           "pay send -t payments -F 'my file' --outcomes answers --wait=10 "
                           "--key k -- ann bob 1.00 EUR\n");
}
