/*
 * The payloads of account commands and of cancel: written, read back, and refused row by row.
 */
#include "common/command_json.h"

#include <criterion/criterion.h>
#include <string.h>

#define CASES(rows) (sizeof(rows) / sizeof((rows)[0]))

static char detail[UNREADABLE_DETAIL_SIZE];

static enum unreadable decode(const char *json, struct command *ret)
{
    enum unreadable reason = READABLE;

    cr_assert_eq(command_json_decode("k1", 2, json, strlen(json), ret, &reason, detail), 0);
    return reason;
}

/* Each text of the header's comment, and the command that it means. */
static const struct {
    struct command command;
    const char *json;
} documented[] = {
    {{.type = COMMAND_ACCOUNT_OPEN,
      .payment = {.key = "k1", .src = "ann", .currency = "EUR"},
      .has_min = true,
      .min_minor = 0},
     "{\"v\":1,\"type\":\"account_open\",\"account\":\"ann\",\"currency\":\"EUR\","
     "\"min_balance\":\"0\"}"},
    {{.type = COMMAND_ACCOUNT_OPEN, .payment = {.key = "k1", .src = "ann", .currency = "JPY"}},
     "{\"v\":1,\"type\":\"account_open\",\"account\":\"ann\",\"currency\":\"JPY\","
     "\"min_balance\":null}"},
    {{.type = COMMAND_ACCOUNT_LIMIT,
      .payment = {.key = "k1", .src = "ann", .currency = "EUR"},
      .has_min = true,
      .min_minor = -5000},
     "{\"v\":1,\"type\":\"account_limit\",\"account\":\"ann\",\"currency\":\"EUR\","
     "\"min_balance\":\"-5000\"}"},
    {{.type = COMMAND_ACCOUNT_LIMIT,
      .payment = {.key = "k1", .src = "ann", .currency = "EUR"},
      .has_min = true,
      .min_minor = MONEY_MAX_MINOR},
     "{\"v\":1,\"type\":\"account_limit\",\"account\":\"ann\",\"currency\":\"EUR\","
     "\"min_balance\":\"9999999999999999\"}"},
    {{.type = COMMAND_ACCOUNT_LIMIT,
      .payment = {.key = "k1", .src = "ann", .currency = "EUR"},
      .has_min = true,
      .min_minor = -MONEY_MAX_MINOR},
     "{\"v\":1,\"type\":\"account_limit\",\"account\":\"ann\",\"currency\":\"EUR\","
     "\"min_balance\":\"-9999999999999999\"}"},
    {{.type = COMMAND_ACCOUNT_CLOSE, .payment = {.key = "k1", .src = "J\xC3\xB6rg \"x\""}},
     "{\"v\":1,\"type\":\"account_close\",\"account\":\"J\xC3\xB6rg \\\"x\\\"\"}"},
    {{.type = COMMAND_ACCOUNTS, .payment = {.key = "k1"}, .strict = true},
     "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}"},
    {{.type = COMMAND_ACCOUNTS, .payment = {.key = "k1"}, .strict = false},
     "{\"v\":1,\"type\":\"accounts\",\"mode\":\"open\"}"},
    {{.type = COMMAND_CANCEL, .payment = {.key = "k1"}}, "{\"v\":1,\"type\":\"cancel\"}"},
};

Test(command_json_accounts, the_documented_text_is_written_and_read_back)
{
    for (size_t i = 0; i < CASES(documented); i++) {
        struct command back;
        char json[COMMAND_JSON_SIZE];
        cr_expect_eq(command_json_encode(&documented[i].command, json), strlen(documented[i].json));
        cr_expect_str_eq(json, documented[i].json);
        memset(&back, 0x5A, sizeof(back));
        cr_assert_eq(decode(json, &back), READABLE, "%s: %s", json, detail);
        cr_expect_eq(command_differs(&documented[i].command, &back), 0, "%s", json);
        cr_expect_eq(back.type, documented[i].command.type);
        cr_expect_str_eq(back.payment.key, "k1");
        cr_expect_str_eq(back.payment.dest, "", "%s: what the type does not have is empty", json);
        cr_expect_eq(back.payment.amount_minor, 0, "%s", json);
        cr_expect_eq(back.payment.batch.rows, 0, "%s", json);
    }
}

#define ACCOUNT(type, rest) "{\"v\":1,\"type\":\"" type "\",\"account\":\"ann\"" rest "}"
#define OPEN(rest)          ACCOUNT("account_open", rest)
#define LIMIT(rest)         ACCOUNT("account_limit", rest)

Test(command_json_accounts, reads_what_other_writers_may_write)
{
    static const struct {
        const char *json;
        enum command_type type;
        bool has_min;
        int64_t min_minor;
        const char *account;
        const char *currency;
    } rows[] = {
        {OPEN(""), COMMAND_ACCOUNT_OPEN, false, 0, "ann", "EUR"},
        {OPEN(",\"min_balance\":null"), COMMAND_ACCOUNT_OPEN, false, 0, "ann", "EUR"},
        {OPEN(",\"min_balance\":\"7\",\"currency\":\"USD\""), COMMAND_ACCOUNT_OPEN, true, 7, "ann",
         "USD"},
        {LIMIT(""), COMMAND_ACCOUNT_LIMIT, false, 0, "ann", "EUR"},
        {LIMIT(",\"min_balance\":\"-1\""), COMMAND_ACCOUNT_LIMIT, true, -1, "ann", "EUR"},
        /* fields of other types are unknown extra fields */
        {ACCOUNT("account_close", ",\"currency\":7,\"min_balance\":\"x\""), COMMAND_ACCOUNT_CLOSE,
         false, 0, "ann", ""},
        {"{\"v\":1,\"type\":\"cancel\",\"src\":\"ann\",\"amount\":1.5}", COMMAND_CANCEL, false, 0,
         "", ""},
        {"{\"v\":1,\"type\":\"accounts\",\"mode\":\"open\",\"account\":5}", COMMAND_ACCOUNTS, false,
         0, "", ""},
    };

    for (size_t i = 0; i < CASES(rows); i++) {
        struct command command;
        memset(&command, 0x5A, sizeof(command));
        cr_assert_eq(decode(rows[i].json, &command), READABLE, "%s: %s", rows[i].json, detail);
        cr_expect_eq(command.type, rows[i].type);
        cr_expect_eq(command.has_min, rows[i].has_min, "%s", rows[i].json);
        cr_expect_eq(command.min_minor, rows[i].min_minor, "%s", rows[i].json);
        cr_expect_str_eq(command.payment.src, rows[i].account);
        cr_expect_str_eq(command.payment.currency, rows[i].currency);
    }
}

#define MIN(json) OPEN(",\"min_balance\":" json)

Test(command_json_accounts, refuses_row_by_row)
{
    static const char balance[] = "field \"min_balance\": not up to 16 digits";
    static const struct {
        const char *json;
        const char *detail; /* a part of it */
    } rows[] = {
        {"{\"v\":1,\"type\":\"account_open\"}", "field \"account\" is missing"},
        {"{\"v\":1,\"type\":\"account_limit\",\"src\":\"ann\"}", "field \"account\" is missing"},
        {"{\"v\":1,\"type\":\"account_close\"}", "field \"account\" is missing"},
        {"{\"v\":1,\"type\":\"account_close\",\"account\":7}", "\"account\" is not a string"},
        {"{\"v\":1,\"type\":\"account_close\",\"account\":\"\"}", "the account is empty"},
        {"{\"v\":1,\"type\":\"account_close\",\"account\":\" a\"}", "a space at its beginning"},
        {"{\"v\":1,\"type\":\"account_close\",\"account\":\"a\\tb\"}", "is not printable"},
        {OPEN(",\"currency\":\"eur\""), "not three upper-case letters"},
        {LIMIT(",\"currency\":null"), "field \"currency\" is not a string"},
        {MIN("0"), "field \"min_balance\" is not a string"},
        {MIN("-5000"), "field \"min_balance\" is not a string"},
        {MIN("false"), "field \"min_balance\" is not a string"},
        {MIN("\"\""), balance},
        {MIN("\"-\""), balance},
        {MIN("\"-0\""), balance},
        {MIN("\"00\""), balance},
        {MIN("\"-01\""), balance},
        {MIN("\"+1\""), balance},
        {MIN("\"--1\""), balance},
        {MIN("\"1-\""), balance},
        {MIN("\"1.00\""), balance},
        {MIN("\"1e3\""), balance},
        {MIN("\" 1\""), balance},
        {MIN("\"10000000000000000\""), balance},
        {MIN("\"-10000000000000000\""), balance},
        {MIN("\"999999999999999999\""), balance},
        {"{\"v\":1,\"type\":\"accounts\"}", "field \"mode\" is missing"},
        {"{\"v\":1,\"type\":\"accounts\",\"mode\":true}", "field \"mode\" is not a string"},
        {"{\"v\":1,\"type\":\"accounts\",\"mode\":\"\"}", "neither strict nor open"},
        {"{\"v\":1,\"type\":\"accounts\",\"mode\":\"Strict\"}", "neither strict nor open"},
        {"{\"v\":1,\"type\":\"accounts\",\"mode\":\"strictly speaking\"}", "neither strict nor"},
    };

    for (size_t i = 0; i < CASES(rows); i++) {
        struct command command;
        cr_expect_eq(decode(rows[i].json, &command), UNREADABLE_FIELD, "%s", rows[i].json);
        cr_expect(strstr(detail, rows[i].detail), "%s: %s", rows[i].json, detail);
    }
}

Test(command_json_accounts, no_shortened_payload_is_read)
{
    for (size_t i = 0; i < CASES(documented); i++) {
        for (size_t cut = 1; cut < strlen(documented[i].json); cut++) {
            struct command command;
            enum unreadable reason = READABLE;
            cr_assert_eq(
                command_json_decode("k1", 2, documented[i].json, cut, &command, &reason, detail),
                0);
            cr_expect_neq(reason, READABLE, "%.*s", (int)cut, documented[i].json);
        }
    }
}
