#include "consumer/ledger_json.h"

#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

bool ledger_json_add_positions(cJSON *root, const struct store_stats *stats)
{
    cJSON *topic = stats->topic ? cJSON_AddStringToObject(root, "topic", stats->topic)
                                : cJSON_AddNullToObject(root, "topic");
    cJSON *positions = cJSON_AddObjectToObject(root, "positions");
    bool good = topic && positions;

    for (size_t i = 0; good && i < stats->position_count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%" PRId32, stats->positions[i].partition);
        good = line_json_add_int(positions, name, stats->positions[i].next_offset);
    }
    return good;
}

int ledger_json_print(FILE *out, const char *file, int64_t bytes, const struct store_stats *stats)
{
    cJSON *root = cJSON_CreateObject();
    int64_t decisions = stats->counts[OUTCOME_APPLIED] + stats->counts[OUTCOME_REJECTED];
    bool good = root && cJSON_AddStringToObject(root, "file", file) &&
                (bytes < 0 || line_json_add_int(root, "bytes", bytes)) &&
                line_json_add_int(root, "decisions", decisions) &&
                ledger_json_add_positions(root, stats);

    return line_json_print(root, good, out);
}
