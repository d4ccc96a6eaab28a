/* Answers in plain words. */
#include "producer/answer.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEXT_SIZE 2048

static struct command payment(void)
{
    struct command command;

    command_init(&command, COMMAND_PAYMENT);
    strcpy(command.payment.src, "ann");
    strcpy(command.payment.dest, "bob");
    strcpy(command.payment.currency, "EUR");
    command.payment.amount_minor = 1234;
    return command;
}

static struct outcome_record record_of(enum outcome verdict, const char *reason, enum outcome first,
                                       enum reason first_reason)
{
    struct outcome_record record = {.key = "k1", .verdict = verdict};

    strcpy(record.reason, reason);
    if (first != OUTCOME_NONE) {
        record.has_first = true;
        record.first = (struct outcome_first){
            .outcome = first,
            .reason = first_reason,
            .command = payment(),
            .origin = {.topic = "payments", .partition = 2, .offset = 17},
            .decided_ms = INT64_C(1795608000999),
        };
    }
    return record;
}

static const char *text_of(void (*print)(const struct outcome_record *, FILE *),
                           const struct outcome_record *record)
{
    static char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    print(record, out);
    fclose(out);
    return text;
}

#define ORIGIN "payments[2]@17, decided 2026-11-25T12:00:00.999Z"

Test(answer, says_what_became_of_an_arrival)
{
    static const struct {
        enum outcome verdict;
        const char *reason;
        unsigned fields;
        enum outcome first;
        enum reason first_reason;
        const char *line;
    } rows[] = {
        {OUTCOME_APPLIED, "", 0, OUTCOME_APPLIED, REASON_NONE, "applied k1\n"},
        {OUTCOME_REJECTED, "insufficient_funds", 0, OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS,
         "rejected k1: insufficient_funds\n"},
        {OUTCOME_DUPLICATE, "", 0, OUTCOME_APPLIED, REASON_NONE,
         "applied k1 (duplicate of " ORIGIN ")\n"},
        {OUTCOME_DUPLICATE, "", 0, OUTCOME_REJECTED, REASON_SAME_ACCOUNT,
         "rejected k1: same_account (duplicate of " ORIGIN ")\n"},
        {OUTCOME_CONFLICT, "payload_differs", PAYMENT_AMOUNT, OUTCOME_APPLIED, REASON_NONE,
         "conflict k1: amount differs from the first payload (ann -> bob 12.34 EUR, "
         "applied; " ORIGIN ")\n"},
        {OUTCOME_CONFLICT, "payload_differs", PAYMENT_DEST | PAYMENT_AMOUNT, OUTCOME_REJECTED,
         REASON_ACCOUNT_CLOSED,
         "conflict k1: dest,amount differ from the first payload (ann -> bob 12.34 EUR, rejected: "
         "account_closed; " ORIGIN ")\n"},
        {OUTCOME_CONFLICT, "batch_changed", 0, OUTCOME_NONE, REASON_NONE,
         "conflict k1: batch_changed\n"},
        {OUTCOME_QUARANTINED, "bad_field", 0, OUTCOME_NONE, REASON_NONE,
         "quarantined k1: bad_field\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record record =
            record_of(rows[i].verdict, rows[i].reason, rows[i].first, rows[i].first_reason);
        record.fields = rows[i].fields;
        cr_expect_str_eq(text_of(answer_print, &record), rows[i].line, "row %zu", i);
    }
}

Test(answer, says_what_became_of_a_cancel)
{
    static const struct {
        enum outcome verdict;
        const char *reason;
        enum outcome first;
        enum reason first_reason;
        const char *line;
    } rows[] = {
        {OUTCOME_REJECTED, "cancelled", OUTCOME_REJECTED, REASON_CANCELLED,
         "cancelled k1: it will not be paid\n"},
        {OUTCOME_DUPLICATE, "", OUTCOME_REJECTED, REASON_CANCELLED,
         "cancelled k1: it will not be paid\n"},
        {OUTCOME_DUPLICATE, "", OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS,
         "k1 was rejected before: insufficient_funds; it will not be paid\n"},
        {OUTCOME_DUPLICATE, "", OUTCOME_APPLIED, REASON_NONE,
         "too late: k1 was applied (ann -> bob 12.34 EUR; " ORIGIN ")\n"},
        {OUTCOME_QUARANTINED, "unknown_type", OUTCOME_NONE, REASON_NONE,
         "quarantined k1: unknown_type\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record record =
            record_of(rows[i].verdict, rows[i].reason, rows[i].first, rows[i].first_reason);
        cr_expect_str_eq(text_of(answer_print_cancel, &record), rows[i].line, "row %zu", i);
    }
}

Test(answer, keys_are_escaped)
{
    struct outcome_record record = record_of(OUTCOME_APPLIED, "", OUTCOME_NONE, REASON_NONE);

    strcpy(record.key, "a\n\x1b[1m");
    cr_expect_str_eq(text_of(answer_print, &record), "applied a\\x0A\\x1B[1m\n");
}
