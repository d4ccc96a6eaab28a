#include "consumer/audit.h"

#include "common/digest.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>

static bool add_counts(cJSON *root, const struct audit_report *report)
{
    return cJSON_AddStringToObject(root, "topic", report->topic) &&
           line_json_add_int(root, "partitions", report->partitions) &&
           line_json_add_int(root, "records", report->records) &&
           line_json_add_int(root, "decided", report->decided) &&
           line_json_add_int(root, "repeats", report->repeats) &&
           line_json_add_int(root, "unkept", report->unkept) &&
           line_json_add_int(root, "quarantined", report->quarantined) &&
           line_json_add_int(root, "forgotten", report->forgotten) &&
           line_json_add_int(root, "waiting", report->waiting) &&
           line_json_add_int(root, "removed", report->removed) &&
           line_json_add_int(root, "readable", report->readable);
}

static bool add_ranges(cJSON *root, const struct audit_report *report)
{
    cJSON *ranges = cJSON_AddObjectToObject(root, "ranges");
    bool good = ranges != NULL;

    for (int i = 0; good && i < report->partitions; i++) {
        char name[16];
        char range[64];
        snprintf(name, sizeof(name), "%d", i);
        snprintf(range, sizeof(range), "[%" PRId64 ",%" PRId64 "]", report->ranges[i].from,
                 report->ranges[i].to);
        good = cJSON_AddRawToObject(ranges, name, range) != NULL;
    }
    return good;
}

static bool add_totals(cJSON *root, const struct store_stats *stats)
{
    cJSON *totals = cJSON_AddObjectToObject(root, "totals");
    bool good = totals != NULL;

    for (size_t i = 0; good && i < stats->currency_count; i++) {
        const struct store_currency *currency = &stats->currencies[i];
        cJSON *entry = cJSON_AddObjectToObject(totals, currency->currency);
        char total[MONEY_TEXT_SIZE];
        char balances[MONEY_TEXT_SIZE];
        money_sum_format(total, &currency->total, currency->currency);
        money_sum_format(balances, &currency->balances, currency->currency);
        good = entry && line_json_add_int(entry, "payments", currency->applied) &&
               cJSON_AddStringToObject(entry, "total", total) &&
               line_json_add_int(entry, "accounts", currency->accounts) &&
               cJSON_AddStringToObject(entry, "balances", balances);
    }
    return good;
}

int audit_print_json(FILE *out, const struct audit_report *report)
{
    cJSON *root = cJSON_CreateObject();
    char digest[2 * KEY_HASH_SIZE + 1];
    bool good =
        root && cJSON_AddBoolToObject(root, "whole", report->findings.count == 0) &&
        add_counts(root, report) &&
        cJSON_AddStringToObject(root, "digest",
                                digest_hex(digest, report->proof.digest, KEY_HASH_SIZE)) &&
        add_ranges(root, report) && add_totals(root, &report->stats) &&
        line_json_add_int(root, "wrong", report->findings.count) &&
        line_json_add_texts(root, "findings", report->findings.shown, report->findings.shown_count);

    return line_json_print(root, good, out);
}
