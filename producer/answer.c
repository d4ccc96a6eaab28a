#include "producer/answer.h"

#include "common/clock.h"
#include "common/command_text.h"
#include "common/outcome_json.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>

static void print_escaped(const char *text, FILE *out)
{
    char shown[TEXT_ESCAPED_SIZE];

    fputs(text_escape(shown, sizeof(shown), text, strlen(text)), out);
}

static void print_command(const struct command *command, FILE *out)
{
    char text[COMMAND_TEXT_SIZE];

    fputs(command_text(text, command), out);
}

/* "payments[2]@17, decided 2026-11-25T12:00:00.000Z" */
static void print_origin(const struct outcome_first *first, FILE *out)
{
    char time[CLOCK_TEXT_SIZE];

    print_escaped(first->origin.topic, out);
    fprintf(out, "[%" PRId32 "]@%" PRId64 ", decided %s", first->origin.partition,
            first->origin.offset, clock_text(time, first->decided_ms));
}

static void print_decision(const struct outcome_first *first, FILE *out)
{
    fputs(outcome_name(first->outcome), out);
    if (first->outcome == OUTCOME_REJECTED) {
        fprintf(out, ": %s", reason_name(first->reason));
    }
}

static void print_reason(const char *reason, FILE *out)
{
    if (reason[0]) {
        fputs(": ", out);
        print_escaped(reason, out);
    }
    if (strcmp(reason, reason_name(REASON_NEEDS_ONE_PARTITION)) == 0) {
        fputs(" (limits and strict accounts need a topic of one partition)", out);
    }
}

static void print_conflict(const struct outcome_record *record, FILE *out)
{
    char fields[COMMAND_FIELDS_SIZE];

    if (record->fields == 0) {
        print_reason(record->reason, out);
    } else {
        command_fields(fields, record->fields);
        fprintf(out, ": %s %s from the first payload", fields,
                strchr(fields, ',') ? "differ" : "differs");
    }
    if (record->has_first) {
        fputs(" (", out);
        print_command(&record->first.command, out);
        fputs(", ", out);
        print_decision(&record->first, out);
        fputs("; ", out);
        print_origin(&record->first, out);
        putc(')', out);
    }
}

void answer_print(const struct outcome_record *record, FILE *out)
{
    fprintf(out, "%s ", outcome_name(outcome_answer(record)));
    print_escaped(record->key, out);
    if (record->verdict == OUTCOME_CONFLICT) {
        print_conflict(record, out);
    } else {
        print_reason(outcome_answer_reason(record), out);
    }
    if (record->verdict == OUTCOME_DUPLICATE && record->has_first) {
        fputs(" (duplicate of ", out);
        print_origin(&record->first, out);
        putc(')', out);
    }
    putc('\n', out);
}

void answer_print_cancel(const struct outcome_record *record, FILE *out)
{
    enum outcome answer = outcome_answer(record);
    const char *reason = outcome_answer_reason(record);

    if (answer == OUTCOME_REJECTED && strcmp(reason, reason_name(REASON_CANCELLED)) == 0) {
        fputs("cancelled ", out);
        print_escaped(record->key, out);
        fputs(": it will not be paid\n", out);
    } else if (answer == OUTCOME_REJECTED) {
        print_escaped(record->key, out);
        fputs(" was rejected before", out);
        print_reason(reason, out);
        fputs("; it will not be paid\n", out);
    } else if (answer == OUTCOME_APPLIED && record->has_first) {
        fputs("too late: ", out);
        print_escaped(record->key, out);
        fputs(" was ", out);
        answer_print_first(&record->first, out);
        putc('\n', out);
    } else {
        answer_print(record, out);
    }
}

void answer_print_first(const struct outcome_first *first, FILE *out)
{
    print_decision(first, out);
    fputs(" (", out);
    print_command(&first->command, out);
    fputs("; ", out);
    print_origin(first, out);
    putc(')', out);
}
