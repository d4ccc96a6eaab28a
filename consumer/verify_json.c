#include "consumer/verify.h"

#include "common/digest.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>

static bool add_checks(cJSON *root, const struct store_proof *proof)
{
    cJSON *checks = cJSON_AddObjectToObject(root, "checks");
    bool good = checks != NULL;

    for (int i = 0; good && i < STORE_CHECK_COUNT; i++) {
        cJSON *check = cJSON_AddObjectToObject(checks, store_check_name((enum store_check)i));
        good = check && line_json_add_int(check, "looked_at", proof->looked_at[i]) &&
               line_json_add_int(check, "found", proof->found[i]);
    }
    return good;
}

static bool add_findings(cJSON *root, const struct verify_report *report)
{
    cJSON *findings = cJSON_AddArrayToObject(root, "findings");
    bool good = findings != NULL;

    for (size_t i = 0; good && i < report->shown_count; i++) {
        const struct verify_finding *shown = &report->shown[i];
        cJSON *finding = cJSON_CreateObject();
        good = finding && cJSON_AddItemToArray(findings, finding) &&
               cJSON_AddStringToObject(finding, "check", store_check_name(shown->check)) &&
               cJSON_AddStringToObject(finding, "text", shown->text);
    }
    return good;
}

int verify_print_json(FILE *out, const struct verify_report *report)
{
    cJSON *root = cJSON_CreateObject();
    char digest[2 * KEY_HASH_SIZE + 1];
    bool good = root &&
                cJSON_AddBoolToObject(root, "whole", store_proof_found(&report->proof) == 0) &&
                cJSON_AddStringToObject(root, "digest",
                                        digest_hex(digest, report->proof.digest, KEY_HASH_SIZE)) &&
                add_checks(root, &report->proof) && add_findings(root, report);

    return line_json_print(root, good, out);
}
