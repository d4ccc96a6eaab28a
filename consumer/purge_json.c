#include "consumer/purge.h"

#include "common/clock.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

int purge_print_json(FILE *out, const struct store_purged *purged)
{
    char time[CLOCK_TEXT_SIZE];
    cJSON *root = cJSON_CreateObject();

    clock_text(time, purged->floor_ms);
    bool good = root && cJSON_AddStringToObject(root, "floor", time) &&
                line_json_add_int(root, "keys", purged->keys) &&
                line_json_add_int(root, "batches", purged->batches) &&
                line_json_add_int(root, "repeats", purged->repeats) &&
                line_json_add_int(root, "ageless", purged->ageless) &&
                line_json_add_int(root, "retained", purged->retained);
    return line_json_print(root, good, out);
}
