/*
 * What cannot be read as a payment, and for which reason: the names stay in the quarantine for
 * good.
 */
#include "common/command_json.h"
#include "common/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define DIGEST       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD         "\"v\":1,\"type\":\"payment\","
#define PEOPLE       "\"src\":\"ann\",\"dest\":\"bob\""
#define FIELDS       HEAD PEOPLE ",\"amount\":\"1234\""
#define GOOD         "{" FIELDS "}"
#define AMOUNT(json) "{" HEAD PEOPLE ",\"amount\":" json "}"
#define SRC(json)    "{" HEAD "\"src\":" json ",\"dest\":\"bob\",\"amount\":\"1\"}"
#define EXTRA(json)  "{" FIELDS "," json "}"
#define BATCH(json)  "{" FIELDS ",\"batch\":" json "}"

/* The bytes of a literal with their length, so that a NUL may be among them. */
#define BYTES(literal) literal, sizeof(literal) - 1

struct row {
    const char *bytes;
    size_t len;
    enum unreadable reason;
    const char *detail; /* a part of it */
};

static char detail[UNREADABLE_DETAIL_SIZE];

/* Most rows are about payments. */
static int decode_payment(const char *key, size_t key_len, const char *value, size_t value_len,
                          struct payment *ret, enum unreadable *ret_reason, char *ret_detail)
{
    struct command command = {.type = COMMAND_TYPE_COUNT};
    int result =
        command_json_decode(key, key_len, value, value_len, &command, ret_reason, ret_detail);

    *ret = command.payment;
    cr_expect(*ret_reason != READABLE || command.type == COMMAND_PAYMENT);
    return result;
}

static enum unreadable decode(const char *value, size_t len)
{
    struct payment payment;
    enum unreadable reason = READABLE;

    cr_assert_eq(decode_payment("k1", 2, value, len, &payment, &reason, detail), 0);
    return reason;
}

static void expect_unreadable(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum unreadable reason = decode(rows[i].bytes, rows[i].len);
        cr_expect_str_eq(unreadable_name(reason), unreadable_name(rows[i].reason), "%s: %s: %s",
                         rows[i].bytes, unreadable_name(reason), detail);
        cr_expect(strstr(detail, rows[i].detail) != NULL, "%s: %s", rows[i].bytes, detail);
        cr_expect(text_is_printable(detail, strlen(detail)), "%s: %s", rows[i].bytes, detail);
    }
}

Test(command_json_bad, the_base_of_all_rows_is_readable)
{
    cr_expect_eq(decode(BYTES(GOOD)), READABLE, "%s", detail);
    cr_expect_eq(decode(BYTES(AMOUNT("\"1\""))), READABLE, "%s", detail);
    cr_expect_eq(decode(BYTES(SRC("\"ann\""))), READABLE, "%s", detail);
    cr_expect_eq(decode(BYTES(EXTRA("\"x\":0"))), READABLE, "%s", detail);
    cr_expect_eq(decode(BYTES(BATCH("{\"id\":\"b\",\"rows\":1,\"digest\":\"" DIGEST "\"}"))),
                 READABLE, "%s", detail);
}

Test(command_json_bad, keys)
{
    static const char long_key[PAYMENT_KEY_MAX + 2] = {0};
    char full[PAYMENT_KEY_MAX + 1];
    struct {
        const char *key;
        size_t len;
        const char *detail;
    } rows[] = {
        {NULL, 0, "the message has no key"},
        {BYTES(""), "the key is empty"},
        {full, sizeof(full), "the key is longer than 255 bytes"},
        {long_key, 3, "the key is not printable UTF-8"},
        {BYTES("a\0b"), "the key is not printable UTF-8"},
        {BYTES("a\nb"), "the key is not printable UTF-8"},
        {BYTES("\xFF"), "the key is not printable UTF-8"},
        {BYTES("a\xC3"), "the key is not printable UTF-8"},
    };

    memset(full, 'k', sizeof(full));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payment payment;
        enum unreadable reason = READABLE;
        cr_assert_eq(
            decode_payment(rows[i].key, rows[i].len, BYTES(GOOD), &payment, &reason, detail), 0);
        cr_expect_eq(reason, UNREADABLE_KEY, "row %zu", i);
        cr_expect_str_eq(detail, rows[i].detail);
    }
    struct payment payment;
    enum unreadable reason = UNREADABLE_KEY;
    cr_assert_eq(decode_payment(full, 255, BYTES(GOOD), &payment, &reason, detail), 0);
    cr_expect_eq(reason, READABLE);
    cr_expect_eq(strlen(payment.key), 255);
}

Test(command_json_bad, empty_values)
{
    cr_expect_eq(decode(NULL, 0), UNREADABLE_EMPTY);
    cr_expect_str_eq(detail, "the message has no value");
    cr_expect_eq(decode("", 0), UNREADABLE_EMPTY);
    cr_expect_eq(decode(GOOD, 0), UNREADABLE_EMPTY);
}

Test(command_json_bad, not_one_json_object)
{
    static const struct row rows[] = {
        {BYTES(" "), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("hello"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("null"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("12"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("\"text\""), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("[]"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("[" GOOD "]"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("{"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("}"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("{" FIELDS ",}"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("{" FIELDS ",,\"x\":1}"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("x:1")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("'x':1")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("1:1")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("\"x\":NaN")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("\"x\":True")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("\"x\":/* why */1")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("\"x\":[1,]")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(EXTRA("\"x\":[1}")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("\xEF\xBB\xBF" GOOD), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(GOOD "x"), UNREADABLE_JSON, "something stands behind"},
        {BYTES(GOOD GOOD), UNREADABLE_JSON, "something stands behind"},
        {BYTES(GOOD " \n}"), UNREADABLE_JSON, "something stands behind"},
        {BYTES(GOOD ","), UNREADABLE_JSON, "something stands behind"},
        {BYTES(GOOD "\0"), UNREADABLE_JSON, "a control character at byte"},
        {BYTES(GOOD "\v"), UNREADABLE_JSON, "a control character at byte"},
        {BYTES("\0" GOOD), UNREADABLE_JSON, "a control character at byte 0"},
        {BYTES("\f" GOOD), UNREADABLE_JSON, "a control character at byte 0"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(command_json_bad, strings)
{
    static const struct row rows[] = {
        {BYTES(SRC("\"a\0n\"")), UNREADABLE_JSON, "a control character inside a string"},
        {BYTES(SRC("\"a\nn\"")), UNREADABLE_JSON, "a control character inside a string"},
        {BYTES(SRC("\"a\x1Fn\"")), UNREADABLE_JSON, "a control character inside a string"},
        {BYTES(SRC("\"ann\\u0000\"")), UNREADABLE_JSON, "a NUL inside a string"},
        {BYTES(SRC("\"\\\\\\u0000\"")), UNREADABLE_JSON, "a NUL inside a string"},
        {BYTES(EXTRA("\"x\\u0000y\":1")), UNREADABLE_JSON, "a NUL inside a string"},
        {BYTES(EXTRA("\"x\":\"\\u0000\"")), UNREADABLE_JSON, "a NUL inside a string"},
        {BYTES(SRC("\"\\q\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"\\U0041\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"\\u00\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"ann\\u00zz\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"ann\\uGGGGx\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"ann\\u 041\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"ann\\u+041\"")), UNREADABLE_JSON, ""},
        {BYTES(EXTRA("\"x\\u000g\":1")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"\\ud83d\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"\\ude00\"")), UNREADABLE_JSON, ""},
        {BYTES(SRC("\"\\ud83d\\u0041\"")), UNREADABLE_JSON, ""},
        {BYTES("{" FIELDS ",\"x\":\"y}"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("{" FIELDS ",\"x\":\"y\\\"}"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES("{" FIELDS ",\"x\":\"y\\"), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(SRC("\"\xFF\"")), UNREADABLE_UTF8, "not UTF-8"},
        {BYTES(SRC("\"\xC0\x80\"")), UNREADABLE_UTF8, "not UTF-8"},
        {BYTES(SRC("\"\xED\xA0\x80\"")), UNREADABLE_UTF8, "not UTF-8"},
        {BYTES(EXTRA("\"x\":\"\xC3\"")), UNREADABLE_UTF8, "not UTF-8"},
        {BYTES(GOOD "\x80"), UNREADABLE_UTF8, "not UTF-8"},
        {BYTES("\xFE\xFF"), UNREADABLE_UTF8, "not UTF-8"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(command_json_bad, amounts)
{
    static const struct row rows[] = {
        {BYTES("{" HEAD PEOPLE "}"), UNREADABLE_FIELD, "field \"amount\" is missing"},
        {BYTES(AMOUNT("1234")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("1e3")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("1.5")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("-1")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("9007199254740993")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("99999999999999999999")), UNREADABLE_FIELD, "is not a string"},
        {BYTES(AMOUNT("1e999")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("null")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("[\"1\"]")), UNREADABLE_FIELD, "field \"amount\" is not a string"},
        {BYTES(AMOUNT("007")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("-")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("-01")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("1.")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("1e")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("1e+")), UNREADABLE_JSON, "not of JSON's form"},
        {BYTES(AMOUNT("+1")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(AMOUNT(".5")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(AMOUNT("0x10")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(AMOUNT("1-2")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(AMOUNT("1 2")), UNREADABLE_JSON, "not a JSON object"},
        {BYTES(AMOUNT("\"\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"1e3\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"1.5\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"12.34\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"-1\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"+1\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"007\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"00\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\" 1\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"1 \"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"0x10\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"\xD9\xA1\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"1000000000000000000\"")), UNREADABLE_FIELD, "1 to 18 digits"},
        {BYTES(AMOUNT("\"99999999999999999999999999\"")), UNREADABLE_FIELD, "1 to 18 digits"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(command_json_bad, other_fields)
{
    static const struct row rows[] = {
        {BYTES("{}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"type\":\"payment\"}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":2}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":0}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":1.5}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":\"1\"}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":true}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"V\":1}"), UNREADABLE_VERSION, "field \"v\" is not 1"},
        {BYTES("{\"v\":1}"), UNREADABLE_TYPE, "field \"type\" is not the name of a command"},
        {BYTES("{\"v\":1,\"type\":\"refund\"}"), UNREADABLE_TYPE, "is not the name of a command"},
        {BYTES("{\"v\":1,\"type\":\"Payment\"}"), UNREADABLE_TYPE, "is not the name of a command"},
        {BYTES("{\"v\":1,\"type\":1}"), UNREADABLE_TYPE, "is not the name of a command"},
        {BYTES("{\"v\":1,\"type\":null}"), UNREADABLE_TYPE, "is not the name of a command"},
        {BYTES("{" HEAD "\"dest\":\"b\",\"amount\":\"1\"}"), UNREADABLE_FIELD,
         "field \"src\" is missing"},
        {BYTES("{" HEAD "\"src\":\"a\",\"amount\":\"1\"}"), UNREADABLE_FIELD,
         "field \"dest\" is missing"},
        {BYTES(SRC("null")), UNREADABLE_FIELD, "field \"src\" is not a string"},
        {BYTES(SRC("5")), UNREADABLE_FIELD, "field \"src\" is not a string"},
        {BYTES(SRC("{}")), UNREADABLE_FIELD, "field \"src\" is not a string"},
        {BYTES(SRC("\"\"")), UNREADABLE_FIELD, "field \"src\": the account is empty"},
        {BYTES(SRC("\" a\"")), UNREADABLE_FIELD, "a space at its beginning or end"},
        {BYTES(SRC("\"a\\n\"")), UNREADABLE_FIELD, "the account is not printable"},
        {BYTES(SRC("\"a\\u2028\"")), UNREADABLE_FIELD, "the account is not printable"},
        {BYTES(SRC("\"a\\u0085\"")), UNREADABLE_FIELD, "the account is not printable"},
        {BYTES(SRC("\"" DIGEST DIGEST "x\"")), UNREADABLE_FIELD, "longer than 128 bytes"},
        {BYTES(EXTRA("\"currency\":\"eur\"")), UNREADABLE_FIELD, "not three upper-case letters"},
        {BYTES(EXTRA("\"currency\":\"\"")), UNREADABLE_FIELD, "not three upper-case letters"},
        {BYTES(EXTRA("\"currency\":\"EURO\"")), UNREADABLE_FIELD, "not three upper-case letters"},
        {BYTES(EXTRA("\"currency\":978")), UNREADABLE_FIELD, "\"currency\" is not a string"},
        {BYTES(EXTRA("\"currency\":null")), UNREADABLE_FIELD, "\"currency\" is not a string"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

#define ROWS(json)    BATCH("{\"id\":\"b\",\"digest\":\"" DIGEST "\",\"rows\":" json "}")
#define ID(json)      BATCH("{\"id\":" json ",\"digest\":\"" DIGEST "\",\"rows\":1}")
#define DIGESTS(json) BATCH("{\"id\":\"b\",\"digest\":" json ",\"rows\":1}")

Test(command_json_bad, batches)
{
    static const struct row rows[] = {
        {BYTES(BATCH("null")), UNREADABLE_FIELD, "field \"batch\" is not an object"},
        {BYTES(BATCH("\"b\"")), UNREADABLE_FIELD, "field \"batch\" is not an object"},
        {BYTES(BATCH("[]")), UNREADABLE_FIELD, "field \"batch\" is not an object"},
        {BYTES(BATCH("{}")), UNREADABLE_FIELD, "field \"rows\""},
        {BYTES(BATCH("{\"id\":\"b\",\"digest\":\"" DIGEST "\"}")), UNREADABLE_FIELD, "\"rows\""},
        {BYTES(ROWS("0")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("-1")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("1.5")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("1e-3")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("10000000000")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("1e300")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("1e999")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("\"1\"")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ROWS("null")), UNREADABLE_FIELD, "field \"rows\" is not a whole number"},
        {BYTES(ID("\"\"")), UNREADABLE_FIELD, "field \"id\": the batch id is empty"},
        {BYTES(ID("7")), UNREADABLE_FIELD, "field \"id\" is not a string"},
        {BYTES(ID("\"a\\tb\"")), UNREADABLE_FIELD, "the batch id is not printable"},
        {BYTES(ID("\"" DIGEST DIGEST DIGEST DIGEST "\"")), UNREADABLE_FIELD, "244 bytes"},
        {BYTES(BATCH("{\"rows\":1,\"digest\":\"" DIGEST "\"}")), UNREADABLE_FIELD,
         "field \"id\" is missing"},
        {BYTES(BATCH("{\"rows\":1,\"id\":\"b\"}")), UNREADABLE_FIELD,
         "field \"digest\" is missing"},
        {BYTES(DIGESTS("\"\"")), UNREADABLE_FIELD, "64 lower-case hex digits"},
        {BYTES(DIGESTS("\"" DIGEST "0\"")), UNREADABLE_FIELD, "64 lower-case hex digits"},
        {BYTES(DIGESTS("1")), UNREADABLE_FIELD, "field \"digest\" is not a string"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(command_json_bad, fields_that_are_there_twice)
{
    static const struct row rows[] = {
        {BYTES(EXTRA("\"src\":\"ann\"")), UNREADABLE_DUPLICATE_FIELD,
         "field \"src\" is there twice"},
        {BYTES(EXTRA("\"amount\":\"9\"")), UNREADABLE_DUPLICATE_FIELD, "\"amount\" is there twice"},
        {BYTES(EXTRA("\"s\\u0072c\":\"eve\"")), UNREADABLE_DUPLICATE_FIELD, "\"src\" is there"},
        {BYTES(EXTRA("\"\\u0076\":1")), UNREADABLE_DUPLICATE_FIELD, "field \"v\" is there twice"},
        {BYTES(EXTRA("\"x\":1,\"x\":1")), UNREADABLE_DUPLICATE_FIELD, "\"x\" is there twice"},
        {BYTES(EXTRA("\"\":1,\"\":1")), UNREADABLE_DUPLICATE_FIELD, "\"\" is there twice"},
        {BYTES(EXTRA("\"a\\nb\":1,\"a\\u000ab\":1")), UNREADABLE_DUPLICATE_FIELD, "\"a\\x0Ab\" is"},
        {BYTES(EXTRA("\"x\":{\"y\":1,\"y\":2}")), UNREADABLE_DUPLICATE_FIELD, "\"y\" is there"},
        {BYTES(EXTRA("\"x\":[0,{\"y\":1,\"y\":2}]")), UNREADABLE_DUPLICATE_FIELD, "\"y\" is there"},
        {BYTES(EXTRA("\"batch\":null,\"batch\":1")), UNREADABLE_DUPLICATE_FIELD, "\"batch\" is"},
        {BYTES(BATCH("{\"id\":\"b\",\"rows\":1,\"digest\":\"" DIGEST "\",\"rows\":2}")),
         UNREADABLE_DUPLICATE_FIELD, "field \"rows\" is there twice"},
        {BYTES(BATCH("{\"id\":\"b\",\"rows\":1,\"digest\":\"" DIGEST "\",\"i\\u0064\":\"c\"}")),
         UNREADABLE_DUPLICATE_FIELD, "field \"id\" is there twice"},
        /* before the version: a message of a version to come must be clear about it too */
        {BYTES("{\"v\":1,\"v\":2}"), UNREADABLE_DUPLICATE_FIELD, "field \"v\" is there twice"},
    };

    expect_unreadable(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Writes the good payload with more unknown fields, so that it has that many in all. */
static int with_fields(char *json, size_t size, int fields)
{
    int used = snprintf(json, size, "{" FIELDS);

    for (int i = 5; i < fields; i++) {
        used += snprintf(json + used, size - (size_t)used, ",\"x%d\":0", i);
    }
    return used + snprintf(json + used, size - (size_t)used, "}");
}

Test(command_json_bad, limits_are_exact)
{
    static char json[COMMAND_JSON_MAX_BYTES + 1];

    memset(json, ' ', sizeof(json));
    memcpy(json, GOOD, sizeof(GOOD) - 1);
    cr_expect_eq(decode(json, COMMAND_JSON_MAX_BYTES), READABLE, "%s", detail);
    cr_expect_eq(decode(json, COMMAND_JSON_MAX_BYTES + 1), UNREADABLE_TOO_LARGE);
    cr_expect_str_eq(detail, "16385 bytes, at most 16384 are read");

    int len = with_fields(json, sizeof(json), STRICT_JSON_MAX_FIELDS);
    cr_expect_eq(decode(json, (size_t)len), READABLE, "%s", detail);
    len = with_fields(json, sizeof(json), STRICT_JSON_MAX_FIELDS + 1);
    cr_expect_eq(decode(json, (size_t)len), UNREADABLE_FIELD);
    cr_expect_str_eq(detail, "an object with more than 64 fields");

    cr_expect_eq(decode(BYTES(EXTRA("\"x\":[[[[[[[]]]]]]]"))), READABLE, "%s", detail);
    cr_expect_eq(decode(BYTES(EXTRA("\"x\":[[[[[[[[]]]]]]]]"))), UNREADABLE_TOO_DEEP);
    cr_expect_str_eq(detail, "nested deeper than 8");
    memset(json, '[', sizeof(json));
    cr_expect_eq(decode(json, COMMAND_JSON_MAX_BYTES), UNREADABLE_TOO_DEEP);
}

Test(command_json_bad, names_of_reasons_never_change)
{
    static const char *const names[] = {
        "readable", "bad_key",         "empty",           "too_large",    "bad_utf8",  "bad_json",
        "too_deep", "duplicate_field", "unknown_version", "unknown_type", "bad_field", "stale"};
    enum unreadable found = READABLE;

    cr_expect_eq(sizeof(names) / sizeof(names[0]), UNREADABLE_STALE + 1);
    for (int i = READABLE; i <= UNREADABLE_STALE; i++) {
        cr_expect_str_eq(unreadable_name((enum unreadable)i), names[i]);
        cr_expect_eq(unreadable_parse(names[i], &found), i != READABLE, "%s", names[i]);
        cr_expect_eq((int)found, i);
    }
    cr_expect_not(unreadable_parse("", &found));
    cr_expect_not(unreadable_parse("bad", &found));
}
