/*
 * The payload: what was written is read back the same, and nothing else is read. The reasons for
 * which a message is unreadable stand in test_command_json_bad.c.
 */
#include "common/command_json.h"
#include "common/text.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD   "\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\""

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

static size_t encode_payment(const struct payment *payment, char *buf)
{
    const struct command command = {.type = COMMAND_PAYMENT, .payment = *payment};

    return command_json_encode(&command, buf);
}

static enum unreadable decode(const char *value, size_t len, struct payment *ret)
{
    enum unreadable reason = READABLE;

    cr_assert_eq(decode_payment("k1", 2, value, len, ret, &reason, detail), 0);
    return reason;
}

static void expect_same(const struct payment *a, const struct payment *b)
{
    char names[COMMAND_FIELDS_SIZE];

    cr_expect_str_eq(a->key, b->key);
    cr_expect_eq(payment_differs(a, b), 0, "%s differ",
                 command_fields(names, payment_differs(a, b)));
}

static void fill(char *field, size_t len, const char *piece)
{
    size_t size = strlen(piece);

    for (size_t used = 0; used + size <= len; used += size) {
        memcpy(field + used, piece, size);
        field[used + size] = '\0';
    }
}

Test(command_json, writes_the_documented_text)
{
    struct payment payment = {
        .key = "k1", .src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1234};
    char json[COMMAND_JSON_SIZE];

    size_t len = encode_payment(&payment, json);
    cr_expect_str_eq(json, "{" HEAD ",\"amount\":\"1234\",\"currency\":\"EUR\"}");
    cr_expect_eq(len, strlen(json));
    payment.batch = (struct payment_batch){.id = "payroll-11", .digest = DIGEST, .rows = 1000};
    len = encode_payment(&payment, json);
    cr_expect_str_eq(json,
                     "{" HEAD ",\"amount\":\"1234\",\"currency\":\"EUR\","
                     "\"batch\":{\"id\":\"payroll-11\",\"rows\":1000,\"digest\":\"" DIGEST "\"}}");
    cr_expect_eq(len, strlen(json));
}

Test(command_json, every_payment_comes_back_the_same)
{
    static const char *const texts[] = {"ann",
                                        "a\"b",
                                        "back\\slash",
                                        "\\u0000",
                                        "\\\\",
                                        "J\xC3\xB6rg M\xC3\xBCller",
                                        "\xF0\x9F\x98\x80",
                                        "a/b",
                                        "{\"v\":2}",
                                        "<&>'`",
                                        "\"\"\"\"",
                                        "\xE2\x82\xAC"};
    static const int64_t amounts[] = {1, 10, 9007199254740993, MONEY_MAX_MINOR};
    char json[COMMAND_JSON_SIZE];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct payment payment = {.key = "k1",
                                  .currency = "JPY",
                                  .amount_minor = amounts[i % 4],
                                  .batch = {.digest = DIGEST, .rows = (int64_t)i + 1}};
        struct payment back;
        size_t len = strlen(texts[i]);
        payment_copy(payment.src, texts[i], len);
        payment_copy(payment.dest, texts[i], len);
        payment_copy(payment.batch.id, texts[i], len);
        cr_assert_gt(encode_payment(&payment, json), 0);
        cr_assert_eq(decode(json, strlen(json), &back), READABLE, "%s: %s", json, detail);
        expect_same(&payment, &back);
        cr_expect_str_eq(detail, "");
    }
}

Test(command_json, the_longest_payment_comes_back_the_same)
{
    static const char *const pieces[] = {"\"", "\\", "\xF0\x9F\x98\x80", "x"};
    char json[COMMAND_JSON_SIZE];

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct payment payment = {.currency = "EUR",
                                  .amount_minor = MONEY_MAX_MINOR,
                                  .batch = {.digest = DIGEST, .rows = PAYMENT_BATCH_ROWS_MAX}};
        struct payment back;
        enum unreadable reason;
        fill(payment.key, PAYMENT_KEY_MAX, pieces[i]);
        fill(payment.src, PAYMENT_ACCOUNT_MAX, pieces[i]);
        fill(payment.dest, PAYMENT_ACCOUNT_MAX, pieces[i]);
        fill(payment.batch.id, PAYMENT_BATCH_ID_MAX, pieces[i]);
        size_t len = encode_payment(&payment, json);
        cr_assert_gt(len, 0);
        cr_assert_eq(
            decode_payment(payment.key, strlen(payment.key), json, len, &back, &reason, detail), 0);
        cr_assert_eq(reason, READABLE, "%s", detail);
        expect_same(&payment, &back);
        cr_expect_eq(back.batch.rows, INT64_C(9999999999));
    }
}

Test(command_json, reads_what_other_writers_may_write)
{
    static const struct {
        const char *json;
        int64_t amount_minor;
        const char *src;
        const char *currency;
    } rows[] = {
        {"{" HEAD ",\"amount\":\"1234\"}", 1234, "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"1234\",\"currency\":\"JPY\"}", 1234, "ann", "JPY"},
        /* of the right form, and the ledger's to reject */
        {"{" HEAD ",\"amount\":\"0\"}", 0, "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"10000000000000000\"}", INT64_C(10000000000000000), "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"999999999999999999\"}", INT64_C(999999999999999999), "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"1\",\"currency\":\"ZZZ\"}", 1, "ann", "ZZZ"},
        /* numbers that lose a unit as doubles */
        {"{" HEAD ",\"amount\":\"9007199254740993\"}", INT64_C(9007199254740993), "ann", "EUR"},
        /* another order, blanks, what nobody knows */
        {" \t\r\n{ \"amount\" : \"7\" , \"dest\":\"bob\",\"src\":\"ann\",\"type\":\"payment\","
         "\"v\":1 } \r\n",
         7, "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"7\",\"note\":\"\",\"tags\":[1,2.5e-3,null,{}],\"SRC\":\"eve\"}", 7,
         "ann", "EUR"},
        {"{" HEAD ",\"amount\":\"7\",\"Batch\":5,\"src \":\"eve\"}", 7, "ann", "EUR"},
        /* escapes */
        {"{\"v\":1,\"type\":\"pay\\u006dent\",\"s\\u0072c\":\"J\\u00f6rg \\ud83d\\ude00\","
         "\"dest\":\"b\",\"amount\":\"\\u0037\"}",
         7, "J\xC3\xB6rg \xF0\x9F\x98\x80", "EUR"},
        {"{\"v\":1,\"type\":\"payment\",\"src\":\"a\\\\u0000\\/\\\"\",\"dest\":\"b\","
         "\"amount\":\"7\"}",
         7, "a\\u0000/\"", "EUR"},
        {"{" HEAD ",\"amount\":\"7\",\"x\":\"{[{[{[{[{[{[\"}", 7, "ann", "EUR"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct payment payment = {.batch = {.id = "left over", .rows = 9}};
        cr_expect_eq(decode(rows[i].json, strlen(rows[i].json), &payment), READABLE, "%s: %s",
                     rows[i].json, detail);
        cr_expect_eq(payment.amount_minor, rows[i].amount_minor, "%s", rows[i].json);
        cr_expect_str_eq(payment.src, rows[i].src);
        cr_expect_str_eq(payment.currency, rows[i].currency);
        cr_expect_str_eq(payment.key, "k1");
        cr_expect_str_eq(payment.batch.id, "", "%s", rows[i].json);
        cr_expect_eq(payment.batch.rows, 0);
    }
}

Test(command_json, no_shortened_payload_is_read)
{
    struct payment payment = {.key = "k1",
                              .src = "J\xC3\xB6rg",
                              .dest = "b\"b",
                              .currency = "EUR",
                              .amount_minor = 1234,
                              .batch = {.id = "b1", .digest = DIGEST, .rows = 12}};
    char json[COMMAND_JSON_SIZE];
    size_t len = encode_payment(&payment, json);

    cr_assert_eq(decode(json, len, &payment), READABLE);
    for (size_t cut = 0; cut < len; cut++) {
        /* On the heap and exact, so that a byte read too far is found. */
        char *prefix = malloc(cut + (cut == 0));
        cr_assert_not_null(prefix);
        memcpy(prefix, json, cut);
        enum unreadable reason = decode(prefix, cut, &payment);
        free(prefix);
        cr_expect(reason == UNREADABLE_JSON || (reason == UNREADABLE_EMPTY && cut == 0) ||
                      (reason == UNREADABLE_UTF8 && json[cut - 1] == '\xC3'),
                  "%.*s: %s", (int)cut, json, unreadable_name(reason));
    }
}

/* ---- random damage ---- */

static uint64_t random_state;

/* splitmix64 */
static uint64_t random_next(void)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t random_below(size_t limit)
{
    return (size_t)(random_next() % limit);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("PAY_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0;

    if (!given && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = 1;
    }
    fprintf(stderr, "PAY_SEED=%" PRIu64 "\n", seed);
    return seed;
}

#define MUTATIONS 100000
#define ROOM      4096

static const char *const pieces[] = {
    "\"",
    "\\",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "1e3",
    "-1",
    "null",
    "\0",
    "\xFF",
    "\xC3",
    " ",
    "\"src\":\"eve\",",
    "1.5",
    "\\u0073",
    "\\ud83d",
    "true",
    "\n",
    "\x01",
    "\"v\":1,",
    "EUR",
    "\"amount\":\"9\",",
    "\xC2\x85",
    "999999999999999999",
    "\xEF\xBB\xBF",
};

/* Changes bytes of len in place; returns the new length, which stays below ROOM. */
static size_t damage(char *bytes, size_t len)
{
    size_t at = random_below(len + 1);
    const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
    size_t size = strlen(piece) + (*piece == '\0');
    size_t gone = random_below(9);

    switch (random_below(5)) {
    case 0: /* flip a bit */
        if (at < len) {
            bytes[at] = (char)(bytes[at] ^ 1 << random_below(8));
        }
        return len;
    case 1: /* another digit, so that much stays readable */
        if (at < len && bytes[at] >= '0' && bytes[at] <= '9') {
            bytes[at] = (char)('0' + random_below(10));
        }
        return len;
    case 2: /* lose some */
        gone = gone < len - at ? gone : len - at;
        memmove(bytes + at, bytes + at + gone, len - at - gone);
        return len - gone;
    default: /* put something in */
        if (len + size >= ROOM) {
            return len;
        }
        memmove(bytes + at + size, bytes + at, len - at);
        memcpy(bytes + at, piece, size);
        return len + size;
    }
}

static void check_rules(const struct payment *payment)
{
    cr_assert_null(payment_account_problem(payment->src, strlen(payment->src)));
    cr_assert_null(payment_account_problem(payment->dest, strlen(payment->dest)));
    cr_assert(money_is_currency_form(payment->currency, strlen(payment->currency)));
    cr_assert(payment->amount_minor >= 0 && payment->amount_minor < INT64_C(1000000000000000000));
    if (payment->batch.id[0] != '\0') {
        cr_assert_null(payment_batch_id_problem(payment->batch.id, strlen(payment->batch.id)));
        cr_assert_null(payment_digest_problem(payment->batch.digest, PAYMENT_DIGEST_LEN));
        cr_assert(payment->batch.rows >= 1 && payment->batch.rows <= PAYMENT_BATCH_ROWS_MAX);
    }
}

Test(command_json, damaged_bytes_are_unreadable_or_another_whole_payment)
{
    struct payment payment = {.key = "k1",
                              .src = "ann",
                              .dest = "J\xC3\xB6rg \"x\"",
                              .currency = "EUR",
                              .amount_minor = 1234,
                              .batch = {.id = "b1", .digest = DIGEST, .rows = 12}};
    char json[COMMAND_JSON_SIZE];
    unsigned long readable = 0;
    size_t len = encode_payment(&payment, json);

    random_state = seed_of_run();
    for (int i = 0; i < MUTATIONS; i++) {
        char scratch[ROOM];
        struct payment first;
        struct payment second;
        memcpy(scratch, json, len);
        size_t damaged_len = len;
        for (size_t n = 1 + random_below(4); n > 0; n--) {
            damaged_len = damage(scratch, damaged_len);
        }
        char *damaged = malloc(damaged_len + 1);
        cr_assert_not_null(damaged);
        memcpy(damaged, scratch, damaged_len);
        enum unreadable reason = decode(damaged, damaged_len, &first);
        free(damaged);
        cr_assert(text_is_printable(detail, strlen(detail)), "mutation %d", i);
        cr_assert_eq(reason == READABLE, detail[0] == '\0', "mutation %d", i);
        if (reason != READABLE) {
            continue;
        }
        readable++;
        check_rules(&first);
        char again[COMMAND_JSON_SIZE];
        size_t again_len = encode_payment(&first, again);
        cr_assert_gt(again_len, 0);
        cr_assert_eq(decode(again, again_len, &second), READABLE, "mutation %d: %s", i, again);
        cr_assert_eq(payment_differs(&first, &second), 0, "mutation %d: %s", i, again);
    }
    /* Both ways were walked. */
    cr_expect_gt(readable, MUTATIONS / 100);
    cr_expect_lt(readable, MUTATIONS - MUTATIONS / 100);
}
