#include "consumer/diff.h"

#include "common/command_text.h"
#include "common/digest.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

static bool add_decision(cJSON *root, const char *name, const struct outcome_record *record)
{
    char command[COMMAND_TEXT_SIZE];
    char digest[DIGEST_SHORT_HEX_SIZE];
    cJSON *side;

    if (!record) {
        return cJSON_AddNullToObject(root, name) != NULL;
    }
    side = cJSON_AddObjectToObject(root, name);
    return side && cJSON_AddStringToObject(side, "outcome", outcome_name(record->verdict)) &&
           cJSON_AddStringToObject(side, "reason", record->reason) &&
           cJSON_AddStringToObject(side, "command",
                                   command_text(command, &record->first.command)) &&
           cJSON_AddStringToObject(side, "digest",
                                   digest_hex(digest, record->digest, DIGEST_SHORT_SIZE));
}

int diff_print_key_json(FILE *out, const struct store_key_difference *difference)
{
    cJSON *root = cJSON_CreateObject();
    bool good = root && cJSON_AddStringToObject(root, "key", difference->key) &&
                add_decision(root, "a", difference->a) && add_decision(root, "b", difference->b);

    return line_json_print(root, good, out);
}

static bool add_account(cJSON *root, const char *name, const struct store_account *account)
{
    char text[MONEY_TEXT_SIZE];
    cJSON *side;

    if (!account) {
        return cJSON_AddNullToObject(root, name) != NULL;
    }
    side = cJSON_AddObjectToObject(root, name);
    bool good = side && cJSON_AddStringToObject(side, "state", diff_state_name(account->state)) &&
                cJSON_AddStringToObject(side, "currency", account->currency) &&
                cJSON_AddStringToObject(
                    side, "balance", money_format(text, account->balance_minor, account->currency));
    if (!good || !account->has_min) {
        return good && cJSON_AddNullToObject(side, "min_balance");
    }
    return cJSON_AddStringToObject(side, "min_balance",
                                   money_format(text, account->min_minor, account->currency)) !=
           NULL;
}

int diff_print_account_json(FILE *out, const struct store_account_difference *difference)
{
    cJSON *root = cJSON_CreateObject();
    const char *name = difference->a ? difference->a->name : difference->b->name;
    bool good = root && cJSON_AddStringToObject(root, "account", name) &&
                add_account(root, "a", difference->a) && add_account(root, "b", difference->b);

    return line_json_print(root, good, out);
}
