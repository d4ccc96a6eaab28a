#include "consumer/replay.h"

#include "common/line_json.h"

#include <cjson/cJSON.h>

static bool add_kind(cJSON *outcomes, const struct replay_report *report, int kind)
{
    cJSON *entry = cJSON_AddObjectToObject(outcomes, replay_kind_name(kind));
    cJSON *amounts = NULL;
    bool good = entry && line_json_add_int(entry, "records", report->counts[kind]) &&
                (amounts = cJSON_AddObjectToObject(entry, "amounts")) != NULL;

    for (size_t i = 0; good && i < report->currency_count; i++) {
        const struct replay_currency *currency = &report->currencies[i];
        char text[MONEY_TEXT_SIZE];
        good = currency->payments[kind] == 0 ||
               cJSON_AddStringToObject(
                   amounts, currency->currency,
                   money_sum_format(text, &currency->amounts[kind], currency->currency));
    }
    return good;
}

int replay_print_json(FILE *out, const struct replay_report *report)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *outcomes = NULL;
    bool good = root && cJSON_AddBoolToObject(root, "executed", report->executed) &&
                cJSON_AddStringToObject(root, "topic", report->topic) &&
                line_json_add_int(root, "records", report->records) &&
                (outcomes = cJSON_AddObjectToObject(root, "outcomes")) != NULL;

    for (int i = OUTCOME_NONE + 1; good && i < REPLAY_KINDS; i++) {
        good = add_kind(outcomes, report, i);
    }
    good = good && (!report->redecided || line_json_add_int(root, "changes", report->changes)) &&
           (report->gone == 0 || line_json_add_int(root, "gone", report->gone)) &&
           line_json_add_texts(root, "new", report->news.shown, report->news.shown_count);
    return line_json_print(root, good, out);
}
