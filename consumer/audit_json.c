#include "consumer/audit.h"

#include "common/digest.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
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
           line_json_add_int(root, "removed", report->removed);
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
        line_json_add_int(root, "wrong", report->findings.count) &&
        line_json_add_texts(root, "findings", report->findings.shown, report->findings.shown_count);

    return line_json_print(root, good, out);
}
