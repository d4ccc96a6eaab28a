#include "common/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The codes by exponent, each followed by one space. */
static const char *const codes_by_exponent[] = {
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ",
    "",
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
    "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD "
    "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC "
    "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW "
    "ZWG ",
    "BHD IQD JOD KWD LYD OMR TND ",
    "CLF UYW ",
};

#define MAX_EXPONENT  4
#define MAX_DIGITS    16 /* of MONEY_MAX_MINOR */
#define SUM_LOW_WIDTH 16 /* decimal digits of MONEY_SUM_BASE - 1 */

bool money_is_currency_form(const char *code, size_t len)
{
    if (len != MONEY_CURRENCY_SIZE - 1) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (code[i] < 'A' || code[i] > 'Z') {
            return false;
        }
    }
    return true;
}

static int look_up(const char *code)
{
    if (!money_is_currency_form(code, strlen(code))) {
        return -1;
    }
    for (int exponent = 0; exponent <= MAX_EXPONENT; exponent++) {
        for (const char *at = codes_by_exponent[exponent]; *at; at += MONEY_CURRENCY_SIZE) {
            if (memcmp(at, code, MONEY_CURRENCY_SIZE - 1) == 0) {
                return exponent;
            }
        }
    }
    return -1;
}

int money_exponent(const char *code)
{
    /* Most amounts that come one after the other are of one currency. */
    static _Thread_local char last[MONEY_CURRENCY_SIZE];
    static _Thread_local int last_exponent = -1;

    if (last_exponent < 0 || strcmp(code, last) != 0) {
        int exponent = look_up(code);
        if (exponent < 0) {
            return -1;
        }
        memcpy(last, code, MONEY_CURRENCY_SIZE);
        last_exponent = exponent;
    }
    return last_exponent;
}

static size_t count_digits(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= '0' && text[n] <= '9') {
        n++;
    }
    return n;
}

/* The form: digits, then perhaps a point and digits. */
static const char *split_decimal(const char *text, size_t len, size_t *ret_whole, size_t *ret_frac)
{
    size_t whole = count_digits(text, len);

    if (whole == 0) {
        return "an amount is digits with an optional decimal point, such as 12.34";
    }
    if (whole > 1 && text[0] == '0') {
        return "an amount has no leading zeros";
    }
    if (whole == len) {
        *ret_whole = whole;
        *ret_frac = 0;
        return NULL;
    }
    size_t frac = count_digits(text + whole + 1, len - whole - 1);
    if (text[whole] != '.' || frac == 0 || whole + 1 + frac != len) {
        return "an amount is digits with an optional decimal point, such as 12.34";
    }
    *ret_whole = whole;
    *ret_frac = frac;
    return NULL;
}

/* As money_parse(), but zero is an amount too. */
static const char *parse_decimal(const char *text, size_t len, const char *currency,
                                 int64_t *ret_minor)
{
    int exponent = money_exponent(currency);
    size_t whole;
    size_t frac;

    if (exponent < 0) {
        return "unknown currency: use an ISO 4217 code such as EUR";
    }
    const char *problem = split_decimal(text, len, &whole, &frac);
    if (problem) {
        return problem;
    }
    if (frac > (size_t)exponent) {
        return exponent == 0 ? "this currency has no decimals"
                             : "the amount has more decimals than its currency";
    }
    if (whole + (size_t)exponent > MAX_DIGITS) {
        return "the amount is larger than 9999999999999999 minor units";
    }
    int64_t minor = 0;
    for (size_t i = 0; i < whole; i++) {
        minor = minor * 10 + (text[i] - '0');
    }
    for (size_t i = 0; i < (size_t)exponent; i++) {
        minor = minor * 10 + (i < frac ? text[whole + 1 + i] - '0' : 0);
    }
    *ret_minor = minor;
    return NULL;
}

const char *money_parse(const char *text, size_t len, const char *currency, int64_t *ret_minor)
{
    int64_t minor;
    const char *problem = parse_decimal(text, len, currency, &minor);

    if (problem) {
        return problem;
    }
    if (minor == 0) {
        return "the amount is zero";
    }
    *ret_minor = minor;
    return NULL;
}

const char *money_parse_signed(const char *text, size_t len, const char *currency,
                               int64_t *ret_minor)
{
    size_t sign = len > 0 && text[0] == '-' ? 1 : 0;
    int64_t minor;
    const char *problem = parse_decimal(text + sign, len - sign, currency, &minor);

    if (problem) {
        return problem;
    }
    *ret_minor = sign ? -minor : minor;
    return NULL;
}

/* digits is the absolute value as decimal digits; puts the sign and the point in. */
static char *place_point(char *buf, bool negative, const char *digits, const char *currency)
{
    int exponent = money_exponent(currency);
    size_t frac = exponent > 0 ? (size_t)exponent : 0;
    char padded[MONEY_TEXT_SIZE];
    size_t len = strlen(digits);
    size_t zeros = len > frac ? 0 : frac + 1 - len;

    memset(padded, '0', zeros);
    memcpy(padded + zeros, digits, len + 1);
    size_t whole = zeros + len - frac;
    snprintf(buf, MONEY_TEXT_SIZE, "%s%.*s%s%s", negative ? "-" : "", (int)whole, padded,
             frac > 0 ? "." : "", padded + whole);
    return buf;
}

char *money_format(char *buf, int64_t minor, const char *currency)
{
    char digits[24];
    uint64_t value = minor < 0 ? ~(uint64_t)minor + 1 : (uint64_t)minor;

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    return place_point(buf, minor < 0, digits, currency);
}

void money_sum_add(struct money_sum *sum, int64_t minor)
{
    sum->high += minor / MONEY_SUM_BASE;
    sum->low += minor % MONEY_SUM_BASE;
    if (sum->low >= MONEY_SUM_BASE || (sum->low > 0 && sum->high < 0)) {
        sum->low -= MONEY_SUM_BASE;
        sum->high += 1;
    } else if (sum->low <= -MONEY_SUM_BASE || (sum->low < 0 && sum->high > 0)) {
        sum->low += MONEY_SUM_BASE;
        sum->high -= 1;
    }
}

char *money_sum_format(char *buf, const struct money_sum *sum, const char *currency)
{
    char digits[MONEY_TEXT_SIZE];
    bool negative = sum->high < 0 || sum->low < 0;

    if (sum->high == 0) {
        snprintf(digits, sizeof(digits), "%lld", llabs(sum->low));
    } else {
        snprintf(digits, sizeof(digits), "%lld%0*lld", llabs(sum->high), SUM_LOW_WIDTH,
                 llabs(sum->low));
    }
    return place_point(buf, negative, digits, currency);
}
