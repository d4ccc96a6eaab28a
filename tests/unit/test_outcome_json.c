/*
 * Outcomes: what was written is read back the same. What is refused stands in
 * test_outcome_json_bad.c.
 */
#include "common/clock.h"
#include "common/outcome_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define STORE  "0190b7e2-6d2a-7c3e-9f10-0123456789ab"
#define HEX    "000102030405060708090a0b0c0d0e0f"
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char problem[OUTCOME_PROBLEM_SIZE];

/* A repeat of a payment that was applied: the example of the header. */
static struct outcome_record repeat(void)
{
    struct outcome_record record = {
        .key = "k1",
        .verdict = OUTCOME_DUPLICATE,
        .seq = 17,
        .origin = {"payments", 0, 12},
        .decided_ms = INT64_C(1795608000000),
        .has_first = true,
        .first = {.outcome = OUTCOME_APPLIED,
                  .seq = 3,
                  .command = {.type = COMMAND_PAYMENT,
                              .payment = {.key = "k1",
                                          .src = "ann",
                                          .dest = "bob",
                                          .currency = "EUR",
                                          .amount_minor = 1234}},
                  .origin = {"payments", 0, 2},
                  .decided_ms = INT64_C(1795607999999)},
        .store = STORE,
        .rules = OUTCOME_RULES,
    };

    for (unsigned char i = 0; i < DIGEST_SHORT_SIZE; i++) {
        record.digest[i] = i;
        record.first.digest[i] = i;
    }
    return record;
}

#define REPEAT_HEAD                                                                                \
    "{\"v\":1,\"type\":\"outcome\",\"key\":\"k1\",\"outcome\":\"applied\",\"reason\":null,"        \
    "\"verdict\":\"duplicate\",\"duplicate\":true,\"digest\":\"" HEX "\",\"seq\":17,"              \
    "\"origin\":{\"topic\":\"payments\",\"partition\":0,\"offset\":12},"                           \
    "\"decided_at\":\"2026-11-25T12:00:00.000Z\","
#define REPEAT_FIRST                                                                               \
    "{\"outcome\":\"applied\",\"reason\":null,\"seq\":3,\"digest\":\"" HEX "\","                   \
    "\"command\":{\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1234\","      \
    "\"currency\":\"EUR\"},"                                                                       \
    "\"origin\":{\"topic\":\"payments\",\"partition\":0,\"offset\":2},"                            \
    "\"decided_at\":\"2026-11-25T11:59:59.999Z\"}"
#define REPEAT REPEAT_HEAD "\"first\":" REPEAT_FIRST ",\"store\":\"" STORE "\",\"rules\":1}"

/* Field by field, since padding has no value. */
static void expect_same(const struct outcome_record *a, const struct outcome_record *b)
{
    cr_expect_str_eq(a->key, b->key);
    cr_expect_eq(a->verdict, b->verdict);
    cr_expect_str_eq(a->reason, b->reason);
    cr_expect_eq(a->fields, b->fields);
    cr_expect_arr_eq(a->digest, b->digest, DIGEST_SHORT_SIZE);
    cr_expect_eq(a->seq, b->seq);
    cr_expect_str_eq(a->origin.topic, b->origin.topic);
    cr_expect_eq(a->origin.partition, b->origin.partition);
    cr_expect_eq(a->origin.offset, b->origin.offset);
    cr_expect_eq(a->decided_ms, b->decided_ms);
    cr_expect_str_eq(a->store, b->store);
    cr_expect_eq(a->rules, b->rules);
    cr_assert_eq(a->has_first, b->has_first);
    if (a->has_first) {
        cr_expect_eq(a->first.outcome, b->first.outcome);
        cr_expect_eq(a->first.reason, b->first.reason);
        cr_expect_eq(a->first.seq, b->first.seq);
        cr_expect_arr_eq(a->first.digest, b->first.digest, DIGEST_SHORT_SIZE);
        cr_expect_eq(command_differs(&a->first.command, &b->first.command), 0);
        cr_expect_str_eq(a->first.command.payment.key, b->first.command.payment.key);
        cr_expect_str_eq(a->first.origin.topic, b->first.origin.topic);
        cr_expect_eq(a->first.origin.partition, b->first.origin.partition);
        cr_expect_eq(a->first.origin.offset, b->first.origin.offset);
        cr_expect_eq(a->first.decided_ms, b->first.decided_ms);
    }
}

static void expect_round_trip(const struct outcome_record *record)
{
    struct outcome_record back;
    char json[OUTCOME_JSON_SIZE];
    size_t len = outcome_json_encode(record, json);

    cr_assert_gt(len, 0);
    cr_expect_eq(len, strlen(json));
    memset(&back, 0x5A, sizeof(back));
    cr_assert_eq(outcome_json_decode(json, len, &back, problem), 0, "%s: %s", json, problem);
    cr_expect_str_eq(problem, "");
    expect_same(record, &back);
}

Test(outcome_json, writes_the_documented_text)
{
    struct outcome_record record = repeat();
    char json[OUTCOME_JSON_SIZE];

    cr_assert_gt(outcome_json_encode(&record, json), 0);
    cr_expect_str_eq(json, REPEAT);

    record = (struct outcome_record){.key = "k1",
                                     .verdict = OUTCOME_CONFLICT,
                                     .reason = "batch_changed",
                                     .fields = PAYMENT_AMOUNT | PAYMENT_BATCH,
                                     .origin = {"p", 1, 0},
                                     .store = STORE,
                                     .rules = 1};
    cr_assert_gt(outcome_json_encode(&record, json), 0);
    cr_expect_str_eq(json,
                     "{\"v\":1,\"type\":\"outcome\",\"key\":\"k1\",\"outcome\":\"conflict\","
                     "\"reason\":\"batch_changed\",\"verdict\":\"conflict\","
                     "\"fields\":[\"amount\",\"batch\"],"
                     "\"digest\":\"00000000000000000000000000000000\",\"seq\":0,"
                     "\"origin\":{\"topic\":\"p\",\"partition\":1,\"offset\":0},"
                     "\"decided_at\":\"1970-01-01T00:00:00.000Z\",\"first\":null,\"store\":\"" STORE
                     "\",\"rules\":1}");
}

Test(outcome_json, every_verdict_comes_back_the_same)
{
    static const struct {
        enum outcome verdict;
        const char *reason;
        unsigned fields;
        bool has_first;
        enum outcome first;
        enum reason first_reason;
    } rows[] = {
        {OUTCOME_APPLIED, "", 0, true, OUTCOME_APPLIED, REASON_NONE},
        {OUTCOME_REJECTED, "same_account", 0, true, OUTCOME_REJECTED, REASON_SAME_ACCOUNT},
        {OUTCOME_DUPLICATE, "", 0, true, OUTCOME_APPLIED, REASON_NONE},
        {OUTCOME_DUPLICATE, "", 0, true, OUTCOME_REJECTED, REASON_CANCELLED},
        {OUTCOME_CONFLICT, "payload_differs", PAYMENT_SRC | PAYMENT_CURRENCY, true, OUTCOME_APPLIED,
         REASON_NONE},
        {OUTCOME_CONFLICT, "payload_differs", COMMAND_FIELD_TYPE, true, OUTCOME_REJECTED,
         REASON_INSUFFICIENT_FUNDS},
        {OUTCOME_CONFLICT, "batch_changed", 0, false, OUTCOME_NONE, REASON_NONE},
        {OUTCOME_QUARANTINED, "bad_json", 0, false, OUTCOME_NONE, REASON_NONE},
        {OUTCOME_QUARANTINED, "duplicate_field", 0, true, OUTCOME_APPLIED, REASON_NONE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record record = repeat();
        record.verdict = rows[i].verdict;
        strcpy(record.reason, rows[i].reason);
        record.fields = rows[i].fields;
        record.has_first = rows[i].has_first;
        record.first.outcome = rows[i].first;
        record.first.reason = rows[i].first_reason;
        expect_round_trip(&record);
    }
}

Test(outcome_json, every_command_comes_back_the_same)
{
    struct command commands[] = {
        {.type = COMMAND_PAYMENT,
         .payment = {.src = "J\xC3\xB6rg",
                     .dest = "b\"\\b",
                     .currency = "JPY",
                     .amount_minor = MONEY_MAX_MINOR,
                     .batch = {.id = "b 1", .digest = DIGEST, .rows = PAYMENT_BATCH_ROWS_MAX}}},
        {.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}},
        {.type = COMMAND_ACCOUNT_LIMIT,
         .payment = {.src = "ann", .currency = "USD"},
         .has_min = true,
         .min_minor = -MONEY_MAX_MINOR},
        {.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "ann"}},
        {.type = COMMAND_ACCOUNTS, .strict = true},
        {.type = COMMAND_ACCOUNTS, .strict = false},
        {.type = COMMAND_CANCEL},
    };

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct outcome_record record = repeat();
        record.first.command = commands[i];
        strcpy(record.first.command.payment.key, record.key);
        expect_round_trip(&record);
    }
}

Test(outcome_json, every_known_reason_of_a_first_decision_comes_back)
{
    for (int i = REASON_NONE; i < REASON_COUNT; i++) {
        struct outcome_record record = repeat();
        record.first.outcome = OUTCOME_REJECTED;
        record.first.reason = (enum reason)i;
        expect_round_trip(&record);
    }
}

Test(outcome_json, numbers_and_times_are_exact_at_their_limits)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      999999999999999,
                                      1000000000000000,
                                      4503599627370497,
                                      OUTCOME_NUMBER_MAX - 1,
                                      OUTCOME_NUMBER_MAX};
    static const int64_t times[] = {0,
                                    1,
                                    999,
                                    1000,
                                    INT64_C(951782400000),  /* 29 February 2000 */
                                    INT64_C(4107542399999), /* the last of February 2100 */
                                    CLOCK_TEXT_MAX_MS};
    struct outcome_record record = repeat();

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        record.seq = numbers[i];
        record.origin.offset = numbers[i];
        record.first.seq = numbers[i];
        record.first.origin.offset = numbers[i];
        record.origin.partition = INT32_MAX;
        record.rules = INT32_MAX;
        record.decided_ms = times[i];
        record.first.decided_ms = times[i];
        expect_round_trip(&record);
    }
}

Test(outcome_json, times_do_not_depend_on_the_zone)
{
    char text[CLOCK_TEXT_SIZE];

    setenv("TZ", "America/New_York", 1);
    cr_expect_str_eq(clock_text(text, INT64_C(1795608000007)), "2026-11-25T12:00:00.007Z");
    struct outcome_record record = repeat();
    expect_round_trip(&record);
}

static void fill(char *field, size_t size, const char *piece)
{
    for (size_t used = 0; used + strlen(piece) < size; used += strlen(piece)) {
        strcpy(field + used, piece);
    }
}

Test(outcome_json, the_longest_outcome_comes_back_the_same)
{
    static const char *const pieces[] = {"\"", "\\", "\xF0\x9F\x98\x80", "x"};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct outcome_record record = repeat();
        struct payment *payment = &record.first.command.payment;
        record.verdict = OUTCOME_CONFLICT;
        record.fields = PAYMENT_SRC | PAYMENT_DEST | PAYMENT_AMOUNT | PAYMENT_CURRENCY |
                        PAYMENT_BATCH | COMMAND_FIELD_TYPE | COMMAND_FIELD_ACCOUNT |
                        COMMAND_FIELD_MIN_BALANCE | COMMAND_FIELD_MODE;
        record.origin.offset = OUTCOME_NUMBER_MAX;
        record.first.origin.offset = OUTCOME_NUMBER_MAX;
        record.first.outcome = OUTCOME_REJECTED;
        record.first.reason = REASON_NEEDS_ONE_PARTITION;
        fill(record.key, sizeof(record.key), pieces[i]);
        fill(record.reason, sizeof(record.reason), pieces[i]);
        fill(record.origin.topic, sizeof(record.origin.topic), pieces[i]);
        fill(record.first.origin.topic, sizeof(record.first.origin.topic), pieces[i]);
        fill(record.store, sizeof(record.store), "x");
        strcpy(payment->key, record.key);
        fill(payment->src, sizeof(payment->src), pieces[i]);
        fill(payment->dest, sizeof(payment->dest), pieces[i]);
        fill(payment->batch.id, sizeof(payment->batch.id), pieces[i]);
        strcpy(payment->batch.digest, DIGEST);
        payment->batch.rows = PAYMENT_BATCH_ROWS_MAX;
        expect_round_trip(&record);
    }
}

Test(outcome_json, a_message_without_a_key_can_only_be_quarantined)
{
    struct outcome_record record = repeat();

    record.verdict = OUTCOME_QUARANTINED;
    strcpy(record.reason, "bad_key");
    record.key[0] = '\0';
    record.has_first = false;
    expect_round_trip(&record);
}
