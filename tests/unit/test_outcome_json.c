/*
 * Outcomes as messages: what was written is read back the same, and nothing else is read.
 */
#include "common/outcome_json.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE "01a212a2-6f68-7b05-939f-0abf7f1e2648"

static char problem[OUTCOME_PROBLEM_SIZE];

static const struct outcome_record applied = {
    .key = "k1",
    .verdict = OUTCOME_APPLIED,
    .digest = {0x00, 0x01, 0xfe, 0xff},
    .seq = 17,
    .origin = {"payments", 3, 12},
    .decided_ms = INT64_C(1700000000123),
    .has_first = true,
    .first = {.outcome = OUTCOME_APPLIED,
              .seq = 17,
              .digest = {0x00, 0x01, 0xfe, 0xff},
              .command = {.type = COMMAND_PAYMENT,
                          .payment = {.key = "k1",
                                      .src = "ann",
                                      .dest = "bob",
                                      .currency = "EUR",
                                      .amount_minor = 1234}},
              .origin = {"payments", 3, 12},
              .decided_ms = INT64_C(1700000000123)},
    .store = STORE,
    .rules = 1,
};

#define PLACE                                                                                      \
    "\"digest\":\"0001feff000000000000000000000000\",\"seq\":17,"                                  \
    "\"origin\":{\"topic\":\"payments\",\"partition\":3,\"offset\":12},"                           \
    "\"decided_at\":\"2023-11-14T22:13:20.123Z\""
#define ANN_BOB                                                                                    \
    "\"command\":{\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1234\","      \
    "\"currency\":\"EUR\"}"
#define HEAD "\"v\":1,\"type\":\"outcome\",\"key\":\"k1\","
#define TAIL "\"store\":\"" STORE "\",\"rules\":1"

Test(outcome_json, writes_the_documented_text)
{
    char *text = NULL;
    struct outcome_record repeat = applied;

    size_t len = outcome_json_encode(&applied, &text);
    cr_expect_eq(len, strlen(text));
    cr_expect_str_eq(text, "{" HEAD "\"outcome\":\"applied\",\"reason\":null,"
                           "\"verdict\":\"applied\"," PLACE
                           ",\"first\":{\"outcome\":\"applied\",\"reason\":null," PLACE "," ANN_BOB
                           "}," TAIL "}");
    free(text);

    repeat.verdict = OUTCOME_DUPLICATE;
    repeat.first.outcome = OUTCOME_REJECTED;
    repeat.first.reason = REASON_INSUFFICIENT_FUNDS;
    cr_assert_gt(outcome_json_encode(&repeat, &text), 0);
    cr_expect(strstr(text, HEAD "\"outcome\":\"rejected\",\"reason\":\"insufficient_funds\","
                                "\"verdict\":\"duplicate\",\"duplicate\":true,\"digest\"") != NULL,
              "%s", text);
    free(text);

    repeat.verdict = OUTCOME_CONFLICT;
    repeat.fields = PAYMENT_AMOUNT | PAYMENT_DEST;
    strcpy(repeat.reason, "payload_differs");
    cr_assert_gt(outcome_json_encode(&repeat, &text), 0);
    cr_expect(strstr(text, HEAD "\"outcome\":\"conflict\",\"reason\":\"payload_differs\","
                                "\"verdict\":\"conflict\",\"fields\":[\"dest\",\"amount\"],"
                                "\"digest\"") != NULL,
              "%s", text);
    free(text);
}

static void expect_same(const struct outcome_record *a, const struct outcome_record *b)
{
    cr_expect_str_eq(a->key, b->key);
    cr_expect_eq(a->verdict, b->verdict);
    cr_expect_str_eq(a->reason, b->reason);
    cr_expect_eq(a->fields, b->fields);
    cr_expect_eq(memcmp(a->digest, b->digest, sizeof(a->digest)), 0);
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
        cr_expect_eq(memcmp(a->first.digest, b->first.digest, sizeof(a->first.digest)), 0);
        cr_expect_eq(command_differs(&a->first.command, &b->first.command), 0);
        cr_expect_str_eq(b->first.command.payment.key, b->key);
        cr_expect_eq(a->first.decided_ms, b->first.decided_ms);
        cr_expect_eq(a->first.origin.offset, b->first.origin.offset);
    }
}

static void expect_round_trip(const struct outcome_record *record)
{
    struct outcome_record back;
    char *text = NULL;
    size_t len = outcome_json_encode(record, &text);

    cr_assert_gt(len, 0);
    cr_assert_eq(outcome_json_decode(text, len, &back, problem), 0, "%s: %s", text, problem);
    expect_same(record, &back);
    free(text);
}

Test(outcome_json, every_verdict_comes_back_the_same)
{
    static const struct {
        enum outcome verdict;
        const char *reason;
        unsigned fields;
        bool has_first;
    } rows[] = {
        {OUTCOME_APPLIED, "", 0, true},
        {OUTCOME_REJECTED, "insufficient_funds", 0, true},
        {OUTCOME_DUPLICATE, "", 0, true},
        {OUTCOME_CONFLICT, "payload_differs", PAYMENT_SRC | PAYMENT_BATCH, true},
        {OUTCOME_CONFLICT, "batch_changed", 0, false},
        {OUTCOME_QUARANTINED, "bad_json", 0, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record record = applied;
        record.verdict = rows[i].verdict;
        strcpy(record.reason, rows[i].reason);
        record.fields = rows[i].fields;
        record.has_first = rows[i].has_first;
        record.seq = INT64_C(9007199254740991);
        record.origin.offset = INT64_C(9007199254740991);
        expect_round_trip(&record);
    }
}

Test(outcome_json, every_command_comes_back_the_same)
{
    static const struct command commands[] = {
        {.type = COMMAND_ACCOUNT_OPEN,
         .payment = {.src = "ann", .currency = "JPY"},
         .has_min = true,
         .min_minor = -MONEY_MAX_MINOR},
        {.type = COMMAND_ACCOUNT_LIMIT, .payment = {.src = "\xE2\x82\xAC", .currency = "EUR"}},
        {.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "a\"b\\c"}},
        {.type = COMMAND_ACCOUNTS, .strict = true},
        {.type = COMMAND_ACCOUNTS, .strict = false},
        {.type = COMMAND_CANCEL},
    };

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct outcome_record record = applied;
        record.first.command = commands[i];
        expect_round_trip(&record);
    }
}

Test(outcome_json, refuses_what_is_not_an_outcome)
{
    static const struct {
        const char *from; /* in the good text is replaced */
        const char *to;
        const char *says;
    } rows[] = {
        {"{\"v\":1", "{\"v\":2", "not an outcome of version 1"},
        {"\"outcome\",\"key\"", "\"payment\",\"key\"", "not an outcome"},
        {"\"key\":\"k1\"", "\"key\":\"\"", "\"key\""},
        {"\"key\":\"k1\"", "\"key\":7", "\"key\""},
        {"\"verdict\":\"applied\"", "\"verdict\":\"paid\"", "\"verdict\" is no outcome"},
        {"\"digest\":\"00", "\"digest\":\"0", "32 lower-case hex digits"},
        {"\"digest\":\"00", "\"digest\":\"0G", "32 lower-case hex digits"},
        {"\"digest\":\"0001fe", "\"digest\":\"0001FE", "32 lower-case hex digits"},
        {"\"seq\":17", "\"seq\":1.5", "\"seq\" is not a whole number"},
        {"\"seq\":17", "\"seq\":-1", "\"seq\" is not a whole number"},
        {"\"seq\":17", "\"seq\":\"17\"", "\"seq\" is not a whole number"},
        {"\"partition\":3", "\"partition\":2147483648", "\"partition\""},
        {"\"origin\":{", "\"place\":{", "\"origin\" is not an object"},
        {"22:13:20.123Z", "22:13:20Z", "\"decided_at\""},
        {"22:13:20.123Z", "25:13:20.123Z", "\"decided_at\""},
        {"2023-11-14T", "2023-11-34T", "\"decided_at\""},
        {"\"first\":{", "\"first\":7,\"f\":{", "\"first\" is not an object"},
        {"\"type\":\"payment\"", "\"type\":\"refund\"", "\"command\" is not a command"},
        {"\"amount\":\"1234\"", "\"amount\":1234", "\"command\" is not a command"},
        {"\"rules\":1", "\"rules\":null", "\"rules\""},
        {"\"rules\":1}", "\"rules\":1} ", NULL},              /* a space behind is fine */
        {"\"rules\":1}", "\"rules\":1,\"more\":[{}]}", NULL}, /* so is a field of the future */
        {"\"rules\":1}", "\"rules\":1}x", ""},
    };
    char *good = NULL;

    cr_assert_gt(outcome_json_encode(&applied, &good), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record back;
        char text[2048];
        const char *at = strstr(good, rows[i].from);
        cr_assert(at, "row %zu: %s", i, rows[i].from);
        int len = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, rows[i].to,
                           at + strlen(rows[i].from));
        int result = outcome_json_decode(text, (size_t)len, &back, problem);
        cr_expect_eq(result, rows[i].says ? -1 : 0, "row %zu: %s", i, problem);
        cr_expect(!rows[i].says || strstr(problem, rows[i].says), "row %zu: %s", i, problem);
    }
    free(good);
}

Test(outcome_json, no_shortened_text_is_read)
{
    struct outcome_record back;
    char *good = NULL;
    size_t len = outcome_json_encode(&applied, &good);

    for (size_t cut = 0; cut < len; cut++) {
        char *copy = malloc(cut + 1); /* of its own size, so that reading on is noticed */
        cr_assert(copy);
        memcpy(copy, good, cut);
        cr_expect_eq(outcome_json_decode(copy, cut, &back, problem), -1, "%zu bytes", cut);
        free(copy);
    }
    cr_expect_eq(outcome_json_decode(NULL, 0, &back, problem), -1);
    free(good);
}

Test(outcome_json, the_answer_to_a_duplicate_is_the_first_outcome)
{
    struct outcome_record record = applied;

    cr_expect_eq(outcome_answer(&record), OUTCOME_APPLIED);
    record.verdict = OUTCOME_DUPLICATE;
    record.first.outcome = OUTCOME_REJECTED;
    record.first.reason = REASON_CANCELLED;
    cr_expect_eq(outcome_answer(&record), OUTCOME_REJECTED);
    cr_expect_str_eq(outcome_answer_reason(&record), "cancelled");
    record.verdict = OUTCOME_CONFLICT;
    strcpy(record.reason, "payload_differs");
    cr_expect_eq(outcome_answer(&record), OUTCOME_CONFLICT);
    cr_expect_str_eq(outcome_answer_reason(&record), "payload_differs");
}
