#include "producer/summary_json.h"

#include "common/line_json.h"
#include "common/outcome_json.h"

#include <cjson/cJSON.h>

static bool add_string(cJSON *root, const char *name, const char *text)
{
    return text ? cJSON_AddStringToObject(root, name, text) : cJSON_AddNullToObject(root, name);
}

/* Counts are far below 2^53, where a double still has every whole number. */
static bool add_count(cJSON *root, const char *name, int64_t count)
{
    return cJSON_AddNumberToObject(root, name, (double)count);
}

/* Returns the object, or NULL when memory ran out. */
static cJSON *add_answers(cJSON *root, const char *name, const struct verdict_counts *counts)
{
    cJSON *answers = cJSON_AddObjectToObject(root, name);
    bool good = answers && add_count(answers, "applied", counts->applied) &&
                add_count(answers, "rejected", counts->rejected) &&
                add_count(answers, "conflict", counts->conflict) &&
                add_count(answers, "quarantined", counts->quarantined);

    return good ? answers : NULL;
}

static bool add_decided(cJSON *root, const struct verdict_counts *counts)
{
    cJSON *decided = add_answers(root, "decided", counts);

    return decided && add_count(decided, "unknown", counts->unknown);
}

int summary_json_batch(const struct summary *summary, FILE *out)
{
    cJSON *root = cJSON_CreateObject();
    const struct verdict_counts *found = summary->found;
    bool good = root && add_string(root, "batch_id", summary->batch_id) &&
                add_count(root, "rows", summary->rows) &&
                (!found || add_count(root, "answered", verdict_decided(found))) &&
                add_count(root, "acknowledged", summary->acknowledged) &&
                add_count(root, "unknown", summary->unknown) &&
                add_count(root, "failed", summary->failed) &&
                add_count(root, "skipped", summary->skipped) &&
                add_string(root, "digest", summary->digest) &&
                cJSON_AddNumberToObject(root, "seconds", (double)summary->elapsed_ms / 1000) &&
                (!found || add_answers(root, "found", found)) &&
                (!summary->decided || add_decided(root, summary->decided));

    return line_json_print(root, good, out);
}

static bool add_amount(cJSON *root, const char *name, int64_t minor, const char *currency)
{
    char amount[MONEY_TEXT_SIZE];

    return add_string(root, name, money_format(amount, minor, currency));
}

static bool add_payment(cJSON *root, const struct payment *payment)
{
    return add_string(root, "src", payment->src) && add_string(root, "dest", payment->dest) &&
           add_amount(root, "amount", payment->amount_minor, payment->currency) &&
           add_string(root, "currency", payment->currency);
}

static bool add_limit(cJSON *root, const struct command *command)
{
    const char *currency = command->payment.currency;

    return add_string(root, "currency", currency) &&
           (command->has_min ? add_amount(root, "min_balance", command->min_minor, currency)
                             : add_string(root, "min_balance", NULL));
}

static bool add_command(cJSON *root, const struct command *command)
{
    const char *account = command->payment.src;
    bool has_limit =
        command->type == COMMAND_ACCOUNT_OPEN || command->type == COMMAND_ACCOUNT_LIMIT;

    if (command->type == COMMAND_PAYMENT) {
        return add_payment(root, &command->payment);
    }
    return add_string(root, "type", command_type_name(command->type)) &&
           (!account[0] || add_string(root, "account", account)) &&
           (!has_limit || add_limit(root, command)) &&
           (command->type != COMMAND_ACCOUNTS ||
            add_string(root, "mode", command->strict ? "strict" : "open"));
}

/* The answer's fields have the form that they have in the outcomes topic. */
static bool add_answer(cJSON *root, const struct outcome_record *answer)
{
    static const char *const names[] = {"outcome", "verdict", "duplicate",  "fields",
                                        "digest",  "origin",  "decided_at", "first"};
    char text[OUTCOME_JSON_SIZE];
    cJSON *record = outcome_json_encode(answer, text) > 0 ? cJSON_Parse(text) : NULL;
    bool good = record;

    for (size_t i = 0; good && i < sizeof(names) / sizeof(names[0]); i++) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(record, names[i]);
        good = !item || cJSON_AddItemToObject(root, names[i], item);
    }
    cJSON_Delete(record);
    return good;
}

int summary_json_command(const struct summary_command *summary, FILE *out)
{
    const struct outcome_record *answer = summary->answer;
    const char *reason = answer ? outcome_answer_reason(answer) : summary->reason;
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_string(root, "key", summary->command->payment.key) &&
                add_command(root, summary->command) &&
                add_string(root, "delivery", summary_delivery_name(summary->delivery)) &&
                add_string(root, "reason", reason && reason[0] ? reason : NULL);

    if (good && summary->waited) {
        good = answer ? add_answer(root, answer) : add_string(root, "outcome", "unknown");
    }
    return line_json_print(root, good, out);
}

const char *summary_delivery_name(enum delivery delivery)
{
    switch (delivery) {
    case DELIVERY_ACKNOWLEDGED:
        return "acknowledged";
    case DELIVERY_FAILED:
        return "failed";
    case DELIVERY_UNKNOWN:
    default:
        return "unknown";
    }
}

const char *summary_json_library_version(void)
{
    return cJSON_Version();
}
