/*
 * Prints a payload of every kind as the programs write them, one a line: "command JSON" or "outcome
 * JSON". tests/check_schemas holds them against the schemas.
 */
#include "common/command_json.h"
#include "common/outcome_json.h"

#include <stdio.h>
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct command commands[] = {
    {.type = COMMAND_PAYMENT,
     .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = MONEY_MAX_MINOR}},
    {.type = COMMAND_PAYMENT,
     .payment = {.src = "a\"\\\xE2\x82\xAC",
                 .dest = "bob",
                 .currency = "JPY",
                 .amount_minor = 1,
                 .batch = {.id = "payroll-11", .rows = PAYMENT_BATCH_ROWS_MAX, .digest = DIGEST}}},
    {.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}},
    {.type = COMMAND_ACCOUNT_OPEN,
     .payment = {.src = "ann", .currency = "EUR"},
     .has_min = true,
     .min_minor = -MONEY_MAX_MINOR},
    {.type = COMMAND_ACCOUNT_LIMIT, .payment = {.src = "ann", .currency = "EUR"}, .has_min = true},
    {.type = COMMAND_ACCOUNT_CLOSE, .payment = {.src = "ann"}},
    {.type = COMMAND_ACCOUNTS, .strict = true},
    {.type = COMMAND_ACCOUNTS, .strict = false},
    {.type = COMMAND_CANCEL},
};

static const struct {
    enum outcome verdict;
    const char *reason;
    unsigned fields;
    bool has_first;
} answers[] = {
    {OUTCOME_APPLIED, "", 0, true},
    {OUTCOME_REJECTED, "insufficient_funds", 0, true},
    {OUTCOME_DUPLICATE, "", 0, true},
    {OUTCOME_CONFLICT, "payload_differs", PAYMENT_AMOUNT | COMMAND_FIELD_TYPE, true},
    {OUTCOME_CONFLICT, "batch_changed", 0, false},
    {OUTCOME_QUARANTINED, "bad_json", 0, false},
};

static void print_outcome(size_t answer, size_t command)
{
    struct outcome_record record = {
        .key = "k1",
        .verdict = answers[answer].verdict,
        .fields = answers[answer].fields,
        .seq = 17,
        .origin = {"payments", 3, 12},
        .decided_ms = 1700000000123,
        .has_first = answers[answer].has_first,
        .first = {.outcome = command % 2 ? OUTCOME_REJECTED : OUTCOME_APPLIED,
                  .reason = command % 2 ? REASON_SAME_ACCOUNT : REASON_NONE,
                  .seq = 17,
                  .command = commands[command],
                  .origin = {"payments", 3, 12},
                  .decided_ms = 1700000000123},
        .store = "01a212a2-6f68-7b05-939f-0abf7f1e2648",
        .rules = OUTCOME_RULES,
    };
    char text[OUTCOME_JSON_SIZE];

    memcpy(record.reason, answers[answer].reason, strlen(answers[answer].reason) + 1);
    if (outcome_json_encode(&record, text) > 0) {
        printf("outcome %s\n", text);
    }
}

int main(void)
{
    const size_t command_count = sizeof(commands) / sizeof(commands[0]);

    for (size_t i = 0; i < command_count; i++) {
        char json[COMMAND_JSON_SIZE];
        if (command_json_encode(&commands[i], json) > 0) {
            printf("command %s\n", json);
        }
        for (size_t j = 0; j < sizeof(answers) / sizeof(answers[0]); j++) {
            print_outcome(j, i);
        }
    }
    return 0;
}
