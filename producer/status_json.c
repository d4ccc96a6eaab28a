#include "common/line_json.h"
#include "common/outcome_json.h"
#include "producer/status.h"

#include <cjson/cJSON.h>

static bool add(cJSON *object, const char *name, cJSON *item)
{
    return item && cJSON_AddItemToObject(object, name, item);
}

static cJSON *record_of(const struct status_key *status)
{
    char text[OUTCOME_JSON_SIZE];

    if (!status->is_found) {
        return cJSON_CreateNull();
    }
    return outcome_json_encode(&status->record, text) > 0 ? cJSON_Parse(text) : NULL;
}

/* Counts are far below 2^53, where a double still has every whole number. */
static bool add_key(cJSON *list, const struct status_key *status)
{
    cJSON *item = cJSON_CreateObject();
    enum outcome answer = status_answer(status);
    const char *outcome = status->is_found ? outcome_name(answer) : "unknown";

    return item && cJSON_AddItemToArray(list, item) &&
           add(item, "key", cJSON_CreateString(status->key)) &&
           add(item, "found", cJSON_CreateBool(status->is_found)) &&
           add(item, "outcome", cJSON_CreateString(outcome)) &&
           add(item, "repeats", cJSON_CreateNumber((double)status->repeats)) &&
           add(item, "conflicts", cJSON_CreateNumber((double)status->conflicts)) &&
           add(item, "quarantined", cJSON_CreateNumber((double)status->quarantined)) &&
           add(item, "record", record_of(status));
}

int status_json(const struct status_key *keys, int count, FILE *out)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *list = root ? cJSON_AddArrayToObject(root, "keys") : NULL;
    bool good = list;

    for (int i = 0; good && i < count; i++) {
        good = add_key(list, &keys[i]);
    }
    return line_json_print(root, good, out);
}
