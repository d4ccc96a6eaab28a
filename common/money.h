/*
 * Money: integers in minor units, never floating point.
 *
 * A minor unit is the smallest unit of a currency: a cent of EUR, a yen of JPY. How many decimal
 * places lie between the unit and the minor unit is the currency's exponent.
 *
 * Source of codes and exponents: ISO 4217 list one (SIX Group, as published for 2026). Codes
 * without an exponent there (gold, test codes, "no currency") are not money here.
 */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest amount of one payment: sixteen nines, in minor units. The smallest is 1. */
#define MONEY_MAX_MINOR INT64_C(9999999999999999)

/* Bytes of a currency code with its ending NUL. */
#define MONEY_CURRENCY_SIZE 4

/* Bytes that hold any formatted amount, balance or sum, with its ending NUL. */
#define MONEY_TEXT_SIZE 48

/* The currency of a payment that names none. */
#define MONEY_DEFAULT_CURRENCY "EUR"

/* True when the len bytes are three upper-case ASCII letters, whether or not ISO 4217 has them. */
bool money_is_currency_form(const char *code, size_t len);

/* The exponent (0 to 4) of an ISO 4217 code, or -1 when the code is unknown. */
int money_exponent(const char *code);

/*
 * Convert a decimal ("12.34", "12", "0.5") of a currency into minor units, exactly. Returns NULL
 * and sets *ret_minor (1 to MONEY_MAX_MINOR), or returns a static sentence that says what is wrong:
 * signs, blanks, leading zeros, grouping, exponents, more decimals than the currency has, zero, too
 * large, unknown currency. *ret_minor is then unchanged.
 */
const char *money_parse(const char *text, size_t len, const char *currency, int64_t *ret_minor);

/*
 * As money_parse(), for a balance: a '-' may stand before it, and it may be zero. Sets *ret_minor
 * to -MONEY_MAX_MINOR to MONEY_MAX_MINOR.
 */
const char *money_parse_signed(const char *text, size_t len, const char *currency,
                               int64_t *ret_minor);

/*
 * Write minor units as a decimal with all of the currency's decimals ("-0.05", "12.30"). An unknown
 * currency is written without decimals. Returns buf, which holds at least MONEY_TEXT_SIZE bytes.
 */
char *money_format(char *buf, int64_t minor, const char *currency);

/*
 * A sum of many amounts. One int64_t holds no more than 922 of the largest payments, so the sum is
 * kept in two parts: high * MONEY_SUM_BASE + low. Both parts have the same sign or are zero.
 * Starts as {0, 0}. Exact for the sum of 2^63 payments.
 */
struct money_sum {
    int64_t high;
    int64_t low; /* its absolute value is below MONEY_SUM_BASE */
};

#define MONEY_SUM_BASE INT64_C(10000000000000000)

/* Add any int64_t but INT64_MIN. */
void money_sum_add(struct money_sum *sum, int64_t minor);

/* As money_format(), for a sum. */
char *money_sum_format(char *buf, const struct money_sum *sum, const char *currency);

#endif
