/*
 * Money: decimals become minor units exactly or are refused with a reason, and come back as the
 * same decimals; sums hold far more than 64 bits.
 */
#include "common/money.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define UNTOUCHED INT64_C(-77)

static const char not_decimal[] = "an amount is digits with an optional decimal point, such as "
                                  "12.34";
static const char leading_zeros[] = "an amount has no leading zeros";
static const char no_decimals[] = "this currency has no decimals";
static const char more_decimals[] = "the amount has more decimals than its currency";
static const char too_large[] = "the amount is larger than 9999999999999999 minor units";
static const char zero[] = "the amount is zero";
static const char unknown[] = "unknown currency: use an ISO 4217 code such as EUR";

Test(money, converts_decimals_exactly)
{
    static const struct {
        const char *text;
        const char *currency;
        int64_t minor;
    } rows[] = {
        {"1", "JPY", 1},
        {"1234", "JPY", 1234},
        {"9999999999999999", "JPY", MONEY_MAX_MINOR},
        {"0.01", "EUR", 1},
        {"0.1", "EUR", 10},
        {"0.29", "EUR", 29}, /* 0.29 * 100 is 28.999... in floating point */
        {"1", "EUR", 100},
        {"12.3", "EUR", 1230},
        {"12.34", "EUR", 1234},
        {"1.10", "USD", 110},
        {"90071992547409.93", "EUR", INT64_C(9007199254740993)}, /* 2^53 + 1 */
        {"99999999999999.99", "EUR", MONEY_MAX_MINOR},
        {"0.001", "KWD", 1},
        {"1.5", "BHD", 1500},
        {"9999999999999.999", "TND", MONEY_MAX_MINOR},
        {"0.0001", "CLF", 1},
        {"1.2", "UYW", 12000},
        {"999999999999.9999", "CLF", MONEY_MAX_MINOR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t minor = UNTOUCHED;
        const char *problem =
            money_parse(rows[i].text, strlen(rows[i].text), rows[i].currency, &minor);
        cr_expect_null(problem, "%s %s: %s", rows[i].text, rows[i].currency, problem);
        cr_expect_eq(minor, rows[i].minor, "%s %s became %lld", rows[i].text, rows[i].currency,
                     (long long)minor);
    }
}

Test(money, a_balance_may_be_negative_or_zero)
{
    static const struct {
        const char *text;
        const char *currency;
        int64_t minor;
        const char *problem;
    } rows[] = {
        {"0", "EUR", 0, NULL},
        {"0.00", "EUR", 0, NULL},
        {"-0", "EUR", 0, NULL},
        {"-50.00", "EUR", -5000, NULL},
        {"-0.01", "EUR", -1, NULL},
        {"50", "EUR", 5000, NULL},
        {"-7", "JPY", -7, NULL},
        {"-99999999999999.99", "EUR", -MONEY_MAX_MINOR, NULL},
        {"99999999999999.99", "EUR", MONEY_MAX_MINOR, NULL},
        {"-100000000000000", "EUR", UNTOUCHED, too_large},
        {"100000000000000", "EUR", UNTOUCHED, too_large},
        {"", "EUR", UNTOUCHED, not_decimal},
        {"-", "EUR", UNTOUCHED, not_decimal},
        {"--5", "EUR", UNTOUCHED, not_decimal},
        {"+5", "EUR", UNTOUCHED, not_decimal},
        {"- 5", "EUR", UNTOUCHED, not_decimal},
        {"5-", "EUR", UNTOUCHED, not_decimal},
        {"-.5", "EUR", UNTOUCHED, not_decimal},
        {"-05", "EUR", UNTOUCHED, leading_zeros},
        {"-0.001", "EUR", UNTOUCHED, more_decimals},
        {"-1.0", "JPY", UNTOUCHED, no_decimals},
        {"-1", "XXX", UNTOUCHED, unknown},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t minor = UNTOUCHED;
        const char *problem =
            money_parse_signed(rows[i].text, strlen(rows[i].text), rows[i].currency, &minor);
        cr_expect_eq(minor, rows[i].minor, "%s became %lld", rows[i].text, (long long)minor);
        if (rows[i].problem) {
            cr_expect_str_eq(problem ? problem : "", rows[i].problem, "%s", rows[i].text);
        } else {
            cr_expect_null(problem, "%s: %s", rows[i].text, problem);
        }
    }
}

Test(money, refuses_with_the_reason_and_leaves_the_result_alone)
{
    static const struct {
        const char *text;
        const char *currency;
        const char *problem;
    } rows[] = {
        {"", "EUR", not_decimal},
        {".", "EUR", not_decimal},
        {".5", "EUR", not_decimal},
        {"5.", "EUR", not_decimal},
        {"+5", "EUR", not_decimal},
        {"-5", "EUR", not_decimal},
        {" 5", "EUR", not_decimal},
        {"5 ", "EUR", not_decimal},
        {"5\n", "EUR", not_decimal},
        {"1,000", "EUR", not_decimal},
        {"1,5", "EUR", not_decimal},
        {"1 000", "EUR", not_decimal},
        {"1.2.3", "EUR", not_decimal},
        {"1e3", "EUR", not_decimal},
        {"1.0e3", "EUR", not_decimal},
        {"0x10", "EUR", not_decimal},
        {"inf", "EUR", not_decimal},
        {"\xD9\xA1", "EUR", not_decimal}, /* an Arabic one */
        {"5.", "JPY", not_decimal},
        {"007", "EUR", leading_zeros},
        {"00.50", "EUR", leading_zeros},
        {"00", "EUR", leading_zeros},
        {"5.0", "JPY", no_decimals},
        {"0.5", "JPY", no_decimals},
        {"0.001", "EUR", more_decimals},
        {"1.000", "EUR", more_decimals},
        {"0.0001", "KWD", more_decimals},
        {"0.00001", "CLF", more_decimals},
        {"10000000000000000", "JPY", too_large},
        {"100000000000000", "EUR", too_large},
        {"100000000000000.00", "EUR", too_large},
        {"10000000000000", "KWD", too_large},
        {"1000000000000", "CLF", too_large},
        {"99999999999999999999999999999999999999", "EUR", too_large},
        {"0", "EUR", zero},
        {"0.0", "EUR", zero},
        {"0.00", "EUR", zero},
        {"0", "JPY", zero},
        {"1", "", unknown},
        {"1", "EU", unknown},
        {"1", "EURO", unknown},
        {"1", "eur", unknown},
        {"1", "ZZZ", unknown},
        {"1", "XAU", unknown}, /* gold: a code without an exponent */
        {"1", "XXX", unknown},
        {"x", "ZZZ", unknown},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t minor = UNTOUCHED;
        const char *problem =
            money_parse(rows[i].text, strlen(rows[i].text), rows[i].currency, &minor);
        cr_expect_not_null(problem, "\"%s\" %s was taken", rows[i].text, rows[i].currency);
        cr_expect_str_eq(problem ? problem : "", rows[i].problem, "\"%s\" %s: %s", rows[i].text,
                         rows[i].currency, problem);
        cr_expect_eq(minor, UNTOUCHED, "\"%s\" %s wrote a result", rows[i].text, rows[i].currency);
    }
}

Test(money, reads_no_byte_behind_the_length)
{
    int64_t minor = UNTOUCHED;

    cr_expect_null(money_parse("12.345", 5, "EUR", &minor));
    cr_expect_eq(minor, 1234);
    cr_expect_null(money_parse("7x", 1, "JPY", &minor));
    cr_expect_eq(minor, 7);
    cr_expect_str_eq(money_parse("1\0002", 3, "EUR", &minor), not_decimal);
}

Test(money, knows_exponents_by_code)
{
    static const struct {
        const char *code;
        int exponent;
    } rows[] = {
        {"BIF", 0},   {"JPY", 0},  {"XPF", 0},  {"AED", 2},  {"EUR", 2}, {"XCG", 2},
        {"ZWG", 2},   {"BHD", 3},  {"TND", 3},  {"CLF", 4},  {"UYW", 4}, {"XAU", -1},
        {"XTS", -1},  {"HRK", -1}, {"eur", -1}, {"", -1},    {"E", -1},  {"EU", -1},
        {"EURO", -1}, {"UR ", -1}, {" EU", -1}, {"R G", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(money_exponent(rows[i].code), rows[i].exponent, "\"%s\" has %d", rows[i].code,
                     money_exponent(rows[i].code));
    }
}

Test(money, finds_each_code_of_the_standard)
{
    static const int wanted[] = {17, 0, 139, 7, 2};
    int found[5] = {0};
    char code[] = "AAA";

    for (code[0] = 'A'; code[0] <= 'Z'; code[0]++) {
        for (code[1] = 'A'; code[1] <= 'Z'; code[1]++) {
            for (code[2] = 'A'; code[2] <= 'Z'; code[2]++) {
                int exponent = money_exponent(code);
                cr_assert_lt(exponent, 5, "%s", code);
                found[exponent < 0 ? 1 : exponent] += exponent >= 0;
            }
        }
    }
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(found[i], wanted[i], "%d codes with exponent %d", found[i], i);
    }
}

Test(money, tells_the_form_of_a_code_without_knowing_it)
{
    cr_expect(money_is_currency_form("ZZZ", 3));
    cr_expect(money_is_currency_form("EURO", 3));
    cr_expect_not(money_is_currency_form("EURO", 4));
    cr_expect_not(money_is_currency_form("EU", 2));
    cr_expect_not(money_is_currency_form("", 0));
    cr_expect_not(money_is_currency_form("eUR", 3));
    cr_expect_not(money_is_currency_form("EU1", 3));
    cr_expect_not(money_is_currency_form("E\0R", 3));
    cr_expect_not(money_is_currency_form("E@R", 3)); /* the byte before 'A' */
    cr_expect_not(money_is_currency_form("E[R", 3)); /* the byte after 'Z' */
}

Test(money, formats_with_all_decimals)
{
    static const struct {
        int64_t minor;
        const char *currency;
        const char *text;
    } rows[] = {
        {0, "EUR", "0.00"},
        {1, "EUR", "0.01"},
        {-5, "EUR", "-0.05"},
        {1230, "EUR", "12.30"},
        {-100, "EUR", "-1.00"},
        {MONEY_MAX_MINOR, "EUR", "99999999999999.99"},
        {INT64_MAX, "EUR", "92233720368547758.07"},
        {INT64_MIN, "EUR", "-92233720368547758.08"},
        {0, "JPY", "0"},
        {-7, "JPY", "-7"},
        {INT64_MIN, "JPY", "-9223372036854775808"},
        {1, "KWD", "0.001"},
        {-1500, "KWD", "-1.500"},
        {9999, "CLF", "0.9999"},
        {10000, "CLF", "1.0000"},
        {INT64_MIN, "CLF", "-922337203685477.5808"},
        {1234, "ZZZ", "1234"},
    };
    char text[MONEY_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(money_format(text, rows[i].minor, rows[i].currency), text);
        cr_expect_str_eq(text, rows[i].text);
    }
}

Test(money, what_was_formatted_is_read_back_as_the_same_amount)
{
    static const char *const currencies[] = {"JPY", "EUR", "KWD", "CLF"};
    char text[MONEY_TEXT_SIZE];

    for (size_t c = 0; c < sizeof(currencies) / sizeof(currencies[0]); c++) {
        for (int64_t power = 1; power <= MONEY_MAX_MINOR; power *= 10) {
            for (int64_t minor = power > 1 ? power - 1 : 1; minor <= power + 1; minor++) {
                int64_t back = 0;
                money_format(text, minor, currencies[c]);
                cr_assert_null(money_parse(text, strlen(text), currencies[c], &back), "%s %s", text,
                               currencies[c]);
                cr_assert_eq(back, minor, "%s %s", text, currencies[c]);
            }
        }
    }
}

Test(money, sums_carry_in_both_directions)
{
    static const struct {
        int64_t addends[5]; /* ends at the first 0 */
        const char *sum;    /* in JPY */
    } rows[] = {
        {{0}, "0"},
        {{5, -5, 0}, "0"},
        {{3, -8, 0}, "-5"},
        {{MONEY_MAX_MINOR, 1, 0}, "10000000000000000"},
        {{MONEY_MAX_MINOR, 1, -1, 0}, "9999999999999999"},
        {{-MONEY_MAX_MINOR, -1, 0}, "-10000000000000000"},
        {{-MONEY_MAX_MINOR, -1, 1, 0}, "-9999999999999999"},
        {{MONEY_SUM_BASE, 5, 0}, "10000000000000005"},
        {{MONEY_SUM_BASE, 5, -6, 0}, "9999999999999999"},
        {{-MONEY_SUM_BASE, -5, 6, 0}, "-9999999999999999"},
        {{MONEY_SUM_BASE, -MONEY_SUM_BASE, -1, 0}, "-1"},
        {{-MONEY_SUM_BASE, MONEY_SUM_BASE + 1, 0}, "1"},
        {{5, -MONEY_SUM_BASE - 10, 0}, "-10000000000000005"},
        {{-5, MONEY_SUM_BASE + 3, 0}, "9999999999999998"},
        {{INT64_MAX, INT64_MAX, 0}, "18446744073709551614"},
        {{-INT64_MAX, -INT64_MAX, 0}, "-18446744073709551614"},
        {{INT64_MAX, INT64_MAX, -INT64_MAX, -INT64_MAX, 0}, "0"},
    };
    char text[MONEY_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct money_sum sum = {0, 0};
        for (size_t j = 0; j < 5 && rows[i].addends[j] != 0; j++) {
            money_sum_add(&sum, rows[i].addends[j]);
        }
        cr_expect_str_eq(money_sum_format(text, &sum, "JPY"), rows[i].sum, "row %zu: %s", i, text);
    }
}

Test(money, a_million_of_the_largest_payments_sum_up_exactly)
{
    struct money_sum sum = {0, 0};
    char text[MONEY_TEXT_SIZE];

    for (int i = 0; i < 1000000; i++) {
        money_sum_add(&sum, MONEY_MAX_MINOR);
    }
    cr_expect_str_eq(money_sum_format(text, &sum, "EUR"), "99999999999999990000.00");
    cr_expect_str_eq(money_sum_format(text, &sum, "JPY"), "9999999999999999000000");
    for (int i = 0; i < 2000000; i++) {
        money_sum_add(&sum, -MONEY_MAX_MINOR);
    }
    cr_expect_str_eq(money_sum_format(text, &sum, "CLF"), "-999999999999999900.0000");
    for (int i = 0; i < 1000000; i++) {
        money_sum_add(&sum, MONEY_MAX_MINOR);
    }
    cr_expect_eq(sum.high, 0);
    cr_expect_eq(sum.low, 0);
}

Test(money, formats_the_largest_sum_that_is_promised)
{
    struct money_sum sum = {INT64_MAX, MONEY_SUM_BASE - 1};
    char text[MONEY_TEXT_SIZE];

    cr_expect_str_eq(money_sum_format(text, &sum, "EUR"), "922337203685477580799999999999999.99");
    sum = (struct money_sum){-INT64_MAX, -(MONEY_SUM_BASE - 1)};
    cr_expect_str_eq(money_sum_format(text, &sum, "KWD"), "-92233720368547758079999999999999.999");
    sum = (struct money_sum){1, 7};
    cr_expect_str_eq(money_sum_format(text, &sum, "EUR"), "100000000000000.07");
    sum = (struct money_sum){0, -5};
    cr_expect_str_eq(money_sum_format(text, &sum, "EUR"), "-0.05");
}
