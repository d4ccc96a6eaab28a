/*
 * Prints every kind of command and outcome as the programs write them, one a line: its schema's
 * name, a tab, the JSON. check_schemas holds them against the schemas.
 */
#include "common/command_json.h"
#include "common/outcome_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define DIGEST      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct command commands[] = {
    {.type = COMMAND_PAYMENT,
     .payment = {.src = "ann", .dest = "bob", .currency = "EUR", .amount_minor = 1234}},
    {.type = COMMAND_PAYMENT,
     .payment = {.src = "J\xC3\xB6rg \"x\" \\",
                 .dest = "b",
                 .currency = "JPY",
                 .amount_minor = MONEY_MAX_MINOR,
                 .batch = {.id = "payroll 11", .digest = DIGEST, .rows = PAYMENT_BATCH_ROWS_MAX}}},
    {.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}},
    {.type = COMMAND_ACCOUNT_OPEN, .payment = {.src = "ann", .currency = "EUR"}, .has_min = true},
    {.type = COMMAND_ACCOUNT_LIMIT,
     .payment = {.src = "ann", .currency = "EUR"},
     .has_min = true,
     .min_minor = -MONEY_MAX_MINOR},
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
    enum outcome first;
    enum reason first_reason;
} verdicts[] = {
    {OUTCOME_APPLIED, "", 0, true, OUTCOME_APPLIED, REASON_NONE},
    {OUTCOME_REJECTED, "same_account", 0, true, OUTCOME_REJECTED, REASON_SAME_ACCOUNT},
    {OUTCOME_DUPLICATE, "", 0, true, OUTCOME_REJECTED, REASON_NEEDS_ONE_PARTITION},
    {OUTCOME_CONFLICT, "payload_differs", PAYMENT_SRC | COMMAND_FIELD_MODE, true, OUTCOME_APPLIED,
     REASON_NONE},
    {OUTCOME_CONFLICT, "batch_changed", PAYMENT_BATCH, false, OUTCOME_NONE, REASON_NONE},
    {OUTCOME_QUARANTINED, "bad_json", 0, false, OUTCOME_NONE, REASON_NONE},
};

static void print_command(const struct command *command)
{
    char json[COMMAND_JSON_SIZE];

    if (command_json_encode(command, json) == 0) {
        exit(EXIT_FAILURE);
    }
    printf("command\t%s\n", json);
}

static void print_outcome(size_t verdict, const struct command *command)
{
    struct outcome_record record = {
        .key = "k1",
        .verdict = verdicts[verdict].verdict,
        .fields = verdicts[verdict].fields,
        .seq = OUTCOME_NUMBER_MAX,
        .origin = {"payments", INT32_MAX, OUTCOME_NUMBER_MAX},
        .decided_ms = OUTCOME_TIME_MAX_MS,
        .has_first = verdicts[verdict].has_first,
        .first = {.outcome = verdicts[verdict].first,
                  .reason = verdicts[verdict].first_reason,
                  .command = *command,
                  .origin = {"payments", 0, 0}},
        .store = "0190b7e2-6d2a-7c3e-9f10-0123456789ab",
        .rules = OUTCOME_RULES,
    };
    char *json;

    strcpy(record.reason, verdicts[verdict].reason);
    if (outcome_json_encode(&record, &json) == 0) {
        exit(EXIT_FAILURE);
    }
    printf("outcome\t%s\n", json);
    free(json);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        print_command(&commands[i]);
        for (size_t verdict = 0; verdict < COUNT(verdicts); verdict++) {
            print_outcome(verdict, &commands[i]);
        }
    }
    return EXIT_SUCCESS;
}
